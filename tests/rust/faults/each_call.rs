//! Each call of the operating system that writes fails in turn, once or from then on, while a queue
//! is opened, used and closed, at every level.
//!
//! `ROCKSQ_FAULT_STRIDE` sets how many calls are passed over from one case to the next: an odd number,
//! so that the queue is closed before the fault is gone in every other case.

use std::path::Path;

use rocksq::{Durability, ErrorKind, Result};

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::interpose::Call::{Open, Rename, Sync, Write};
use crate::support::interpose::{Call, Fault, is_any};
use crate::support::{Home, KIB, LEVELS};

const SYNCS: &[Call] = &[Sync];
const WRITES: &[Call] = &[Write];
const FILES: &[Call] = &[Open, Rename];

#[test]
fn a_write_fails_once() {
    each(WRITES, libc::EIO, Lasts::Once);
}

#[test]
fn the_disk_is_full_once() {
    each(WRITES, libc::ENOSPC, Lasts::Once);
}

#[test]
fn a_sync_fails_once() {
    each(SYNCS, libc::EIO, Lasts::Once);
}

#[test]
fn no_file_can_be_made_once() {
    each(FILES, libc::EMFILE, Lasts::Once);
}

#[test]
fn writes_fail_from_some_moment_on() {
    each(WRITES, libc::EIO, Lasts::Long);
}

#[test]
fn the_disk_is_full_from_some_moment_on() {
    each(WRITES, libc::ENOSPC, Lasts::Long);
}

#[test]
fn syncs_fail_from_some_moment_on() {
    each(SYNCS, libc::EIO, Lasts::Long);
}

#[test]
fn no_file_can_be_made_from_some_moment_on() {
    each(FILES, libc::ENOSPC, Lasts::Long);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    Once,
    Long,
}

fn stride() -> usize {
    std::env::var("ROCKSQ_FAULT_STRIDE").map_or(41, |text| text.parse().unwrap())
}

fn each(calls: &'static [Call], errno: i32, lasts: Lasts) {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        for (place, level) in LEVELS.into_iter().enumerate() {
            // Each level has other calls, so that together they pass over fewer.
            let first = place * stride() / 6;
            let cases = (first..).step_by(stride());
            let met =
                cases.take_while(|skip| Case::new(kind, level, errno).run(calls, *skip, lasts));
            let met = met.count();
            assert!(met > 0, "no call was met");
            eprintln!(
                "{kind:?} {level:?}: {met} cases of {calls:?} failing {lasts:?} with {errno}"
            );
        }
    }
}

/// A queue, what it may hold, and which items come next.
struct Case {
    home: Home,
    kind: Kind,
    level: Durability,
    errno: i32,
    expected: Expected,
    next: u32,
}

impl Case {
    /// A queue with something in it.
    fn new(kind: Kind, level: Durability, errno: i32) -> Self {
        let mut case = Self {
            home: Home::new(),
            kind,
            level,
            errno,
            expected: Expected::default(),
            next: 0,
        };
        let queue = case.open().unwrap();
        case.push(&queue, 10, 100).unwrap();
        case.pop(&queue, 3).unwrap();
        queue.close().unwrap();
        case.expected.written();
        case
    }

    /// Uses the queue while calls fail. Returns whether any did.
    fn run(mut self, calls: &'static [Call], skip: usize, lasts: Lasts) -> bool {
        let times = match lasts {
            Lasts::Once => 1,
            Lasts::Long => u64::MAX,
        };
        let path = self.home.queue();
        let fault = Fault::counted(&path, is_any, calls, self.errno, skip as u64, times);
        let queue = self.open();
        let closes = skip.is_multiple_of(2);
        if let Ok(queue) = &queue {
            self.work(queue, lasts);
            if closes {
                self.close(queue);
            }
        }
        let met = fault.met() > 0;
        drop(fault);
        if let Ok(queue) = &queue
            && !closes
        {
            self.assert_works(queue);
        }
        drop(queue);
        let queue = self.open().unwrap();
        self.assert_works(&queue);
        met
    }

    fn work(&mut self, queue: &Queue, lasts: Lasts) {
        let again = lasts == Lasts::Once;
        self.twice(again, |case| case.push(queue, 2, 100));
        self.twice(again, |case| case.pop(queue, 1));
        self.twice(again, |case| case.read(queue, 2));
        self.twice(again, |case| case.flush(queue));
        // Enough that memtables become tables, that tables are dropped, and that the buffer is full.
        for _ in 0..4 {
            self.twice(again, |case| case.push(queue, 16, 256 * KIB as usize));
            self.twice(again, |case| case.pop(queue, 12));
            for _ in 0..2 {
                self.twice(again, |case| case.push(queue, 20, 8 * KIB as usize));
            }
        }
        self.twice(again, |case| case.look(queue));
        self.twice(again, |case| case.flush(queue));
        self.twice(again, |case| case.push(queue, 2, 100));
    }

    fn close(&mut self, queue: &Queue) {
        let outcome = queue.close();
        self.allow(&outcome);
        if outcome.is_err() && self.level == Durability::Buffered {
            self.expected.lost_the_buffer();
        }
    }

    /// What fails once works when it is tried again.
    fn twice(&mut self, again: bool, mut call: impl FnMut(&mut Self) -> Result<()>) {
        let outcome = call(self);
        self.allow(&outcome);
        if outcome.is_err() && again {
            call(self).unwrap();
        }
    }

    fn allow(&self, outcome: &Result<()>) {
        let Err(error) = outcome else {
            return;
        };
        let kind = match self.errno {
            libc::ENOSPC => ErrorKind::DiskFull,
            _ => ErrorKind::Io,
        };
        assert!(
            [kind, ErrorKind::OutcomeUnknown].contains(&error.kind()),
            "{:?}: {error}",
            error.kind()
        );
        assert_eq!(error.path(), Some(self.home.queue().as_path()));
    }

    fn assert_works(&mut self, queue: &Queue) {
        // What has failed in the background is told to the next caller.
        self.twice(true, |case| case.push(queue, 1, 100));
        self.pop(queue, 1).unwrap();
        self.twice(true, |case| case.flush(queue));
        self.expected.seen(&queue.peek().unwrap());
    }

    fn open(&self) -> Result<Queue> {
        Queue::open_at(self.level, self.kind, Path::new(&self.home.queue()))
    }

    fn push(&mut self, queue: &Queue, count: u32, len: usize) -> Result<()> {
        let numbers: Vec<_> = (self.next..self.next + count).collect();
        self.next += count;
        let items: Vec<_> = numbers.iter().map(|number| item(*number, len)).collect();
        let outcome = queue.push(&items);
        self.expected.pushed(&numbers, &outcome);
        outcome
    }

    fn pop(&mut self, queue: &Queue, max: u64) -> Result<()> {
        let outcome = queue.pop(max);
        self.expected.popped(max as usize, &outcome);
        outcome.map(drop)
    }

    fn read(&mut self, queue: &Queue, max: u64) -> Result<()> {
        let outcome = queue.read_and_commit(max);
        self.expected.popped(max as usize, &outcome);
        outcome.map(drop)
    }

    fn flush(&mut self, queue: &Queue) -> Result<()> {
        queue.flush()?;
        self.expected.written();
        Ok(())
    }

    fn look(&mut self, queue: &Queue) -> Result<()> {
        self.expected.seen(&queue.peek()?);
        Ok(())
    }
}
