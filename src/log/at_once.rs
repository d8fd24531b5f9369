//! Small calls that wait for nothing: done at once, or not at all.
//!
//! A caller who holds what others want, like Python's GIL, need not let go of it for such a call. The
//! call takes the lead of the commit line if that is free, reads what is in memory, and writes little.
//! Where it would have to wait, for a leader, a read, a flush, a sync or a repair, it changes nothing
//! and says so. Locks that are held for a few steps in memory are all it ever waits for.
#![cfg_attr(not(feature = "rocksdb"), allow(dead_code))]

use std::sync::Arc;

use super::bounds::Amount;
use super::commit::Operation;
use super::fetch::Source;
use super::read::{Seen, Taken};
use super::state::State;
use super::{Log, chunk};
use crate::error::{ErrorKind, Result};
use crate::options::{Durability, StartPosition};
use crate::primitives::Mutex;
use crate::store::Store;

/// A call with more items takes too long to be done at once.
const MOST_ITEMS: u64 = 128;

impl<S: Store> Log<S> {
    /// Like [`append`](Self::append); `None` when it would have to wait or has more than `most`
    /// bytes.
    pub(crate) fn append_at_once<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        level: Durability,
        most: u64,
    ) -> Result<Option<()>> {
        let amount = amount(items);
        let is_small = (1..=MOST_ITEMS).contains(&amount.items) && amount.bytes <= most;
        if !is_small || level == Durability::Synced || !self.is_here() || !self.knows_room() {
            return Ok(None);
        }
        let fits = |state: &State| state.producers.is_empty() && amount.fits(state.room());
        let operation = || {
            Ok(Operation::Append {
                chunks: chunk::cut(items)?,
                called: false,
            })
        };
        let done = match self.submit_at_once(operation, level, fits) {
            // There may be room when what was taken is given back, which takes a while.
            Err(error) if error.kind() == ErrorKind::DiskFull => return Ok(None),
            done => done,
        };
        Ok(self.counted(items.len(), done)?.map(drop))
    }

    /// Like [`take`](Self::take) without waiting; `None` when it would have to wait.
    pub(crate) fn take_at_once(
        &self,
        label: &Arc<str>,
        max: u64,
        level: Durability,
    ) -> Result<Option<Taken>> {
        let is_small = (1..=MOST_ITEMS).contains(&max);
        if !is_small || level == Durability::Synced || !self.is_here() {
            return Ok(None);
        }
        let Some((gate, seen)) = self.look_at_once(label) else {
            return Ok(None);
        };
        let Some(_only_consumer) = gate.try_lock() else {
            return Ok(None);
        };
        let start = StartPosition::Oldest; // it is not a new label
        let Ok(batch) = self.read_seen(&seen, label, start, max) else {
            return Ok(None);
        };
        match (batch.items().is_empty(), batch.moves()) {
            (true, false) => return Ok(Some(batch.taken(None, None))),
            (true, true) => return Ok(None), // there is a loss to be reported
            _ => {}
        }
        match self.submit_at_once(|| Ok(batch.operation(None)), level, |_| true) {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            committed => Ok(committed?.map(|committed| batch.taken(Some(committed), None))),
        }
    }

    /// Whether the room in the log is known without a look at what has expired.
    fn knows_room(&self) -> bool {
        !self.bounds.are_there() || self.unexpired_at_once().is_some()
    }

    /// What a read in memory begins with, and the gate of its label.
    fn look_at_once(&self, label: &str) -> Option<(Arc<Mutex<()>>, Seen)> {
        let (unexpired, state) = self.unexpired_at_once()?;
        let live = unexpired.max(state.floor);
        let gate = Arc::clone(&state.labels.get(label)?.gate);
        let seen = self.seen(&state, live, label, Source::Memory);
        (!state.closed).then_some((gate, seen))
    }
}

fn amount<T: AsRef<[u8]>>(items: &[T]) -> Amount {
    let bytes = items.iter().map(|item| item.as_ref().len() as u64);
    Amount {
        items: items.len() as u64,
        bytes: bytes.fold(0, u64::saturating_add),
    }
}
