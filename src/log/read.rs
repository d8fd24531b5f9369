//! Consuming: reading without taking, and committing what was read.
//!
//! There is one primitive. [`Log::read`] reads from a cursor and changes nothing; [`Log::commit`]
//! moves the cursor, if it still is where the batch began. Taking items is both in one call.

use std::sync::Arc;

use super::Log;
use super::commit::{Committed, Operation};
use super::cursor::{Cursor, Mark};
use super::items::Items;
use super::state::LineOf;
use super::wait::{Deadline, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Durability, StartPosition};
use crate::store::Store;

/// Items that were read but not taken, and the move of the cursor that takes them.
///
/// Commit it with `commit` of the queue that it was read from. Until then the items stay in the
/// queue, and a program that dies reads the same ones again. Dropping a batch changes nothing.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) label: Arc<str>,
    queue: uuid::Uuid,
    /// The epoch of its positions.
    epoch: u32,
    /// The cursor that the items were read from; `None` for a label that does not exist yet.
    before: Option<Cursor>,
    after: Cursor,
    first: u64,
    /// Where the log ended when it was read.
    end: u64,
    items: Items,
    expired: bool,
}

impl Batch {
    /// The items, oldest first; fewer than asked for when fewer were there.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// Position of the first item, counted from 0 since the queue was made.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Position of the item that follows on the batch: where the next read begins once it is
    /// committed.
    pub fn next(&self) -> u64 {
        self.after.first()
    }

    /// Whether items that the label had not read were lost to the TTL.
    pub fn expired(&self) -> bool {
        self.expired
    }

    /// Whether committing it would change anything.
    fn moves(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    /// Whether its label does not exist yet.
    fn is_new_label(&self) -> bool {
        self.before.is_none()
    }
}

/// Items taken, and whether the label had lost unread ones to the TTL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub items: Items,
    pub expired: bool,
}

/// What a read begins with.
struct Seen {
    live: Mark,
    oldest: u64,
    end: Mark,
    epoch: u32,
    cursor: Option<Cursor>,
}

impl<S: Store> Log<S> {
    /// Reads up to `max` items from the cursor of `label`, without taking them; waits for the
    /// first one as long as `wait` says.
    pub(crate) fn read(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
    ) -> Result<Batch> {
        self.check_usable()?;
        let deadline = wait.begin();
        let mut place = None;
        loop {
            let batch = self.read_now(label, start, max)?;
            if !batch.items.is_empty() || max == 0 || deadline.is_past() {
                return Ok(batch);
            }
            if batch.is_new_label() {
                self.move_if_unmoved(&batch, Durability::Written)?;
                continue;
            }
            if !self.wait_for_items(&batch, &deadline, &mut place)? {
                return self.read_now(label, start, max);
            }
        }
    }

    /// Moves the cursor behind the items of `batch`, which are then taken. Fails with `Conflict`
    /// when another consumer has moved the cursor since.
    pub(crate) fn commit(&self, batch: &Batch, level: Durability) -> Result<()> {
        let committed = self.commit_unsettled(batch, level)?;
        self.settle(committed, level)
    }

    fn commit_unsettled(&self, batch: &Batch, level: Durability) -> Result<Option<Committed>> {
        self.check_usable()?;
        if batch.queue != self.uuid {
            return Err(Error::invalid(
                "The batch was read from another queue: commit it to the queue it came from",
            ));
        }
        if !batch.moves() {
            return self.check_unmoved(batch).map(|()| None);
        }
        let operation = Operation::Move {
            label: Arc::clone(&batch.label),
            epoch: batch.epoch,
            before: batch.before.clone(),
            after: batch.after.clone(),
        };
        self.submit(operation, level).map(Some)
    }

    /// Reads up to `max` items and takes them. When syncing that fails, they are taken and not
    /// returned, like what a power cut at this moment would do; what must not be lost so is read
    /// and committed.
    pub(crate) fn take(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
        level: Durability,
    ) -> Result<Taken> {
        let (taken, committed) = self.take_unsettled(label, start, max, wait, level)?;
        self.settle(committed, level)?;
        Ok(taken)
    }

    fn take_unsettled(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
        level: Durability,
    ) -> Result<(Taken, Option<Committed>)> {
        self.check_usable()?;
        let deadline = wait.begin();
        let mut place = None;
        let mut last_try = max == 0 || deadline.is_past();
        loop {
            let (batch, committed) = self.try_take(label, start, max, last_try, level)?;
            if last_try || !batch.items.is_empty() {
                let taken = Taken {
                    items: batch.items,
                    expired: batch.expired,
                };
                return Ok((taken, committed));
            }
            last_try = !self.wait_for_items(&batch, &deadline, &mut place)?;
        }
    }

    /// Takes what is there now. When nothing is there and the caller will try again, a loss that
    /// has to be reported is left for then.
    fn try_take(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        last_try: bool,
        level: Durability,
    ) -> Result<(Batch, Option<Committed>)> {
        let gate = self.gate(label);
        let _only_consumer = gate.as_ref().map(|gate| gate.lock());
        loop {
            let batch = self.read_now(label, start, max)?;
            let worth_it = last_try || !batch.items.is_empty() || batch.is_new_label();
            if !worth_it || !batch.moves() {
                return Ok((batch, None));
            }
            if let Some(committed) = self.move_if_unmoved(&batch, level)? {
                return Ok((batch, Some(committed)));
            }
        }
    }

