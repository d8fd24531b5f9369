use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::log::commit::{Committed, Operation};
use crate::options::Durability::Synced;
use crate::options::StartPosition::Oldest;

/// What the next open finds after a power cut that left nothing that was not synced.
fn after_power_cut(log: &MemoryLog) -> Arc<MemoryLog> {
    let store = log.store.after_power_cut(0);
    reopen(log, store, &ManualClock::at(0))
}

#[test]
fn what_was_pushed_synced_survives_a_power_cut_with_all_before_it() {
    let log = fifo(10);
    log.add(&["a"]);
    log.append(&["b"], Wait::NEVER, Synced).unwrap();
    log.add(&["c"]);
    assert_eq!(after_power_cut(&log).pop(9), ["a", "b"]);
}

#[test]
fn what_was_taken_synced_does_not_come_again_after_a_power_cut() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER, Synced)
        .unwrap();
    assert_eq!(after_power_cut(&log).pop(9), ["b", "c"]);
    let batch = log
        .read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
        .unwrap();
    log.commit(&batch, Synced).unwrap();
    log.pop(1);
    assert_eq!(after_power_cut(&log).pop(9), ["c"]);
}

#[test]
fn a_flush_makes_what_came_before_survive_a_power_cut() {
    let log = fifo(10);
    log.add(&["a"]);
    log.flush().unwrap();
    log.add(&["b"]);
    assert_eq!(after_power_cut(&log).pop(9), ["a"]);
}

#[test]
fn an_operation_that_cannot_be_synced_has_an_unknown_outcome_and_the_log_goes_on() {
    let log = fifo(10);
    log.append(&["a"], Wait::NEVER, Synced).unwrap();
    log.store.fail_next_sync(0);
    let error = log.append(&["b"], Wait::NEVER, Synced).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    log.append(&["c"], Wait::NEVER, Synced).unwrap();
    assert_eq!(after_power_cut(&log).pop(9), ["a", "c"]);
    assert_eq!(log.pop(9), ["a", "c"]);
}

#[test]
fn a_sync_does_not_vouch_for_what_was_written_before_the_store_reopened_itself() {
    let log = fifo(10);
    let committed = commit_without_sync(&log, "a");
    log.store.fail_next_sync(0);
    log.store.sync().unwrap_err();
    log.store.recover().unwrap();
    let error = log.settle(Some(committed), Synced).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
}

#[test]
fn an_operation_that_a_close_overtakes_is_synced_by_the_close() {
    let log = fifo(10);
    let committed = commit_without_sync(&log, "a");
    log.close().unwrap();
    log.settle(Some(committed), Synced).unwrap();
    assert_eq!(after_power_cut(&log).pop(9), ["a"]);
}

#[test]
fn an_operation_that_a_failed_close_overtakes_has_an_unknown_outcome() {
    let log = fifo(10);
    let committed = commit_without_sync(&log, "a");
    log.store.fail_next_sync(0);
    log.close().unwrap_err();
    let error = log.settle(Some(committed), Synced).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
}

/// A push at Synced, as it is before its sync.
fn commit_without_sync(log: &MemoryLog, item: &str) -> Committed {
    let items = [item];
    let chunks = chunk::cut(&items).unwrap();
    let called = false;
    let operation = Operation::Append { chunks, called };
    log.submit(operation, Synced).unwrap()
}

#[test]
fn syncs_of_many_threads_cover_all_that_they_acknowledged() {
    const THREADS: usize = 4;
    const PUSHES: usize = 50;
    let log = fifo(1_000_000);
    let acknowledged = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..PUSHES {
                    log.append(&["x"], Wait::NEVER, Synced).unwrap();
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < THREADS * PUSHES {
            let before = acknowledged.load(Ordering::SeqCst);
            assert!(after_power_cut(&log).len() >= before as u64);
        }
    });
    assert!(log.store.syncs() <= (THREADS * PUSHES) as u64 + 1);
}
