//! Expiry: which items are old enough to be gone.
//!
//! Push times do not decrease from chunk to chunk, so the live items are those from some position
//! on. That position only moves forward. It is looked for when the oldest live chunk has expired:
//! first among its neighbours, then in steps that double, so that the cost follows what has
//! expired, not what is there. A chunk that cannot be read is taken to be as old as one behind it that
//! can, so that it holds nobody up for longer than until that has expired.

use std::iter;
use std::time::Duration;

use super::Log;
use super::clock::micros;
use super::cursor::Mark;
use super::fetch::ChunkInfo;
use super::state::State;
use crate::error::{ErrorKind, Result};
use crate::primitives::{Mutex, MutexGuard};
use crate::store::Store;

/// Longer than a call takes that is done at once.
const MOMENT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Expiry {
    /// Microseconds that an item lives.
    ttl: i64,
    head: Mutex<Head>,
}

/// The oldest live item. Its lock comes before that of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    live: Mark,
    /// When its chunk expires; in the past when that is not known.
    expires: i64,
}

impl Head {
    fn unknown_from(live: Mark) -> Self {
        Self {
            live,
            expires: i64::MIN,
        }
    }
}

impl Expiry {
    pub(crate) fn new(ttl: Duration, live: Mark) -> Self {
        Self {
            ttl: micros(ttl),
            head: Mutex::new(Head::unknown_from(live)),
        }
    }

    /// Looks for the oldest live item from `live` on again, once what is returned is dropped.
    pub(super) fn reset(&self, live: Mark) -> MutexGuard<'_, Head> {
        let mut head = self.head.lock();
        *head = Head::unknown_from(live);
        head
    }

    fn expires(&self, pushed: i64) -> i64 {
        pushed.saturating_add(self.ttl)
    }

    /// When the oldest live item expires, as far as is known; `meanwhile` as long as somebody looks at
    /// it, which may take a read.
    pub(crate) fn next_expiry(&self, meanwhile: i64) -> Option<i64> {
        let head = self.head.try_lock();
        let expires = head.map_or(meanwhile, |head| head.expires);
        Some(expires).filter(|expires| *expires != i64::MIN)
    }
}

impl<S: Store> Log<S> {
    /// The first item that is in the queue, and the state that it belongs to: it has not expired and
    /// was not dropped. The end of the log, if there is none.
    pub(super) fn live(&self) -> Result<(Mark, MutexGuard<'_, State>)> {
        let (unexpired, state) = self.unexpired()?;
        Ok((unexpired.max(state.floor), state))
    }

    /// The first item that has not expired, or the end of the log, and the state that it belongs to.
    pub(super) fn unexpired(&self) -> Result<(Mark, MutexGuard<'_, State>)> {
        let Some(expiry) = &self.expiry else {
            let state = self.open_state()?;
            return Ok((state.trim, state));
        };
        let head = self.head(expiry)?;
        // With the lock of the head: the two would not belong together if the log was found again in between.
        let state = self.open_state()?;
        Ok((head.live, state))
    }

    /// The oldest live item, looked for again if it has expired.
    pub(super) fn head<'e>(&self, expiry: &'e Expiry) -> Result<MutexGuard<'e, Head>> {
        let now = self.time.now();
        let mut head = expiry.head.lock();
        if now >= head.expires {
            *head = self.find_head(expiry, *head, now)?;
            let mut state = self.state.lock();
            state.expire_below(head.live);
            state.call_waiters();
        }
        Ok(head)
    }

    /// The same if that needs no look at the store, now or in a moment.
    pub(super) fn unexpired_at_once(&self) -> Option<(Mark, MutexGuard<'_, State>)> {
        let Some(expiry) = &self.expiry else {
            let state = self.state.try_lock()?;
            return Some((state.trim, state));
        };
        let soon = self.time.now().saturating_add(micros(MOMENT));
        let head = expiry.head.try_lock()?;
        let state = self.state.try_lock()?;
        (soon < head.expires).then_some((head.live, state))
    }

    /// Looks for the head again. Nothing below the floor is looked at, since it may be gone.
    fn find_head(&self, expiry: &Expiry, head: Head, now: i64) -> Result<Head> {
        loop {
            let (floor, end, newest) = {
                let state = self.state.lock();
                (state.floor, state.end, state.time)
            };
            let from = head.live.max(floor);
            if from.position >= end.position || expiry.expires(newest) <= now {
                return Ok(Head::unknown_from(end));
            }
            let bound = ChunkInfo {
                first: end,
                next: end,
                time: newest,
            };
            match self.find_head_between(expiry, from, bound, now) {
                Err(error)
                    if error.kind() == ErrorKind::Corrupt
                        && self.state.lock().floor.position > floor.position => {}
                found => return found,
            }
        }
    }

    /// Looks for the first live chunk from `from` on and before `end`, which is as old as the newest.
    fn find_head_between(
        &self,
        expiry: &Expiry,
        from: Mark,
        end: ChunkInfo,
        now: i64,
    ) -> Result<Head> {
        let mut head = Head::unknown_from(from);
        let mut live_from = end.first.position;
        let mut step = 0u64;
        while head.live.position < live_from {
            let expired_below = head.live.position;
            let probe = expired_below
                .saturating_add(step)
                .min(live_from.saturating_sub(1));
            let chunk = self.chunk_or_one_behind(probe, end)?;
            if expiry.expires(chunk.time) > now {
                live_from = chunk.first.position.clamp(expired_below, probe);
                head.expires = expiry.expires(chunk.time);
                step = live_from.saturating_sub(expired_below) / 2;
            } else {
                head.live = chunk.next;
                step = if live_from == end.first.position {
                    step.saturating_mul(2).max(1)
                } else {
                    live_from.saturating_sub(chunk.next.position) / 2
                };
            }
        }
        Ok(head)
    }

    /// The chunk that holds `position`. If it cannot be read, one behind it that can, or else `end`:
    /// looked for in steps that double, and then between the last two. Where damage and chunks that can
    /// be read take turns, that need not be the next.
    fn chunk_or_one_behind(&self, position: u64, end: ChunkInfo) -> Result<ChunkInfo> {
        let readable = |place| match self.chunk_info(place) {
            Err(error)
                if error.kind() == ErrorKind::Corrupt
                    && self.state.lock().floor.position <= position =>
            {
                Ok(None)
            }
            chunk => chunk.map(Some),
        };
        if let Some(chunk) = readable(position)? {
            return Ok(chunk);
        }
        let (mut damaged, mut behind) = (position, end);
        let steps = iter::successors(Some(1u64), |step| step.checked_mul(2));
        let places = steps.map_while(|step| position.checked_add(step));
        for place in places.take_while(|place| *place < end.first.position) {
            if let Some(chunk) = readable(place)? {
                behind = chunk;
                break;
            }
            damaged = place;
        }
        loop {
            let middle = damaged.midpoint(behind.first.position);
            if middle <= damaged {
                return Ok(behind);
            }
            match readable(middle)? {
                Some(chunk) => behind = chunk,
                None => damaged = middle,
            }
        }
    }
}