    fn gate(&self, label: &str) -> Option<Arc<parking_lot::Mutex<()>>> {
        let state = self.state.lock();
        state.labels.get(label).map(|label| Arc::clone(&label.gate))
    }

    /// Commits; `None` when the cursor was moved meanwhile.
    fn move_if_unmoved(&self, batch: &Batch, level: Durability) -> Result<Option<Committed>> {
        match self.commit_unsettled(batch, level) {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            result => result,
        }
    }

    fn check_unmoved(&self, batch: &Batch) -> Result<()> {
        match self.state.lock().cursor(&batch.label) == batch.before.as_ref() {
            true => Ok(()),
            false => Err(super::commit::conflict()),
        }
    }

    /// Waits until there may be an item after what `batch` has seen; false when the deadline came
    /// first. Keeps its place in the line over several calls.
    fn wait_for_items<'l>(
        &'l self,
        batch: &Batch,
        deadline: &Deadline<'_>,
        place: &mut Option<super::Place<'l, S>>,
    ) -> Result<bool> {
        let line = LineOf::Label(Arc::clone(&batch.label));
        let nothing_new = |state: &super::state::State| {
            state.end.position == batch.end
                && state.cursor(&batch.label) == Some(batch.before.as_ref().unwrap_or(&batch.after))
        };
        self.stand_in_line(line, 1, nothing_new, deadline, place)
    }

    /// What a read finds now. Others may take and trim meanwhile what it is about to read; then it
    /// looks again.
    fn read_now(&self, label: &Arc<str>, start: StartPosition, max: u64) -> Result<Batch> {
        loop {
            let seen = self.look(label)?;
            match self.read_seen(&seen, label, start, max) {
                Err(error) if self.is_outdated(seen.oldest, &error)? => {}
                result => return result,
            }
        }
    }

    fn look(&self, label: &str) -> Result<Seen> {
        let live = self.live()?;
        let state = self.open_state()?;
        Ok(Seen {
            live,
            oldest: self.retention.oldest(&state, live.position),
            end: state.end,
            epoch: state.epoch,
            cursor: state.cursor(label).cloned(),
        })
    }

    /// Whether `error` says no more than that items from `oldest` on have gone since.
    fn is_outdated(&self, oldest: u64, error: &Error) -> Result<bool> {
        if error.kind() != ErrorKind::Corrupt {
            return Ok(false);
        }
        let live = self.live()?.position;
        Ok(self.retention.oldest(&*self.open_state()?, live) > oldest)
    }

    fn read_seen(
        &self,
        seen: &Seen,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
    ) -> Result<Batch> {
        let mut cursor = match &seen.cursor {
            Some(cursor) => cursor.clone(),
            None => Cursor::at(self.start(start, seen.live, seen.end)?),
        };
        let expired = cursor.skip_to(seen.live);
        let first = cursor.first();
        let items = self.read_from(&mut cursor, seen.end, max)?;
        Ok(Batch {
            label: Arc::clone(label),
            queue: self.uuid,
            epoch: seen.epoch,
            before: seen.cursor.clone(),
            after: cursor,
            first,
            end: seen.end.position,
            items,
            expired,
        })
    }

    /// Where a new label begins.
    fn start(&self, start: StartPosition, live: Mark, end: Mark) -> Result<Mark> {
        let last = end.position.saturating_sub(1);
        match start {
            StartPosition::Newest if last > live.position => self.mark_at(last),
            _ => Ok(live),
        }
    }

    /// Reads up to `max` items from `cursor`, given-back ones first, and advances it.
    fn read_from(&self, cursor: &mut Cursor, end: Mark, max: u64) -> Result<Items> {
        let mut items = Items::default();
        while let left @ 1.. = max.saturating_sub(items.len() as u64) {
            let (from, until) = match cursor.owed.front() {
                Some(run) => (run.first, run.next.position),
                None => (cursor.mark, end.position),
            };
            if from.position >= until {
                break;
            }
            let reached = match self.fetch(from, until, left, &mut items) {
                // What lies before the damage comes out first; the next call meets it.
                Err(error) if error.kind() == ErrorKind::Corrupt && !items.is_empty() => break,
                reached => reached?,
            };
            cursor.advance(reached);
        }
        Ok(items)
    }

    /// The next items of a label (or from the oldest live one, without a label), which stay where
    /// they are.
    pub(crate) fn peek(&self, label: &Arc<str>, start: StartPosition, max: u64) -> Result<Items> {
        self.check_usable()?;
        Ok(self.read_now(label, start, max)?.items)
    }

    /// Live items from `position` on, wherever the cursors are; and the position after them.
    pub(crate) fn browse(&self, position: u64, max: u64) -> Result<(Items, u64)> {
        self.check_usable()?;
        loop {
            let live = self.live()?.position;
            let (end, oldest) = {
                let state = self.open_state()?;
                (state.end.position, self.retention.oldest(&state, live))
            };
            let from = Mark {
                position: position.max(oldest),
                bytes: 0,
            };
            let mut items = Items::default();
            match self.fetch(from, end, max, &mut items) {
                Err(error) if self.is_outdated(oldest, &error)? => {}
                reached => return Ok((items, reached?.position)),
            }
        }
    }
}
