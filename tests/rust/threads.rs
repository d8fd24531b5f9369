//! Many threads on one queue on disk.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::{ErrorKind, Wait};

use crate::support::{Home, numbered, numbers};

const PRODUCERS: usize = 4;
const CONSUMERS: usize = 4;
const PUSHES: usize = 500;
const ITEMS: usize = PRODUCERS * PUSHES * 3;

/// The numbers that a producer pushes, three at a time.
fn pushes(producer: usize) -> impl Iterator<Item = Vec<String>> {
    (0..PUSHES).map(move |push| numbered((producer * PUSHES + push) * 3, 3))
}

fn assert_all_once(taken: impl IntoIterator<Item = usize>, count: usize) {
    let mut taken: Vec<_> = taken.into_iter().collect();
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..count));
}

/// What one consumer got of each producer is in that producer's order.
fn assert_in_each_producers_order(taken: &[usize]) {
    for producer in 0..PRODUCERS {
        let of_one = taken
            .iter()
            .filter(|number| **number / (PUSHES * 3) == producer);
        assert!(of_one.is_sorted());
    }
}

#[test]
fn every_item_goes_to_one_consumer() {
    let home = Home::new();
    let queue = home.fifo();
    let (start, left) = (Barrier::new(PRODUCERS + CONSUMERS), AtomicUsize::new(ITEMS));
    let taken: Vec<_> = thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (queue, start) = (&queue, &start);
            scope.spawn(move || {
                start.wait();
                pushes(producer).for_each(|items| queue.push(&items).unwrap());
            });
        }
        let consumers: Vec<_> = (0..CONSUMERS as u64)
            .map(|consumer| {
                let (queue, start, left) = (&queue, &start, &left);
                scope.spawn(move || {
                    start.wait();
                    let mut taken = Vec::new();
                    while left.load(Ordering::Relaxed) > 0 {
                        let wait = Duration::from_millis(5).into();
                        let items = numbers(&queue.pop_wait(1 + consumer, wait).unwrap());
                        left.fetch_sub(items.len(), Ordering::Relaxed);
                        taken.extend(items);
                    }
                    taken
                })
            })
            .collect();
        consumers
            .into_iter()
            .map(|consumer| consumer.join().unwrap())
            .collect()
    });
    taken
        .iter()
        .for_each(|taken| assert_in_each_producers_order(taken));
    assert_all_once(taken.into_iter().flatten(), ITEMS);
    queue.close().unwrap();
    assert_eq!(home.fifo().len().unwrap(), 0);
}

#[test]
fn consumers_who_wait_without_end_all_get_their_share() {
    let home = Home::new();
    let queue = home.fifo();
    let taken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CONSUMERS {
            scope.spawn(|| {
                for _ in 0..ITEMS / CONSUMERS {
                    let items = queue.pop_wait(1, Wait::FOREVER).unwrap();
                    taken.lock().unwrap().extend(numbers(&items));
                }
            });
        }
        for producer in 0..PRODUCERS {
            let queue = &queue;
            scope.spawn(move || pushes(producer).for_each(|items| queue.push(&items).unwrap()));
        }
    });
    assert_all_once(taken.into_inner().unwrap(), ITEMS);
}

#[test]
fn producers_wait_for_room_and_the_capacity_holds() {
    const CAPACITY: u64 = 10;
    let home = Home::new();
    let queue = Fifo::new(home.queue(), CAPACITY).unwrap();
    let mut taken = Vec::new();
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let queue = &queue;
            scope.spawn(move || {
                pushes(producer).for_each(|items| queue.push_wait(&items, Wait::FOREVER).unwrap());
            });
        }
        while taken.len() < ITEMS {
            assert!(queue.len().unwrap() <= CAPACITY);
            taken.extend(numbers(&queue.pop_wait(7, Wait::FOREVER).unwrap()));
        }
    });
    assert_in_each_producers_order(&taken);
    assert!(
        taken
            .chunks(3)
            .all(|push| push[0] % 3 == 0 && push[0] + 2 == push[2])
    );
    assert_all_once(taken, ITEMS);
}

#[test]
fn a_push_that_gives_up_waiting_has_pushed_nothing() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 5).unwrap();
    let (over, pushed) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let popped = thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (queue, pushed) = (&queue, &pushed);
                scope.spawn(move || {
                    for items in pushes(producer) {
                        let wait = Duration::from_micros(100).into();
                        match queue.push_wait(&items, wait) {
                            Ok(()) => pushed.lock().unwrap().extend(items),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Full),
                        }
                    }
                })
            })
            .collect();
        let consumer = scope.spawn(|| {
            let mut popped = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let wait = Duration::from_millis(1).into();
                popped.extend(queue.pop_wait(2, wait).unwrap().to_vecs());
            }
            popped.extend(queue.pop(u64::MAX).unwrap().to_vecs());
            popped
        });
        producers
            .into_iter()
            .for_each(|producer| producer.join().unwrap());
        over.store(true, Ordering::Relaxed);
        consumer.join().unwrap()
    });
    let count = popped.len();
    let popped: BTreeSet<_> = popped
        .into_iter()
        .map(|item| String::from_utf8(item).unwrap())
        .collect();
    assert_eq!(popped.len(), count);
    assert_eq!(popped, pushed.into_inner().unwrap());
}

