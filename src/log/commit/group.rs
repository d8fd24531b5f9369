//! Doing a group of operations: in the store, or in the buffer above it.

use std::sync::Arc;

use smallvec::smallvec;

use super::plan::{Plan, Planned};
use super::{Committed, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::log::buffer::Buffer;
use crate::log::chunk::Chunk;
use crate::log::state::State;
use crate::log::{Few, Log, Retention};
use crate::primitives::atomic::Ordering;
use crate::store::Store;

/// What the records beside the chunks of a group take in a batch, mostly.
const CURSOR_COST: u64 = 512;

/// Where a group has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Store,
    Buffer,
}

impl<S: Store> Log<S> {
    /// Does the operations that are possible, and makes them visible.
    pub(super) fn do_group(
        &self,
        operations: Few<Operation<'_>>,
        buffered: bool,
    ) -> Few<Result<Committed>> {
        match buffered {
            true => self.buffer_group(operations),
            false => self.write_group(operations),
        }
    }

    /// Writes the buffer and the operations that are possible in one batch.
    fn write_group(&self, operations: Few<Operation<'_>>) -> Few<Result<Committed>> {
        let cost: u64 = operations.iter().map(Operation::cost).sum();
        let batch = match self.begin_batch(cost.saturating_add(CURSOR_COST) as usize) {
            Ok(batch) => batch,
            Err(error) => {
                self.note_failure(&error);
                return smallvec![Err(error); operations.len()];
            }
        };
        let (plan, mut results) = self.plan(operations, None);
        match self.write(batch, &plan) {
            Ok(()) => self.publish(plan, Place::Store),
            Err(error) => results
                .iter_mut()
                .filter(|result| result.is_ok())
                .for_each(|result| *result = Err(error.clone())),
        }
        results
    }

    fn write(&self, mut batch: S::Batch, plan: &Plan<'_>) -> Result<()> {
        let buffer = self.buffer_for(plan);
        if !plan.has_changes() && buffer.is_none() {
            return Ok(());
        }
        if let Some(buffer) = buffer {
            buffer.fill(&mut batch)?;
        }
        plan.fill(&mut batch)?;
        self.store
            .write(batch)
            .inspect_err(|error| self.note_failure(error))
    }

    fn note_failure(&self, error: &Error) {
        match error.kind() {
            ErrorKind::OutcomeUnknown => self.in_doubt.store(true, Ordering::Relaxed),
            ErrorKind::DiskFull => self.state.lock().buffer.refuse(),
            _ => {}
        }
    }

    /// The buffer, if it has to be written before the plan.
    fn buffer_for(&self, plan: &Plan<'_>) -> Option<Buffer> {
        let state = self.state.lock();
        let must_be = (plan.has_changes() || plan.flushes) && !state.buffer.is_empty();
        must_be.then(|| state.buffer.clone())
    }

    /// Adds the operations that are possible to the buffer. The store is left alone unless the
    /// buffer is full. When that cannot be written, it takes no more items, while items can still
    /// be taken out.
    ///
    /// While it is in doubt whether the last batch was written, nothing is added: the buffer may
    /// have been part of it.
    fn buffer_group(&self, operations: Few<Operation<'_>>) -> Few<Result<Committed>> {
        let settled = match self.in_doubt.load(Ordering::Relaxed) {
            true => self.catch_up(),
            false => self.follow_store(),
        };
        if let Err(error) = settled {
            return smallvec![Err(error); operations.len()];
        }
        let cost: u64 = operations.iter().map(Operation::cost).sum();
        let overflow = self.make_room(cost).err();
        let (plan, results) = self.plan(operations, overflow);
        self.publish(plan, Place::Buffer);
        results
    }

