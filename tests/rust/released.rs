//! Directories of every format that was released open as what they are.
//!
//! Those of 0.3.0, whose format has the number 1, are in [`legacy`](crate::legacy).

use std::fs;
use std::path::Path;
use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use crate::support::fixtures::{copy, items, root};
use crate::support::{Home, ROOMY};

#[test]
fn a_fifo_queue_of_format_2_is_read() {
    let home = Home::new();
    copy(&root().join("2/fifo"), &home.queue());
    let queue = home.fifo();
    assert_eq!(queue.len().unwrap(), 480);
    let expected: usize = items(120..600).iter().map(Vec::len).sum();
    assert_eq!(queue.payload_size().unwrap(), expected as u64);
    let batch = queue.read(1, rocksq::Wait::NEVER).unwrap();
    assert_eq!(batch.first(), 120);
    queue.push(&["new"]).unwrap();
    assert_eq!(queue.pop(480).unwrap(), items(120..600));
    assert_eq!(queue.pop(9).unwrap(), ["new"]);
}

#[test]
fn an_mpmc_queue_of_format_2_is_read() {
    let home = Home::new();
    copy(&root().join("2/mpmc"), &home.queue());
    let queue = home.mpmc();
    assert_eq!(queue.len().unwrap(), 600);
    assert_eq!(queue.labels().unwrap(), ["behind", "end", "ünï ☃"]);
    for (label, place) in [("behind", 10), ("end", 600), ("ünï ☃", 400), ("new", 0)] {
        let next = queue.next(label, Oldest, u64::MAX).unwrap();
        assert_eq!(next.items, items(place..600), "{label}");
        assert!(!next.expired);
    }
}

/// Makes the fixtures of the format that this version writes: `cargo nextest run --release
/// --run-ignored only make_the_fixtures`. A released fixture is never made again.
#[test]
#[ignore = "writes into the source tree"]
fn make_the_fixtures() {
    let home = Home::new();
    fill_fifo(&home.at("fifo"));
    fill_mpmc(&home.at("mpmc"));
    for name in ["fifo", "mpmc"] {
        let to = root().join("2").join(name);
        assert!(!to.exists(), "{} is there already", to.display());
        copy(&home.at(name), &to);
        fs::remove_file(to.join("HOLDER")).unwrap();
    }
}

fn fill_fifo(path: &Path) {
    let queue = Fifo::new(path, ROOMY).unwrap();
    queue.push(&items(0..300)).unwrap();
    queue.push(&items(300..500)).unwrap();
    queue.pop(120).unwrap();
    drop(queue);
    // What is left as by a kill: it is copied while it is open.
    let queue = std::mem::ManuallyDrop::new(Fifo::new(path, ROOMY).unwrap());
    queue.push(&items(500..600)).unwrap();
}

fn fill_mpmc(path: &Path) {
    let queue = MpmcQueue::new(path, Duration::from_secs(3600)).unwrap();
    queue.add(&items(0..400)).unwrap();
    queue.next("behind", Oldest, 10).unwrap();
    queue.next("ünï ☃", Oldest, 1000).unwrap();
    drop(queue);
    let queue = std::mem::ManuallyDrop::new(MpmcQueue::new(path, Duration::ZERO).unwrap());
    queue.add(&items(400..600)).unwrap();
    queue.next("end", Oldest, 1000).unwrap();
}
