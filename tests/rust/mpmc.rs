//! The MPMC queue from end to end.

use std::thread;
use std::time::Duration;

use StartPosition::{Newest, Oldest};
use rocksq::mpmc::{MpmcQueue, StartPosition};
use rocksq::{ErrorKind, Wait};

use crate::support::waiting::{spawn_waiting, until};
use crate::support::{Home, kind, number, numbered, numbers};

const TTL: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(60);

/// Closes the queue and opens it again.
fn reopened(queue: &MpmcQueue) -> MpmcQueue {
    queue.close().unwrap();
    MpmcQueue::new(queue.path(), queue.ttl().unwrap_or_default()).unwrap()
}

/// What a label reads next.
fn next(queue: &MpmcQueue, label: &str, max: u64) -> Vec<usize> {
    numbers(&queue.next(label, Oldest, max).unwrap().items)
}

#[test]
fn each_label_reads_everything_in_order_across_openings() {
    let home = Home::new();
    let mut queue = home.mpmc();
    let mut read = [Vec::new(), Vec::new()];
    for round in 0..20 {
        queue.add(&numbered(round * 10, 10)).unwrap();
        read[0].extend(next(&queue, "slow", 7));
        read[1].extend(next(&queue, "quick", 13));
        queue = reopened(&queue);
    }
    read[0].extend(next(&queue, "slow", u64::MAX));
    read[1].extend(next(&queue, "quick", u64::MAX));
    assert!(
        read.into_iter()
            .all(|numbers| numbers.into_iter().eq(0..200))
    );
    assert_eq!(queue.len().unwrap(), 200);
}

#[test]
fn a_new_label_begins_where_it_says() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 3)).unwrap();
    queue.add(&numbered(3, 3)).unwrap();
    let queue = reopened(&queue);
    assert_eq!(
        numbers(&queue.next("newest", Newest, 9).unwrap().items),
        [5]
    );
    assert_eq!(next(&queue, "oldest", 2), [0, 1]);
    // The start counts for a new label alone.
    assert_eq!(
        numbers(&queue.next("oldest", Newest, 1).unwrap().items),
        [2]
    );
}

#[test]
fn labels_of_any_text_keep_their_places() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 9)).unwrap();
    let long = "l".repeat(60_000);
    let labels = ["", " ", "a", "a/b", "a\0b", "ä", "日本", "A", &long];
    for (count, label) in (1..).zip(labels) {
        next(&queue, label, count);
    }
    let queue = reopened(&queue);
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    assert_eq!(queue.labels().unwrap(), sorted);
    for (place, label) in (1..9).zip(labels) {
        assert_eq!(next(&queue, label, 1), [place]);
    }
}

#[test]
fn a_label_that_is_far_too_long_is_refused() {
    let home = Home::new();
    let queue = home.mpmc();
    let label = "l".repeat(1 << 20);
    let refused = kind(queue.next(&label, Oldest, 1));
    assert_eq!(refused, ErrorKind::InvalidArgument);
    assert!(!queue.remove_label(&label).unwrap());
    assert!(queue.labels().unwrap().is_empty());
}

#[test]
fn a_removed_label_is_gone_after_an_opening() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 3)).unwrap();
    next(&queue, "x", 2);
    assert!(queue.remove_label("x").unwrap());
    let queue = reopened(&queue);
    assert!(queue.labels().unwrap().is_empty());
    assert!(!queue.remove_label("x").unwrap());
    assert_eq!(next(&queue, "x", 9), [0, 1, 2]);
}

#[test]
fn removing_a_label_does_not_strand_one_who_waits_under_it() {
    let home = Home::new();
    let queue = home.mpmc();
    thread::scope(|scope| {
        let waiting = spawn_waiting(scope, || {
            queue.next_wait("x", Oldest, 9, Wait::FOREVER).unwrap()
        });
        assert!(queue.remove_label("x").unwrap());
        queue.add(&["1"]).unwrap();
        assert_eq!(waiting.join().unwrap().items, ["1"]);
    });
}

#[test]
fn reading_and_committing_move_one_label() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 5)).unwrap();
    let batch = queue.read("x", Oldest, 2, Wait::NEVER).unwrap();
    assert_eq!(
        (batch.first(), batch.next(), batch.expired()),
        (0, 2, false)
    );
    assert!(queue.labels().unwrap().is_empty());
    queue.commit(&batch).unwrap();
    let queue = reopened(&queue);
    let batch = queue.read("x", Oldest, 9, Wait::NEVER).unwrap();
    assert_eq!(numbers(batch.items()), [2, 3, 4]);
    next(&queue, "x", 1);
    assert_eq!(kind(queue.commit(&batch)), ErrorKind::Conflict);
    assert_eq!(next(&queue, "x", 9), [3, 4]);
    assert_eq!(next(&queue, "y", 9), [0, 1, 2, 3, 4]);
}

#[test]
fn two_first_batches_of_a_new_label_conflict() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 2)).unwrap();
    let read = || queue.read("x", Oldest, 1, Wait::NEVER).unwrap();
    let (one, other) = (read(), read());
    queue.commit(&one).unwrap();
    assert_eq!(kind(queue.commit(&other)), ErrorKind::Conflict);
    assert_eq!(next(&queue, "x", 9), [1]);
}