    /// Writes the buffer if `cost` more would be too much.
    fn make_room(&self, cost: u64) -> Result<()> {
        {
            let buffer = &self.state.lock().buffer;
            if buffer.cost() == 0 || buffer.has_room_for(cost) {
                return Ok(());
            }
        }
        let written = self.write_group(smallvec![Operation::Flush]);
        written.into_iter().try_for_each(|result| result.map(drop))
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
    fn plan<'a>(
        &self,
        operations: Few<Operation<'a>>,
        overflow: Option<Error>,
    ) -> (Plan<'a>, Few<Result<Committed>>) {
        let generation = self.generation.load(Ordering::Acquire);
        self.look_for_room();
        let mut state = self.state.lock();
        // Only now: what gets the room of expired items is younger than they are.
        let mut plan = Plan::new(&state, self.time.now());
        plan.overflow = overflow;
        let results = operations
            .into_iter()
            .map(|operation| {
                self.drop_for(&mut plan, &operation, &mut state)?;
                plan.admit(operation, &state)?;
                Ok(Committed { generation })
            })
            .collect();
        (plan, results)
    }

    /// Looks for what has expired, where that makes room. What cannot be found out now counts as
    /// being there.
    fn look_for_room(&self) {
        if let Some(expiry) = &self.expiry
            && self.bounds.are_there()
            && let Err(error) = self.head(expiry)
        {
            Event::at(Level::Debug).post(format_args!("could not look for expired items: {error}"));
        }
    }

    /// Makes what was done visible and calls those who waited for it.
    fn publish(&self, plan: Plan<'_>, place: Place) {
        let changes = plan.has_changes();
        let kept: Few<_> = plan.chunks.into_iter().map(Planned::into_kept).collect();
        let mut state = self.state.lock();
        let mut written = None;
        let (appended, mut moved) = (!kept.is_empty(), Few::new());
        match place {
            Place::Store if changes || plan.flushes => written = state.take_buffer(),
            Place::Buffer if changes => state.begin_buffer(plan.time),
            _ => {}
        }
        state.end = plan.end;
        state.time = plan.time;
        state.counts = state.counts.plus(plan.counts);
        state.closed |= plan.closes;
        for chunk in kept {
            state.keep(chunk, place);
        }
        if let Some(floor) = plan.floor {
            if place == Place::Buffer {
                let before = state.floor;
                state.buffer.drop_below(before, floor);
            }
            state.drop_below(floor);
        }
        for (label, cursor) in plan.cursors {
            if place == Place::Buffer {
                state.buffer_cursor(&label, cursor.clone());
            }
            match cursor {
                Some(cursor) => state.set_cursor(&label, cursor),
                None => state.remove_label(&label),
            }
            moved.push(label);
        }
        plan.unclaimed
            .into_iter()
            .for_each(|unclaimed| state.unclaimed.add(unclaimed));
        if !plan.returned.is_empty() {
            state.unclaimed.strike(&plan.returned);
        }
        if place == Place::Buffer && self.retention == Retention::Unread {
            state.skip_what_was_taken();
        }
        // Last, under the same lock: those who are called find all of the change.
        if plan.closes {
            state.call_everybody();
        } else if appended {
            state.call_waiters();
        } else {
            state.call_after(&moved);
        }
        self.after_commit(state);
        drop(written); // now that the lock is free
    }
}

impl State {
    fn take_buffer(&mut self) -> Option<Buffer> {
        (!self.buffer.is_empty()).then(|| std::mem::take(&mut self.buffer))
    }

    fn begin_buffer(&mut self, now: i64) {
        self.buffer.begin(self.end, now);
    }

    /// Keeps a new chunk in memory; `None` for one that is too large.
    fn keep(&mut self, chunk: Option<Arc<Chunk>>, place: Place) {
        let Some(chunk) = chunk else {
            return self.tail.clear();
        };
        if place == Place::Buffer {
            self.buffer.push(Arc::clone(&chunk));
        }
        self.tail.push(chunk);
    }

    fn buffer_cursor(&mut self, label: &Arc<str>, now: Option<crate::log::cursor::Cursor>) {
        let before = self.labels.get(label).map(|label| &label.cursor);
        self.buffer.move_cursor(label, before, now);
    }

    /// What was taken before it was written is never written.
    fn skip_what_was_taken(&mut self) {
        let floor = self.lowest_cursor().min(self.unclaimed.floor());
        let bytes = self.buffer.skip_to(floor);
        self.skipped = self.skipped.saturating_add(bytes);
    }
}
