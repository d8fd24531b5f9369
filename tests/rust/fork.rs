//! Forked children: they are told so at once, harm nothing, and end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, ErrorKind, Result, Wait, nonblocking};

use crate::support::random::Random;
use crate::support::tree::{assert_unchanged, picture};
use crate::support::waiting::until;
use crate::support::{Home, KIB, LEVELS, ROOMY, numbered, numbers};

const DEADLINE: Duration = Duration::from_secs(60);
const WRONG: i32 = 7;

/// Forks a child that does `work` and leaves through `exit`, as a program does that returns from
/// `main`: with exit handlers and static destructors. Fails if it does not end in time, or if
/// `work` is false or panics.
fn in_a_child(work: impl FnOnce() -> bool) {
    // SAFETY: the child only does what it is to be tested for, and never returns from here.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let right = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: this is the one thread of the child.
        unsafe { libc::exit(if right { 0 } else { WRONG }) };
    }
    let status = ended(child);
    assert!(
        libc::WIFEXITED(status),
        "killed by {}",
        libc::WTERMSIG(status)
    );
    assert_eq!(
        libc::WEXITSTATUS(status),
        0,
        "{WRONG} says that the child saw something wrong"
    );
}

/// The status of a child that must end soon.
fn ended(child: libc::pid_t) -> i32 {
    let begin = Instant::now();
    let mut status = 0;
    loop {
        // SAFETY: the child is ours and `status` is writable.
        match unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } {
            0 if begin.elapsed() < DEADLINE => thread::sleep(Duration::from_micros(200)),
            0 => {
                // SAFETY: the child is ours and has not been waited for.
                unsafe { libc::kill(child, libc::SIGABRT) };
                panic!("the child hangs");
            }
            id => {
                assert_eq!(id, child);
                return status;
            }
        }
    }
}

fn forked<T>(result: Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::Forked)
}

/// Whether every call on a FIFO queue says that this is a child.
fn fifo_refuses(queue: &Fifo) -> bool {
    forked(queue.push(&[b"child"]))
        && forked(queue.push_wait(&[b"child"], Wait::FOREVER))
        && forked(queue.push::<&[u8]>(&[]))
        && forked(queue.pop(1))
        && forked(queue.pop(0))
        && forked(queue.pop_wait(1, Wait::FOREVER))
        && forked(queue.read(1, Wait::NEVER))
        && forked(queue.peek(1))
        && forked(queue.iter().next().unwrap())
        && forked(queue.consume().next().unwrap())
        && forked(queue.len())
        && forked(queue.is_empty())
        && forked(queue.payload_size())
        && forked(queue.disk_size())
        && forked(queue.flush())
        && forked(queue.close())
}

fn mpmc_refuses(queue: &MpmcQueue) -> bool {
    forked(queue.add(&[b"child"]))
        && forked(queue.next("x", Oldest, 1))
        && forked(queue.next_wait("new", Oldest, 1, Wait::FOREVER))
        && forked(queue.read("x", Oldest, 1, Wait::NEVER))
        && forked(queue.peek("x", Oldest, 1))
        && forked(queue.iter().next().unwrap())
        && forked(queue.labels())
        && forked(queue.remove_label("x"))
        && forked(queue.len())
        && forked(queue.payload_size())
        && forked(queue.disk_size())
        && forked(queue.flush())
        && forked(queue.close())
}

fn opening_is_refused(path: &Path) -> bool {
    forked(Fifo::new(path, ROOMY)) && forked(MpmcQueue::new(path, Duration::ZERO))
}

#[test]
fn every_call_in_a_child_says_that_it_was_forked() {
    let home = Home::new();
    let fifo = home.fifo();
    fifo.push(&[b"a", b"b"]).unwrap();
    let batch = fifo.read(1, Wait::NEVER).unwrap();
    let mpmc = MpmcQueue::new(home.at("mpmc"), Duration::from_secs(60)).unwrap();
    mpmc.add(&[b"a"]).unwrap();
    in_a_child(|| fifo_refuses(&fifo) && forked(fifo.commit(&batch)) && mpmc_refuses(&mpmc));
    fifo.commit(&batch).unwrap();
    assert_eq!(fifo.pop(9).unwrap(), [b"b"]);
    assert_eq!(mpmc.next("x", Oldest, 9).unwrap().items, [b"a"]);
}

#[test]
fn the_error_names_the_path_and_the_way_out() {
    let home = Home::new();
    let queue = home.fifo();
    in_a_child(|| {
        let error = queue.len().unwrap_err();
        error.path() == Some(&home.queue()) && error.to_string().contains("spawn")
    });
}

#[test]
fn a_child_cannot_open_another_queue() {
    let home = Home::new();
    let queue = home.fifo();
    in_a_child(|| opening_is_refused(&home.at("new")) && opening_is_refused(&home.queue()));
    assert!(!home.at("new").exists());
    queue.push(&[b"a"]).unwrap();
}

