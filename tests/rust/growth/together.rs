//! With one producer and one consumer, and with many of each.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rocksq::Wait;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use super::turns::compare_with;
use crate::support::Home;

/// What passes in one round, whoever pushes and pops it.
const ITEMS: usize = 4_800;
/// Together they may take no longer; a few hundredths are what two rounds differ by.
const RATIO: f64 = 1.05;

/// So many producers push, and so many consumers pop, all items one by one.
fn pass(queue: &Fifo, threads: usize) -> Duration {
    let start = Barrier::new(2 * threads);
    let push = || queue.push(&[[7; 100]]).unwrap();
    let pop = || assert_eq!(queue.pop_wait(1, Wait::FOREVER).unwrap().len(), 1);
    let all = |call: &dyn Fn()| {
        start.wait();
        let begin = Instant::now();
        (0..ITEMS / threads).for_each(|_| call());
        begin
    };
    let begin = thread::scope(|scope| {
        let each = 0..threads;
        let threads: Vec<_> = each
            .flat_map(|_| [scope.spawn(|| all(&push)), scope.spawn(|| all(&pop))])
            .collect();
        let begins = threads.into_iter().map(|thread| thread.join().unwrap());
        begins.min().unwrap()
    });
    begin.elapsed()
}

#[test]
fn many_producers_and_consumers_together_are_no_slower_than_one_of_each() {
    let home = Home::in_memory();
    let queue = home.fifo();
    for threads in [2, 4, 16] {
        compare_with(
            &format!("{threads} producers and consumers"),
            RATIO,
            || pass(&queue, 1),
            || pass(&queue, threads),
        );
    }
}
