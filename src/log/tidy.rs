//! Tidying up: what nobody will read any more is trimmed, and its space given back in bulk.
//!
//! The housekeeping thread does it. Operations only say when it is due: when much was written or
//! taken, when a queue was emptied, when the next item expires.

use std::time::Duration;

use parking_lot::MutexGuard;

use super::cursor::Mark;
use super::records::{Trim, trim_key};
use super::state::State;
use super::{Log, Retention};
use crate::error::Result;
use crate::housekeeping::Chore;
use crate::store::{Batch, Records, Store};

/// At least this long passes between two tidyings that are not urgent.
const PAUSE: Duration = Duration::from_secs(1);
/// An emptied queue is tidied when it holds this many bytes of taken items.
const WORTH_TIDYING: u64 = 1 << 20;

impl<S: Store> Log<S> {
    /// Says when the housekeeping is to look at this log, after a commit.
    pub(super) fn after_commit(&self, state: MutexGuard<'_, State>) {
        let taken = match self.retention {
            Retention::Unread { .. } => state.taken(),
            Retention::Young { .. } => 0,
        };
        let drained = state.unread().0 == 0;
        drop(state);
        let due = self.store.reclaim_after();
        if self.store.unreclaimed() >= due || taken >= due {
            self.housekeeping.run_within(Duration::ZERO);
        } else if drained && taken >= WORTH_TIDYING {
            self.housekeeping.run_within(PAUSE);
        }
        self.schedule_expiry();
    }

    /// Has expired items looked for when the next one is due.
    pub(super) fn schedule_expiry(&self) {
        if let Some(expiry) = &self.expiry
            && !self.housekeeping.is_scheduled()
        {
            let now = self.time.now();
            let next = expiry.next_expiry().unwrap_or(now);
            let left = Duration::from_micros(next.saturating_sub(now).max(0) as u64);
            self.housekeeping.run_within(left.max(PAUSE));
        }
    }

    /// Trims what is below every reader, and has the store give back the space.
    pub(crate) fn tidy(&self) -> Result<()> {
        let live = self.live()?;
        let (oldest, end, trim) = {
            let state = self.open_state()?;
            let oldest = self.retention.oldest(&state, live.position);
            (oldest, state.end, state.trim)
        };
        let floor = self.chunk_boundary(oldest, end)?;
        let trims = floor.position > trim.position;
        if trims || self.store.unreclaimed() >= self.store.reclaim_after() {
            let mut batch = self.store.batch(0);
            batch.put(Records::System, &trim_key(), &Trim { mark: floor }.encode());
            let drained = floor.position >= end.position;
            self.store
                .reclaim(batch, floor.position, end.position, drained)?;
            self.forget_below(floor);
        }
        Ok(())
    }

    /// The start of the chunk that holds `position`: a chunk goes as a whole.
    fn chunk_boundary(&self, position: u64, end: Mark) -> Result<Mark> {
        if position >= end.position {
            return Ok(end);
        }
        Ok(self.chunk_info(position)?.first)
    }

    fn forget_below(&self, floor: Mark) {
        let mut state = self.state.lock();
        if floor.position > state.trim.position {
            state.trim = floor;
        }
        state.tail.release(floor.position);
        drop(state);
        self.read_ahead.release(floor.position);
    }
}

impl State {
    /// Bytes that were taken and not yet trimmed.
    fn taken(&self) -> u64 {
        self.end
            .bytes
            .saturating_sub(self.unread().1)
            .saturating_sub(self.trim.bytes)
    }
}

impl<S: Store> Chore for Log<S> {
    fn run(&self) -> Option<Duration> {
        if let Err(error) = self.tidy() {
            tracing::debug!(%error, "could not tidy up now; will be tried again");
        }
        let expiry = self.expiry.as_ref().and_then(|expiry| {
            let left = expiry.next_expiry()?.saturating_sub(self.time.now());
            Some(Duration::from_micros(left.max(0) as u64).max(PAUSE))
        });
        let in_use = self.read_ahead.release_unused().then_some(PAUSE);
        [expiry, in_use].into_iter().flatten().min()
    }
}
