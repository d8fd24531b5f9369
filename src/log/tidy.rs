//! Tidying up: what nobody will read any more is trimmed, and its space given back in bulk.
//!
//! The housekeeping thread does it. Operations only say when it is due: when much was written or
//! taken, when a queue was emptied or left alone, when the next item expires.

use std::time::Duration;

use super::clock::micros;
use super::commit::Operation;
use super::cursor::Mark;
use super::records::{Trim, trim_key};
use super::state::State;
use super::{Log, Retention};
use crate::error::{ErrorKind, Result};
use crate::events::{Event, Level};
use crate::housekeeping::Chore;
use crate::memory;
use crate::options::Durability;
use crate::primitives::MutexGuard;
use crate::primitives::atomic::Ordering;
use crate::store::{Batch, Occasion, Records, Store};

/// At least this long passes between two tidyings that are not urgent.
const PAUSE: Duration = Duration::from_secs(1);
/// A queue that was emptied or left alone is tidied when it was written, or taken from, this much.
const WORTH_TIDYING: u64 = 1 << 20;
/// What is buffered is written when it is this old.
const BUFFERED_FOR: Duration = Duration::from_secs(1);

/// Moving what is in memory to files so often lets a push go on, whether or not it has helped.
const MOST_RELIEFS: usize = 4;

/// How far a log can be trimmed.
struct Reach {
    floor: Mark,
    /// That of its position.
    epoch: u32,
    /// Whether that is further than it was trimmed.
    trims: bool,
    /// Whether nothing is left behind it.
    drained: bool,
}

impl<S: Store> Log<S> {
    /// Says when the housekeeping is to look at this log, after a commit.
    pub(super) fn after_commit(&self, state: MutexGuard<'_, State>) {
        let taken = match self.retention {
            Retention::Unread => state.taken(),
            Retention::Young { .. } => 0,
        };
        let buffered = !state.buffer.is_empty();
        let large = state.tail.is_large();
        drop(state);
        if buffered {
            self.housekeeping.run_within(BUFFERED_FOR);
        }
        let written = self.store.unreclaimed();
        if written.max(taken) >= self.store.reclaim_after() {
            self.housekeeping.run_within(Duration::ZERO);
        } else if written.max(taken) >= WORTH_TIDYING
            || (large && !self.housekeeping.is_scheduled())
        {
            self.housekeeping.run_within(PAUSE);
        }
        if memory::is_short() {
            self.housekeeping.relieve();
        }
        self.schedule_expiry();
    }

    /// Has expired items looked for when the next one is due.
    pub(super) fn schedule_expiry(&self) {
        if let Some(expiry) = &self.expiry
            && !self.housekeeping.is_scheduled()
        {
            let now = self.time.now();
            let next = expiry.next_expiry(now).unwrap_or(now);
            let left = Duration::from_micros(next.saturating_sub(now).max(0) as u64);
            self.housekeeping.run_within(left.max(PAUSE));
        }
    }

    /// Has expired items looked for as soon as some are due: somebody waits for that.
    pub(super) fn watch_expiry(&self) {
        if let Some(left) = self.until_expiry() {
            self.housekeeping.run_within(left);
        }
    }

    /// How long until the next items expire, as far as is known.
    pub(super) fn until_expiry(&self) -> Option<Duration> {
        let now = self.time.now();
        let soon = now.saturating_add(micros(PAUSE));
        let next = self.expiry.as_ref()?.next_expiry(soon)?;
        Some(Duration::from_micros(next.saturating_sub(now).max(0) as u64))
    }

    /// Waits while the queues of this process have so much in memory that nothing may be added. Not
    /// to be called by one who leads, whom the housekeeping might wait for.
    pub(super) fn wait_for_memory(&self) {
        for _ in 0..MOST_RELIEFS {
            if !memory::is_used_up() || !self.housekeeping.wait_for_relief() {
                return;
            }
        }
    }

    /// Trims what is below every reader, and has the store give back the space. Returns whether it
    /// is worth doing again.
    pub(crate) fn tidy(&self) -> Result<bool> {
        let batch = self.begin_trim()?;
        let reach = self.reach()?;
        let written = self.store.unreclaimed();
        let idle = self.written_at_last_look.swap(written, Ordering::Relaxed) == written;
        let worth_it = reach.trims
            || written >= self.store.reclaim_after()
            || (idle && written >= WORTH_TIDYING)
            || self.left_behind.load(Ordering::Relaxed);
        if worth_it {
            let occasion = match idle || reach.drained {
                true => Occasion::Resting,
                false => Occasion::Busy,
            };
            self.trim_to(batch, reach, occasion)?;
        }
        let active = !idle && self.store.unreclaimed() >= WORTH_TIDYING;
        Ok(active || self.left_behind.load(Ordering::Relaxed))
    }

    /// Leaves nothing behind that was taken: a queue that is opened for a moment each time never
    /// lives to see the housekeeping.
    pub(super) fn tidy_before_closing(&self) {
        let tidied = self.write_buffer().and_then(|()| {
            let batch = self.begin_trim()?;
            let reach = self.reach()?;
            match reach.trims {
                true => self.trim_to(batch, reach, Occasion::Resting),
                false => Ok(()),
            }
        });
        if let Err(error) = tidied
            && error.kind() != ErrorKind::Closed
        {
            Event::at(Level::Debug).post(format_args!("could not tidy up before closing: {error}"));
        }
    }

    /// Gives back at once what was taken, for a push that has found no room on the disk. Returns
    /// whether there was anything, so that the push may succeed now.
    pub(super) fn makes_room(&self) -> bool {
        // What is buffered may need the very room; what was taken before it is written.
        let _written = self.write_buffer();
        self.give_back_taken().unwrap_or(false)
    }

