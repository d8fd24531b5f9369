use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::options::StartPosition::Oldest;

/// Waits until so many callers stand in the lines of `log`.
pub(super) fn until_waiting(log: &MemoryLog, callers: usize) {
    while log.state.lock().waiting < callers {
        thread::yield_now();
    }
}

#[test]
fn a_pop_that_waits_returns_as_soon_as_one_item_is_there() {
    let log = fifo(10);
    thread::scope(|scope| {
        let popped =
            scope.spawn(|| log.take(&ONLY_LABEL.into(), Oldest, 5, Wait::FOREVER, Written));
        until_waiting(&log, 1);
        log.add(&["a"]);
        assert_eq!(popped.join().unwrap().unwrap().items, ["a"]);
    });
}

#[test]
fn a_pop_gives_up_at_its_deadline() {
    let log = fifo(10);
    let wait = Duration::from_millis(1).into();
    let taken = log
        .take(&ONLY_LABEL.into(), Oldest, 1, wait, Written)
        .unwrap();
    assert!(taken.items.is_empty());
    assert_eq!(log.state.lock().waiting, 0);
}

#[test]
fn every_item_of_a_push_wakes_one_who_waits() {
    let log = fifo(10);
    thread::scope(|scope| {
        let pops: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::FOREVER, Written))
            })
            .collect();
        until_waiting(&log, 3);
        log.add(&["a", "b", "c"]);
        let total: usize = pops
            .into_iter()
            .map(|pop| pop.join().unwrap().unwrap().items.len())
            .sum();
        assert_eq!(total, 3);
    });
}

#[test]
fn two_pushes_wake_two_who_wait() {
    let log = fifo(10);
    thread::scope(|scope| {
        let pops: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::FOREVER, Written))
            })
            .collect();
        until_waiting(&log, 2);
        log.add(&["a"]);
        log.add(&["b"]);
        for pop in pops {
            assert_eq!(pop.join().unwrap().unwrap().items.len(), 1);
        }
    });
}

#[test]
fn producers_who_wait_for_room_are_served_in_their_order() {
    let log = fifo(2);
    log.add(&["a", "b"]);
    let (sender, served) = channel();
    thread::scope(|scope| {
        for (n, items) in [vec!["large"; 2], vec!["small"]].into_iter().enumerate() {
            let (log, sender) = (&log, sender.clone());
            scope.spawn(move || {
                log.append(&items, Wait::FOREVER, Written).unwrap();
                sender.send(n).unwrap();
            });
            until_waiting(log, n + 1);
        }
        log.pop(1);
        assert!(served.try_recv().is_err());
        let error = log
            .append(&["barges in"], Wait::NEVER, Written)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        log.pop(1);
        assert_eq!(served.recv().unwrap(), 0);
        log.pop(2);
        assert_eq!(served.recv().unwrap(), 1);
    });
}

#[test]
fn one_who_gives_up_lets_those_behind_go_on() {
    let log = fifo(2);
    log.add(&["a"]);
    thread::scope(|scope| {
        let large =
            scope.spawn(|| log.append(&["x"; 2], Duration::from_millis(30).into(), Written));
        until_waiting(&log, 1);
        let small = scope.spawn(|| log.append(&["y"], Wait::FOREVER, Written));
        assert_eq!(large.join().unwrap().unwrap_err().kind(), ErrorKind::Full);
        small.join().unwrap().unwrap();
    });
}

#[test]
fn closing_wakes_everybody() {
    let log = fifo(1);
    log.add(&["a"]);
    let waiting = mpmc(0, &ManualClock::at(0));
    thread::scope(|scope| {
        let push = scope.spawn(|| log.append(&["b"], Wait::FOREVER, Written).unwrap_err());
        let next = scope.spawn(|| {
            waiting
                .take(&"x".into(), Oldest, 1, Wait::FOREVER, Written)
                .unwrap_err()
        });
        until_waiting(&log, 1);
        until_waiting(&waiting, 1);
        log.close().unwrap();
        waiting.close().unwrap();
        assert_eq!(push.join().unwrap().kind(), ErrorKind::Closed);
        assert_eq!(next.join().unwrap().kind(), ErrorKind::Closed);
    });
}

#[test]
fn waiting_beside_expired_items_sleeps_until_a_live_one_comes() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("x", Oldest, 1);
    log.add(&["old"]);
    clock.advance(Duration::from_secs(10));
    thread::scope(|scope| {
        let next = scope.spawn(|| {
            log.take(&"x".into(), Oldest, 1, Wait::FOREVER, Written)
                .unwrap()
        });
        until_waiting(&log, 1);
        log.add(&["new"]);
        let taken = next.join().unwrap();
        assert_eq!(taken.items, ["new"]);
        assert!(taken.expired);
    });
}

#[test]
fn a_read_that_waits_takes_nothing() {
    let log = fifo(10);
    thread::scope(|scope| {
        let read = scope.spawn(|| log.read(&ONLY_LABEL.into(), Oldest, 1, Wait::FOREVER));
        until_waiting(&log, 1);
        log.add(&["a"]);
        assert_eq!(*read.join().unwrap().unwrap().items(), ["a"]);
    });
    assert_eq!(log.len(), 1);
}

#[test]
fn an_interrupted_wait_loses_nothing() {
    let log = fifo(10);
    let asked = || true;
    let wait = Wait::FOREVER.interruptible(Duration::from_millis(1), &asked);
    let error = log
        .take(&ONLY_LABEL.into(), Oldest, 1, wait, Written)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    log.add(&["a"]);
    assert_eq!(log.pop(1), ["a"]);
}
