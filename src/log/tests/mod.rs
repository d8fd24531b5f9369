//! The log as a whole, over the store in memory.

mod at_once;
mod bounding;
mod buffering;
mod committing;
mod consuming;
mod crashing;
mod expiring;
mod failing;
mod filling;
mod importing;
#[cfg(shuttle)]
mod interleavings;
mod losing;
mod model;
mod positions;
mod reading_ahead;
mod stats;
mod syncing;
mod together;
mod unclaimed;
mod waiting;
mod waiting_without_a_thread;

use std::sync::Arc;
use std::time::Duration;

use super::bounds::Bounds;
use super::clock::manual::ManualClock;
use super::items::Items;
use super::state::ONLY_LABEL;
use super::{Log, Retention, chunk};
use crate::options::Durability::Written;
use crate::options::{OnFull, StartPosition};
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::wait::Wait;

type MemoryLog = Log<MemoryStore>;

fn fifo(capacity: u64) -> Arc<MemoryLog> {
    bounded(
        Retention::Unread,
        Bounds::new(Some(capacity), None, OnFull::Error),
        &ManualClock::at(1_000_000),
    )
}

fn mpmc(ttl_secs: u64, clock: &ManualClock) -> Arc<MemoryLog> {
    open(MemoryStore::default(), young(ttl_secs), clock)
}

fn young(ttl_secs: u64) -> Retention {
    let ttl = Some(Duration::from_secs(ttl_secs)).filter(|ttl| !ttl.is_zero());
    Retention::Young { ttl }
}

fn open(store: MemoryStore, retention: Retention, clock: &ManualClock) -> Arc<MemoryLog> {
    Log::open(store, retention, Bounds::default(), Box::new(clock.clone())).unwrap()
}

fn bounded(retention: Retention, bounds: Bounds, clock: &ManualClock) -> Arc<MemoryLog> {
    let store = MemoryStore::default();
    Log::open(store, retention, bounds, Box::new(clock.clone())).unwrap()
}

/// The log that the next open finds in `store`, opened as `log` was.
fn reopen(log: &MemoryLog, store: MemoryStore, clock: &ManualClock) -> Arc<MemoryLog> {
    Log::open(store, log.retention, log.bounds, Box::new(clock.clone())).unwrap()
}

/// The log that the next open finds after this process died.
fn after_kill(log: &MemoryLog, clock: &ManualClock) -> Arc<MemoryLog> {
    reopen(log, log.store.after_kill(), clock)
}

fn texts(items: &Items) -> Vec<String> {
    items
        .iter()
        .map(|item| String::from_utf8(item.to_vec()).unwrap())
        .collect()
}

impl MemoryLog {
    fn add(&self, items: &[&str]) {
        self.append(items, Wait::NEVER, Written).unwrap();
    }

    fn pop(&self, max: u64) -> Vec<String> {
        self.next(ONLY_LABEL, StartPosition::Oldest, max).0
    }

    fn next(&self, label: &str, start: StartPosition, max: u64) -> (Vec<String>, bool) {
        let taken = self
            .take(&label.into(), start, max, Wait::NEVER, Written)
            .unwrap();
        (texts(&taken.items), taken.expired)
    }

    fn epoch(&self) -> u32 {
        self.state.lock().epoch
    }

    fn len(&self) -> u64 {
        self.size().unwrap().0
    }
}
