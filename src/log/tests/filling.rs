//! Waiting for a log to be filled less, or more.

use std::thread;

use super::waiting::until_waiting;
use super::*;
use crate::error::ErrorKind;
use crate::housekeeping::Chore;
use crate::log::fill::{Fill, Watermark};

fn below(items: u64) -> Fill {
    Fill::Below(Watermark::elements(items))
}

#[test]
fn below_a_mark_is_below_both_of_its_numbers() {
    let log = fifo(10);
    log.add(&["aaa"]);
    let mark = Watermark::elements(2).or_bytes(4);
    let is_so = |fill| log.wait_until(fill, Wait::NEVER).unwrap();
    assert!(is_so(Fill::Below(mark)) && !is_so(Fill::Reaches(mark)));
    log.add(&["a"]);
    assert!(!is_so(Fill::Below(mark)) && is_so(Fill::Reaches(mark)));
    log.pop(1);
    assert!(is_so(Fill::Below(mark)));
    log.add(&["bbb"]);
    assert!(!is_so(Fill::Below(Watermark::bytes(4))));
}

#[test]
fn all_who_wait_for_less_are_called_when_there_is_less() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    thread::scope(|scope| {
        let waits = [1, 2].map(|items| {
            let log = &log;
            scope.spawn(move || log.wait_until(below(items), Wait::FOREVER))
        });
        until_waiting(&log, 2);
        log.pop(1);
        assert_eq!(log.state.lock().waiting, 2);
        log.pop(2);
        for wait in waits {
            assert!(wait.join().unwrap().unwrap());
        }
    });
    assert!(log.state.lock().watchers.is_empty());
}

#[test]
fn one_who_was_called_too_late_waits_on() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    thread::scope(|scope| {
        let wait = scope.spawn(|| log.wait_until(below(2), Wait::FOREVER));
        until_waiting(&log, 1);
        for _ in 0..1_000 {
            log.pop(1);
            log.add(&["c"]);
        }
        log.pop(1);
        assert!(wait.join().unwrap().unwrap());
    });
}

#[test]
fn a_wait_for_less_ends_at_its_deadline_and_with_the_queue() {
    let log = fifo(10);
    log.add(&["a"]);
    let soon = Duration::from_millis(1).into();
    assert!(!log.wait_until(below(1), soon).unwrap());
    thread::scope(|scope| {
        let wait = scope.spawn(|| log.wait_until(below(1), Wait::FOREVER));
        until_waiting(&log, 1);
        log.close().unwrap();
        let error = wait.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}

#[test]
fn expiry_is_noticed_by_those_who_wait_for_less() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.add(&["a"]);
    thread::scope(|scope| {
        let wait = scope.spawn(|| log.wait_until(below(1), Wait::FOREVER));
        until_waiting(&log, 1);
        clock.advance(Duration::from_secs(10));
        log.run();
        assert!(wait.join().unwrap().unwrap());
    });
}

#[test]
fn nothing_is_below_zero() {
    for mark in [Watermark::elements(0), Watermark::elements(1).or_bytes(0)] {
        assert_eq!(mark.check().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
