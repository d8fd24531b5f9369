use std::sync::Arc;

use super::*;
use crate::error::ErrorKind;
use crate::log::attempt::{Tried, Turn};
use crate::log::read::{Claim, Taken};
use crate::log::unclaimed::Unclaimed;
use crate::options::Durability::{self, Buffered};
use crate::options::StartPosition::{Newest, Oldest};

fn clock() -> ManualClock {
    ManualClock::at(1_000_000)
}

fn texts(taken: &Taken) -> Vec<String> {
    let items = taken.items.iter();
    items
        .map(|item| String::from_utf8(item.to_vec()).unwrap())
        .collect()
}

impl MemoryLog {
    pub(super) fn take_later(
        &self,
        label: &str,
        max: u64,
    ) -> (Vec<String>, Option<Arc<Unclaimed>>) {
        self.take_at(label, max, Written)
    }

    fn take_at(
        &self,
        label: &str,
        max: u64,
        level: Durability,
    ) -> (Vec<String>, Option<Arc<Unclaimed>>) {
        let taken = self.try_take(&label.into(), Oldest, max, level, Claim::Later, Turn::Last);
        match taken.unwrap() {
            Tried::Done(taken) => (texts(&taken), taken.unclaimed),
            Tried::Lacking(_) => panic!("the last try lacks nothing"),
        }
    }

    /// Takes items and gives them up.
    pub(super) fn take_and_give_back(&self, label: &str, max: u64) -> Vec<String> {
        let (items, unclaimed) = self.take_later(label, max);
        assert!(unclaimed.unwrap().give_up());
        self.give_back().unwrap();
        items
    }
}

#[test]
fn what_is_given_back_comes_before_everything_else() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    assert_eq!(log.take_and_give_back(ONLY_LABEL, 2), ["a", "b"]);
    log.add(&["d"]);
    assert_eq!(log.len(), 4);
    assert_eq!(log.pop(9), ["a", "b", "c", "d"]);
}

#[test]
fn what_is_given_back_keeps_its_order_among_what_was_claimed() {
    let log = fifo(10);
    log.add(&["a", "b", "c", "d", "e"]);
    let taken: Vec<_> = (0..4).map(|_| log.take_later(ONLY_LABEL, 1)).collect();
    for n in [2, 0] {
        assert!(taken[n].1.as_ref().unwrap().give_up());
        log.give_back().unwrap();
    }
    assert_eq!(log.size().unwrap(), (3, 3));
    assert_eq!(log.take_later(ONLY_LABEL, 2).0, ["a", "c"]);
    assert_eq!(log.pop(9), ["e"]);
}

#[test]
fn what_was_given_back_is_there_after_a_kill() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    let (_, first) = log.take_later(ONLY_LABEL, 1);
    assert_eq!(log.pop(1), ["b"]);
    assert!(first.unwrap().give_up());
    log.give_back().unwrap();
    assert_eq!(after_kill(&log, &clock()).pop(9), ["a", "c"]);
}

#[test]
fn what_was_not_claimed_when_the_process_dies_is_taken() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.take_later(ONLY_LABEL, 1);
    assert_eq!(after_kill(&log, &clock()).pop(9), ["b"]);
}

#[test]
fn what_was_claimed_cannot_be_given_up_and_the_reverse() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    let (first, second) = (
        log.take_later("", 1).1.unwrap(),
        log.take_later("", 1).1.unwrap(),
    );
    first.claim().unwrap();
    first.claim().unwrap();
    assert!(!first.give_up());
    assert!(second.give_up());
    assert_eq!(second.claim().unwrap_err().kind(), ErrorKind::Cancelled);
    log.give_back().unwrap();
    assert_eq!(log.pop(9), ["b"]);
}

#[test]
fn nothing_that_may_come_back_is_trimmed() {
    let log = fifo(10);
    log.add(&["a"]);
    log.add(&["b"]);
    log.add(&["c"]);
    let (_, unclaimed) = log.take_later(ONLY_LABEL, 1);
    log.pop(1);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [0, 1, 2]);
    unclaimed.unwrap().give_up();
    log.give_back().unwrap();
    log.tidy().unwrap();
    assert_eq!(log.pop(1), ["a"]);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [2]);
}

#[test]
fn what_was_claimed_is_trimmed() {
    let log = fifo(10);
    log.add(&["a"]);
    log.add(&["b"]);
    log.take_later(ONLY_LABEL, 1).1.unwrap().claim().unwrap();
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [1]);
}