    fn give_back_taken(&self) -> Result<bool> {
        let batch = self.begin_trim()?;
        let reach = self.reach()?;
        let behind = self.left_behind.load(Ordering::Relaxed);
        let drained = reach.drained && self.store.unreclaimed() > 0;
        let worth_it = reach.trims || drained || behind;
        if worth_it {
            self.trim_to(batch, reach, Occasion::Resting)?;
            self.store.settle();
        }
        Ok(worth_it)
    }

    /// Writes what is buffered, if anything is.
    pub(super) fn write_buffer(&self) -> Result<()> {
        self.submit(Operation::Flush, Durability::Written).map(drop)
    }

    /// Writes what has been buffered for long enough. Returns when to look again.
    fn write_old_buffer(&self) -> Option<Duration> {
        let since = self.state.lock().buffer.since()?;
        let age = self.time.now().saturating_sub(since);
        let left = micros(BUFFERED_FOR).saturating_sub(age);
        if left > 0 {
            return Some(Duration::from_micros(left as u64));
        }
        let error = self.write_buffer().err()?;
        Event::at(Level::Warn).post(format_args!(
            "could not write what is buffered, it will be tried again: {error}"
        ));
        Some(BUFFERED_FOR)
    }

    /// A batch for the trim mark, before anything is looked at: it cannot be written if the store
    /// reopens itself meanwhile, and may have lost the cursors that were looked at.
    fn begin_trim(&self) -> Result<S::Batch> {
        loop {
            let batch = self.store.batch(0);
            if self.is_caught_up() {
                return Ok(batch);
            }
            self.write_buffer()?;
        }
    }

    /// How far the log can be trimmed according to what is written: what is buffered may be gone
    /// tomorrow.
    fn reach(&self) -> Result<Reach> {
        let (oldest, end, trim, epoch) = {
            let (unexpired, mut state) = self.unexpired()?;
            let oldest = match self.retention {
                Retention::Unread => state.lowest_written_cursor().min(state.unclaimed.floor()),
                Retention::Young { .. } => unexpired.max(state.written_floor()).position,
            };
            (oldest, state.written_end(), state.trim, state.epoch)
        };
        let floor = self.chunk_boundary(oldest, end)?;
        Ok(Reach {
            floor,
            epoch,
            trims: floor.position > trim.position,
            drained: floor.position >= end.position,
        })
    }

    /// Forgets what was kept in memory and not used since the last call; says whether anything is
    /// left.
    fn release_unused(&self) -> bool {
        self.read_ahead.release_unused() | self.state.lock().tail.release_unused()
    }

    /// Writes the trim mark, and has the store forget what is below it.
    fn trim_to(&self, mut batch: S::Batch, reach: Reach, occasion: Occasion) -> Result<()> {
        let floor = reach.floor;
        batch.put(Records::System, &trim_key(), &Trim { mark: floor }.encode());
        let more = self.store.reclaim(batch, floor.position, occasion)?;
        self.left_behind.store(more, Ordering::Relaxed);
        self.forget_below(reach);
        Ok(())
    }

    /// The start of the chunk that holds `position`: a chunk goes as a whole. If it cannot be read, it
    /// starts there if the one before ends there; else nothing more can go.
    fn chunk_boundary(&self, position: u64, end: Mark) -> Result<Mark> {
        if position >= end.position {
            return Ok(end);
        }
        match self.chunk_info(position) {
            Err(error) if error.kind() == ErrorKind::Corrupt => {}
            chunk => return Ok(chunk?.first),
        }
        let before = position.checked_sub(1);
        let before = before.and_then(|before| self.chunk_info(before).ok());
        let boundary = before.map(|chunk| chunk.next);
        let boundary = boundary.filter(|boundary| boundary.position == position);
        Ok(boundary.unwrap_or(self.state.lock().trim))
    }

    fn forget_below(&self, Reach { floor, epoch, .. }: Reach) {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return; // the log was found again, and may be shorter
        }
        if floor.position > state.trim.position {
            state.trim = floor;
            state.skipped = 0;
        }
        state.tail.release(floor.position);
        drop(state);
        self.read_ahead.release(floor.position);
    }
}

impl State {
    /// Bytes that were written, taken and not yet trimmed.
    fn taken(&self) -> u64 {
        self.end
            .bytes
            .saturating_sub(self.unread().1)
            .saturating_sub(self.trim.bytes)
            .saturating_sub(self.skipped)
    }
}

impl<S: Store> Chore for Log<S> {
    fn run(&self) -> Option<Duration> {
        let buffered = self.write_old_buffer();
        let again = self.tidy().unwrap_or_else(|error| {
            Event::at(Level::Debug).post(format_args!(
                "could not tidy up now, it will be tried after the next commit: {error}"
            ));
            false
        });
        let pause = match self.state.lock().waits_for_expiry() {
            false => PAUSE,
            true => Duration::ZERO,
        };
        let expiry = self.until_expiry().map(|left| left.max(pause));
        let kept = self.release_unused();
        let soon = (again | kept).then_some(PAUSE);
        [expiry, soon, buffered].into_iter().flatten().min()
    }

    fn burden(&self) -> u64 {
        self.store.in_memory()
    }

    fn relieve(&self) {
        let relieved = self
            .begin_trim()
            .and_then(|batch| self.trim_to(batch, self.reach()?, Occasion::Short));
        if let Err(error) = relieved {
            Event::at(Level::Debug).post(format_args!("could not free memory now: {error}"));
        }
    }
}
