//! Durability: what a level costs, and what the death of the process leaves of it.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rocksq::Durability::{Buffered, Synced, Written};
use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{CallOptions, Durability, MpmcOptions, QueueOptions, Wait, nonblocking};

use crate::support::processes::another;
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, LEVELS, number, numbers};

const QUEUE: &str = "ROCKSQ_TEST_QUEUE";

fn fifo(path: &Path, durability: Durability) -> Fifo {
    let mut options = QueueOptions::default();
    options.durability = durability;
    Fifo::open(path, options).unwrap()
}

fn mpmc(path: &Path, durability: Durability) -> MpmcQueue {
    let mut options = MpmcOptions::default();
    options.durability = durability;
    MpmcQueue::open(path, options).unwrap()
}

#[test]
fn a_queue_has_a_level_and_a_call_can_have_another() {
    let home = Home::new();
    for level in LEVELS {
        let queue = fifo(&home.queue(), level);
        assert_eq!(queue.durability(), level);
        for other in LEVELS {
            queue.push(&[b"a"]).unwrap();
            queue.push_with(&[b"b", b"c"], other).unwrap();
            assert_eq!(queue.pop_with(1, other).unwrap(), [b"a"]);
            let patient = CallOptions::new().wait(Wait::FOREVER).durability(other);
            assert_eq!(queue.pop_with(1, patient).unwrap(), [b"b"]);
            let batch = queue.read(1, Wait::NEVER).unwrap();
            queue.commit_with(&batch, other).unwrap();
            assert!(queue.is_empty().unwrap());
        }
        queue.close().unwrap();
    }
}

#[test]
fn an_mpmc_queue_and_nonblocking_faces_have_levels_too() {
    let home = Home::new();
    for level in LEVELS {
        let queue = mpmc(&home.at("mpmc"), level);
        let fast = queue.nonblocking(10).unwrap();
        for other in LEVELS {
            queue.add_with(&[b"a"], other).unwrap();
            fast.add_with(vec![b"b".to_vec()], other).unwrap();
            let next = fast.next_with("x", Oldest, 1, other).unwrap();
            assert_eq!(next.get().unwrap().items, [b"a"]);
            let next = queue.next_with("x", Oldest, 9, other).unwrap();
            assert_eq!(next.items, [b"b"]);
        }
        fast.flush().unwrap().get().unwrap();
        queue.close().unwrap();
    }
    let queue = nonblocking::PersistentQueueWithCapacity::new(home.queue(), 10, 10).unwrap();
    let pushed = queue.push_with(vec![b"a".to_vec()], Buffered).unwrap();
    assert_eq!(queue.pop_with(1, Synced).unwrap().get().unwrap(), [b"a"]);
    pushed.get().unwrap();
}

/// A call at a level, and where it is done.
type Leveled<'q> = (&'static str, Box<dyn Fn(Durability) + 'q>);

/// What each call costs at each level: `Buffered` writes nothing, `Written` writes and syncs
/// nothing, `Synced` syncs.
#[test]
#[cfg(target_os = "linux")]
fn every_call_obeys_its_level() {
    use crate::support::interpose::Slow;
    let home = Home::new();
    let fifo = fifo(&home.at("fifo"), Written);
    let mpmc = mpmc(&home.at("mpmc"), Written);
    fifo.push(&vec!["x"; 100]).unwrap();
    mpmc.add(&vec!["x"; 100]).unwrap();
    let disk = Slow::new(&home.at(""), Some(Duration::ZERO));
    let written = || log_bytes(&home.at("fifo")) + log_bytes(&home.at("mpmc"));
    for (name, call) in calls_on_fifo(&fifo).into_iter().chain(calls_on_mpmc(&mpmc)) {
        for level in LEVELS {
            let before = (written(), disk.syncs());
            call(level);
            let after = (written(), disk.syncs());
            assert_eq!(after.0 > before.0, level >= Written, "{name} at {level:?}");
            assert_eq!(after.1 > before.1, level >= Synced, "{name} at {level:?}");
        }
    }
}

fn calls_on_fifo(queue: &Fifo) -> Vec<Leveled<'_>> {
    let read = || queue.read(1, Wait::NEVER).unwrap();
    let later = || queue.nonblocking(10).unwrap();
    vec![
        ("push", Box::new(|at| queue.push_with(&["a"], at).unwrap())),
        ("pop", Box::new(|at| drop(queue.pop_with(1, at).unwrap()))),
        (
            "commit",
            Box::new(move |at| queue.commit_with(&read(), at).unwrap()),
        ),
        (
            "push later",
            Box::new(move |at| done(later().push_with(item(), at))),
        ),
        (
            "pop later",
            Box::new(move |at| done(later().pop_with(1, at))),
        ),
        (
            "commit later",
            Box::new(move |at| done(later().commit_with(&read(), at))),
        ),
    ]
}

fn calls_on_mpmc(queue: &MpmcQueue) -> Vec<Leveled<'_>> {
    let read = || queue.read("x", Oldest, 1, Wait::NEVER).unwrap();
    let later = || queue.nonblocking(10).unwrap();
    vec![
        ("add", Box::new(|at| queue.add_with(&["a"], at).unwrap())),
        (
            "next",
            Box::new(|at| drop(queue.next_with("x", Oldest, 1, at).unwrap())),
        ),
        (
            "commit",
            Box::new(move |at| queue.commit_with(&read(), at).unwrap()),
        ),
        (
            "add later",
            Box::new(move |at| done(later().add_with(item(), at))),
        ),
        (
            "next later",
            Box::new(move |at| done(later().next_with("x", Oldest, 1, at))),
        ),
        (
            "commit later",
            Box::new(move |at| done(later().commit_with(&read(), at))),
        ),
    ]
}

