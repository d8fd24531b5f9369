//! The commit stage: operations that arrive together share one write.
//!
//! The first to arrive leads: it writes its own operation at once. Those who come meanwhile line
//! up; the leader's successor is one of them and writes them all in one batch, in their order.
//! An operation is checked against what the ones before it will have done, so the order of the
//! line is the order of positions, and nothing is visible before the store has it.
//!
//! A leader's items go from the caller's memory straight into the store's batch. One who lines up
//! copies its items first, so that no thread ever reads another's borrowed memory; it would be
//! waiting for the running write at that time anyway.
//!
//! Leader and followers are as in RocksDB's own write thread (`db/write_thread.h` of
//! <https://github.com/facebook/rocksdb>).

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::Log;
use super::chunk::{Chunk, Header, NewChunk};
use super::cursor::{Cursor, Mark};
use super::records::label_key;
use super::state::{ONLY_LABEL, State};
use super::tail::MAX_KEPT_PAYLOAD;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Batch, Records, Store};

/// A group takes no further operation once it has this much payload.
const GROUP_PAYLOAD: u64 = 1 << 20;

/// Something to be done in commit order.
#[derive(Debug)]
pub(crate) enum Operation<'a> {
    /// Adds items at the end; `called` when the caller was called out of the producers' line.
    Append {
        chunks: Vec<NewChunk<'a>>,
        called: bool,
    },
    /// Moves a cursor, if it still is where it was; `before` is `None` for a new label.
    Move {
        label: Arc<str>,
        before: Option<Cursor>,
        after: Cursor,
    },
    /// Forgets a label.
    Remove { label: Arc<str> },
    /// Lets nothing be done after it.
    Close,
}

impl Operation<'_> {
    fn into_owned(self) -> Operation<'static> {
        match self {
            Self::Append { chunks, called } => Operation::Append {
                chunks: chunks.into_iter().map(NewChunk::into_owned).collect(),
                called,
            },
            Self::Move {
                label,
                before,
                after,
            } => Operation::Move {
                label,
                before,
                after,
            },
            Self::Remove { label } => Operation::Remove { label },
            Self::Close => Operation::Close,
        }
    }

    fn payload(&self) -> u64 {
        match self {
            Self::Append { chunks, .. } => chunks.iter().map(|chunk| chunk.payload).sum(),
            _ => 0,
        }
    }
}

/// The line of operations before the store.
#[derive(Debug, Default)]
pub(crate) struct CommitLine {
    line: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    led: bool,
    operations: VecDeque<Follower>,
}

/// An operation of somebody who waits for its outcome.
#[derive(Debug)]
struct Follower {
    operation: Operation<'static>,
    outcome: Arc<Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Waiting,
    Leading,
    Done(Result<()>),
}

impl Outcome {
    fn set(&self, stage: Stage) {
        *self.stage.lock() = stage;
        self.changed.notify_one();
    }

    /// Waits until the operation is done, or until its owner is to lead: then `None`.
    fn wait(&self) -> Option<Result<()>> {
        let mut stage = self.stage.lock();
        loop {
            match std::mem::take(&mut *stage) {
                Stage::Waiting => self.changed.wait(&mut stage),
                Stage::Leading => return None,
                Stage::Done(result) => return Some(result),
            }
        }
    }
}

impl CommitLine {
    /// Takes the lead if nobody has it.
    fn try_lead(&self) -> Option<Lead<'_>> {
        let mut line = self.line.lock();
        (!std::mem::replace(&mut line.led, true)).then(|| Lead(self))
    }

    /// Lines up behind a leader, or takes the lead when there is none any more.
    fn line_up(&self, operation: Operation<'static>) -> (Option<Lead<'_>>, Arc<Outcome>) {
        let outcome = Arc::new(Outcome::default());
        let mut line = self.line.lock();
        line.operations.push_back(Follower {
            operation,
            outcome: Arc::clone(&outcome),
        });
        let lead = (!std::mem::replace(&mut line.led, true)).then(|| Lead(self));
        (lead, outcome)
    }
}

/// The lead of a commit line; dropping it makes the next in line the leader.
struct Lead<'a>(&'a CommitLine);

