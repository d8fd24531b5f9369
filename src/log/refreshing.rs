//! Files that look old are deleted by cleaners of directories such as /tmp. So those of an open queue
//! are given the time of now when it is opened, and once a day from then on.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Log;
use super::clock::micros;
use crate::housekeeping::{Chore, Registration};
use crate::primitives::Mutex;
use crate::store::Store;

/// Cleaners spare what is some days old.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Has the files of a log's store refreshed for as long as it is open.
pub(super) struct Refreshing<S: Store> {
    refresher: Arc<Refresher<S>>,
    registration: Registration,
}

struct Refresher<S: Store> {
    log: Weak<Log<S>>,
    /// When they were refreshed, in the log's time.
    last: Mutex<i64>,
}

impl<S: Store> Refreshing<S> {
    /// For a log that is opened at the time `now`.
    pub(super) fn of(log: Weak<Log<S>>, now: i64) -> Self {
        let last = Mutex::new(now);
        let refresher = Arc::new(Refresher { log, last });
        let chore: Weak<Refresher<S>> = Arc::downgrade(&refresher);
        Self {
            refresher,
            registration: Registration::new(chore),
        }
    }

    /// The log was opened.
    pub(super) fn begin(&self) {
        if let Some(log) = self.refresher.log.upgrade() {
            log.store.refresh();
            self.registration.run_within(DAY);
        }
    }

    /// The log is being closed.
    pub(super) fn end(&self) {
        self.registration.end();
    }
}

impl<S: Store> Chore for Refresher<S> {
    fn run(&self) -> Option<Duration> {
        let log = self.log.upgrade()?;
        let now = log.time.now();
        let mut last = self.last.lock();
        let left = micros(DAY).saturating_sub(now.saturating_sub(*last));
        if left > 0 {
            return Some(Duration::from_micros(left as u64));
        }
        *last = now;
        drop(last);
        log.store.refresh();
        Some(DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Retention;
    use crate::log::bounds::Bounds;
    use crate::log::clock::manual::ManualClock;
    use crate::store::memory::MemoryStore;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn the_files_of_a_queue_that_is_left_alone_are_refreshed_once_a_day() {
        let clock = ManualClock::at(0);
        let (store, bounds) = (MemoryStore::default(), Bounds::default());
        let log = Log::open(store, Retention::Unread, bounds, Box::new(clock.clone())).unwrap();
        let refresher = Arc::clone(&log.refreshing.refresher);
        assert!(log.refreshing.registration.is_scheduled());
        assert_eq!(log.store.refreshes(), 1);
        for day in 1..4 {
            clock.advance(23 * HOUR);
            assert_eq!(refresher.run(), Some(HOUR));
            assert_eq!(log.store.refreshes(), day);
            clock.advance(HOUR);
            assert_eq!(refresher.run(), Some(DAY));
            assert_eq!(log.store.refreshes(), day + 1);
        }
        log.close().unwrap();
        assert!(!log.refreshing.registration.is_scheduled());
    }
}
