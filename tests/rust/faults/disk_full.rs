//! A disk that is full, for real: a small file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rocksq::Durability;
use rocksq::Durability::{Buffered, Written};
use rocksq::ErrorKind::DiskFull;

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::disk::Disk;
use crate::support::waiting::{PATIENCE, until};
use crate::support::{KIB, LEVELS, MIB, kind};

/// Small enough to be filled in a moment.
const DISK: u64 = 24 * MIB;

#[test]
fn a_fifo_queue_that_has_filled_the_disk_can_be_drained() {
    for level in LEVELS {
        fill_and_drain(Kind::Fifo, level, 64 * KIB as usize);
    }
}

#[test]
fn a_fifo_queue_that_has_filled_the_disk_with_small_items_can_be_drained() {
    fill_and_drain(Kind::Fifo, Written, 512);
}

#[test]
fn an_mpmc_queue_that_has_filled_the_disk_can_be_read() {
    for level in LEVELS {
        fill_and_drain(Kind::Mpmc, level, 64 * KIB as usize);
    }
}

/// Pushes until nothing more fits, and takes it all without any help from outside.
fn fill_and_drain(kind_of_queue: Kind, level: Durability, len: usize) {
    let Some((_disk, path)) = disk() else { return };
    let queue = Queue::open_at(level, kind_of_queue, &path).unwrap();
    let mut expected = Expected::default();
    if level == Buffered {
        expected.written();
    }
    let pushed = fill(&queue, len, &mut expected);
    assert!(pushed as u64 * len as u64 > DISK / 4, "only {pushed} items");
    // It stays full: nothing that adds works.
    assert_eq!(kind(queue.push(&[item(0, len)])), DiskFull);
    expected.seen(&queue.peek().unwrap());
    let mut left = pushed;
    while left > 0 {
        let max = left.min(7);
        let popped = queue.pop(max.into());
        expected.popped(max as usize, &popped);
        assert_eq!(popped.unwrap().len() as u32, max);
        left -= max;
    }
    if kind_of_queue == Kind::Fifo {
        queue.flush().unwrap();
        // It comes back bit by bit, behind the pops.
        let mut refilled = 0;
        until(PATIENCE, "space has come back", || {
            refilled += fill(&queue, len, &mut expected);
            refilled > pushed / 2
        });
    }
    if let Err(error) = queue.close() {
        assert_eq!((level, error.kind()), (Buffered, DiskFull), "{error}");
        expected.lost_the_buffer();
    }
    let queue = Queue::open_at(level, kind_of_queue, &path).unwrap();
    expected.seen(&queue.peek().unwrap());
}

/// The housekeeping has its turn after each take, and must not use up what is left.
#[test]
fn takes_that_come_slowly_on_a_full_disk_write_no_more_than_quick_ones() {
    const TAKES: u64 = 200;
    let Some((_disk, path)) = disk() else { return };
    let queue = Queue::open_at(Written, Kind::Fifo, &path).unwrap();
    fill(&queue, 512, &mut Expected::default());
    queue.pop(1).unwrap();
    let before = log_bytes(&path);
    for _ in 0..TAKES {
        queue.pop(1).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    assert!(log_bytes(&path) - before < TAKES * 90);
}

fn log_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let logs = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "log"));
    logs.map(|log| log.metadata().unwrap().len()).sum()
}

/// Between the taking and the next write the buffer is filled again.
#[test]
fn a_buffered_queue_that_has_filled_the_disk_gives_space_back_while_it_is_refilled() {
    let Some((_disk, path)) = disk() else { return };
    let queue = Queue::open_at(Buffered, Kind::Fifo, &path).unwrap();
    let mut expected = Expected::default();
    let pushed = fill(&queue, 64 * KIB as usize, &mut expected);
    let popped = queue.pop(pushed.into());
    expected.popped(pushed as usize, &popped);
    assert_eq!(popped.unwrap().len() as u32, pushed);
    let mut refilled = 0;
    until(PATIENCE, "space has come back", || {
        refilled += fill(&queue, 64 * KIB as usize, &mut expected);
        refilled > pushed / 2
    });
    expected.seen(&queue.peek().unwrap());
}

