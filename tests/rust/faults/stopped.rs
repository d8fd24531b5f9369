//! What fails behind the caller's back, and what a queue does while it cannot work: nothing.

use std::fs::OpenOptions;
use std::thread;
use std::time::Duration;

use rocksq::Durability::{Buffered, Written};
use rocksq::{ErrorKind, Result};

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::figures::cpu_time;
use crate::support::interpose::Call::{Open, Rename, Sync, Write};
use crate::support::interpose::{Call, Fault, is_any, is_log, is_manifest, is_table};
use crate::support::tree::names;
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, KIB, MIB};

#[test]
fn tables_that_cannot_be_written_lose_nothing() {
    for errno in [libc::EIO, libc::ENOSPC] {
        flush_in_vain(is_table, &[Write], errno);
        flush_in_vain(is_table, &[Open], errno);
        flush_in_vain(is_table, &[Sync], errno);
    }
}

#[test]
fn a_table_of_contents_that_cannot_be_written_loses_nothing() {
    for errno in [libc::EIO, libc::ENOSPC] {
        flush_in_vain(is_manifest, &[Write], errno);
        flush_in_vain(is_manifest, &[Sync], errno);
        flush_in_vain(is_manifest, &[Open], errno);
    }
}

#[test]
fn a_log_that_cannot_be_begun_loses_nothing() {
    for errno in [libc::EIO, libc::ENOSPC, libc::EMFILE] {
        flush_in_vain(is_log, &[Open], errno);
    }
}

/// Pushes and pops so much that memtables are flushed and tables dropped, while that is impossible.
fn flush_in_vain(name: fn(&str) -> bool, calls: &'static [Call], errno: i32) {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        let home = Home::new();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        let mut expected = Expected::default();
        let fault = Fault::new(&home.queue(), name, calls, errno);
        let mut number = 0;
        for _ in 0..12 {
            let numbers: Vec<_> = (number..number + 16).collect();
            number += 16;
            let items: Vec<_> = numbers
                .iter()
                .map(|n| item(*n, 256 * KIB as usize))
                .collect();
            let outcome = queue.push(&items);
            expected.pushed(&numbers, &outcome);
            allow(&outcome, errno);
            let popped = queue.pop(5);
            expected.popped(5, &popped);
            allow(&popped.map(drop), errno);
        }
        let met = fault.met();
        drop(fault);
        let outcome = queue.push(&[item(number, 100)]);
        expected.pushed(&[number], &outcome);
        outcome.unwrap();
        expected.seen(&queue.peek().unwrap());
        queue.flush().unwrap();
        queue.close().unwrap();
        drop(queue);
        let queue = Queue::open(kind, &home.queue()).unwrap();
        expected.seen(&queue.peek().unwrap());
        eprintln!("{kind:?}: {calls:?} failed {met} times with {errno}");
    }
}

fn allow(outcome: &Result<()>, errno: i32) {
    let Err(error) = outcome else { return };
    let kind = match errno {
        libc::ENOSPC => ErrorKind::DiskFull,
        _ => ErrorKind::Io,
    };
    let fits = [kind, ErrorKind::OutcomeUnknown].contains(&error.kind());
    assert!(fits, "{:?}: {error}", error.kind());
}

#[test]
fn a_close_that_fails_says_so_and_closes() {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        let home = Home::new();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        let mut expected = Expected::default();
        expected.pushed(&[1], &queue.push(&[item(1, 100)]));
        let fault = Fault::new(&home.queue(), is_any, &[Sync], libc::EIO);
        let error = queue.close().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        assert_eq!(
            queue.push(&[item(2, 100)]).unwrap_err().kind(),
            ErrorKind::Closed
        );
        drop(fault);
        let queue = Queue::open(kind, &home.queue()).unwrap();
        expected.seen(&queue.peek().unwrap());
    }
}

