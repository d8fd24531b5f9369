//! The FIFO queue from end to end.

use std::thread;
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{ErrorKind, MpmcOptions, QueueOptions, Wait};

use crate::support::random::Random;
use crate::support::waiting::spawn_waiting;
use crate::support::{Home, MIB, ROOMY, kind, numbered, numbers};

/// Closes the queue and opens it again.
fn reopened(queue: &Fifo) -> Fifo {
    queue.close().unwrap();
    Fifo::new(queue.path(), queue.max_elements()).unwrap()
}

#[test]
fn items_come_out_in_the_order_of_their_push_across_openings() {
    let home = Home::new();
    let mut queue = home.fifo();
    let mut popped = Vec::new();
    for round in 0..20 {
        queue.push(&numbered(round * 10, 10)).unwrap();
        popped.extend(numbers(&queue.pop(7).unwrap()));
        queue = reopened(&queue);
    }
    popped.extend(numbers(&queue.pop(u64::MAX).unwrap()));
    assert!(popped.into_iter().eq(0..200));
    assert!(queue.is_empty().unwrap());
}

#[test]
fn an_item_keeps_its_bytes_whatever_they_are() {
    let home = Home::new();
    let mut queue = home.fifo();
    let mut random = Random::new(1);
    let mut items: Vec<_> = [0, 1, 255, 4096, 65_537, 3 << 20]
        .map(|len| random.bytes(len))
        .into();
    items.push((0..=255).collect());
    items.push(b"\0".to_vec());
    queue.push(&items).unwrap();
    assert_eq!(queue.peek(u64::MAX).unwrap(), items);
    queue = reopened(&queue);
    assert_eq!(queue.pop(u64::MAX).unwrap(), items);
}

#[test]
fn a_very_large_item_goes_through() {
    let home = Home::new();
    let queue = home.fifo();
    let item = Random::new(2).bytes(100 << 20);
    queue.push(&[&item[..], b"small"]).unwrap();
    assert_eq!(queue.payload_size().unwrap(), 100 * MIB + 5);
    let queue = reopened(&queue);
    assert!(queue.pop(2).unwrap() == [&item[..], b"small"]);
}

#[test]
fn a_push_of_a_hundred_thousand_items_is_one_push() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 100_000)).unwrap();
    let queue = reopened(&queue);
    assert_eq!(queue.len().unwrap(), 100_000);
    assert!(
        numbers(&queue.pop(u64::MAX).unwrap())
            .into_iter()
            .eq(0..100_000)
    );
}

#[test]
fn length_and_payload_are_right_after_an_opening() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a", "bb", "ccc"]).unwrap();
    queue.pop(1).unwrap();
    let queue = reopened(&queue);
    assert_eq!(
        (queue.len().unwrap(), queue.payload_size().unwrap()),
        (2, 5)
    );
    queue.pop(9).unwrap();
    let queue = reopened(&queue);
    assert_eq!(
        (queue.len().unwrap(), queue.payload_size().unwrap()),
        (0, 0)
    );
}

#[test]
fn a_push_that_does_not_fit_leaves_everything_as_it_was() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 3).unwrap();
    queue.push(&["a", "b"]).unwrap();
    let error = queue.push(&["c", "d"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(error.to_string(), "Failed to push item: Queue is full");
    let queue = reopened(&queue);
    queue.push(&["e"]).unwrap();
    assert_eq!(queue.pop(9).unwrap(), ["a", "b", "e"]);
}

#[test]
fn a_push_larger_than_the_capacity_fails_at_once_however_long_it_may_wait() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 2).unwrap();
    assert_eq!(
        kind(queue.push_wait(&["a"; 3], Wait::FOREVER)),
        ErrorKind::Full
    );
}

#[test]
fn a_full_queue_gives_up_at_the_timeout() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 1).unwrap();
    queue.push(&["a"]).unwrap();
    let wait = Duration::from_millis(50);
    let begin = Instant::now();
    assert_eq!(kind(queue.push_wait(&["b"], wait.into())), ErrorKind::Full);
    assert!(begin.elapsed() >= wait);
}

#[test]
fn reopening_with_a_smaller_capacity_drops_nothing() {
    let home = Home::new();
    Fifo::new(home.queue(), 10)
        .unwrap()
        .push(&numbered(0, 10))
        .unwrap();
    let queue = Fifo::new(home.queue(), 3).unwrap();
    assert_eq!(queue.len().unwrap(), 10);
    assert_eq!(kind(queue.push(&["x"])), ErrorKind::Full);
    assert_eq!(numbers(&queue.pop(8).unwrap()), [0, 1, 2, 3, 4, 5, 6, 7]);
    queue.push(&["10"]).unwrap();
    assert_eq!(numbers(&queue.pop(8).unwrap()), [8, 9, 10]);
}

#[test]
fn a_capacity_of_nothing_is_refused() {
    let home = Home::new();
    let error = Fifo::new(home.queue(), 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("max_elements is 0"), "{error}");
    let mut options = QueueOptions::default();
    options.max_bytes = Some(0);
    let error = Fifo::open(home.queue(), options).unwrap_err();
    assert!(error.to_string().contains("max_bytes is 0"), "{error}");
    let mut options = MpmcOptions::default();
    options.max_elements = Some(0);
    let error = MpmcQueue::open(home.queue(), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(!home.queue().exists());
}

#[test]
fn an_empty_push_does_nothing() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 1).unwrap();
    queue.push(&["a"]).unwrap();
    queue.push::<&str>(&[]).unwrap();
    assert_eq!(queue.len().unwrap(), 1);
}

