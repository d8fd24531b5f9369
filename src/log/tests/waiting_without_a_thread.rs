use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::error::{ErrorKind, Result};
use crate::log::attempt::Place;
use crate::log::items::Items;
use crate::log::read::Claim;
use crate::log::wait::Ring;
use crate::options::StartPosition::Oldest;

/// Counts how often it was told.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Ring for Bell {
    fn ring(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A consumer, or a producer, that waits without a thread.
struct Caller<'l> {
    log: &'l MemoryLog,
    place: Option<Place>,
    bell: Arc<Bell>,
}

impl<'l> Caller<'l> {
    fn of(log: &'l MemoryLog) -> Self {
        Self {
            log,
            place: None,
            bell: Arc::default(),
        }
    }

    fn told(&self) -> usize {
        self.bell.0.load(Ordering::SeqCst)
    }

    fn take(&mut self, last: bool) -> Result<Option<Items>> {
        let told: Arc<dyn Ring> = self.bell.clone();
        let log = self.log;
        let taken = log.try_in_line(&mut self.place, &told, last, |turn| {
            log.try_take(&ONLY_LABEL.into(), Oldest, 1, Written, Claim::Now, turn)
        })?;
        Ok(taken.map(|taken| taken.items))
    }

    fn append(&mut self, items: &[&str], last: bool) -> Result<Option<()>> {
        let told: Arc<dyn Ring> = self.bell.clone();
        let log = self.log;
        let appended = log.try_in_line(&mut self.place, &told, last, |turn| {
            log.try_append(items, Written, turn)
        })?;
        Ok(appended.map(drop))
    }

    fn leave(&mut self) {
        self.log.leave(&mut self.place);
    }
}

fn waiting(log: &MemoryLog) -> usize {
    log.state.lock().waiting
}

#[test]
fn one_who_waits_is_told_when_an_item_comes() {
    let log = fifo(10);
    let mut caller = Caller::of(&log);
    assert!(caller.take(false).unwrap().is_none());
    assert_eq!((caller.told(), waiting(&log)), (0, 1));
    log.add(&["a"]);
    assert_eq!(caller.told(), 1);
    assert_eq!(caller.take(false).unwrap().unwrap(), ["a"]);
    assert_eq!(waiting(&log), 0);
}

#[test]
fn every_item_tells_one_in_the_order_in_which_they_came() {
    let log = fifo(10);
    let mut callers: Vec<_> = (0..3).map(|_| Caller::of(&log)).collect();
    for caller in &mut callers {
        assert!(caller.take(false).unwrap().is_none());
    }
    log.add(&["a"]);
    log.add(&["b"]);
    let told: Vec<_> = callers.iter().map(Caller::told).collect();
    assert_eq!(told, [1, 1, 0]);
}

#[test]
fn one_who_was_told_in_vain_stays_in_front() {
    let log = fifo(10);
    let mut callers = [Caller::of(&log), Caller::of(&log)];
    for caller in &mut callers {
        assert!(caller.take(false).unwrap().is_none());
    }
    log.add(&["a"]);
    assert_eq!(log.pop(1), ["a"]);
    assert!(callers[0].take(false).unwrap().is_none());
    log.add(&["b"]);
    assert_eq!(callers.each_ref().map(Caller::told), [2, 0]);
}

#[test]
fn one_who_leaves_after_it_was_told_passes_that_on() {
    let log = fifo(10);
    let mut callers = [Caller::of(&log), Caller::of(&log)];
    for caller in &mut callers {
        assert!(caller.take(false).unwrap().is_none());
    }
    log.add(&["a"]);
    callers[0].leave();
    assert_eq!(callers[1].told(), 1);
    assert_eq!(callers[1].take(false).unwrap().unwrap(), ["a"]);
    assert_eq!(waiting(&log), 0);
}

#[test]
fn the_last_try_leaves_the_line() {
    let log = fifo(1);
    let mut consumer = Caller::of(&log);
    assert!(consumer.take(false).unwrap().is_none());
    assert!(consumer.take(true).unwrap().unwrap().is_empty());
    log.add(&["a"]);
    let mut producer = Caller::of(&log);
    assert!(producer.append(&["b"], false).unwrap().is_none());
    let error = producer.append(&["b"], true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(waiting(&log), 0);
}

#[test]
fn threads_and_others_wait_in_one_line() {
    let log = fifo(1);
    log.add(&["a"]);
    let mut first = Caller::of(&log);
    assert!(first.append(&["b"], false).unwrap().is_none());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| log.append(&["c"], Wait::FOREVER, Written));
        while waiting(&log) < 2 {
            std::thread::yield_now();
        }
        assert_eq!(log.pop(1), ["a"]);
        assert!(!second.is_finished());
        assert!(first.append(&["b"], false).unwrap().is_some());
        assert_eq!(log.pop(1), ["b"]);
        second.join().unwrap().unwrap();
    });
    assert_eq!(log.pop(1), ["c"]);
}

#[test]
fn closing_tells_everybody() {
    let log = fifo(10);
    let mut callers: Vec<_> = (0..3).map(|_| Caller::of(&log)).collect();
    for caller in &mut callers {
        assert!(caller.take(false).unwrap().is_none());
    }
    log.close().unwrap();
    for caller in &mut callers {
        assert_eq!(caller.told(), 1);
        let error = caller.take(false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    assert_eq!(waiting(&log), 0);
}

#[test]
fn ten_thousand_wait_and_leave_again() {
    let log = fifo(10);
    let mut callers: Vec<_> = (0..10_000).map(|_| Caller::of(&log)).collect();
    for caller in &mut callers {
        assert!(caller.take(false).unwrap().is_none());
    }
    for caller in callers.iter_mut().rev().skip(1) {
        caller.leave();
    }
    log.add(&["a"]);
    assert_eq!(callers.last().unwrap().told(), 1);
    assert_eq!(waiting(&log), 1);
}