/// The kernel drops the pages of a failed sync: a second one would succeed for nothing.
#[test]
fn a_failed_sync_of_the_log_is_not_repeated_on_the_same_file() {
    let home = Home::new();
    let queue = Queue::open(Kind::Fifo, &home.queue()).unwrap();
    let mut expected = Expected::default();
    expected.pushed(&[1], &queue.push(&[item(1, 100)]));
    let logs = || {
        names(&home.queue())
            .into_iter()
            .filter(|name| is_log(name))
            .collect::<Vec<_>>()
    };
    let before = logs();
    let fault = Fault::counted(&home.queue(), is_log, &[Sync], libc::EIO, 0, 1);
    let error = queue.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    drop(fault);
    queue.flush().unwrap();
    // RocksDB deletes what it no longer needs in its own time.
    until(PATIENCE, "the log that failed is gone", || {
        logs().iter().all(|log| !before.contains(log))
    });
    expected.seen(&queue.peek().unwrap());
}

/// The kernel drops what it could not write: the log ends where it was last synced.
#[test]
fn what_a_failed_sync_loses_is_told_by_the_next_flush() {
    for level in [Buffered, Written] {
        for kind in [Kind::Fifo, Kind::Mpmc] {
            let home = Home::new();
            let queue = Queue::open_at(level, kind, &home.queue()).unwrap();
            let mut expected = Expected::default();
            expected.pushed(&[1], &queue.push(&[item(1, 100)]));
            queue.flush().unwrap();
            let logs = names(&home.queue()).into_iter().filter(|name| is_log(name));
            let logs: Vec<_> = logs
                .map(|log| OpenOptions::new().append(true).open(home.queue().join(log)))
                .map(|log| log.map(|log| (log.metadata().unwrap().len(), log)).unwrap())
                .collect();
            queue.push(&[item(2, 100)]).unwrap();
            let fault = Fault::new(&home.queue(), is_any, &[Sync], libc::EIO);
            let error = queue.flush().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
            for (len, log) in &logs {
                log.set_len(*len).unwrap();
            }
            drop(fault);
            expected.pushed(&[3], &queue.push(&[item(3, 100)]));
            let error = queue.flush().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
            queue.flush().unwrap();
            expected.seen(&queue.peek().unwrap());
            queue.close().unwrap();
            let queue = Queue::open(kind, &home.queue()).unwrap();
            expected.seen(&queue.peek().unwrap());
        }
    }
}

#[test]
fn a_stopped_queue_is_idle_and_each_call_tries_once() {
    for (calls, errno) in [
        (&[Write] as &'static [Call], libc::EIO),
        (&[Write], libc::ENOSPC),
    ] {
        let home = Home::new();
        let queue = Queue::open(Kind::Fifo, &home.queue()).unwrap();
        let items: Vec<_> = (0..16).map(|n| item(n, MIB as usize)).collect();
        queue.push(&items).unwrap();
        queue.pop(8).unwrap();
        let fault = Fault::new(&home.queue(), is_any, calls, errno);
        for number in 0..100 {
            assert!(queue.push(&[item(number, 100)]).is_err());
        }
        let met = fault.met();
        assert!(met <= 100 * 8, "{met} calls failed for 100 pushes");
        let cpu = cpu_time();
        // This long nothing may happen.
        thread::sleep(Duration::from_millis(1500));
        let (cpu, idle) = (cpu_time() - cpu, fault.met() - met);
        assert!(
            cpu < Duration::from_millis(50),
            "{cpu:?} of work while stopped"
        );
        assert!(idle <= 8, "{idle} calls failed while nobody called");
        drop(fault);
        queue.push(&[item(1, 100)]).unwrap();
        assert_eq!(queue.pop(100).unwrap().len(), 9);
    }
}

#[test]
fn one_rename_that_fails_at_creation_leaves_a_directory_that_can_be_used() {
    let home = Home::new();
    let fault = Fault::new(&home.queue(), is_any, &[Rename], libc::EIO);
    let error = Queue::open(Kind::Fifo, &home.queue())
        .map(drop)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    drop(fault);
    let queue = Queue::open(Kind::Fifo, &home.queue()).unwrap();
    queue.push(&[item(1, 100)]).unwrap();
}
