//! Opening and closing take no longer for what is stored.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use super::turns::compare_with;
use super::{FEW, HOUR, fill, many};
use crate::support::measured::figure;
use crate::support::processes::another;
use crate::support::{Home, KIB, MIB, ROOMY};

/// So much longer may the opening take.
const OPENING: f64 = 1.5;
const AFTER_A_KILL: Duration = Duration::from_secs(2);
const CLOSING: Duration = Duration::from_secs(1);
/// RocksDB lets the log grow to this, when nothing else keeps it short.
const FULL_LOG: u64 = 96 * MIB;
const WHERE: &str = "ROCKSQ_TEST_QUEUE";

fn timed<T>(operation: impl FnOnce() -> T) -> (Duration, T) {
    let begin = Instant::now();
    let result = operation();
    (begin.elapsed(), result)
}

fn close(queue: &Fifo) {
    let (took, ()) = timed(|| queue.close().unwrap());
    eprintln!("closed in {took:?}");
    figure("close, s", took.as_secs_f64(), CLOSING.as_secs_f64());
}

#[test]
fn many_items_make_the_opening_of_a_fifo_queue_no_longer() {
    let home = Home::new();
    let open = |path: &Path| {
        let (took, queue) = timed(|| Fifo::new(path, ROOMY).unwrap());
        queue.close().unwrap();
        took
    };
    let [few, many] = [("few", FEW), ("many", many())].map(|(name, count)| {
        let path = home.at(name);
        let queue = Fifo::new(&path, ROOMY).unwrap();
        fill(count, |items| queue.push(items).unwrap());
        close(&queue);
        eprintln!("{name}: opened first in {:?}", open(&path)); // which empties the log
        path
    });
    compare_with("opening", OPENING, || open(&few), || open(&many));
}

#[test]
fn many_items_make_the_opening_of_an_mpmc_queue_no_longer() {
    let home = Home::new();
    let open = |path: &Path| {
        let (took, queue) = timed(|| MpmcQueue::new(path, HOUR).unwrap());
        queue.close().unwrap();
        took
    };
    let [few, many] = [("few", FEW), ("many", many())].map(|(name, count)| {
        let path = home.at(name);
        let queue = MpmcQueue::new(&path, HOUR).unwrap();
        fill(count, |items| queue.add(items).unwrap());
        queue.close().unwrap();
        open(&path);
        path
    });
    compare_with("opening", OPENING, || open(&few), || open(&many));
}

/// Pushes so much in one call that nothing has time to leave the log, and dies.
#[test]
#[ignore = "dies; run by another test"]
fn dies_with_a_full_log() {
    let queue = Fifo::new(PathBuf::from(std::env::var_os(WHERE).unwrap()), ROOMY).unwrap();
    let items = vec![vec![7; KIB as usize]; (FULL_LOG / KIB) as usize];
    queue.push(&items).unwrap();
    // SAFETY: the call has no preconditions.
    unsafe { libc::raise(libc::SIGKILL) };
}

#[test]
fn a_full_log_is_replayed_in_two_seconds_and_a_full_queue_closes_in_one() {
    let home = Home::new();
    let mut child = another("growth::opening::dies_with_a_full_log");
    let status = child.env(WHERE, home.queue()).status().unwrap();
    assert!(!status.success());
    let names = std::fs::read_dir(home.queue()).unwrap().map(Result::unwrap);
    let logs = names.filter(|file| file.path().extension().is_some_and(|end| end == "log"));
    let logged: u64 = logs.map(|log| log.metadata().unwrap().len()).sum();
    assert!(logged >= FULL_LOG, "{logged}");
    let (took, queue) = timed(|| home.fifo());
    eprintln!(
        "{} MiB of log after a kill, opened in {took:?}",
        logged / MIB
    );
    assert_eq!(queue.len().unwrap(), FULL_LOG / KIB);
    figure(
        "opening after a kill, s",
        took.as_secs_f64(),
        AFTER_A_KILL.as_secs_f64(),
    );
    queue
        .push(&vec![vec![8; KIB as usize]; (FULL_LOG / KIB) as usize])
        .unwrap();
    close(&queue);
}
