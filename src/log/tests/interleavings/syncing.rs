use shuttle::sync::mpsc::channel;

use super::*;
use crate::error::ErrorKind;
use crate::options::Durability::Synced;

/// What the next open finds after a power cut that left nothing that was not synced.
fn after_power_cut(log: &MemoryLog) -> Vec<String> {
    let store = log.store.after_power_cut(0);
    let (items, _) = reopen(log, store, &ManualClock::at(0))
        .browse(0, 99)
        .unwrap();
    texts(&items)
}

#[test]
fn what_shares_a_sync_is_on_the_device_when_its_call_returns() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            for item in ["0", "1", "2"] {
                scope.spawn(move || {
                    log.push(&[item], Synced);
                    assert!(after_power_cut(log).contains(&item.to_owned()));
                });
            }
            log.push(&["written"], Written);
        });
        assert!(log.store.syncs() <= 1 + 3);
    });
}

#[test]
fn what_was_taken_synced_does_not_come_again() {
    explore(|| {
        let log = fifo(100);
        log.push(&["0", "1", "2"], Written);
        let log = &log;
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let taken = log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER, Synced);
                    let taken = texts(&taken.unwrap().items);
                    assert!(!after_power_cut(log).contains(&taken[0]));
                });
            }
        });
        assert_eq!(after_power_cut(log), ["2"]);
    });
}

#[test]
fn a_sync_that_fails_leaves_nobody_waiting_and_vouches_for_nobody() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        let outcomes = thread::scope(|scope| {
            let pushes = ["0", "1", "2"]
                .map(|item| scope.spawn(move || (item, log.append(&[item], Wait::NEVER, Synced))));
            log.store.fail_next_sync(0);
            pushes.map(|push| push.join().unwrap())
        });
        let _ = log.flush();
        log.push(&["last"], Synced);
        let there = after_power_cut(log);
        assert_eq!(there.last().unwrap(), "last");
        for (item, outcome) in outcomes {
            let is_there = there.contains(&item.to_owned());
            match outcome {
                Ok(()) => assert!(is_there),
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {}
                // The store had stopped before it was written.
                Err(error) => assert!(error.kind() == ErrorKind::Io && !is_there),
            }
        }
    });
}

#[test]
fn what_is_written_and_taken_does_not_wait_for_a_sync() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            let (go_on, done) = channel();
            scope.spawn(move || {
                log.syncs.sync(|| {
                    done.recv().unwrap();
                    Ok(0)
                })
            });
            log.push(&["0", "1"], Written);
            assert_eq!(log.pop(1), ["0"]);
            go_on.send(()).unwrap();
        });
    });
}
