//! The log: an append-only sequence of items, and cursors into it.
//!
//! Both queues are a log with a policy. The log knows nothing of RocksDB (see [`crate::store`]) and
//! nothing of what the queues are called. Where to look:
//!
//! - [`chunk`], [`cursor`], [`records`]: what is stored, byte by byte
//! - [`commit`]: how operations get into the store together; [`buffer`]: what waits for that;
//!   [`sync`]: how they get to the device
//! - [`at_once`]: calls that wait for nothing; [`together`]: many at the same time
//! - [`read`], [`fetch`], [`tail`], [`items`]: how items come out
//! - [`wait`], [`attempt`]: how callers wait; [`unclaimed`]: what they did not come for;
//!   [`bounds`], [`fill`]: how much fits, and how much is there
//! - [`expiry`], [`tidy`], [`clock`]: what goes away, and when; [`refreshing`]: what must not
//! - [`open`], [`reload`]: how a log is found again; [`import`]: how one of another format is taken over
//! - [`stats`]: what can be seen of it from outside

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::housekeeping::Registration;
use crate::memory::Share;
use crate::options::Durability;
use crate::primitives::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::primitives::{Mutex, MutexGuard};
use crate::store::Store;

pub(crate) mod ahead;
pub(crate) mod at_once;
pub(crate) mod attempt;
pub(crate) mod bounds;
pub(crate) mod buffer;
pub(crate) mod chunk;
pub(crate) mod clock;
pub(crate) mod commit;
pub(crate) mod cursor;
pub(crate) mod expiry;
pub(crate) mod fetch;
pub(crate) mod fill;
pub(crate) mod import;
pub(crate) mod items;
pub(crate) mod open;
pub(crate) mod read;
pub(crate) mod records;
mod refreshing;
pub(crate) mod reload;
pub(crate) mod state;
pub(crate) mod stats;
pub(crate) mod sync;
pub(crate) mod tail;
pub(crate) mod tidy;
pub(crate) mod together;
pub(crate) mod unclaimed;
pub(crate) mod wait;

use crate::wait::Wait;
use ahead::ReadAhead;
use attempt::{Lack, Tried, Turn};
use bounds::Bounds;
use clock::LogTime;
use commit::{CommitLine, Committed, Operation};
use cursor::{Cursor, Mark};
use expiry::Expiry;
use refreshing::Refreshing;
use state::{ONLY_LABEL, State};
use stats::Seen;
use sync::SyncStage;

/// A list that mostly has one entry, which then needs no memory of its own.
pub type Few<T> = SmallVec<[T; 1]>;

/// Which items a log keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Those that the one consumer has not taken.
    #[default]
    Unread,
    /// Those that are younger than the TTL; all of them without one.
    Young { ttl: Option<Duration> },
}

impl Retention {
    /// The oldest item that counts as being in the queue.
    fn oldest(self, state: &State, live: u64) -> u64 {
        match self {
            Self::Unread => state.lowest_cursor(),
            Self::Young { .. } => live,
        }
    }

    /// A cursor at the beginning of what counts as being in the queue.
    fn first(self, state: &State, live: Mark) -> Cursor {
        match (self, state.cursor(ONLY_LABEL)) {
            (Self::Unread, Some(cursor)) => cursor.clone(),
            _ => Cursor::at(live),
        }
    }
}

/// An open log on a store.
pub(crate) struct Log<S: Store> {
    store: S,
    retention: Retention,
    bounds: Bounds,
    uuid: Uuid,
    follows_unclean_stop: bool,
    time: LogTime,
    birthplace: Birthplace,
    state: Mutex<State>,
    /// The store's generation that `state` was read from.
    generation: AtomicU64,
    /// Whether the last batch may or may not be in the store. Belongs to the leader of a group.
    in_doubt: AtomicBool,
    commits: CommitLine,
    syncs: SyncStage,
    read_ahead: ReadAhead,
    seen: Seen,
    expiry: Option<Expiry>,
    /// Held while closing, so that a second closer returns when the first is done. Then the
    /// generation of the store that the close has synced.
    closing: Mutex<Option<Result<u64>>>,
    housekeeping: Registration,
    refreshing: Refreshing<S>,
    share: Share,
    /// What the store had to reclaim when the housekeeping last looked.
    written_at_last_look: AtomicU64,
    /// Whether the store said that it could give back more later.
    left_behind: AtomicBool,
}

