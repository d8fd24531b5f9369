//! What can be seen of a log from outside.

use super::*;
use crate::log::stats::{LabelStats, Stats};
use crate::options::Durability::Buffered;
use crate::options::StartPosition::Oldest;

const SECOND: Duration = Duration::from_secs(1);

impl MemoryLog {
    fn figures(&self) -> Stats {
        self.stats().unwrap()
    }

    fn lags(&self) -> Vec<(String, u64, u64)> {
        let lag = |stats: LabelStats| (stats.label, stats.items, stats.payload_bytes);
        self.label_stats().unwrap().into_iter().map(lag).collect()
    }
}

#[test]
fn what_came_less_what_went_is_what_is_there() {
    let bounds = Bounds::new(Some(3), None, OnFull::DropOldest);
    let log = bounded(Retention::Unread, bounds, &ManualClock::at(0));
    log.add(&["a"]);
    log.add(&["bb", "ccc"]);
    log.append(&["d"], Wait::NEVER, Buffered).unwrap();
    log.pop(1);
    assert_eq!(log.take_and_give_back(ONLY_LABEL, 1), ["ccc"]);
    log.append(&["x"; 4], Wait::NEVER, Buffered).unwrap_err();
    let stats = log.figures();
    let counts = (stats.pushed_items, stats.popped_items, stats.dropped_items);
    assert_eq!(counts, (4, 2, 1));
    assert_eq!(stats.returned_items, 1);
    assert_eq!((stats.items, stats.payload_bytes), (2, 4));
}

#[test]
fn what_failed_is_not_counted() {
    let log = fifo(10);
    log.add(&["a"]);
    log.store.fail_next_write(crate::error::ErrorKind::DiskFull);
    log.append(&["b"], Wait::NEVER, Written).unwrap_err();
    log.store.fail_next_write(crate::error::ErrorKind::DiskFull);
    log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER, Written)
        .unwrap_err();
    let stats = log.figures();
    assert_eq!((stats.pushed_items, stats.popped_items), (1, 0));
}

#[test]
fn the_oldest_item_grows_older_until_it_goes() {
    let clock = ManualClock::at(0);
    let log = bounded(Retention::Unread, Bounds::default(), &clock);
    assert_eq!(log.figures().oldest_age, None);
    log.add(&["a"]);
    clock.advance(2 * SECOND);
    log.add(&["b"]);
    clock.advance(SECOND);
    assert_eq!(log.figures().oldest_age, Some(3 * SECOND));
    let log = after_kill(&log, &clock);
    assert_eq!(log.figures().oldest_age, Some(3 * SECOND));
    log.pop(1);
    assert_eq!(log.figures().oldest_age, Some(SECOND));
    log.pop(1);
    assert_eq!(log.figures().oldest_age, None);
}

#[test]
fn expired_items_are_counted_once_and_dropped_ones_not_among_them() {
    let clock = ManualClock::at(0);
    let bounds = Bounds::new(Some(3), None, OnFull::DropOldest);
    let log = bounded(young(10), bounds, &clock);
    log.add(&["a"]);
    log.add(&["b", "c"]);
    log.add(&["d"]);
    clock.advance(10 * SECOND);
    for _ in 0..2 {
        let stats = log.figures();
        assert_eq!((stats.items, stats.oldest_age), (0, None));
        assert_eq!((stats.dropped_items, stats.expired_items), (1, 3));
    }
}

#[test]
fn a_label_lags_by_what_is_alive_and_unread() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("behind", Oldest, 0);
    log.add(&["a", "bb"]);
    log.next("ahead", Oldest, 9);
    clock.advance(5 * SECOND);
    log.add(&["ccc"]);
    let lag = |label: &str, items, bytes| (label.to_owned(), items, bytes);
    assert_eq!(log.lags(), [lag("ahead", 1, 3), lag("behind", 3, 6)]);
    assert_eq!(log.figures().popped_items, 2);
    clock.advance(5 * SECOND);
    assert_eq!(log.lags(), [lag("ahead", 1, 3), lag("behind", 1, 3)]);
}
