//! An opening that fails leaves nothing behind, whatever has failed.

use std::any::Any;
use std::fs;
use std::path::Path;

use super::{Kind, Queue};
use crate::support::disk::Disk;
use crate::support::interpose::Call::{Open, Rename, Sync, Write};
use crate::support::interpose::{Call, Fault, is_any};
use crate::support::processes::{assert_does, limit};
use crate::support::tree::names;
use crate::support::{Home, KIB, MIB};

const KINDS: [Kind; 2] = [Kind::Fifo, Kind::Mpmc];

#[test]
fn an_opening_whose_system_calls_fail_leaves_nothing_behind() {
    const CALLS: [(&[Call], i32); 5] = [
        (&[Write], libc::EIO),
        (&[Write], libc::ENOSPC),
        (&[Sync], libc::EIO),
        (&[Open], libc::EMFILE),
        (&[Rename], libc::ENOSPC),
    ];
    for (calls, errno) in CALLS {
        for kind in KINDS {
            let mut failed = 0;
            for skip in 0.. {
                let home = Home::new();
                let path = home.at("a/b/queue");
                let fault = Fault::counted(&path, is_any, calls, errno, skip, u64::MAX);
                let opened = Queue::open(kind, &path);
                if fault.met() == 0 {
                    break;
                }
                drop(fault);
                if opened.is_err() {
                    failed += 1;
                    assert_eq!(names(&home.at("")), [""; 0], "{calls:?} {errno} {skip}");
                }
            }
            assert!(failed > 0, "{calls:?} {errno}");
        }
    }
}

/// What lies in the directory already, and what is put beside a queue by others.
#[test]
fn an_opening_that_fails_leaves_a_directory_of_others_as_it_was() {
    for skip in [0, 1, 2, 5, 9] {
        let home = Home::new();
        fs::create_dir(home.queue()).unwrap();
        fs::write(home.queue().join("letter"), "dear").unwrap();
        let fault = Fault::counted(&home.queue(), is_any, &[Write], libc::EIO, skip, u64::MAX);
        Queue::open(Kind::Fifo, &home.queue())
            .map(drop)
            .unwrap_err();
        drop(fault);
        assert_eq!(names(&home.queue()), ["letter"], "{skip}");
    }
}

#[test]
fn an_opening_on_a_disk_that_is_too_full_leaves_nothing_behind() {
    let Ok(disk) = Disk::in_memory(MIB) else {
        eprintln!("skipped: cannot mount");
        return;
    };
    let mut failed = 0;
    for free in (0..16).map(|pages| pages * 4 * KIB) {
        let stranger = disk.stuff(free);
        failed += usize::from(opens_or_leaves_nothing(&disk.root(), || Box::new(())));
        fs::remove_file(stranger).unwrap();
    }
    assert!(failed > 5, "{failed}");
}

#[test]
fn an_opening_beyond_the_limits_of_its_process_leaves_nothing_behind() {
    assert_does("faults::unopened::opens_beyond_the_limits_of_its_process");
}

#[test]
#[ignore = "limits a process of its own"]
fn opens_beyond_the_limits_of_its_process() {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let home = Home::new();
    // What a process has open from its first queue on stays open.
    drop(Queue::open(Kind::Fifo, &home.at("first")));
    fs::remove_dir_all(home.at("first")).unwrap();
    let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let descriptors = (0..24).map(|more| (libc::RLIMIT_NOFILE, open + more));
    let sizes = [0, 1, 100, 1_000, 10_000].map(|size| (libc::RLIMIT_FSIZE, size));
    let mut failed = 0;
    for (what, value) in descriptors.chain(sizes) {
        let limited = || -> Box<dyn Any> { Box::new(limit(what, value)) };
        failed += usize::from(opens_or_leaves_nothing(&home.at(""), limited));
    }
    assert!(failed > 10, "{failed}");
}

/// Tries to open a queue below `root`, and checks that nothing is left if that fails. Returns whether
/// it did.
fn opens_or_leaves_nothing(root: &Path, limit: impl FnOnce() -> Box<dyn Any>) -> bool {
    let before = names(root);
    let limited = limit();
    let opened = Queue::open(Kind::Fifo, &root.join("a/b/queue"));
    drop(limited);
    let failed = opened.is_err();
    drop(opened);
    match failed {
        true => assert_eq!(names(root), before),
        false => fs::remove_dir_all(root.join("a")).unwrap(),
    }
    failed
}

#[test]
fn a_backup_whose_system_calls_fail_leaves_nothing_behind() {
    const CALLS: [(&[Call], i32); 4] = [
        (&[Write], libc::ENOSPC),
        (&[Sync], libc::EIO),
        (&[Open], libc::EMFILE),
        (&[Rename], libc::EIO),
    ];
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["item"]).unwrap();
    fs::create_dir(home.at("copies")).unwrap();
    for (calls, errno) in CALLS {
        let mut failed = 0;
        for skip in 0.. {
            let copies = home.at("copies");
            let fault = Fault::counted(&copies, is_any, calls, errno, skip, u64::MAX);
            let copied = queue.backup(copies.join("copy"));
            if fault.met() == 0 {
                break;
            }
            drop(fault);
            match copied {
                Ok(()) => fs::remove_dir_all(copies.join("copy")).unwrap(),
                Err(_) => assert_eq!(names(&copies), [""; 0], "{calls:?} {skip}"),
            }
            failed += 1;
        }
        assert!(failed > 0, "{calls:?} {errno}");
        fs::remove_dir_all(home.at("copies/copy")).unwrap();
    }
}