#[test]
fn the_ledger_forgets_what_was_claimed() {
    let log = fifo(1_000);
    for _ in 0..1_000 {
        log.add(&["a"]);
        log.take_later(ONLY_LABEL, 1).1.unwrap().claim().unwrap();
    }
    assert!(log.state.lock().unclaimed.len() <= 64);
}

#[test]
fn nothing_that_may_come_back_is_left_out_of_the_buffer() {
    let log = fifo(10);
    for item in ["a", "b", "c"] {
        log.append(&[item], Wait::NEVER, Buffered).unwrap();
    }
    let (_, unclaimed) = log.take_at("", 1, Buffered);
    log.take(&"".into(), Oldest, 1, Wait::NEVER, Buffered)
        .unwrap();
    assert!(unclaimed.unwrap().give_up());
    log.give_back().unwrap();
    assert_eq!(after_kill(&log, &clock()).pop(9), ["a", "c"]);
    assert_eq!(log.pop(9), ["a", "c"]);
}

#[test]
fn closing_takes_back_what_is_unclaimed() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    let (_, unclaimed) = log.take_later(ONLY_LABEL, 2);
    log.close().unwrap();
    let error = unclaimed.unwrap().claim().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(after_kill(&log, &clock()).pop(9), ["a", "b", "c"]);
}

#[test]
fn a_failure_to_give_back_can_be_made_good() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    let (_, unclaimed) = log.take_later(ONLY_LABEL, 1);
    assert!(unclaimed.unwrap().give_up());
    log.store.fail_next_write(ErrorKind::Io);
    assert_eq!(log.give_back().unwrap_err().kind(), ErrorKind::Io);
    log.give_back().unwrap();
    log.give_back().unwrap();
    assert_eq!(log.pop(9), ["a", "b"]);
}

#[test]
fn giving_back_calls_those_who_wait() {
    let log = fifo(10);
    log.add(&["a"]);
    let (_, unclaimed) = log.take_later(ONLY_LABEL, 1);
    std::thread::scope(|scope| {
        let pop = scope.spawn(|| log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::FOREVER, Written));
        while log.state.lock().waiting == 0 {
            std::thread::yield_now();
        }
        unclaimed.unwrap().give_up();
        log.give_back().unwrap();
        assert_eq!(pop.join().unwrap().unwrap().items, ["a"]);
    });
}

#[test]
fn each_label_gets_its_own_back() {
    let log = mpmc(0, &clock());
    log.add(&["a", "b", "c"]);
    assert_eq!(log.take_and_give_back("x", 1), ["a"]);
    assert_eq!(log.take_later("y", 2).0, ["a", "b"]);
    assert_eq!(log.next("x", Oldest, 9).0, ["a", "b", "c"]);
    assert_eq!(log.next("y", Oldest, 9).0, ["c"]);
}

#[test]
fn what_expires_before_it_is_given_back_is_reported_as_lost() {
    let clock = clock();
    let log = mpmc(10, &clock);
    log.add(&["a"]);
    let (_, unclaimed) = log.take_later("x", 1);
    clock.advance(Duration::from_secs(10));
    unclaimed.unwrap().give_up();
    log.give_back().unwrap();
    assert_eq!(log.next("x", Oldest, 1), (vec![], true));
    assert_eq!(log.next("x", Oldest, 1), (vec![], false));
}

#[test]
fn nothing_is_given_back_to_a_label_that_was_removed() {
    let log = mpmc(0, &clock());
    log.add(&["a", "b"]);
    let (_, unclaimed) = log.take_later("x", 1);
    log.remove_label(&"x".into(), Written).unwrap();
    assert_eq!(log.next("x", Newest, 9).0, ["b"]);
    assert!(unclaimed.unwrap().give_up());
    log.give_back().unwrap();
    assert!(log.next("x", Oldest, 9).0.is_empty());
}

#[test]
fn browsing_shows_what_was_given_back_and_not_what_is_taken() {
    let log = fifo(10);
    log.add(&["a", "b", "c"]);
    let (_, unclaimed) = log.take_later(ONLY_LABEL, 1);
    log.pop(1);
    unclaimed.unwrap().give_up();
    log.give_back().unwrap();
    let (items, next) = log.browse(0, 1).unwrap();
    assert_eq!(items, ["a"]);
    assert_eq!(log.browse(next, 9).unwrap().0, ["c"]);
}