#[test]
fn consumers_that_read_and_commit_take_each_item_once() {
    let home = Home::new();
    let queue = home.fifo();
    let (taken, conflicts) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for producer in 0..2 {
            let queue = &queue;
            scope.spawn(move || pushes(producer).for_each(|items| queue.push(&items).unwrap()));
        }
        for _ in 0..CONSUMERS {
            scope.spawn(|| {
                while taken.lock().unwrap().len() < 2 * PUSHES * 3 {
                    let batch = queue.read(5, Duration::from_millis(5).into()).unwrap();
                    match queue.commit(&batch) {
                        Ok(()) => taken.lock().unwrap().extend(numbers(batch.items())),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Conflict);
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    eprintln!("{} conflicts", conflicts.into_inner());
    assert_all_once(taken.into_inner().unwrap(), 2 * PUSHES * 3);
}

#[test]
fn labels_read_in_parallel_and_each_sees_everything_once() {
    const LABELS: [&str; 3] = ["a", "b", "c"];
    let home = Home::new();
    let queue = home.mpmc();
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let queue = &queue;
            scope.spawn(move || pushes(producer).for_each(|items| queue.add(&items).unwrap()));
        }
        for label in LABELS {
            let queue = &queue;
            scope.spawn(move || {
                let mut read = Vec::new();
                while read.len() < ITEMS {
                    let next = queue.next_wait(label, Oldest, 50, Wait::FOREVER).unwrap();
                    read.extend(numbers(&next.items));
                }
                assert_in_each_producers_order(&read);
                assert_all_once(read, ITEMS);
            });
        }
    });
    assert_eq!(queue.labels().unwrap(), LABELS);
}

#[test]
fn consumers_of_one_label_share_its_items() {
    let home = Home::new();
    let queue = home.mpmc();
    let read = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CONSUMERS {
            scope.spawn(|| {
                while read.lock().unwrap().len() < ITEMS {
                    let wait = Duration::from_millis(5).into();
                    let next = queue.next_wait("shared", Oldest, 3, wait).unwrap();
                    read.lock().unwrap().extend(numbers(&next.items));
                }
            });
        }
        for producer in 0..PRODUCERS {
            let queue = &queue;
            scope.spawn(move || pushes(producer).for_each(|items| queue.add(&items).unwrap()));
        }
    });
    assert_all_once(read.into_inner().unwrap(), ITEMS);
}

#[test]
fn a_slow_and_a_quick_consumer_of_a_backlog_do_not_disturb_each_other() {
    let home = Home::new();
    let queue = home.mpmc();
    for producer in 0..PRODUCERS {
        pushes(producer).for_each(|items| queue.add(&items).unwrap());
    }
    queue.close().unwrap();
    let queue = home.mpmc();
    thread::scope(|scope| {
        for (label, max) in [
            ("one by one", 1),
            ("seven", 7),
            ("hundred", 100),
            ("all", u64::MAX),
            ("two", 2),
        ] {
            let queue = &queue;
            scope.spawn(move || {
                let mut read = Vec::new();
                while read.len() < ITEMS {
                    read.extend(numbers(&queue.next(label, Oldest, max).unwrap().items));
                }
                assert!(read.into_iter().eq(0..ITEMS));
            });
        }
    });
}

#[test]
fn looking_disturbs_nobody() {
    let home = Home::new();
    let queue = home.fifo();
    let over = AtomicBool::new(false);
    let mut taken = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let peeked = numbers(&queue.peek(100).unwrap());
                assert!(peeked.windows(2).all(|pair| pair[0] + 1 == pair[1]));
                let seen: Vec<_> = queue
                    .iter()
                    .map(|item| crate::support::number(&item.unwrap()))
                    .collect();
                assert!(seen.is_sorted());
                queue.disk_size().unwrap();
                queue.flush().unwrap();
            }
        });
        scope.spawn(|| (0..2000).for_each(|n| queue.push(&numbered(n * 3, 3)).unwrap()));
        while taken.len() < 6000 {
            taken.extend(numbers(&queue.pop_wait(5, Wait::FOREVER).unwrap()));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(taken.into_iter().eq(0..6000));
}
