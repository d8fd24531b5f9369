//! A queue that is opened again in its process, in the same way, is shared: each opening is closed by
//! itself, and the last one closes the queue.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::nonblocking;
use rocksq::{ErrorKind, MpmcOptions, OnFull, QueueKind, QueueOptions, StartPosition, Wait};

use crate::support::processes::assert_does;
use crate::support::waiting::{PATIENCE, spawn_waiting};
use crate::support::{Home, ROOMY, kind};

#[test]
fn a_queue_that_is_opened_again_is_the_same_queue() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    one.push(&[b"a"]).unwrap();
    assert_eq!(other.pop(9).unwrap(), [b"a"]);
    let later = nonblocking::PersistentQueueWithCapacity::new(home.queue(), ROOMY, 9).unwrap();
    later.push(vec![b"b".to_vec()]).unwrap().get().unwrap();
    assert_eq!(one.pop(9).unwrap(), [b"b"]);
}

#[test]
fn an_mpmc_queue_that_is_opened_again_is_the_same_queue() {
    let home = Home::new();
    let (one, other) = (home.mpmc(), home.mpmc());
    one.add(&[b"a"]).unwrap();
    let next = other.next("label", StartPosition::Oldest, 9).unwrap();
    assert_eq!(next.items, [b"a"]);
}

#[test]
fn closing_one_opening_leaves_the_others() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    one.push(&[b"a"]).unwrap();
    one.close().unwrap();
    assert!(one.is_closed() && !other.is_closed());
    assert_eq!(kind(one.push(&[b"b"])), ErrorKind::Closed);
    assert_eq!(kind(one.pop(1)), ErrorKind::Closed);
    assert_eq!(kind(one.stats()), ErrorKind::Closed);
    assert_eq!(other.pop(9).unwrap(), [b"a"]);
    one.close().unwrap();
    assert!(!other.is_closed());
}

#[test]
fn closing_the_last_opening_frees_the_path() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    one.close().unwrap();
    other.close().unwrap();
    rocksq::blocking::remove_queue(home.queue()).unwrap();
    assert!(!home.queue().exists());
}

#[test]
fn dropping_the_last_opening_frees_the_path() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    drop(other);
    one.push(&[b"a"]).unwrap();
    drop(one);
    rocksq::blocking::remove_queue(home.queue()).unwrap();
}

#[test]
fn a_face_of_an_opening_is_closed_with_it_and_others_are_not() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    let (later, other_later) = (one.nonblocking(9).unwrap(), other.nonblocking(9).unwrap());
    later.close().unwrap();
    assert!(one.is_closed());
    assert_eq!(kind(later.pop(1).map(drop)), ErrorKind::Closed);
    other_later
        .push(vec![b"a".to_vec()])
        .unwrap()
        .get()
        .unwrap();
    assert_eq!(other.pop(1).unwrap(), [b"a"]);
}

#[test]
fn closing_an_opening_ends_its_waits_and_no_others() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    let later = one.nonblocking(9).unwrap();
    let waits_later = later.pop_wait(1, Wait::FOREVER).unwrap();
    let other_later = other.nonblocking(9).unwrap();
    let goes_on = other_later.pop_wait(1, Wait::FOREVER).unwrap();
    thread::scope(|scope| {
        let ended = spawn_waiting(scope, || one.pop_wait(1, Wait::FOREVER));
        let stays = spawn_waiting(scope, || other.pop_wait(1, PATIENCE.into()));
        one.close().unwrap();
        assert_eq!(kind(ended.join().unwrap()), ErrorKind::Closed);
        assert_eq!(kind(waits_later.get()), ErrorKind::Closed);
        assert!(!stays.is_finished() && !goes_on.is_ready());
        other.push(&[b"a", b"b"]).unwrap();
        assert_eq!(stays.join().unwrap().unwrap().len(), 1);
        assert_eq!(goes_on.get().unwrap().len(), 1);
    });
}

#[test]
fn closing_an_opening_ends_its_waits_for_room_and_its_watches() {
    let home = Home::new();
    let open = || Fifo::new(home.queue(), 1).unwrap();
    let (one, other) = (open(), open());
    one.push(&[b"a"]).unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    let mark = rocksq::Watermark::elements(1);
    one.watch(mark, mark, move |full| told.send(full).unwrap())
        .unwrap();
    assert!(heard.recv_timeout(PATIENCE).unwrap());
    thread::scope(|scope| {
        let pushes = spawn_waiting(scope, || one.push_wait(&[b"b"], Wait::FOREVER));
        one.close().unwrap();
        assert_eq!(kind(pushes.join().unwrap()), ErrorKind::Closed);
    });
    // The callback is gone with the thread that called it.
    assert!(heard.recv_timeout(PATIENCE).is_err());
    assert_eq!(other.pop(9).unwrap(), [b"a"]);
}

#[test]
fn what_was_asked_for_before_an_opening_is_closed_is_done() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    let later = one.nonblocking(1000).unwrap();
    let pushed: Vec<_> = (0..100)
        .map(|_| later.push(vec![b"a".to_vec()]).unwrap())
        .collect();
    later.close().unwrap();
    assert!(pushed.iter().all(|pushed| pushed.get().is_ok()));
    assert_eq!(other.len().unwrap(), 100);
}