#[test]
fn a_child_of_a_process_that_has_closed_its_queues_opens_them_as_it_likes() {
    let home = Home::new();
    let closed = home.fifo();
    closed.push(&[b"parent"]).unwrap();
    closed.flush().unwrap();
    closed.close().unwrap();
    in_a_child(|| fills_and_flushes(&home.queue()) && forked(closed.len()));
    assert_eq!(home.fifo().len().unwrap(), 41);
    in_a_child(|| fills_and_flushes(&home.at("new")));
}

/// Whether a queue at `path` takes 40 items of 1 MiB, which RocksDB moves to tables.
fn fills_and_flushes(path: &Path) -> bool {
    let queue = Fifo::new(path, ROOMY).unwrap();
    let item = vec![7; 1 << 20];
    for _ in 0..40 {
        queue.push(&[&item]).unwrap();
    }
    queue.flush().unwrap();
    queue.close().is_ok()
}

#[test]
fn a_child_of_a_child_opens_queues_when_both_had_closed_theirs() {
    let home = Home::new();
    home.fifo().close().unwrap();
    in_a_child(|| {
        home.fifo().close().unwrap();
        in_a_child(|| fills_and_flushes(&home.queue()));
        home.fifo().len().unwrap() == 40
    });
    assert_eq!(home.fifo().len().unwrap(), 40);
}

#[test]
fn a_child_of_a_child_that_could_open_none_can_open_none() {
    let home = Home::new();
    let queue = home.fifo();
    in_a_child(|| {
        in_a_child(|| opening_is_refused(&home.at("new")));
        true
    });
    queue.push(&[b"a"]).unwrap();
}

#[test]
fn the_parent_opens_queues_as_before_while_children_have_theirs() {
    let home = Home::new();
    for _ in 0..3 {
        home.fifo().close().unwrap();
        in_a_child(|| fills_and_flushes(&home.at("child")));
    }
    assert!(fills_and_flushes(&home.queue()));
}

#[test]
fn a_nonblocking_queue_works_in_a_child_of_a_process_that_has_closed_its_own() {
    let home = Home::new();
    let use_one = || {
        let queue = nonblocking::PersistentQueueWithCapacity::new(home.queue(), ROOMY, 10).unwrap();
        queue.push(vec![b"a".to_vec()]).unwrap().get().unwrap();
        queue.close().unwrap();
        true
    };
    use_one();
    in_a_child(use_one);
    assert_eq!(home.fifo().len().unwrap(), 2);
}

#[test]
fn a_child_of_a_process_without_queues_opens_them_as_it_likes() {
    let home = Home::new();
    in_a_child(|| {
        let queue = home.fifo();
        queue.push(&[b"child"]).unwrap();
        queue.close().is_ok()
    });
    assert_eq!(home.fifo().pop(9).unwrap(), [b"child"]);
}

#[test]
fn a_child_touches_nothing() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 1000)).unwrap();
    // Opened again it has nothing in memory that the parent would move to a table meanwhile.
    queue.close().unwrap();
    let queue = home.fifo();
    queue.flush().unwrap();
    let before = picture(&home.queue());
    for _ in 0..20 {
        let clone = queue.clone();
        in_a_child(|| {
            let refused = fifo_refuses(&clone) && opening_is_refused(&home.queue());
            drop(clone);
            refused
        });
    }
    // One that drops every face of the queue, as the end of `main` does.
    let mut only = Some(queue);
    in_a_child(|| {
        drop(only.take());
        true
    });
    assert_unchanged(&before, &home.queue());
    let queue = only.unwrap();
    assert_eq!(
        numbers(&queue.pop(u64::MAX).unwrap()),
        (0..1000).collect::<Vec<_>>()
    );
}

#[test]
fn the_parent_keeps_the_path_for_itself_while_children_come_and_go() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&[b"a"]).unwrap();
    in_a_child(|| true);
    let held = crate::lifetime::opened_elsewhere(&home.queue());
    assert_eq!(held, "Busy");
    queue.push(&[b"b"]).unwrap();
    assert_eq!(queue.pop(9).unwrap(), [b"a", b"b"]);
}

#[test]
fn a_child_of_a_nonblocking_queue_is_told_and_ends() {
    let home = Home::new();
    let queue = nonblocking::PersistentQueueWithCapacity::new(home.queue(), ROOMY, 10).unwrap();
    queue.push(vec![b"a".to_vec()]).unwrap().get().unwrap();
    let mpmc = nonblocking::MpmcQueue::new(home.at("mpmc"), Duration::ZERO, 10).unwrap();
    mpmc.add(vec![b"a".to_vec()]).unwrap().get().unwrap();
    let (mut queue, mut mpmc) = (Some(queue), Some(mpmc));
    in_a_child(|| {
        let (queue, mpmc) = (queue.take().unwrap(), mpmc.take().unwrap());
        forked(queue.push(vec![b"child".to_vec()]))
            && forked(queue.pop(1))
            && forked(queue.len())
            && forked(queue.inflight_ops())
            && fifo_refuses(&queue.blocking())
            && forked(queue.close())
            && forked(mpmc.add(vec![b"child".to_vec()]))
            && forked(mpmc.next("x", Oldest, 1))
            && forked(mpmc.inflight_ops())
            && forked(mpmc.close())
    });
    assert_eq!(queue.unwrap().pop(9).unwrap().get().unwrap(), [b"a"]);
    assert_eq!(
        mpmc.unwrap()
            .next("x", Oldest, 9)
            .unwrap()
            .get()
            .unwrap()
            .items,
        [b"a"]
    );
}

