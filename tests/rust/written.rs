//! How much is written for what is pushed, and with how many system calls.

use std::thread;
use std::time::{Duration, Instant};

use rocksq::Durability;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use crate::support::figures::{writes, written};
use crate::support::random::Random;
use crate::support::{Home, KIB, MIB};

const SIZE: u64 = 256 * KIB;
const PAYLOAD: u64 = 256 * MIB;
const CALLS: u64 = 1_000;
/// Bytes a second. What is pushed between the trim and the flush that follows on it is written to a
/// table: at full speed that is more.
const RATE: f64 = 128e6;

/// Bytes that the process has written meanwhile, for each of the payload.
fn written_by(work: impl FnOnce()) -> f64 {
    let before = written();
    work();
    (written() - before) as f64 / PAYLOAD as f64
}

#[test]
fn what_is_taken_soon_is_written_once() {
    let home = Home::in_memory();
    let queue = home.fifo();
    let item = [Random::new(1).bytes(SIZE as usize)];
    let ratio = written_by(|| {
        let begin = Instant::now();
        for pushed in 0..PAYLOAD / SIZE {
            let due = Duration::from_secs_f64((pushed * SIZE) as f64 / RATE);
            thread::sleep(due.saturating_sub(begin.elapsed()));
            queue.push(&item).unwrap();
            assert_eq!(queue.pop(1).unwrap().len(), 1);
        }
        queue.close().unwrap();
    });
    eprintln!("a consumer keeps up: {ratio:.2} bytes written for each pushed");
    assert!(ratio <= 1.15, "{ratio}");
}

#[test]
fn a_backlog_is_written_twice() {
    let home = Home::in_memory();
    let item = [Random::new(2).bytes(SIZE as usize)];
    let ratio = written_by(|| {
        let queue = home.fifo();
        (0..PAYLOAD / SIZE).for_each(|_| queue.push(&item).unwrap());
        queue.close().unwrap();
        let queue = home.fifo();
        (0..PAYLOAD / SIZE).for_each(|_| assert_eq!(queue.pop(1).unwrap().len(), 1));
        queue.close().unwrap();
    });
    eprintln!("a backlog: {ratio:.2} bytes written for each pushed");
    assert!(ratio <= 2.2, "{ratio}");
}

/// System calls that write, for each of some calls. That a sync is one more is counted by
/// `make bench-check`.
fn writes_of(queue: &Fifo, mut call: impl FnMut(&Fifo)) -> f64 {
    (0..10).for_each(|_| call(queue));
    let before = writes();
    (0..CALLS).for_each(|_| call(queue));
    (writes() - before) as f64 / CALLS as f64
}

#[test]
fn a_call_writes_once() {
    for level in [Durability::Written, Durability::Synced] {
        let home = Home::in_memory();
        let queue = home.fifo_at(level);
        let item = [[7; KIB as usize]];
        let push = writes_of(&queue, |queue| queue.push(&item).unwrap());
        let pop = writes_of(&queue, |queue| assert_eq!(queue.pop(1).unwrap().len(), 1));
        eprintln!("{level:?}: {push} system calls write a push, {pop} a pop");
        assert!((1.0..1.01).contains(&push), "{push}");
        assert!((1.0..1.01).contains(&pop), "{pop}");
        assert_eq!(queue.len().unwrap(), 0);
    }
}