impl<S: Store> Log<S> {
    /// Adds items at the end, all or none. Waits for room as long as `wait` says.
    pub(crate) fn append<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        wait: Wait<'_>,
        level: Durability,
    ) -> Result<()> {
        let committed = self.persist(wait, |turn| self.try_append(items, level, turn))?;
        self.settle(committed, level)
    }

    /// One try of [`append`](Self::append), which is still to be settled.
    pub(crate) fn try_append<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        level: Durability,
        turn: Turn,
    ) -> Result<Tried<Option<Committed>>> {
        let mut tried = self.append_here(items, level, turn);
        if let Err(error) = &tried
            && error.kind() == ErrorKind::DiskFull
            && self.makes_room()
        {
            tried = self.append_here(items, level, turn);
        }
        self.counted(items.len(), tried)
    }

    /// The same with the room that the disk has, and not counted.
    fn append_here<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        level: Durability,
        turn: Turn,
    ) -> Result<Tried<Option<Committed>>> {
        let Some(operation) = self.prepare_append(items, turn)? else {
            return Ok(Tried::Done(None));
        };
        let amount = operation.amount();
        self.wait_for_memory();
        let may_wait = turn != Turn::Last && self.gets_room();
        match self.submit(operation, level) {
            Err(error) if error.kind() == ErrorKind::Full && may_wait => {
                Ok(Tried::Lacking(Lack::Room(amount)))
            }
            Err(error) if error.kind() == ErrorKind::Full && !self.gets_room() => {
                Err(commit::stays_full(error))
            }
            appended => appended.map(|committed| Tried::Done(Some(committed))),
        }
    }

    /// What adds items; `None` when there are none.
    fn prepare_append<'a, T: AsRef<[u8]>>(
        &self,
        items: &'a [T],
        turn: Turn,
    ) -> Result<Option<Operation<'a>>> {
        self.check_usable()?;
        if items.is_empty() {
            return self.check_open().map(|()| None);
        }
        self.check_sizes(items)?;
        Ok(Some(Operation::Append {
            chunks: chunk::cut(items)?,
            called: turn == Turn::Called,
        }))
    }

    /// Fails when `items` can never be pushed. Reads none of their bytes.
    pub(crate) fn check_sizes<T: AsRef<[u8]>>(&self, items: &[T]) -> Result<()> {
        let amount = chunk::measure(items)?;
        match amount.fits(self.bounds.max) {
            true => Ok(()),
            false => Err(commit::never_fits(amount)),
        }
    }

    /// Labels in alphabetical order.
    pub(crate) fn labels(&self) -> Result<Vec<String>> {
        self.check_usable()?;
        let state = self.open_state()?;
        let mut labels: Vec<_> = state.labels.keys().map(ToString::to_string).collect();
        drop(state);
        labels.sort_unstable();
        Ok(labels)
    }

    /// Forgets a label and its place; false when there is none.
    pub(crate) fn remove_label(&self, label: &Arc<str>, level: Durability) -> Result<bool> {
        self.check_usable()?;
        if self.open_state()?.cursor(label).is_none() {
            return Ok(false);
        }
        let operation = Operation::Remove {
            label: Arc::clone(label),
        };
        match self.submit(operation, level) {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            result => self.settle(Some(result?), level).map(|()| true),
        }
    }

    /// Number of items that the queue holds, and their bytes.
    pub(crate) fn size(&self) -> Result<(u64, u64)> {
        self.check_usable()?;
        match self.retention {
            Retention::Unread => Ok(self.open_state()?.unread()),
            Retention::Young { .. } => {
                let (live, state) = self.live()?;
                Ok((
                    state.end.position.saturating_sub(live.position),
                    state.end.bytes.saturating_sub(live.bytes),
                ))
            }
        }
    }

    /// Bytes allocated on disk.
    pub(crate) fn disk_size(&self) -> Result<u64> {
        self.check_usable()?;
        self.store.disk_size()
    }

    /// The store under the log.
    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    /// Makes everything done before the call survive a power cut.
    pub(crate) fn flush(&self) -> Result<()> {
        self.check_usable()?;
        let committed = self.submit(Operation::Flush, Durability::Synced)?;
        self.settle(Some(committed), Durability::Synced)?;
        self.store.check_there()?;
        self.report_loss()
    }

    /// Fails, once, when the disk has lost something that was acknowledged.
    fn report_loss(&self) -> Result<()> {
        match std::mem::take(&mut self.state.lock().lost) {
            true => Err(reload::lost()),
            false => Ok(()),
        }
    }

    /// Whether the log was not closed in order before it was opened.
    pub(crate) fn follows_unclean_stop(&self) -> bool {
        self.follows_unclean_stop
    }

    /// Whether this is the process that opened the log, not a forked child.
    pub(crate) fn is_here(&self) -> bool {
        self.birthplace.is_here()
    }

    /// Whether the log was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.birthplace.is_here() && self.state.lock().closed
    }

    /// Lets running operations finish, wakes those who wait, writes the buffer, syncs and closes.
    /// Closing again does nothing. Like a file, the log is closed even when this fails.
    pub(crate) fn close(&self) -> Result<()> {
        self.check_usable()?;
        let mut closing = self.closing.lock();
        let given_back = self.give_back_all();
        self.tidy_before_closing();
        let stopped = match self.submit(Operation::Close, Durability::Synced) {
            Err(error) if error.kind() == ErrorKind::Closed => return Ok(()),
            Err(error) => Err(self.give_up(error)),
            Ok(_) => self.report_loss(),
        };
        self.refreshing.end();
        self.housekeeping.end();
        self.share.end();
        self.read_ahead.clear();
        let noted = stopped.and_then(|()| self.note_clean_stop());
        let there = self.store.check_there();
        let closed = self.store.close();
        *closing = Some(closed.clone().map(|()| self.store.generation()));
        there.and(given_back).and(noted).and(closed)
    }

    /// Closes although `error` came, which then says what is lost by that.
    fn give_up(&self, error: Error) -> Error {
        let mut state = self.state.lock();
        state.closed = true;
        state.call_everybody();
        let buffer = std::mem::take(&mut state.buffer);
        drop(state);
        match buffer.is_empty() {
            true => error,
            false => buffer.lost_with(&error),
        }
    }

    /// Fails in a forked child, before any lock that the parent may have held at the fork.
    pub(crate) fn check_usable(&self) -> Result<()> {
        self.birthplace.check()
    }

    fn check_open(&self) -> Result<()> {
        self.open_state().map(drop)
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        match state.closed {
            true => Err(Error::closed()),
            false => Ok(state),
        }
    }

    /// Whether anything makes room in a full queue, in time.
    fn gets_room(&self) -> bool {
        self.retention != Retention::Young { ttl: None }
    }

    /// Reads the state again when the store had to reopen itself: what was in flight then may or
    /// may not be there.
    fn catch_up(&self) -> Result<()> {
        self.store.recover()?;
        self.follow_store()?;
        self.in_doubt.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the state again if the store had to reopen itself.
    fn follow_store(&self) -> Result<()> {
        let generation = self.store.generation();
        if self.generation.load(Ordering::Acquire) != generation {
            self.reload()?;
            self.generation.store(generation, Ordering::Release);
        }
        Ok(())
    }

    /// Whether the state was read from the store as it is.
    fn is_caught_up(&self) -> bool {
        self.generation.load(Ordering::Acquire) == self.store.generation()
    }
}

#[cfg(test)]
mod tests;