/// Returns how many items went in.
fn fill(queue: &Queue, len: usize, expected: &mut Expected) -> u32 {
    let mut number = 0;
    loop {
        let outcome = queue.push(&[item(number, len)]);
        expected.pushed(&[number], &outcome);
        if outcome.is_err() {
            assert_eq!(kind(outcome), DiskFull);
            return number;
        }
        number += 1;
    }
}

#[test]
fn a_queue_goes_on_when_a_disk_that_others_have_filled_has_room_again() {
    for level in LEVELS {
        go_on(Kind::Fifo, level);
        go_on(Kind::Mpmc, level);
    }
}

fn go_on(kind_of_queue: Kind, level: Durability) {
    let Some((disk, path)) = disk() else { return };
    let queue = Queue::open_at(level, kind_of_queue, &path).unwrap();
    let mut expected = Expected::default();
    push(&queue, 0..10, &mut expected).unwrap();
    let stranger = disk.stuff(0);
    let failed = (10..500).map(|number| push(&queue, number..number + 1, &mut expected));
    let failed = failed.filter(Result::is_err).map(kind).collect::<Vec<_>>();
    assert!(!failed.is_empty() && failed.iter().all(|kind| *kind == DiskFull));
    expected.seen(&queue.peek().unwrap());
    fs::remove_file(stranger).unwrap();
    push(&queue, 500..510, &mut expected).unwrap();
    let popped = queue.pop(5);
    expected.popped(5, &popped);
    popped.unwrap();
    queue.close().unwrap();
    let queue = Queue::open(kind_of_queue, &path).unwrap();
    expected.seen(&queue.peek().unwrap());
}

/// Pushes on a disk without room until the buffer is full, and returns how much went in.
fn fill_the_buffer(queue: &Queue, expected: &mut Expected) -> u32 {
    let pushed = fill(queue, 4096, expected);
    let bytes = u64::from(pushed) * 4096;
    assert!((MIB / 2..=MIB).contains(&bytes), "{bytes} bytes");
    assert_eq!(kind(queue.flush()), DiskFull);
    pushed
}

#[test]
fn what_is_buffered_can_be_taken_while_the_disk_is_full() {
    for kind_of_queue in [Kind::Fifo, Kind::Mpmc] {
        let Some((disk, path)) = disk() else { return };
        let queue = Queue::open_at(Buffered, kind_of_queue, &path).unwrap();
        let mut expected = Expected::default();
        let stranger = disk.stuff(0);
        fill_the_buffer(&queue, &mut expected);
        let popped = queue.pop(50);
        expected.popped(50, &popped);
        assert_eq!(popped.unwrap().len(), 50);
        assert_eq!(kind(queue.flush()), DiskFull);
        fs::remove_file(stranger).unwrap();
        queue.flush().unwrap();
        expected.seen(&queue.peek().unwrap());
        queue.close().unwrap();
        let queue = Queue::open(kind_of_queue, &path).unwrap();
        expected.seen(&queue.peek().unwrap());
    }
}

#[test]
fn closing_on_a_full_disk_says_how_much_of_the_buffer_is_lost_and_keeps_the_rest() {
    for kind_of_queue in [Kind::Fifo, Kind::Mpmc] {
        let Some((disk, path)) = disk() else { return };
        let queue = Queue::open_at(Buffered, kind_of_queue, &path).unwrap();
        let mut written = Expected::default();
        push(&queue, 0..10, &mut written).unwrap();
        queue.flush().unwrap();
        let stranger = disk.stuff(0);
        let lost = fill_the_buffer(&queue, &mut written.clone());
        let error = queue.close().unwrap_err();
        assert_eq!(error.kind(), DiskFull, "{error}");
        assert!(
            error.to_string().contains(&format!("{lost} items")),
            "{error}"
        );
        fs::remove_file(stranger).unwrap();
        let queue = Queue::open(kind_of_queue, &path).unwrap();
        written.seen(&queue.peek().unwrap());
    }
}