fn item() -> Vec<Vec<u8>> {
    vec![b"a".to_vec()]
}

fn done<T: Clone>(response: rocksq::Result<nonblocking::Response<T>>) {
    response.unwrap().get().unwrap();
}

fn log_bytes(queue: &Path) -> u64 {
    let log = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let is_log = path.extension().is_some_and(|end| end == "log");
        is_log.then(|| std::fs::metadata(path).map_or(0, |log| log.len()))
    };
    queue.read_dir().unwrap().filter_map(log).sum()
}

#[test]
fn what_is_buffered_survives_a_close_and_the_drop_of_the_queue() {
    let home = Home::new();
    let queue = fifo(&home.queue(), Buffered);
    queue.push(&[b"a", b"b"]).unwrap();
    queue.close().unwrap();
    let queue = fifo(&home.queue(), Buffered);
    assert_eq!(queue.pop(1).unwrap(), [b"a"]);
    drop(queue);
    assert_eq!(fifo(&home.queue(), Buffered).pop(9).unwrap(), [b"b"]);
}

#[test]
fn what_is_buffered_goes_with_the_process_and_nothing_from_the_middle() {
    let home = Home::new();
    run("die_with_something_buffered", &home.queue());
    let queue = home.fifo();
    let left = numbers(&queue.pop(u64::MAX).unwrap());
    assert_eq!(left, (10..500).collect::<Vec<_>>());
}

#[test]
#[ignore = "the process of the test above"]
fn die_with_something_buffered() {
    let queue = fifo(&path(), Buffered);
    for n in 0..499 {
        queue.push(&[n.to_string()]).unwrap();
    }
    assert_eq!(queue.pop(10).unwrap().len(), 10);
    queue.push_with(&["499"], Written).unwrap();
    queue.pop(100).unwrap();
    queue.push(&["500"]).unwrap();
    // SAFETY: ends the process as `kill -9` does.
    unsafe { libc::_exit(0) }
}

#[test]
fn the_buffer_is_written_after_a_second() {
    let home = Home::new();
    run("die_after_the_buffer_was_written", &home.queue());
    assert_eq!(home.fifo().pop(9).unwrap(), [b"a"]);
}

#[test]
#[ignore = "the process of the test above"]
fn die_after_the_buffer_was_written() {
    let queue = fifo(&path(), Buffered);
    queue.push(&[b"a"]).unwrap();
    let size = || log_bytes(&path());
    let before = size();
    until(PATIENCE, "the log grows", || size() > before);
    // SAFETY: ends the process as `kill -9` does.
    unsafe { libc::_exit(0) }
}

#[test]
#[cfg(target_os = "linux")]
fn a_written_push_is_one_write_and_a_buffered_one_is_none() {
    run("count_writes", &Home::new().queue());
}

#[test]
#[ignore = "the process of the test above"]
#[cfg(target_os = "linux")]
fn count_writes() {
    use crate::support::figures::writes;
    let queue = fifo(&path(), Written);
    let count = |work: &dyn Fn()| {
        let before = writes();
        (0..1_000).for_each(|_| work());
        writes() - before
    };
    let pushing = |level| count(&|| queue.push_with(&[[7; 100]], level).unwrap());
    let taking = |level| count(&|| assert_eq!(queue.pop_with(1, level).unwrap().len(), 1));
    // Beside these, reading the figure, and housekeeping once a second.
    let others = 20;
    for each in [pushing(Written), taking(Written)] {
        assert!((1_000..1_000 + others).contains(&each), "{each}");
    }
    for none in [pushing(Buffered), taking(Buffered)] {
        assert!(none < others, "{none}");
    }
}

#[test]
fn threads_at_all_levels_keep_their_order() {
    const THREADS: usize = 6;
    const PUSHES: usize = 200;
    let home = Home::new();
    let queue = home.fifo();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let queue = &queue;
            scope.spawn(move || {
                for n in 0..PUSHES {
                    let item = (thread * PUSHES + n).to_string();
                    let level = if n % 50 == 0 {
                        Synced
                    } else {
                        LEVELS[thread % 2]
                    };
                    queue.push_with(&[item], level).unwrap();
                }
            });
        }
        let mut seen = [0; THREADS];
        for _ in 0..THREADS * PUSHES {
            let patient = CallOptions::new()
                .wait(Duration::from_secs(60).into())
                .durability(Buffered);
            let items = queue.pop_with(1, patient).unwrap();
            let item = number(items.iter().next().unwrap());
            assert_eq!(item % PUSHES, seen[item / PUSHES]);
            seen[item / PUSHES] += 1;
        }
    });
    assert!(queue.is_empty().unwrap());
}

/// Runs an ignored test of this file on the queue at `path` in a process of its own.
fn run(test: &str, path: &Path) {
    let status = another(&format!("durability::{test}"))
        .env(QUEUE, path)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn path() -> PathBuf {
    std::env::var_os(QUEUE).unwrap().into()
}