#[test]
fn what_was_read_and_not_committed_is_read_again_after_an_opening() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a", "b", "c"]).unwrap();
    let committed = queue.read(1, Wait::NEVER).unwrap();
    queue.commit(&committed).unwrap();
    queue.read(1, Wait::NEVER).unwrap();
    let queue = reopened(&queue);
    let batch = queue.read(9, Wait::NEVER).unwrap();
    assert_eq!((batch.first(), batch.next()), (1, 3));
    assert_eq!(*batch.items(), ["b", "c"]);
}

#[test]
fn a_batch_read_before_an_opening_can_be_committed_after_it() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a", "b"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    let queue = reopened(&queue);
    queue.commit(&batch).unwrap();
    assert_eq!(kind(queue.commit(&batch)), ErrorKind::Conflict);
    assert_eq!(queue.pop(9).unwrap(), ["b"]);
}

#[test]
fn a_batch_conflicts_once_another_consumer_was_there() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a", "b"]).unwrap();
    let batch = queue.read(2, Wait::NEVER).unwrap();
    queue.pop(1).unwrap();
    let error = queue.commit(&batch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.path(), Some(&*home.queue()));
    assert_eq!(queue.pop(9).unwrap(), ["b"]);
}

#[test]
fn a_batch_of_the_queue_that_was_at_the_path_before_is_refused() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    std::fs::remove_dir_all(home.queue()).unwrap();
    let queue = home.fifo();
    queue.push(&["b"]).unwrap();
    assert_eq!(kind(queue.commit(&batch)), ErrorKind::InvalidArgument);
    assert_eq!(queue.pop(9).unwrap(), ["b"]);
}

#[test]
fn items_outlive_the_queue_they_were_popped_from() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 1000)).unwrap();
    let items = queue.pop(500).unwrap();
    let batch = queue.read(500, Wait::NEVER).unwrap();
    queue.close().unwrap();
    drop(queue);
    std::fs::remove_dir_all(home.queue()).unwrap();
    assert!(numbers(&items).into_iter().eq(0..500));
    assert!(numbers(batch.items()).into_iter().eq(500..1000));
}

#[test]
fn peeking_and_iterating_take_nothing() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 1000)).unwrap();
    queue.pop(10).unwrap();
    let queue = reopened(&queue);
    assert_eq!(numbers(&queue.peek(3).unwrap()), [10, 11, 12]);
    let seen = queue
        .iter()
        .map(|item| crate::support::number(&item.unwrap()));
    assert!(seen.eq(10..1000));
    assert_eq!(queue.len().unwrap(), 990);
}

#[test]
fn an_iterator_goes_on_past_items_that_are_taken_meanwhile() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 1000)).unwrap();
    let mut seen = queue
        .iter()
        .map(|item| crate::support::number(&item.unwrap()));
    assert_eq!(seen.next(), Some(0));
    queue.pop(500).unwrap();
    queue.push(&numbered(1000, 10)).unwrap();
    let rest: Vec<_> = seen.collect();
    assert!(
        rest.is_sorted()
            && rest.ends_with(
                &numbered(500, 510)
                    .iter()
                    .map(|n| n.parse().unwrap())
                    .collect::<Vec<_>>()
            )
    );
}

#[test]
fn consuming_takes_each_item_and_ends_when_the_queue_is_closed() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 3)).unwrap();
    thread::scope(|scope| {
        let consumer = spawn_waiting(scope, || {
            let items = queue
                .consume()
                .map(|item| crate::support::number(&item.unwrap()));
            items.collect::<Vec<_>>()
        });
        queue.push(&numbered(3, 2)).unwrap();
        crate::support::waiting::until(Duration::from_secs(60), "all are taken", || {
            queue.is_empty().unwrap()
        });
        queue.close().unwrap();
        assert_eq!(consumer.join().unwrap(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_pop_that_waits_returns_as_soon_as_one_item_is_there() {
    let home = Home::new();
    let queue = home.fifo();
    thread::scope(|scope| {
        let popped = spawn_waiting(scope, || queue.pop_wait(100, Wait::FOREVER).unwrap());
        queue.push(&["a"]).unwrap();
        assert_eq!(popped.join().unwrap(), ["a"]);
    });
}

#[test]
fn a_wait_that_is_interrupted_takes_nothing() {
    let home = Home::new();
    let queue = home.fifo();
    let asked = || true;
    let wait = Wait::FOREVER.interruptible(Duration::from_millis(1), &asked);
    assert_eq!(kind(queue.pop_wait(1, wait)), ErrorKind::Interrupted);
    queue.push(&["a"]).unwrap();
    assert_eq!(queue.pop(1).unwrap(), ["a"]);
}

#[test]
fn the_queue_tells_its_path_and_capacity() {
    let home = Home::new();
    let mut options = QueueOptions::default();
    options.max_elements = 7;
    let queue = Fifo::open(home.queue(), options).unwrap();
    assert_eq!((queue.path(), queue.max_elements()), (&*home.queue(), 7));
    assert!(format!("{queue:?}").contains("max_elements: 7"));
    assert!(queue.disk_size().unwrap() > 0);
}

#[test]
fn two_queues_side_by_side_share_nothing() {
    let home = Home::new();
    let one = Fifo::new(home.at("one"), ROOMY).unwrap();
    let other = Fifo::new(home.at("other"), ROOMY).unwrap();
    one.push(&["one"]).unwrap();
    other.push(&["other"]).unwrap();
    let batch = one.read(1, Wait::NEVER).unwrap();
    assert_eq!(kind(other.commit(&batch)), ErrorKind::InvalidArgument);
    assert_eq!(one.pop(9).unwrap(), ["one"]);
    assert_eq!(other.pop(9).unwrap(), ["other"]);
}
