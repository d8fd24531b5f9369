//! The log: an append-only sequence of items, and cursors into it.
//!
//! Both queues are a log with a policy. The log knows nothing of RocksDB (see [`crate::store`]) and
//! nothing of what the queues are called. Where to look:
//!
//! - [`chunk`], [`cursor`], [`records`]: what is stored, byte by byte
//! - [`commit`]: how operations get into the store together; [`buffer`]: what waits for that;
//!   [`sync`]: how they get to the device
//! - [`read`], [`fetch`], [`tail`], [`items`]: how items come out
//! - [`wait`]: how callers wait
//! - [`expiry`], [`tidy`], [`clock`]: what goes away, and when
//! - [`open`], [`reload`]: how a log is found again; [`import`]: how one of another format is taken over

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::housekeeping::Registration;
use crate::options::Durability;
use crate::store::Store;

pub(crate) mod buffer;
pub(crate) mod chunk;
pub(crate) mod clock;
pub(crate) mod commit;
pub(crate) mod cursor;
pub(crate) mod expiry;
pub(crate) mod fetch;
pub(crate) mod import;
pub(crate) mod items;
pub(crate) mod open;
pub(crate) mod read;
pub(crate) mod records;
pub(crate) mod reload;
pub(crate) mod state;
pub(crate) mod sync;
pub(crate) mod tail;
pub(crate) mod tidy;
pub(crate) mod wait;

use clock::LogTime;
use commit::{CommitLine, Committed, Operation};
use expiry::Expiry;
use fetch::ReadAhead;
use state::{LineOf, State};
use sync::SyncStage;
use wait::{Deadline, Ticket, Wait};

/// Which items a log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Those that the one consumer has not taken, at most `capacity` of them.
    Unread { capacity: u64 },
    /// Those that are younger than the TTL; all of them without one.
    Young { ttl: Option<Duration> },
}

impl Retention {
    /// The oldest item that counts as being in the queue.
    fn oldest(self, state: &State, live: u64) -> u64 {
        match self {
            Self::Unread { .. } => state.lowest_cursor(),
            Self::Young { .. } => live,
        }
    }
}

/// An open log on a store.
pub(crate) struct Log<S: Store> {
    store: S,
    retention: Retention,
    uuid: Uuid,
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
    expiry: Option<Expiry>,
    /// Held while closing, so that a second closer returns when the first is done.
    closing: Mutex<()>,
    housekeeping: Registration,
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
        let committed = self.append_unsettled(items, wait, level)?;
        self.settle(committed, level)
    }

    fn append_unsettled<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        wait: Wait<'_>,
        level: Durability,
    ) -> Result<Option<Committed>> {
        self.check_usable()?;
        if items.is_empty() {
            return self.check_open().map(|()| None);
        }
        self.check_can_ever_fit(items.len() as u64)?;
        let deadline = wait.begin();
        let mut place: Option<Place<'_, S>> = None;
        loop {
            let operation = Operation::Append {
                chunks: chunk::cut(items)?,
                called: place.is_some(),
            };
            let result = self.submit(operation, level);
            let full = matches!(&result, Err(error) if error.kind() == ErrorKind::Full);
            if !full || deadline.is_past() {
                return result.map(Some);
            }
            let need = items.len() as u64;
            let still_full = |state: &State| state.room() < need || !state.producers.is_empty();
            let called =
                self.stand_in_line(LineOf::Producers, need, still_full, &deadline, &mut place)?;
            if !called {
                return result.map(Some);
            }
        }
    }

    /// Labels in alphabetical order.
    pub(crate) fn labels(&self) -> Result<Vec<String>> {
        self.check_usable()?;
        let state = self.open_state()?;
        let mut labels: Vec<_> = state.labels.keys().map(|label| label.to_string()).collect();
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
            Retention::Unread { .. } => Ok(self.open_state()?.unread()),
            Retention::Young { .. } => {
                let live = self.live()?;
                let end = self.open_state()?.end;
                Ok((
                    end.position.saturating_sub(live.position),
                    end.bytes.saturating_sub(live.bytes),
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

    /// Position of the next item that will be pushed.
    pub(crate) fn end(&self) -> Result<u64> {
        Ok(self.open_state()?.end.position)
    }

    /// Makes everything done before the call survive a power cut.
    pub(crate) fn flush(&self) -> Result<()> {
        self.check_usable()?;
        let committed = self.submit(Operation::Flush, Durability::Synced)?;
        self.settle(Some(committed), Durability::Synced)?;
        self.report_loss()
    }

    /// Fails, once, when the disk has lost something that was acknowledged.
    fn report_loss(&self) -> Result<()> {
        match std::mem::take(&mut self.state.lock().lost) {
            true => Err(reload::lost()),
            false => Ok(()),
        }
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
        let _closing = self.closing.lock();
        self.tidy_before_closing();
        let stopped = match self.submit(Operation::Close, Durability::Synced) {
            Err(error) if error.kind() == ErrorKind::Closed => return Ok(()),
            Err(error) => Err(self.give_up(error)),
            Ok(_) => self.report_loss(),
        };
        self.housekeeping.end();
        self.read_ahead.clear();
        let noted = stopped.and_then(|()| self.note_clean_stop());
        let closed = self.store.close();
        noted.and(closed)
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

    fn check_can_ever_fit(&self, items: u64) -> Result<()> {
        match self.retention {
            Retention::Unread { capacity } if items > capacity => Err(commit::full()),
            _ => Ok(()),
        }
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

    /// Waits in a line until called, unless the state shows at once that there is no need to.
    /// Returns false when the deadline came first. The place in the line is kept in `place`, so
    /// that one who is called in vain is the next to be called.
    fn stand_in_line<'l>(
        &'l self,
        line: LineOf,
        need: u64,
        must_wait: impl Fn(&State) -> bool,
        deadline: &Deadline<'_>,
        place: &mut Option<Place<'l, S>>,
    ) -> Result<bool> {
        let ticket = {
            let mut state = self.open_state()?;
            if let Some(place) = place {
                place.rejoin(&mut state);
            }
            if !must_wait(&state) {
                return Ok(true);
            }
            let place = place.get_or_insert_with(|| Place::new(self, line, need, &mut state));
            state.call_waiters();
            Arc::clone(&place.ticket)
        };
        ticket.wait(deadline)
    }
}

/// A place in a line; left when it is dropped, so that nobody waits behind one who is gone.
pub(crate) struct Place<'l, S: Store> {
    log: &'l Log<S>,
    line: LineOf,
    ticket: Arc<Ticket>,
}

impl<'l, S: Store> Place<'l, S> {
    fn new(log: &'l Log<S>, line: LineOf, need: u64, state: &mut State) -> Self {
        let ticket = match state.line(&line) {
            Some(line) => line.join(need),
            None => Ticket::already_called(need),
        };
        state.waiting = state.waiting.saturating_add(1);
        Self { log, line, ticket }
    }

    fn rejoin(&self, state: &mut State) {
        if let Some(line) = state.line(&self.line) {
            line.rejoin(&self.ticket);
        }
    }
}

impl<S: Store> Drop for Place<'_, S> {
    fn drop(&mut self) {
        let mut state = self.log.state.lock();
        state.waiting = state.waiting.saturating_sub(1);
        if let Some(line) = state.line(&self.line) {
            line.leave(&self.ticket);
        }
        state.call_waiters();
    }
}

#[cfg(test)]
mod tests;