impl Lead<'_> {
    /// The operations that have lined up, as many as fit in one group.
    fn group(&self) -> Vec<Follower> {
        let mut line = self.0.line.lock();
        let mut payload = 0u64;
        let mut group = Vec::new();
        while payload < GROUP_PAYLOAD
            && let Some(follower) = line.operations.pop_front()
        {
            payload = payload.saturating_add(follower.operation.payload());
            group.push(follower);
        }
        group
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line.lock();
        match line.operations.front() {
            Some(next) => next.outcome.set(Stage::Leading),
            None => line.led = false,
        }
    }
}

impl<S: Store> Log<S> {
    /// Does `operation` in commit order. When it returns, the operating system has the result.
    pub(crate) fn submit(&self, operation: Operation<'_>) -> Result<()> {
        if let Some(_lead) = self.commits.try_lead() {
            let mut results = self.write_group(vec![operation]);
            return results.pop().unwrap_or(Ok(()));
        }
        let (mut lead, outcome) = self.commits.line_up(operation.into_owned());
        loop {
            if lead.is_none() {
                match outcome.wait() {
                    Some(result) => return result,
                    None => lead = Some(Lead(&self.commits)),
                }
            }
            if let Some(lead) = lead.take() {
                self.lead_group(&lead);
            }
        }
    }

    /// Writes one group and tells its members.
    fn lead_group(&self, lead: &Lead<'_>) {
        let (operations, outcomes): (Vec<_>, Vec<_>) = lead
            .group()
            .into_iter()
            .map(|follower| (follower.operation, follower.outcome))
            .unzip();
        let results = self.write_group(operations);
        for (outcome, result) in outcomes.iter().zip(results) {
            outcome.set(Stage::Done(result));
        }
    }

    /// Writes the operations that are possible in one batch, and makes them visible.
    fn write_group(&self, operations: Vec<Operation<'_>>) -> Vec<Result<()>> {
        let count = operations.len();
        if let Err(error) = self.catch_up() {
            return vec![Err(error); count];
        }
        let payload: u64 = operations.iter().map(Operation::payload).sum();
        let mut batch = self.store.batch(payload as usize);
        let (plan, mut results) = self.plan(operations);
        let written = plan.fill(&mut batch).and_then(|filled| {
            if filled {
                self.store.write(batch)
            } else {
                Ok(())
            }
        });
        match written {
            Ok(()) => self.publish(plan),
            Err(error) => results
                .iter_mut()
                .filter(|result| result.is_ok())
                .for_each(|result| *result = Err(error.clone())),
        }
        results
    }

    /// Checks the operations one after another, each against what those before it will do.
    fn plan<'a>(&self, operations: Vec<Operation<'a>>) -> (Plan<'a>, Vec<Result<()>>) {
        let now = self.time.now();
        let state = self.state.lock();
        let mut plan = Plan::new(&state, now, self.epoch);
        let results = operations
            .into_iter()
            .map(|operation| plan.admit(operation, &state))
            .collect();
        (plan, results)
    }

    /// Makes what was written visible and calls those who waited for it.
    fn publish(&self, plan: Plan<'_>) {
        let kept: Vec<_> = plan.chunks.into_iter().map(Planned::into_kept).collect();
        let mut state = self.state.lock();
        state.end = plan.end;
        state.time = plan.time;
        state.closed |= plan.closes;
        for chunk in kept {
            match chunk {
                Some(chunk) => state.tail.push(chunk),
                None => state.tail.clear(),
            }
        }
        for (label, cursor) in plan.cursors {
            match cursor {
                Some(cursor) => state.set_cursor(&label, cursor),
                None => state.remove_label(&label),
            }
        }
        if plan.closes {
            state.call_everybody();
        } else {
            state.call_waiters();
        }
        self.after_commit(state);
    }
}

/// What a group is about to do, one operation after another.
struct Plan<'a> {
    end: Mark,
    time: i64,
    epoch: u32,
    unread: u64,
    closes: bool,
    chunks: Vec<Planned<'a>>,
    /// Cursors as they will be; `None` for a label that will be gone.
    cursors: Vec<(Arc<str>, Option<Cursor>)>,
}

/// A chunk that has its place in the log.
struct Planned<'a> {
    first: u64,
    header: Header,
    chunk: NewChunk<'a>,
}

impl Planned<'_> {
    /// The chunk for the tail, unless it is too large to be kept.
    fn into_kept(self) -> Option<Arc<Chunk>> {
        (self.chunk.payload <= MAX_KEPT_PAYLOAD)
            .then(|| Arc::new(Chunk::written(self.first, self.header, self.chunk)))
    }
}

