//! Opening and closing: who holds a path, and what an end does to what is under way.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocksq::StartPosition::Oldest;
use rocksq::blocking::{PersistentQueueWithCapacity as Fifo, remove_queue};
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, ErrorKind, MpmcOptions, QueueOptions, Result, Wait};

use crate::support::processes::another;
use crate::support::waiting::{PATIENCE, spawn_waiting, until};
use crate::support::{Home, LEVELS, ROOMY, kind, numbered, numbers};

fn open_within(path: &Path, timeout: Option<Duration>) -> Result<Fifo> {
    let mut options = QueueOptions::default();
    options.open_timeout = timeout;
    Fifo::open(path, options)
}

#[test]
fn a_closed_path_can_be_opened_at_once() {
    let home = Home::new();
    for round in 0..30 {
        let queue = home.fifo();
        assert_eq!(queue.len().unwrap(), round);
        queue.push(&[b"a"]).unwrap();
        queue.close().unwrap();
        assert!(queue.is_closed());
    }
}

#[test]
fn closing_twice_does_nothing() {
    let home = Home::new();
    let queue = home.fifo();
    queue.close().unwrap();
    queue.close().unwrap();
    let again = home.fifo();
    queue.close().unwrap();
    drop(queue);
    again.push(&[b"a"]).unwrap();
}

#[test]
fn every_call_on_a_closed_queue_says_so() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&[b"a"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    let kinds = [
        kind(queue.push(&[b"a"])),
        kind(queue.push::<&[u8]>(&[])),
        kind(queue.push_wait(&[b"a"], Wait::FOREVER)),
        kind(queue.pop(1)),
        kind(queue.pop(0)),
        kind(queue.pop_wait(1, Wait::FOREVER)),
        kind(queue.read(1, Wait::FOREVER)),
        kind(queue.commit(&batch)),
        kind(queue.peek(1)),
        kind(queue.iter().next().unwrap()),
        kind(queue.len()),
        kind(queue.is_empty()),
        kind(queue.payload_size()),
        kind(queue.disk_size()),
        kind(queue.flush()),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 15]);
    assert!(queue.consume().next().is_none());
}

#[test]
fn every_call_on_a_closed_mpmc_queue_says_so() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&[b"a"]).unwrap();
    let batch = queue.read("x", Oldest, 1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    let kinds = [
        kind(queue.add(&[b"a"])),
        kind(queue.add::<&[u8]>(&[])),
        kind(queue.next("x", Oldest, 1)),
        kind(queue.next("x", Oldest, 0)),
        kind(queue.next_wait("x", Oldest, 1, Wait::FOREVER)),
        kind(queue.read("x", Oldest, 1, Wait::FOREVER)),
        kind(queue.commit(&batch)),
        kind(queue.peek("x", Oldest, 1)),
        kind(queue.iter().next().unwrap()),
        kind(queue.labels()),
        kind(queue.remove_label("x")),
        kind(queue.len()),
        kind(queue.payload_size()),
        kind(queue.disk_size()),
        kind(queue.flush()),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 15]);
    assert!(queue.consume("x", Oldest).next().is_none());
}

#[test]
fn errors_name_the_path() {
    let home = Home::new();
    let queue = home.fifo();
    queue.close().unwrap();
    assert_eq!(queue.pop(1).unwrap_err().path(), Some(&*home.queue()));
    let mpmc = MpmcQueue::new(home.at("mpmc"), Duration::ZERO).unwrap();
    mpmc.close().unwrap();
    assert_eq!(mpmc.labels().unwrap_err().path(), Some(&*home.at("mpmc")));
}

#[test]
fn what_was_under_way_at_close_is_done_or_refused_as_a_whole() {
    for level in LEVELS {
        for _ in 0..5 {
            close_under_load(&Home::new(), level);
        }
    }
}

/// Closes a queue while threads and a nonblocking face push and pop. What they were told must be so.
fn close_under_load(home: &Home, level: Durability) {
    const PUSH: [&[u8]; 3] = [b"1", b"2", b"3"];
    let queue = home.fifo_at(level);
    let later = queue.nonblocking(8).unwrap();
    let (pushed, popped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let count = |counter: &AtomicUsize, mut work: Box<dyn FnMut() -> Result<usize> + '_>| {
        let refusal = loop {
            match work() {
                Ok(items) => counter.fetch_add(items, Ordering::Relaxed),
                Err(error) => break error,
            };
        };
        assert_eq!(refusal.kind(), ErrorKind::Closed);
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| count(&pushed, Box::new(|| queue.push(&PUSH).map(|()| 3))));
        }
        scope.spawn(|| {
            let push = || later.push(PUSH.map(Vec::from).to_vec())?.get().map(|()| 3);
            count(&pushed, Box::new(push));
        });
        scope.spawn(|| {
            let pop = || queue.pop_wait(2, Wait::FOREVER).map(|items| items.len());
            count(&popped, Box::new(pop));
        });
        scope.spawn(|| count(&popped, Box::new(|| Ok(later.pop(1)?.get()?.len()))));
        until(PATIENCE, "some pushes", || {
            pushed.load(Ordering::Relaxed) > 100
        });
        queue.close().unwrap();
    });
    let left = pushed.into_inner() - popped.into_inner();
    assert_eq!(home.fifo().len().unwrap() as usize, left, "{level:?}");
}

