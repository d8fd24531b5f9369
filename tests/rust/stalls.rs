//! A disk that RocksDB's background work cannot keep up with: it slows writes down and has them wait,
//! which is told meanwhile, and nothing is lost.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use tracing::Level;

use crate::support::hearing::hear;
use crate::support::interpose::Slow;
use crate::support::{Home, MIB};

const PATIENCE: Duration = Duration::from_secs(60);

/// Hears what is told about stalls, and asks the queue something each time: it would hang if that
/// were told from under a lock.
fn listen(queue: &'static OnceLock<Fifo>) -> Receiver<(Level, String)> {
    let (sender, heard) = channel();
    hear(
        |about| *about.level() <= Level::INFO,
        move |about, said| {
            if said.contains("background work") || said.contains("Stopping writes") {
                let queue = queue.get().unwrap();
                assert!(queue.len().unwrap() > 0);
                assert!(queue.stats().unwrap().items > 0);
                // Who listens may have heard enough.
                let _ = sender.send((*about.level(), said));
            }
        },
    );
    heard
}

/// Waits until everything in `awaited` was told, at its level, in any order.
fn wait_for(heard: &Receiver<(Level, String)>, awaited: &[(Level, &str)]) {
    let mut awaited = awaited.to_vec();
    while !awaited.is_empty() {
        let (level, said) = heard
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("nobody told {awaited:?}"));
        eprintln!("{level}: {said}");
        awaited.retain(|(own, text)| !(*own == level && said.contains(text)));
    }
}

#[test]
fn writes_that_rocksdb_slows_down_and_has_wait_are_told_and_done() {
    static QUEUE: OnceLock<Fifo> = OnceLock::new();
    let home = Home::new();
    let heard = listen(&QUEUE);
    // So much that RocksDB's own limit comes first.
    rocksq::memory::set_budget(1024 * MIB).unwrap();
    let queue = QUEUE.get_or_init(|| home.fifo());
    let enough = AtomicBool::new(false);
    let item = vec![7; MIB as usize];
    let push = || {
        let mut pushed = 0;
        while pushed < 500 && !enough.load(Ordering::Relaxed) {
            queue.push(&[&item]).unwrap();
            pushed += 1;
        }
        pushed
    };
    let pushed: u64 = thread::scope(|scope| {
        // What is to be moved to tables has to be synced there.
        let slow = Slow::new(&home.queue(), None);
        let pushes = scope.spawn(push);
        let slowed = (Level::WARN, "RocksDB slows writes down");
        let stopped = (
            Level::WARN,
            "Stopping writes because we have 4 immutable memtables",
        );
        wait_for(&heard, &[slowed, stopped]);
        enough.store(true, Ordering::Relaxed);
        assert!(!pushes.is_finished());
        drop(slow);
        let waited = (Level::WARN, "RocksDB made writes wait");
        let over = (Level::INFO, "RocksDB no longer slows writes down");
        wait_for(&heard, &[waited, over]);
        pushes.join().unwrap()
    });
    assert_eq!(queue.pop(u64::MAX).unwrap().len() as u64, pushed);
    queue.close().unwrap();
}
