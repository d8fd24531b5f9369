//! A file system that is read-only, or becomes so after an error as ext4 does.

use std::fs;

use rocksq::ErrorKind;

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::disk::Disk;
use crate::support::{MIB, kind};

#[test]
fn a_read_only_file_system_is_refused_unchanged() {
    let Some(disk) = disk() else { return };
    let path = disk.root().join("queue");
    let mut expected = Expected::default();
    let queue = Queue::open(Kind::Fifo, &path).unwrap();
    expected.pushed(&[1], &queue.push(&[item(1, 100)]));
    queue.close().unwrap();
    drop(queue);
    disk.remount("ro");
    for path in [&path, &path.with_file_name("fresh")] {
        let error = Queue::open(Kind::Fifo, path).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Path, "{error}");
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    disk.remount("rw");
    expected.seen(&Queue::open(Kind::Fifo, &path).unwrap().peek().unwrap());
}

#[test]
fn a_file_system_that_becomes_read_only_stops_a_queue_without_harm() {
    for kind_of_queue in [Kind::Fifo, Kind::Mpmc] {
        let Some(disk) = disk() else { return };
        let path = disk.root().join("queue");
        let mut expected = Expected::default();
        let queue = Queue::open(kind_of_queue, &path).unwrap();
        expected.pushed(&[1, 2], &queue.push(&[item(1, 100), item(2, 100)]));
        queue.flush().unwrap();
        disk.break_down();
        for number in 3..20 {
            let error = kind(queue.push(&[item(number, 100)]));
            let fits = [ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error);
            assert!(fits, "{error:?}");
        }
        let error = kind(queue.pop(1));
        assert!(
            [ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error),
            "{error:?}"
        );
        assert!(queue.close().is_err());
        drop(queue);
        disk.restart();
        let queue = Queue::open(kind_of_queue, &path).unwrap();
        expected.seen(&queue.peek().unwrap());
        let popped = queue.pop(9);
        expected.popped(9, &popped);
        popped.unwrap();
    }
}

fn disk() -> Option<Disk> {
    Disk::new(64 * MIB)
        .map_err(|reason| eprintln!("skipped: {reason}"))
        .ok()
}

impl Disk {
    /// Makes the file system find an error in itself.
    fn break_down(&self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let root = format!(" {} ", self.root().display());
        let mount = mounts.lines().find(|line| line.contains(&root)).unwrap();
        let device = mount.split(' ').next().unwrap().rsplit('/').next().unwrap();
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").unwrap();
    }
}
