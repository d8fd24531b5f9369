use std::sync::mpsc;
use std::thread;

use super::*;
use crate::options::StartPosition::Oldest;
use crate::store::memory::Moment;

const PUSH: usize = 10;
/// Something is wrong with what takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A queue that nobody reads, with pushes of ten items of these sizes by turns.
fn backlog(pushes: usize, sizes: &[usize]) -> Arc<MemoryLog> {
    let log = mpmc(0, &ManualClock::at(1_000_000));
    for size in sizes.iter().cycle().take(pushes) {
        let items = vec![vec![7u8; *size]; PUSH];
        log.append(&items, Wait::NEVER, Written).unwrap();
    }
    log
}

/// Moves labels to different places, so many pushes apart.
fn at_places(log: &MemoryLog, count: usize, apart: usize) -> Vec<String> {
    let labels = (1..=count).map(|label| {
        let items = label * apart * PUSH;
        let label = label.to_string();
        log.next(&label, Oldest, items as u64);
        label
    });
    labels.collect()
}

/// How often the store is looked at while all labels take so many items, each one at a time.
fn visits(log: &MemoryLog, labels: &[String], items: usize) -> usize {
    let before = log.store.visits();
    for _ in 0..items {
        for label in labels {
            assert_eq!(log.next(label, Oldest, 1).0.len(), 1);
        }
    }
    (log.store.visits() - before) as usize
}

#[test]
fn a_backlog_that_is_looked_at_before_it_is_taken_is_read_once() {
    let visits = |looks: usize| {
        let log = fifo(1_000);
        let item = vec![7u8; 10 << 10];
        for _ in 0..500 {
            log.append(&[&item], Wait::NEVER, Written).unwrap();
        }
        let before = log.store.visits();
        while log.len() > 0 {
            for _ in 0..looks {
                log.peek(&ONLY_LABEL.into(), Oldest, 7).unwrap();
            }
            log.pop(7);
        }
        log.store.visits() - before
    };
    assert!(visits(3) < 2 * visits(0));
}

#[test]
fn labels_at_different_places_of_large_pushes_read_each_push_once() {
    for (count, size) in [(16, 10 << 10), (30, 25 << 10), (8, 100 << 10)] {
        let log = backlog(2 * (count + 2), &[size]);
        let labels = at_places(&log, count, 2);
        let visits = visits(&log, &labels, 2 * PUSH);
        let passed = 2 * count;
        assert!(visits <= passed * 5 / 4, "{visits} for {passed} of {size}");
    }
}

#[test]
fn large_pushes_between_small_ones_are_read_once() {
    for (count, small) in [(8, 100), (16, 100), (16, 1 << 10), (30, 100)] {
        let log = backlog(5 * (count + 2), &[25 << 10, small]);
        let labels = at_places(&log, count, 5);
        let visits = visits(&log, &labels, 4 * PUSH);
        let passed = 4 * count;
        assert!(
            visits <= passed * 5 / 4,
            "{visits} for {passed} with {small}"
        );
    }
}

#[test]
fn a_reader_of_small_pushes_does_not_disturb_those_of_large_ones() {
    let log = backlog(300, &[10]);
    for _ in 0..40 {
        let items = vec![vec![7u8; 25 << 10]; PUSH];
        log.append(&items, Wait::NEVER, Written).unwrap();
    }
    let labels: Vec<_> = (0..16).map(|label| label.to_string()).collect();
    for (label, place) in labels.iter().zip(1..) {
        log.next(label, Oldest, (300 + 2 * place) * PUSH as u64);
    }
    let alone = visits(&log, &labels, PUSH);
    let before = log.store.visits();
    for _ in 0..PUSH {
        log.next("small", Oldest, 50);
        visits(&log, &labels, 1);
    }
    let beside = (log.store.visits() - before) as usize;
    assert!(beside <= 2 * alone + PUSH, "{beside}, without it {alone}");
}

#[test]
fn a_label_is_read_from_the_store_while_another_is() {
    let log = backlog(20, &[100 << 10]);
    let labels = at_places(&log, 2, 4);
    log.read_ahead.clear();
    let (other, label) = (Arc::clone(&log), labels[1].clone());
    let before = log.store.visits();
    log.store.at_next(Moment::Visit, move || {
        let (done, items) = mpsc::channel();
        thread::spawn(move || done.send(other.next(&label, Oldest, 1).0.len()));
        assert_eq!(items.recv_timeout(PATIENCE), Ok(1));
    });
    assert_eq!(log.next(&labels[0], Oldest, 1).0.len(), 1);
    assert_eq!(log.store.visits(), before + 2);
}