#[test]
fn close_wakes_those_who_wait() {
    let home = Home::new();
    let full = Fifo::new(home.at("full"), 1).unwrap();
    full.push(&[b"a"]).unwrap();
    let empty = home.fifo();
    let mpmc = MpmcQueue::new(home.at("mpmc"), Duration::ZERO).unwrap();
    thread::scope(|scope| {
        let push = spawn_waiting(scope, || kind(full.push_wait(&[b"b"], Wait::FOREVER)));
        let pop = spawn_waiting(scope, || kind(empty.pop_wait(1, Wait::FOREVER)));
        let read = spawn_waiting(scope, || kind(empty.read(1, Duration::MAX.into())));
        let next = spawn_waiting(scope, || {
            kind(mpmc.next_wait("x", Oldest, 1, Wait::FOREVER))
        });
        let consume = spawn_waiting(scope, || empty.consume().count());
        full.close().unwrap();
        empty.close().unwrap();
        mpmc.close().unwrap();
        let kinds = [push, pop, read, next].map(|waiting| waiting.join().unwrap());
        assert_eq!(kinds, [ErrorKind::Closed; 4]);
        assert_eq!(consume.join().unwrap(), 0);
    });
    assert_eq!(
        Fifo::new(home.at("full"), 1).unwrap().pop(9).unwrap(),
        [b"a"]
    );
}

#[test]
fn a_second_closer_returns_when_the_path_is_free() {
    let home = Home::new();
    for _ in 0..10 {
        let queue = home.fifo();
        queue.push(&numbered(0, 1000)).unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    queue.close().unwrap();
                    // Another closer may have opened it already.
                    if let Err(error) = Fifo::new(home.queue(), ROOMY) {
                        assert_eq!(error.kind(), ErrorKind::Busy);
                    }
                });
            }
        });
    }
    let queue = home.fifo();
    thread::scope(|scope| {
        scope.spawn(|| queue.close().unwrap());
        queue.close().unwrap();
        home.fifo();
    });
}

#[test]
fn dropping_the_last_face_closes() {
    let home = Home::new();
    let queue = home.fifo();
    let clone = queue.clone();
    let worker = queue.nonblocking(10).unwrap();
    drop(queue);
    drop(clone);
    assert_eq!(kind(remove_queue(home.queue())), ErrorKind::Busy);
    worker.push(vec![b"a".to_vec()]).unwrap();
    drop(worker);
    assert_eq!(home.fifo().pop(9).unwrap(), [b"a"]);
}

#[test]
fn a_queue_is_the_same_under_every_form_of_its_path() {
    let home = Home::new();
    let queue = home.fifo();
    let dotted = Fifo::new(home.at(".").join("queue"), ROOMY).unwrap();
    queue.push(&[b"a"]).unwrap();
    assert_eq!(dotted.pop(9).unwrap(), [b"a"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_an_open_queue_is_the_same_queue() {
    let home = Home::new();
    let queue = home.fifo();
    std::os::unix::fs::symlink(home.queue(), home.at("link")).unwrap();
    let link = Fifo::new(home.at("link"), ROOMY).unwrap();
    link.push(&[b"a"]).unwrap();
    assert_eq!(queue.pop(9).unwrap(), [b"a"]);
    queue.close().unwrap();
    let again = home.fifo();
    link.push(&[b"b"]).unwrap();
    assert_eq!(again.pop(9).unwrap(), [b"b"]);
}

#[test]
fn many_who_open_a_path_at_once_share_it() {
    let home = Home::new();
    for round in 1..=10 {
        let start = Barrier::new(6);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    let queue = home.fifo();
                    start.wait();
                    queue.push(&[b"a"]).unwrap();
                    start.wait();
                    assert_eq!(queue.len().unwrap(), 6 * round);
                });
            }
        });
    }
}

