//! Copies of a queue that is in use.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::maintenance::verify;
use rocksq::{ErrorKind, StartPosition};

use super::history;
use crate::support::tree::names;
use crate::support::{Home, ROOMY, kind, numbered, numbers};

#[test]
fn a_backup_is_a_queue_of_its_own() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 100)).unwrap();
    queue.pop(10).unwrap();
    queue.backup(home.at("copy")).unwrap();
    queue.pop(90).unwrap();
    assert!(verify(home.at("copy")).unwrap().is_intact());
    let copy = Fifo::new(home.at("copy"), ROOMY).unwrap();
    assert_eq!(copy.recovery(), None);
    copy.push(&["100"]).unwrap();
    let items = copy.pop(999).unwrap();
    assert_eq!(numbers(&items), (10..=100).collect::<Vec<_>>());
    assert!(queue.is_empty().unwrap());
}

#[test]
fn a_backup_keeps_labels() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&numbered(0, 10)).unwrap();
    queue.next("a", StartPosition::Oldest, 4).unwrap();
    queue.backup(home.at("copy")).unwrap();
    let copy = history::mpmc(&home.at("copy")).unwrap();
    let next = copy.next("a", StartPosition::Oldest, 9).unwrap();
    assert_eq!(numbers(&next.items), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_backup_does_not_replace_what_is_there() {
    let home = Home::new();
    let queue = home.fifo();
    fs::write(home.at("file"), "mine").unwrap();
    fs::create_dir(home.at("directory")).unwrap();
    for taken in ["file", "directory"] {
        let error = queue.backup(home.at(taken)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Path);
        assert!(error.to_string().contains(taken), "{error}");
    }
    assert_eq!(kind(queue.backup(home.at("no/where"))), ErrorKind::Path);
    assert_eq!(fs::read(home.at("file")).unwrap(), b"mine");
}

#[test]
#[cfg(target_os = "linux")]
fn a_backup_to_where_no_directory_can_be_made_says_nothing_of_damage() {
    let home = Home::new();
    let queue = home.fifo();
    let error = queue.backup("/proc/copy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(!error.to_string().contains("damaged"), "{error}");
}

/// Each copy is the queue at some moment: a run without a gap, whole pushes alone.
#[test]
fn backups_under_load_are_consistent() {
    let home = Home::new();
    let queue = home.fifo();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 0;
            while !stop.load(Ordering::Relaxed) {
                queue.push(&numbered(next, 50)).unwrap();
                next += 50;
                queue.pop(30).unwrap();
            }
        });
        for copy in 0..8 {
            let path = home.at(&format!("copy{copy}"));
            queue.backup(&path).unwrap();
            assert!(verify(&path).unwrap().is_intact());
            let items = Fifo::new(&path, ROOMY).unwrap().pop(u64::MAX).unwrap();
            let numbers = numbers(&items);
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            assert!(numbers.last().is_none_or(|last| last % 50 == 49));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_backup_of_a_closed_queue_is_refused() {
    let home = Home::new();
    let queue = home.fifo();
    queue.close().unwrap();
    assert_eq!(kind(queue.backup(home.at("copy"))), ErrorKind::Closed);
}

/// RocksDB makes a copy under its name with `.tmp` behind it, and would delete what is there.
#[test]
fn a_backup_leaves_alone_what_has_the_name_of_a_copy_in_the_making() {
    let home = Home::new();
    let queue = home.fifo();
    fs::create_dir(home.at("copy.tmp")).unwrap();
    fs::write(home.at("copy.tmp/letter"), "mine").unwrap();
    let error = queue.backup(home.at("copy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(error.to_string().contains("copy.tmp"), "{error}");
    assert_eq!(fs::read(home.at("copy.tmp/letter")).unwrap(), b"mine");
    fs::remove_dir_all(home.at("copy.tmp")).unwrap();
    queue.backup(home.at("copy")).unwrap();
}

#[test]
fn a_backup_goes_to_a_new_name_outside_of_the_queue() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["a"]).unwrap();
    let before = names(&home.queue());
    for no_place in [
        "".into(),
        "/".into(),
        home.at("new/.."),
        home.queue(),
        home.queue().join("copy"),
        home.at("queue/../queue/copy"),
    ] {
        let error = queue.backup(&no_place).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Path, "{error}");
        assert_eq!(error.path(), Some(&*no_place));
    }
    let is_new = |name: &String| !before.contains(name);
    assert!(!names(&home.queue()).iter().any(is_new));
    queue.backup(home.at("copy/.")).unwrap();
    assert_eq!(verify(home.at("copy")).unwrap().items, 1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_backup_goes_to_another_file_system() {
    use std::os::unix::fs::MetadataExt;
    let (home, other) = (Home::new(), Home::in_memory());
    let device = |home: &Home| fs::metadata(home.at("")).unwrap().dev();
    if device(&home) == device(&other) {
        return eprintln!("skipped: there is only one file system");
    }
    history::in_tables().image.write_to(&home.queue());
    let queue = home.fifo();
    queue.backup(other.queue()).unwrap();
    assert!(verify(other.queue()).unwrap().is_intact());
    let items = other.fifo().pop(u64::MAX).unwrap();
    assert!(items == queue.peek(u64::MAX).unwrap().to_vecs());
    assert_eq!(items.len(), 1750 - 85);
}

#[test]
#[cfg(target_os = "linux")]
fn a_backup_that_does_not_fit_leaves_nothing() {
    use crate::support::{MIB, disk::Disk};
    let disk = match Disk::new(16 * MIB) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let home = Home::new();
    let queue = home.fifo();
    for _ in 0..20 {
        queue.push(&[vec![b'x'; MIB as usize]]).unwrap();
    }
    assert_eq!(
        kind(queue.backup(disk.root().join("copy"))),
        ErrorKind::DiskFull
    );
    assert_eq!(names(&disk.root()), ["lost+found"]);
    queue.backup(home.at("copy")).unwrap();
    assert_eq!(queue.pop(u64::MAX).unwrap().len(), 20);
}
