//! Positions near the end of their range.

use super::*;
use crate::error::ErrorKind;
use crate::log::cursor::{Cursor, Mark};
use crate::log::records::{Trim, label_key, trim_key};
use crate::options::Durability::Written;
use crate::store::{Batch, Records, Store};

/// A store whose log ends so many items before the end of the range.
fn store_with(left: u64) -> MemoryStore {
    let mark = Mark {
        position: u64::MAX - left,
        bytes: 1_000,
    };
    let store = MemoryStore::default();
    let mut batch = store.batch(0);
    batch.put(Records::System, &trim_key(), &Trim { mark }.encode());
    store.write(batch).unwrap();
    store
}

#[test]
fn the_last_positions_are_used_and_then_the_queue_is_full_for_good() {
    let clock = ManualClock::at(1_000_000);
    let log = open(store_with(3), Retention::Unread, &clock);
    let error = log
        .append(&["a", "b", "c", "d"], Wait::NEVER, Written)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("positions"), "{error}");
    log.add(&["a", "b", "c"]);
    assert_eq!(log.len(), 3);
    assert_eq!(log.pop(u64::MAX), ["a", "b", "c"]);
    let error = log.append(&["d"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(log.pop(9), [""; 0]);
}

#[test]
fn the_last_positions_are_found_again() {
    let clock = ManualClock::at(1_000_000);
    let log = open(store_with(2), Retention::Unread, &clock);
    log.add(&["a", "b"]);
    assert_eq!(log.pop(1), ["a"]);
    let log = after_kill(&log, &clock);
    assert_eq!(log.len(), 1);
    assert_eq!(log.pop(9), ["b"]);
    log.tidy().unwrap();
    let log = after_kill(&log, &clock);
    assert_eq!(log.len(), 0);
    assert!(log.append(&["c"], Wait::NEVER, Written).is_err());
}

#[test]
fn a_new_label_begins_at_the_last_positions() {
    let clock = ManualClock::at(1_000_000);
    let log = open(store_with(2), young(0), &clock);
    log.add(&["a", "b"]);
    let newest = log.next("late", StartPosition::Newest, 9);
    assert_eq!(newest, (vec!["b".to_owned()], false));
    let oldest = log.next("early", StartPosition::Oldest, 9);
    assert_eq!(oldest.0, ["a", "b"]);
}

/// Damage that checksums did not see, or a mistake of an older version: no arithmetic overflows.
#[test]
fn a_cursor_at_the_end_of_the_range_is_borne() {
    let clock = ManualClock::at(1_000_000);
    let store = MemoryStore::default();
    let mark = Mark {
        position: u64::MAX,
        bytes: u64::MAX,
    };
    let mut batch = store.batch(0);
    let cursor = Cursor::at(mark).encode().unwrap();
    batch.put(Records::Reader, &label_key(ONLY_LABEL), &cursor);
    store.write(batch).unwrap();
    let log = open(store, Retention::Unread, &clock);
    assert_eq!(log.len(), 0);
    assert_eq!(log.pop(1), [""; 0]);
    let error = log.append(&["a"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
}