#[test]
fn peeking_and_iterating_move_no_label_and_make_none() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 300)).unwrap();
    next(&queue, "x", 10);
    assert_eq!(numbers(&queue.peek("x", Oldest, 2).unwrap()), [10, 11]);
    assert_eq!(numbers(&queue.peek("new", Oldest, 2).unwrap()), [0, 1]);
    assert!(queue.iter().map(|item| number(&item.unwrap())).eq(0..300));
    assert_eq!(queue.labels().unwrap(), ["x"]);
    assert_eq!(next(&queue, "x", 1), [10]);
}

#[test]
fn consuming_goes_on_where_the_label_is_and_ends_at_close() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 3)).unwrap();
    next(&queue, "x", 1);
    thread::scope(|scope| {
        let consumer = spawn_waiting(scope, || {
            let items = queue
                .consume("x", Oldest)
                .map(|item| number(&item.unwrap()));
            items.collect::<Vec<_>>()
        });
        queue.add(&numbered(3, 2)).unwrap();
        until(SOON, "all are read", || {
            queue.peek("x", Oldest, 1).unwrap().is_empty()
        });
        queue.close().unwrap();
        assert_eq!(consumer.join().unwrap(), [1, 2, 3, 4]);
    });
}

#[test]
fn an_item_that_is_too_old_is_neither_counted_nor_delivered() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), TTL).unwrap();
    queue.add(&["1"]).unwrap();
    assert_eq!(queue.len().unwrap(), 1);
    until(SOON, "it has expired", || queue.is_empty().unwrap());
    assert_eq!(queue.payload_size().unwrap(), 0);
    assert!(queue.iter().next().is_none());
    let batch = queue.read("new", Oldest, 1, Wait::NEVER).unwrap();
    assert!(batch.items().is_empty() && !batch.expired());
}

#[test]
fn a_loss_is_told_once_to_each_label_that_had_not_read() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), TTL).unwrap();
    queue.next("missed", Oldest, 1).unwrap();
    queue.add(&numbered(0, 5)).unwrap();
    next(&queue, "half", 2);
    next(&queue, "all", 5);
    until(SOON, "they have expired", || queue.is_empty().unwrap());
    let queue = reopened(&queue);
    let expired = |label| queue.next(label, Oldest, 9).unwrap().expired;
    assert_eq!(["missed", "half", "all"].map(expired), [true, true, false]);
    assert_eq!(["missed", "half", "all"].map(expired), [false; 3]);
}

#[test]
fn items_expire_while_the_queue_is_closed() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), TTL).unwrap();
    queue.add(&numbered(0, 3)).unwrap();
    next(&queue, "x", 1);
    queue.close().unwrap();
    thread::sleep(TTL + Duration::from_millis(100));
    let queue = MpmcQueue::new(home.queue(), TTL).unwrap();
    assert_eq!(queue.len().unwrap(), 0);
    // The bookkeeping does not expire.
    assert_eq!(queue.labels().unwrap(), ["x"]);
    queue.add(&numbered(3, 1)).unwrap();
    let read = queue.next("x", Oldest, 9).unwrap();
    assert_eq!((numbers(&read.items), read.expired), (vec![3], true));
}

#[test]
fn the_ttl_is_the_openers() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), Duration::from_secs(3600)).unwrap();
    queue.add(&["1"]).unwrap();
    queue.close().unwrap();
    thread::sleep(Duration::from_millis(50));
    let strict = MpmcQueue::new(home.queue(), Duration::from_millis(20)).unwrap();
    assert_eq!(strict.ttl(), Some(Duration::from_millis(20)));
    assert_eq!(strict.len().unwrap(), 0);
}

#[test]
fn items_without_a_ttl_stay_however_long_it_is() {
    let home = Home::new();
    for ttl in [
        Duration::ZERO,
        Duration::MAX,
        Duration::from_secs(u64::from(u32::MAX)),
    ] {
        let queue = MpmcQueue::new(home.queue(), ttl).unwrap();
        queue.add(&["1"]).unwrap();
    }
    assert_eq!(home.mpmc().len().unwrap(), 3);
}

#[test]
fn one_who_waits_reads_what_comes() {
    let home = Home::new();
    let queue = home.mpmc();
    thread::scope(|scope| {
        let waiting = ["x", "y"].map(|label| {
            let queue = &queue;
            spawn_waiting(scope, move || {
                queue.next_wait(label, Newest, 9, Wait::FOREVER).unwrap()
            })
        });
        queue.add(&["1", "2"]).unwrap();
        for next in waiting {
            assert_eq!(next.join().unwrap().items, ["1", "2"]);
        }
    });
}

#[test]
fn a_consumer_that_started_before_the_first_producer_goes_on_after_an_opening() {
    let home = Home::new();
    let queue = home.mpmc();
    assert!(next(&queue, "early", 1).is_empty());
    let queue = reopened(&queue);
    assert!(next(&queue, "early", 1).is_empty());
    assert_eq!(queue.len().unwrap(), 0);
    queue.add(&numbered(0, 3)).unwrap();
    assert_eq!(next(&queue, "early", 9), [0, 1, 2]);
}
