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

use std::sync::Arc;
use std::sync::atomic::Ordering;

mod line;
mod plan;

pub(crate) use self::line::CommitLine;
use self::line::{Lead, Stage};
use self::plan::{Plan, Planned};
use super::Log;
use super::chunk::NewChunk;
use super::cursor::Cursor;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;

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
    /// Changes nothing; what was done before it is written when it is done.
    Flush,
    /// Lets nothing be done after it.
    Close,
}

/// An operation that was done and that the operating system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The store's generation that has it.
    pub generation: u64,
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
            Self::Flush => Operation::Flush,
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

impl<S: Store> Log<S> {
    /// Does `operation` in commit order. When it returns, the operating system has the result.
    pub(crate) fn submit(&self, operation: Operation<'_>) -> Result<Committed> {
        if let Some(_lead) = self.commits.try_lead() {
            let mut results = self.write_group(vec![operation]);
            return results.pop().unwrap_or_else(|| Err(Error::closed()));
        }
        let (mut lead, outcome) = self.commits.line_up(operation.into_owned());
        loop {
            if lead.is_none() {
                match outcome.wait() {
                    Some(result) => return result,
                    None => lead = Some(self.commits.succeed()),
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
    fn write_group(&self, operations: Vec<Operation<'_>>) -> Vec<Result<Committed>> {
        let payload: u64 = operations.iter().map(Operation::payload).sum();
        let mut batch = match self.begin_batch(payload as usize) {
            Ok(batch) => batch,
            Err(error) => return vec![Err(error); operations.len()],
        };
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

    /// A batch for what follows from the state. It cannot be written if the store reopens itself
    /// meanwhile.
    fn begin_batch(&self, bytes: usize) -> Result<S::Batch> {
        loop {
            self.catch_up()?;
            let batch = self.store.batch(bytes);
            if self.is_caught_up() {
                return Ok(batch);
            }
        }
    }

    /// Checks the operations one after another, each against what those before it will do.
    fn plan<'a>(&self, operations: Vec<Operation<'a>>) -> (Plan<'a>, Vec<Result<Committed>>) {
        let now = self.time.now();
        let committed = Committed {
            generation: self.generation.load(Ordering::Acquire),
        };
        let state = self.state.lock();
        let mut plan = Plan::new(&state, now, self.epoch);
        let results = operations
            .into_iter()
            .map(|operation| plan.admit(operation, &state).map(|()| committed))
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