impl<'a> Plan<'a> {
    fn new(state: &State, now: i64, epoch: u32) -> Self {
        Self {
            end: state.end,
            time: state.time.max(now),
            epoch,
            unread: state.unread().0,
            closes: false,
            chunks: Vec::new(),
            cursors: Vec::new(),
        }
    }

    /// Takes up one operation, or says why it cannot be done.
    fn admit(&mut self, operation: Operation<'a>, state: &State) -> Result<()> {
        if state.closed || self.closes {
            return Err(Error::closed());
        }
        match operation {
            Operation::Append { chunks, called } => self.append(chunks, called, state),
            Operation::Move {
                label,
                before,
                after,
            } => self.move_cursor(label, before.as_ref(), after, state),
            Operation::Remove { label } => {
                if self.cursor(&label, state).is_none() {
                    return Err(conflict());
                }
                self.cursors.push((label, None));
                Ok(())
            }
            Operation::Close => {
                self.closes = true;
                Ok(())
            }
        }
    }

    fn append(&mut self, chunks: Vec<NewChunk<'a>>, called: bool, state: &State) -> Result<()> {
        let items: u64 = chunks.iter().map(|chunk| u64::from(chunk.items)).sum();
        self.check_room(items, called, state)?;
        let payload: u64 = chunks.iter().map(|chunk| chunk.payload).sum();
        if self.end.position.checked_add(items).is_none()
            || self.end.bytes.checked_add(payload).is_none()
        {
            return Err(Error::new(
                ErrorKind::Full,
                "The queue has used up its positions: no more items can be added to it",
            ));
        }
        for chunk in chunks {
            self.place(chunk);
        }
        self.unread = self.unread.saturating_add(items);
        Ok(())
    }

    fn check_room(&self, items: u64, called: bool, state: &State) -> Result<()> {
        let Some(capacity) = state.capacity else {
            return Ok(());
        };
        let others_wait = !called && !state.producers.is_empty();
        if others_wait || items > capacity.saturating_sub(self.unread) {
            return Err(full());
        }
        Ok(())
    }

    fn place(&mut self, chunk: NewChunk<'a>) {
        let header = Header {
            epoch: self.epoch,
            items: chunk.items,
            time: self.time,
            bytes_before: self.end.bytes,
        };
        let first = self.end.position;
        self.end = Mark {
            position: first.saturating_add(chunk.items.into()),
            bytes: self.end.bytes.saturating_add(chunk.payload),
        };
        self.chunks.push(Planned {
            first,
            header,
            chunk,
        });
    }

    fn move_cursor(
        &mut self,
        label: Arc<str>,
        before: Option<&Cursor>,
        after: Cursor,
        state: &State,
    ) -> Result<()> {
        if self.cursor(&label, state) != before {
            return Err(conflict());
        }
        if &*label == ONLY_LABEL {
            self.unread = after.remaining(self.end).0;
        }
        self.cursors.push((label, Some(after)));
        Ok(())
    }

    /// The cursor of a label after the operations so far.
    fn cursor<'s>(&'s self, label: &str, state: &'s State) -> Option<&'s Cursor> {
        match self.cursors.iter().rev().find(|(name, _)| &**name == label) {
            Some((_, cursor)) => cursor.as_ref(),
            None => state.cursor(label),
        }
    }

    /// Puts the plan into a batch; false when there is nothing to write.
    fn fill(&self, batch: &mut impl Batch) -> Result<bool> {
        for planned in &self.chunks {
            let header = planned.header.encode();
            let mut parts = planned.chunk.parts();
            parts.insert(0, &header);
            batch.put_chunk(planned.first, &parts)?;
        }
        for (label, cursor) in &self.cursors {
            let key = label_key(label);
            match cursor {
                Some(cursor) => batch.put(Records::Reader, &key, &cursor.encode()?),
                None => batch.delete(Records::Reader, &key),
            }
        }
        Ok(!self.chunks.is_empty() || !self.cursors.is_empty())
    }
}

pub(crate) fn conflict() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "Failed to commit the batch: another consumer has moved the cursor since it was read; \
         read again",
    )
}

/// The text is that of rocksq 0.3.0: programs match it.
pub(crate) fn full() -> Error {
    Error::new(ErrorKind::Full, "Failed to push item: Queue is full")
}
