//! With one label and with a thousand.

use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::mpmc::MpmcQueue;

use super::HOUR;
use super::turns::{calls, compare};
use crate::support::Home;

const LABELS: usize = 1_000;
/// So many that all rounds find one.
const ITEMS: usize = 100_000;

/// So many at different places can read a backlog without reading over each other.
const PLACES: usize = 10;

/// A queue of which so many labels have read the first item.
fn read_by(home: &Home, labels: usize) -> MpmcQueue {
    let queue = MpmcQueue::new(home.at(&labels.to_string()), HOUR).unwrap();
    for n in 0..ITEMS {
        queue.add(&[n.to_string()]).unwrap();
    }
    for label in names(labels) {
        queue.next(&label, Oldest, 1).unwrap();
    }
    queue
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("label {n}")).collect()
}

/// One `next` after another, each of the next label.
fn in_turn(queue: &MpmcQueue, names: &mut impl Iterator<Item = String>) -> Duration {
    calls(|| {
        let name = names.next().unwrap();
        assert_eq!(queue.next(&name, Oldest, 1).unwrap().items.len(), 1);
    })
}

#[test]
fn an_mpmc_queue_is_as_quick_with_many_labels_as_with_one() {
    let home = Home::in_memory();
    let (one, many) = (read_by(&home, 1), read_by(&home, LABELS));
    let add = |queue: &MpmcQueue| calls(|| queue.add(&["again"]).unwrap());
    compare("add", || add(&one), || add(&many));
    let next = |queue: &MpmcQueue| {
        calls(|| assert_eq!(queue.next("label 0", Oldest, 1).unwrap().items.len(), 1))
    };
    compare("next", || next(&one), || next(&many));
    let mut first = names(1).into_iter().cycle();
    let mut each = names(LABELS).into_iter().cycle();
    compare(
        "next of each label in turn",
        || in_turn(&one, &mut first),
        || in_turn(&many, &mut each),
    );
    let len = |queue: &MpmcQueue| calls(|| queue.len().unwrap());
    compare("len", || len(&one), || len(&many));
    let stats = |queue: &MpmcQueue| calls(|| queue.stats().unwrap());
    compare("stats", || stats(&one), || stats(&many));
}

/// A backlog of which so many labels have read different parts.
fn read_at_places(home: &Home, labels: usize) -> MpmcQueue {
    let queue = MpmcQueue::new(home.at(&labels.to_string()), HOUR).unwrap();
    for n in 0..ITEMS {
        queue.add(&[n.to_string()]).unwrap();
    }
    for (label, place) in names(labels).into_iter().zip(0..) {
        let read = (place * ITEMS / (2 * labels) + 1) as u64;
        assert_eq!(
            queue.next(&label, Oldest, read).unwrap().items.len() as u64,
            read
        );
    }
    queue
}

#[test]
fn ten_labels_at_different_places_of_a_backlog_read_it_as_quickly_as_one() {
    let home = Home::in_memory();
    let (one, many) = (read_at_places(&home, 1), read_at_places(&home, PLACES));
    let mut first = names(1).into_iter().cycle();
    let mut each = names(PLACES).into_iter().cycle();
    compare(
        "next of ten labels at different places",
        || in_turn(&one, &mut first),
        || in_turn(&many, &mut each),
    );
}
