//! A disk whose syncs take long: who asks for one waits for it, and nobody else.

use std::thread;
use std::time::{Duration, Instant};

use rocksq::Durability::{Buffered, Synced, Written};
use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::{CallOptions, ErrorKind, QueueOptions, Wait};

use crate::support::interpose::Slow;
use crate::support::{Home, kind, numbered};

#[test]
fn calls_that_need_no_sync_do_not_wait_for_that_of_another() {
    let home = Home::new();
    let queue = home.fifo();
    let later = queue.nonblocking(10).unwrap();
    queue.push(&numbered(0, 3)).unwrap();
    thread::scope(|scope| {
        let slow = Slow::new(&home.queue(), None);
        let synced = scope.spawn(|| queue.push_with(&["synced"], Synced).unwrap());
        slow.until_sync();
        assert_eq!(queue.len().unwrap(), 4, "what is to be synced is there");
        for level in [Written, Buffered] {
            queue.push_with(&["a", "b"], level).unwrap();
            let patient = CallOptions::new().wait(Wait::FOREVER).durability(level);
            assert_eq!(queue.pop_with(1, patient).unwrap().len(), 1);
        }
        let batch = queue.read(1, Wait::NEVER).unwrap();
        queue.commit(&batch).unwrap();
        assert_eq!(queue.peek(1).unwrap(), ["synced"]);
        later.push(vec![b"later".to_vec()]).unwrap().get().unwrap();
        assert_eq!(later.pop(9).unwrap().get().unwrap().len(), 6);
        let in_time = Duration::from_millis(20).into();
        assert!(queue.pop_wait(1, in_time).unwrap().is_empty());
        assert!(!synced.is_finished());
        drop(slow);
        synced.join().unwrap();
    });
    queue.close().unwrap();
    assert!(home.fifo().is_empty().unwrap());
}

#[test]
fn calls_on_an_mpmc_queue_do_not_wait_for_the_sync_of_another() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&["a", "b"]).unwrap();
    thread::scope(|scope| {
        let slow = Slow::new(&home.queue(), None);
        let synced = scope.spawn(|| queue.next_with("x", Oldest, 1, Synced).unwrap());
        slow.until_sync();
        queue.add(&["c"]).unwrap();
        assert_eq!(queue.next("x", Oldest, 9).unwrap().items, ["b", "c"]);
        assert_eq!(queue.next("y", Oldest, 1).unwrap().items, ["a"]);
        assert!(queue.remove_label("y").unwrap());
        assert_eq!(queue.labels().unwrap(), ["x"]);
        assert!(!synced.is_finished());
        drop(slow);
        assert_eq!(synced.join().unwrap().items, ["a"]);
    });
}

#[test]
fn opening_waits_as_long_as_it_was_told_for_a_close_that_takes_long() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a"]).unwrap();
    let open_within = |timeout: Option<Duration>| {
        let mut options = QueueOptions::default();
        options.open_timeout = timeout;
        Fifo::open(home.queue(), options)
    };
    thread::scope(|scope| {
        let slow = Slow::new(&home.queue(), None);
        let close = scope.spawn(|| queue.close().unwrap());
        slow.until_sync();
        let (begin, timeout) = (Instant::now(), Duration::from_millis(50));
        assert_eq!(kind(open_within(Some(timeout))), ErrorKind::Busy);
        assert!(begin.elapsed() >= timeout);
        assert!(!close.is_finished());
        let opens = scope.spawn(|| open_within(None).unwrap());
        drop(slow);
        close.join().unwrap();
        assert_eq!(opens.join().unwrap().pop(9).unwrap(), ["a"]);
    });
}

#[test]
fn threads_that_sync_at_once_share_a_sync_by_six_and_more() {
    const THREADS: u64 = 16;
    const PUSHES: u64 = 50;
    let home = Home::new();
    let queue = home.fifo();
    let slow = Slow::new(&home.queue(), Some(Duration::from_millis(2)));
    let push = || (0..PUSHES).for_each(|_| queue.push_with(&[[7; 1024]], Synced).unwrap());
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(push))));
    let (pushes, syncs) = (THREADS * PUSHES, slow.syncs());
    eprintln!("{pushes} pushes, {syncs} syncs");
    assert!(syncs * 6 <= pushes, "{pushes} pushes took {syncs} syncs");
    assert_eq!(queue.len().unwrap(), pushes);
}