#[test]
fn what_a_closed_opening_had_taken_goes_back_when_it_is_dropped() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    other.push(&[b"a"]).unwrap();
    let later = one.nonblocking(9).unwrap();
    let popped = later.pop(1).unwrap();
    later.close().unwrap();
    assert_eq!(other.len().unwrap(), 0);
    drop(popped);
    assert_eq!(other.pop_wait(1, PATIENCE.into()).unwrap(), [b"a"]);
}

#[test]
fn other_options_are_refused_and_named() {
    let home = Home::new();
    let mut options = QueueOptions::default();
    (options.max_elements, options.max_bytes) = (10, Some(100));
    let line = line!() + 1;
    let _queue = Fifo::open(home.queue(), options).unwrap();
    let refusal = |change: fn(&mut QueueOptions)| {
        let mut changed = options;
        change(&mut changed);
        let error = Fifo::open(home.queue(), changed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        error.to_string()
    };
    let text = refusal(|options| options.max_elements = 20);
    assert!(text.contains("max_elements=10 instead of 20"), "{text}");
    assert!(text.contains(&format!("sharing.rs:{line}")), "{text}");
    let text = refusal(|options| options.max_bytes = None);
    assert!(text.contains("max_bytes=100 instead of None"), "{text}");
    let text = refusal(|options| options.on_full = OnFull::DropOldest);
    assert!(
        text.contains("on_full=Error instead of DropOldest"),
        "{text}"
    );
}

#[test]
fn another_ttl_is_refused_and_named() {
    let home = Home::new();
    let _queue = MpmcQueue::new(home.queue(), Duration::from_secs(60)).unwrap();
    let error = MpmcQueue::new(home.queue(), Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains("ttl=60 instead of 0"), "{error}");
}

#[test]
fn each_opening_has_a_durability_of_its_own() {
    let home = Home::new();
    let one = home.mpmc();
    let mut options = MpmcOptions::default();
    options.durability = rocksq::Durability::Synced;
    let other = MpmcQueue::open(home.queue(), options).unwrap();
    assert_ne!(one.durability(), other.durability());
}

#[test]
fn the_other_kind_of_queue_is_refused() {
    let home = Home::new();
    let _queue = home.fifo();
    let opened = MpmcQueue::new(home.queue(), Duration::ZERO);
    assert_eq!(kind(opened), ErrorKind::WrongKind);
}

#[test]
fn one_who_wants_other_options_waits_until_all_openings_are_closed() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    let mut options = QueueOptions::default();
    (options.max_elements, options.open_timeout) = (10, None);
    thread::scope(|scope| {
        let opened = spawn_waiting(scope, || Fifo::open(home.queue(), options));
        one.close().unwrap();
        assert!(!opened.is_finished());
        other.close().unwrap();
        assert_eq!(opened.join().unwrap().unwrap().max_elements(), 10);
    });
}

#[test]
fn an_open_queue_cannot_be_removed_repaired_looked_at_or_migrated() {
    let home = Home::new();
    let _queue = home.fifo();
    let errors = [
        rocksq::blocking::remove_queue(home.queue()).unwrap_err(),
        rocksq::maintenance::verify(home.queue()).unwrap_err(),
        rocksq::maintenance::repair(home.queue()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.to_string().contains("support/mod.rs:"), "{error}");
    }
}

#[test]
fn what_is_open_is_listed() {
    let home = Home::new();
    let (_one, _other) = (home.fifo(), home.fifo());
    let line = line!() + 1;
    let _last = nonblocking::MpmcQueue::new(home.at("last"), Duration::ZERO, 1).unwrap();
    let mut open = rocksq::open_queues();
    open.retain(|open| open.path().starts_with(home.at("")));
    let kinds: Vec<_> = open.iter().map(rocksq::OpenQueue::kind).collect();
    let persistent = QueueKind::Persistent;
    assert_eq!(kinds, [QueueKind::Mpmc, persistent, persistent]);
    let opened_at = open[0].opened_at();
    assert!(
        opened_at.ends_with(&format!("sharing.rs:{line}")),
        "{opened_at}"
    );
}

/// In a process of its own: there are no others whose queues it would close.
#[test]
fn what_is_open_can_be_closed_at_once() {
    assert_does("sharing::close_all");
}

#[test]
#[ignore = "the other process of what_is_open_can_be_closed_at_once"]
fn close_all() {
    let home = Home::new();
    let (one, other) = (home.fifo(), home.fifo());
    let labels = home.mpmc_at(rocksq::Durability::Written, Duration::from_secs(60));
    rocksq::close_all().unwrap();
    assert!(one.is_closed() && other.is_closed() && labels.is_closed());
    assert!(rocksq::open_queues().is_empty());
}

#[test]
fn openings_and_closings_at_once_never_lose_the_queue() {
    let home = Home::in_memory();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    start.wait();
                    let mut options = QueueOptions::default();
                    options.open_timeout = Some(PATIENCE);
                    let queue = Fifo::open(home.queue(), options).unwrap();
                    queue.push(&[b"a"]).unwrap();
                    queue.close().unwrap();
                    assert_eq!(kind(queue.len()), ErrorKind::Closed);
                }
            });
        }
    });
    assert_eq!(home.fifo().len().unwrap(), 100);
}

/// An opening used to be refused as `Busy` while another thread closed the last one before it.
#[test]
fn an_opening_that_meets_the_last_close_waits_for_it() {
    let home = Home::in_memory();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..40 {
                    home.fifo().close().unwrap();
                }
            });
        }
    });
}