#[test]
fn a_response_that_was_under_way_at_the_fork_does_not_hang_the_child() {
    let home = Home::new();
    let queue = nonblocking::PersistentQueueWithCapacity::new(home.queue(), ROOMY, 10).unwrap();
    // Large, so that it takes longer than the fork.
    let response = queue.push(vec![vec![7; 64 << 20]]).unwrap();
    in_a_child(|| forked(response.get()) && forked(response.get_wait(Wait::FOREVER)));
    response.get().unwrap();
    assert_eq!(queue.len().unwrap().get().unwrap(), 1);
}

#[test]
fn a_parent_loses_nothing_and_children_end_while_it_flushes() {
    LEVELS.into_iter().for_each(fork_under_load);
}

fn fork_under_load(level: Durability) {
    const ROUNDS: usize = 50;
    let home = Home::new();
    let fifo = home.fifo_at(level);
    let mpmc = home.mpmc_at(level, Duration::from_secs(1));
    let worker = mpmc.nonblocking(10).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let pushed = scope.spawn(|| push_until(&over, &fifo));
        let popped = scope.spawn(|| pop_until(&over, &fifo));
        let added = scope.spawn(|| {
            let mut random = Random::new(8);
            while !over.load(Ordering::Relaxed) {
                worker.add(vec![random.bytes(100 * KIB as usize)]).unwrap();
            }
        });
        let guard = Finally(&over);
        let mut random = Random::new(9);
        for round in 0..ROUNDS {
            thread::sleep(Duration::from_micros(random.within(100..8000)));
            let (fifo, mpmc) = (fifo.clone(), mpmc.clone());
            in_a_child(|| {
                let refused = round % 3 == 0
                    || fifo_refuses(&fifo)
                        && mpmc_refuses(&mpmc)
                        && opening_is_refused(&home.at("new"));
                drop((fifo, mpmc));
                refused
            });
        }
        drop(guard);
        added.join().unwrap();
        let (pushed, mut popped) = (pushed.join().unwrap(), popped.join().unwrap());
        popped.extend(first_words(&fifo.pop(u64::MAX).unwrap()));
        assert!(
            popped.into_iter().eq(0..pushed),
            "the parent lost something"
        );
        eprintln!(
            "{level:?}: {ROUNDS} forks while {} MiB were pushed",
            pushed / 10
        );
    });
    fifo.close().unwrap();
    worker.close().unwrap();
    assert_eq!(home.fifo().len().unwrap(), 0);
}

#[test]
fn children_end_at_once_although_the_parent_opens_and_closes_queues() {
    let home = Home::new();
    let over = AtomicBool::new(false);
    let opener = |name: &str| {
        let path = home.at(name);
        move |over: &AtomicBool| {
            while !over.load(Ordering::Relaxed) {
                let queue = Fifo::new(&path, ROOMY).unwrap();
                queue.push(&[b"a"]).unwrap();
                queue.close().unwrap();
            }
        }
    };
    let (one, two) = (opener("one"), opener("two"));
    one(&AtomicBool::new(true));
    home.fifo().close().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| one(&over));
        scope.spawn(|| two(&over));
        let _guard = Finally(&over);
        for _ in 0..60 {
            in_a_child(|| opens_or_is_told(&home.at("new")));
        }
    });
}

/// Whether a queue can be opened and used, or opening fails with `Forked`.
fn opens_or_is_told(path: &Path) -> bool {
    match Fifo::new(path, ROOMY) {
        Ok(queue) => queue.push(&[b"child"]).is_ok() && queue.close().is_ok(),
        Err(error) => error.kind() == ErrorKind::Forked,
    }
}

/// Ends the threads of a test, also when it fails.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Pushes numbered items of 100 KiB, some at a time, and says how many.
fn push_until(over: &AtomicBool, queue: &Fifo) -> u64 {
    let mut pushed = 0u64;
    while !over.load(Ordering::Relaxed) {
        let items: Vec<_> = (0..4)
            .map(|n| {
                let mut item = vec![0u8; 100 * KIB as usize];
                item[..8].copy_from_slice(&(pushed + n).to_le_bytes());
                item
            })
            .collect();
        queue.push(&items).unwrap();
        pushed += 4;
        // The consumer has to keep up, or the disk fills.
        until(DEADLINE, "room", || queue.len().unwrap() < 1000);
    }
    pushed
}

fn pop_until(over: &AtomicBool, queue: &Fifo) -> Vec<u64> {
    let mut popped = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let wait = Duration::from_millis(5).into();
        popped.extend(first_words(&queue.pop_wait(7, wait).unwrap()));
    }
    popped
}

fn first_words(items: &rocksq::Items) -> Vec<u64> {
    items
        .iter()
        .map(|item| u64::from_le_bytes(item[..8].try_into().unwrap()))
        .collect()
}
