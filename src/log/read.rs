//! Consuming: reading without taking, and committing what was read.
//!
//! There is one primitive. [`Log::read`] reads from a cursor and changes nothing; [`Log::commit`]
//! moves the cursor, if it still is where the batch began. Taking items is both in one call.

use std::sync::Arc;

use super::Log;
use super::attempt::{Lack, Tried, Turn};
use super::commit::{Committed, Operation};
use super::cursor::{Cursor, Mark};
use super::fetch::Source;
use super::items::Items;
use super::state::State;
use super::unclaimed::Unclaimed;
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Durability, StartPosition};
use crate::primitives::Mutex;
use crate::store::Store;
use crate::wait::Wait;

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
    /// The same without what has expired: where the items begin.
    from: Cursor,
    after: Cursor,
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
        self.from.first()
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

    /// The cursor behind its items.
    pub(super) fn after(&self) -> &Cursor {
        &self.after
    }

    /// Whether committing it would change anything.
    pub(super) fn moves(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    /// What takes its items.
    pub(super) fn operation(&self, unclaimed: Option<Arc<Unclaimed>>) -> Operation<'static> {
        Operation::Move {
            label: Arc::clone(&self.label),
            epoch: self.epoch,
            before: self.before.clone(),
            after: self.after.clone(),
            items: self.items.len() as u64,
            unclaimed,
        }
    }

    /// Its items, taken.
    pub(super) fn taken(
        self,
        committed: Option<Committed>,
        unclaimed: Option<Arc<Unclaimed>>,
    ) -> Taken {
        Taken {
            items: self.items,
            expired: self.expired,
            unclaimed,
            committed,
        }
    }

    /// Whether its label does not exist yet.
    fn is_new_label(&self) -> bool {
        self.before.is_none()
    }

    /// What was missing when it came out empty.
    fn lack(&self) -> Lack {
        Lack::Items {
            label: Arc::clone(&self.label),
            end: self.end,
            cursor: self.before.as_ref().unwrap_or(&self.after).clone(),
        }
    }

    /// The items as such that can be given back, if that is wanted and there are any.
    pub(super) fn unclaimed(&self, claim: Claim) -> Option<Arc<Unclaimed>> {
        let wanted = claim == Claim::Later && !self.items.is_empty();
        wanted.then(|| {
            let runs = self.from.runs_up_to(&self.after);
            Unclaimed::new(Arc::clone(&self.label), self.epoch, runs)
        })
    }
}

/// Items taken, and whether the label had lost unread ones to the TTL.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The items, oldest first.
    pub items: Items,
    /// Whether unread items were lost to the TTL since the last take.
    pub expired: bool,
    /// There when the items are yet to be claimed.
    pub(crate) unclaimed: Option<Arc<Unclaimed>>,
    /// What is still to be settled, if anything was changed.
    pub(crate) committed: Option<Committed>,
}

/// When items that are taken belong to the caller for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// At once.
    Now,
    /// When the caller comes for them; until then they can be given back.
    Later,
}

/// What a read begins with.
pub(super) struct Seen {
    source: Source,
    live: Mark,
    oldest: u64,
    end: Mark,
    epoch: u32,
    cursor: Option<Cursor>,
}