#[test]
fn a_queue_can_be_opened_and_drained_on_a_full_disk() {
    let Some((disk, path)) = disk() else { return };
    let mut expected = Expected::default();
    let queue = Queue::open(Kind::Fifo, &path).unwrap();
    push(&queue, 0..500, &mut expected).unwrap();
    queue.close().unwrap();
    drop(queue);
    let stranger = disk.stuff(0);
    let fresh = Queue::open(Kind::Fifo, &path.with_file_name("fresh"));
    assert_eq!(kind(fresh.map(drop)), DiskFull);
    let queue = Queue::open(Kind::Fifo, &path).unwrap();
    expected.seen(&queue.peek().unwrap());
    let popped = queue.pop(60);
    expected.popped(60, &popped);
    popped.unwrap();
    drop(queue);
    fs::remove_file(stranger).unwrap();
    let queue = Queue::open(Kind::Fifo, &path).unwrap();
    expected.seen(&queue.peek().unwrap());
    Queue::open(Kind::Fifo, &path.with_file_name("fresh")).unwrap();
}

/// Disks of both kinds, each with the path of a queue.
fn disks() -> impl Iterator<Item = (Disk, PathBuf)> {
    let make: [fn(u64) -> Result<Disk, String>; 2] = [Disk::new, Disk::in_memory];
    make.into_iter().filter_map(|make| usable(make(DISK)))
}

#[test]
fn a_queue_that_was_closed_on_a_full_disk_which_others_fill_opens_and_can_be_drained() {
    const OPENINGS: usize = 3;
    for level in LEVELS {
        for (disk, path) in disks() {
            let mut expected = Expected::default();
            if level == Buffered {
                expected.written();
            }
            let queue = Queue::open_at(level, Kind::Fifo, &path).unwrap();
            let pushed = fill(&queue, 57_000, &mut expected);
            if let Err(error) = queue.close() {
                assert_eq!((level, error.kind()), (Buffered, DiskFull), "{error}");
                expected.lost_the_buffer();
            }
            for _ in 0..OPENINGS {
                disk.fill_up();
                let queue = Queue::open_at(level, Kind::Fifo, &path).unwrap();
                expected.seen(&queue.peek().unwrap());
                if level != Buffered {
                    assert_eq!(kind(queue.push(&[item(0, 57_000)])), DiskFull);
                }
                queue.close().unwrap();
            }
            disk.fill_up();
            let queue = Queue::open_at(level, Kind::Fifo, &path).unwrap();
            let mut drained = 0;
            while let Some(count) = pop_one(&queue, &mut expected) {
                drained += count;
            }
            assert!(drained + 20 > pushed, "{drained} of {pushed} items");
        }
    }
}

fn pop_one(queue: &Queue, expected: &mut Expected) -> Option<u32> {
    let popped = queue.pop(1);
    expected.popped(1, &popped);
    let count = popped.unwrap().len() as u32;
    (count > 0).then_some(count)
}

#[test]
fn a_closed_queue_opens_and_can_be_drained_whatever_room_others_leave() {
    for (disk, path) in disks() {
        for free in (0..20).map(|pages| pages * 8 * KIB) {
            let mut expected = Expected::default();
            let queue = Queue::open(Kind::Fifo, &path).unwrap();
            push(&queue, 0..500, &mut expected).unwrap();
            queue.close().unwrap();
            let stranger = disk.stuff(free);
            let queue = Queue::open(Kind::Fifo, &path).unwrap();
            for _ in 0..500 {
                assert_eq!(pop_one(&queue, &mut expected), Some(1), "{free} bytes left");
            }
            queue.close().unwrap();
            drop(queue);
            fs::remove_file(stranger).unwrap();
            let queue = Queue::open(Kind::Fifo, &path).unwrap();
            expected.seen(&queue.peek().unwrap());
        }
    }
}

fn push(
    queue: &Queue,
    numbers: std::ops::Range<u32>,
    expected: &mut Expected,
) -> rocksq::Result<()> {
    let numbers: Vec<_> = numbers.collect();
    let items: Vec<_> = numbers.iter().map(|number| item(*number, 4096)).collect();
    let outcome = queue.push(&items);
    expected.pushed(&numbers, &outcome);
    outcome
}

fn disk() -> Option<(Disk, PathBuf)> {
    usable(Disk::new(DISK))
}

fn usable(disk: Result<Disk, String>) -> Option<(Disk, PathBuf)> {
    match disk {
        Ok(disk) => {
            let path = disk.root().join("queue");
            Some((disk, path))
        }
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}