#[test]
fn opening_otherwise_waits_for_the_other_holder() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 10).unwrap();
    thread::scope(|scope| {
        let opener = spawn_waiting(scope, || open_within(&home.queue(), None).unwrap());
        queue.push(&[b"a"]).unwrap();
        queue.close().unwrap();
        let second = opener.join().unwrap();
        assert_eq!(second.pop(9).unwrap(), [b"a"]);
        let third = spawn_waiting(scope, || {
            let mut options = QueueOptions::default();
            (options.max_elements, options.open_timeout) = (10, Some(PATIENCE));
            Fifo::open(home.queue(), options).unwrap()
        });
        drop(second);
        third.join().unwrap();
    });
}

#[test]
fn opening_gives_up_at_its_timeout() {
    let home = Home::new();
    let _queue = Fifo::new(home.queue(), 10).unwrap();
    let begin = Instant::now();
    let timeout = Duration::from_millis(100);
    assert_eq!(
        kind(open_within(&home.queue(), Some(timeout))),
        ErrorKind::Busy
    );
    assert!(begin.elapsed() >= timeout);
}

#[test]
fn a_holder_in_another_process_is_named() {
    let home = Home::new();
    home.fifo().close().unwrap();
    let mut holder = Holder::of(&home.queue());
    let error = Fifo::new(home.queue(), ROOMY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let id = holder.process.id().to_string();
    assert!(error.to_string().contains(&id), "{error}");
    let text = error.to_string();
    assert!(text.contains(&home.queue().display().to_string()), "{text}");
    holder.let_go();
    assert_eq!(home.fifo().pop(9).unwrap(), [b"held"]);
}

#[test]
fn opening_waits_for_a_holder_in_another_process() {
    let home = Home::new();
    let mut holder = Holder::of(&home.queue());
    thread::scope(|scope| {
        let opener = spawn_waiting(scope, || {
            let mut options = MpmcOptions::default();
            options.open_timeout = None;
            let other_kind = kind(MpmcQueue::open(home.queue(), options));
            (
                other_kind,
                open_within(&home.queue(), Some(PATIENCE)).unwrap(),
            )
        });
        holder.let_go();
        let (other_kind, queue) = opener.join().unwrap();
        assert_eq!(other_kind, ErrorKind::WrongKind);
        assert_eq!(queue.pop(9).unwrap(), [b"held"]);
    });
}

#[test]
fn a_queue_held_here_is_busy_for_other_processes() {
    let home = Home::new();
    let queue = home.fifo();
    assert_eq!(opened_elsewhere(&home.queue()), "Busy");
    // Looking at the path again in this process must not let go of it.
    drop(Fifo::new(home.queue(), ROOMY).unwrap());
    assert_eq!(kind(Fifo::new(home.queue(), 10)), ErrorKind::Busy);
    assert_eq!(
        kind(MpmcQueue::new(home.queue(), Duration::ZERO)),
        ErrorKind::WrongKind
    );
    assert_eq!(opened_elsewhere(&home.queue()), "Busy");
    queue.push(&numbered(0, 3)).unwrap();
    queue.close().unwrap();
    assert_eq!(opened_elsewhere(&home.queue()), "opened");
    assert_eq!(numbers(&home.fifo().pop(9).unwrap()), [0, 1, 2]);
}

/// Another process that has a queue open.
struct Holder {
    process: Child,
}

impl Holder {
    fn of(path: &Path) -> Self {
        let mut process = another("lifetime::hold_until_told")
            .env("ROCKSQ_TEST_HOLD", path)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answer = String::new();
        let output = process.stderr.as_mut().unwrap();
        BufReader::new(output).read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "held");
        Self { process }
    }

    fn let_go(&mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
#[ignore = "the other process of the tests above"]
fn hold_until_told() {
    let Some(path) = std::env::var_os("ROCKSQ_TEST_HOLD") else {
        return;
    };
    let queue = Fifo::new(path, ROOMY).unwrap();
    queue.push(&[b"held"]).unwrap();
    writeln!(std::io::stderr(), "held").unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    queue.close().unwrap();
}

/// What another process gets that opens `path`: the kind of the error, or "opened".
pub fn opened_elsewhere(path: &Path) -> String {
    let output = another("lifetime::open_and_say")
        .env("ROCKSQ_TEST_OPEN", path)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap().trim().to_owned()
}

#[test]
#[ignore = "the other process of the tests above"]
fn open_and_say() {
    let Some(path) = std::env::var_os("ROCKSQ_TEST_OPEN") else {
        return;
    };
    match Fifo::new(path, ROOMY) {
        Ok(queue) => {
            queue.close().unwrap();
            writeln!(std::io::stderr(), "opened").unwrap();
        }
        Err(error) => writeln!(std::io::stderr(), "{:?}", error.kind()).unwrap(),
    }
}