impl Seen {
    /// The same after the cursor was moved.
    pub(super) fn move_to(&mut self, cursor: &Cursor) {
        self.cursor = Some(cursor.clone());
    }
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
        self.persist(wait, |turn| self.try_read(label, start, max, turn))
    }

    /// One try of [`read`](Self::read).
    pub(crate) fn try_read(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        turn: Turn,
    ) -> Result<Tried<Batch>> {
        self.check_usable()?;
        loop {
            let batch = self.read_now(label, start, max)?;
            if !batch.items.is_empty() || max == 0 || turn == Turn::Last {
                return Ok(Tried::Done(batch));
            }
            // Who waits under a label waits in its line, so there must be one.
            let level = Durability::Written;
            if !batch.is_new_label() || self.move_if_unmoved(&batch, level, None)?.is_some() {
                return Ok(Tried::Lacking(batch.lack()));
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
        self.move_behind(batch, level, None).map(Some)
    }

    fn move_behind(
        &self,
        batch: &Batch,
        level: Durability,
        unclaimed: Option<Arc<Unclaimed>>,
    ) -> Result<Committed> {
        self.submit(batch.operation(unclaimed), level)
    }

    /// Reads up to `max` items and takes them; waits for the first one as long as `wait` says. When
    /// syncing that fails, they are taken and not returned, like what a power cut at this moment
    /// would do; what must not be lost so is read and committed.
    pub(crate) fn take(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
        level: Durability,
    ) -> Result<Taken> {
        let taken = self.persist(wait, |turn| {
            self.try_take(label, start, max, level, Claim::Now, turn)
        })?;
        self.settle(taken.committed, level)?;
        Ok(taken)
    }

    /// One try of [`take`](Self::take), which is still to be settled. When nothing is there and the caller will try again, a
    /// loss that has to be reported is left for then.
    pub(crate) fn try_take(
        &self,
        label: &Arc<str>,
        start: StartPosition,
        max: u64,
        level: Durability,
        claim: Claim,
        turn: Turn,
    ) -> Result<Tried<Taken>> {
        self.check_usable()?;
        let gate = self.gate(label);
        let _only_consumer = gate.as_ref().map(|gate| gate.lock());
        let last = max == 0 || turn == Turn::Last;
        loop {
            let batch = self.read_now(label, start, max)?;
            let unclaimed = batch.unclaimed(claim);
            let mut committed = None;
            if batch.moves() && (last || !batch.items.is_empty() || batch.is_new_label()) {
                committed = self.move_if_unmoved(&batch, level, unclaimed.clone())?;
                if committed.is_none() {
                    continue;
                }
            }
            if !last && batch.items.is_empty() {
                return Ok(Tried::Lacking(batch.lack()));
            }
            return Ok(Tried::Done(batch.taken(committed, unclaimed)));
        }
    }

    pub(super) fn gate(&self, label: &str) -> Option<Arc<Mutex<()>>> {
        let state = self.state.lock();
        state.labels.get(label).map(|label| Arc::clone(&label.gate))
    }

    /// Commits; `None` when the cursor was moved meanwhile.
    fn move_if_unmoved(
        &self,
        batch: &Batch,
        level: Durability,
        unclaimed: Option<Arc<Unclaimed>>,
    ) -> Result<Option<Committed>> {
        match self.move_behind(batch, level, unclaimed) {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            result => result.map(Some),
        }
    }

    fn check_unmoved(&self, batch: &Batch) -> Result<()> {
        match self.state.lock().cursor(&batch.label) == batch.before.as_ref() {
            true => Ok(()),
            false => Err(super::commit::conflict()),
        }
    }

    /// What a read finds now. Others may take and trim meanwhile what it is about to read; then it
    /// looks again.
    fn read_now(&self, label: &Arc<str>, start: StartPosition, max: u64) -> Result<Batch> {
        loop {
            let seen = self.look(label)?;
            match self.read_seen(&seen, label, start, max) {
                Err(error) if self.is_outdated(seen.epoch, seen.oldest, &error)? => {}
                result => return result,
            }
        }
    }

    pub(super) fn look(&self, label: &str) -> Result<Seen> {
        let (live, state) = self.live()?;
        Ok(self.seen(&state, live, label, Source::Anywhere))
    }

    pub(super) fn seen(&self, state: &State, live: Mark, label: &str, source: Source) -> Seen {
        Seen {
            source,
            live,
            oldest: self.retention.oldest(state, live.position),
            end: state.end,
            epoch: state.epoch,
            cursor: state.cursor(label).cloned(),
        }
    }

    /// Whether `error` says no more than that the log is not what it was when `oldest` was looked up in
    /// that epoch.
    fn is_outdated(&self, epoch: u32, oldest: u64, error: &Error) -> Result<bool> {
        if error.kind() != ErrorKind::Corrupt {
            return Ok(false);
        }
        if !self.is_caught_up() {
            // The store has opened itself anew, and may hold less than the log knows of.
            let written = self.write_buffer();
            return match self.is_caught_up() {
                true => Ok(true),
                false => written.map(|()| true),
            };
        }
        Ok(self.state.lock().epoch != epoch || self.are_gone(oldest, error)?)
    }

    /// Whether `error` says no more than that items from `oldest` on have gone since.
    pub(super) fn are_gone(&self, oldest: u64, error: &Error) -> Result<bool> {
        if error.kind() != ErrorKind::Corrupt {
            return Ok(false);
        }
        let (live, state) = self.live()?;
        Ok(self.retention.oldest(&state, live.position) > oldest)
    }

    pub(super) fn read_seen(
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
        let from = cursor.clone();
        let items = self.read_from(&mut cursor, seen.end, max, seen.source)?;
        Ok(Batch {
            label: Arc::clone(label),
            queue: self.uuid,
            epoch: seen.epoch,
            before: seen.cursor.clone(),
            from,
            after: cursor,
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
    fn read_from(&self, cursor: &mut Cursor, end: Mark, max: u64, source: Source) -> Result<Items> {
        let mut items = Items::default();
        while let left @ 1.. = max.saturating_sub(items.len() as u64) {
            let (from, until) = match cursor.owed.front() {
                Some(run) => (run.first, run.next.position),
                None => (cursor.mark, end.position),
            };
            if from.position >= until {
                break;
            }
            let until = until.min(from.position.saturating_add(left));
            let reached = match self.fetch(from, until, source, &mut items) {
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

    /// Items that are in the queue, from `position` on, and the position after them: for a
    /// first-in-first-out queue what its consumers have still to take, for others what is live.
    pub(crate) fn browse(&self, position: u64, max: u64) -> Result<(Items, u64)> {
        self.check_usable()?;
        loop {
            let (mut from, oldest, end, epoch) = {
                let (live, state) = self.live()?;
                let oldest = self.retention.oldest(&state, live.position);
                let first = self.retention.first(&state, live);
                (first, oldest, state.end, state.epoch)
            };
            from.skip_to(Mark { position, bytes: 0 });
            match self.read_from(&mut from, end, max, Source::Anywhere) {
                Err(error) if self.is_outdated(epoch, oldest, &error)? => {}
                items => return Ok((items?, from.first())),
            }
        }
    }
}
