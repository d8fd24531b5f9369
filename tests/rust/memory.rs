//! The memory that the queues of a process share.
//!
//! `ROCKSQ_MEMORY_MIB` sets how much goes through the queues of each test; the default is 768.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::{Durability, memory};

use crate::support::figures::anonymous;
use crate::support::processes::another;
use crate::support::waiting::until;
use crate::support::{Home, KIB, MIB, ROOMY};

/// What each call brings: so many items of so many bytes.
#[derive(Clone, Copy)]
struct Calls {
    items: u64,
    bytes: u64,
}

const SMALL: Calls = Calls {
    items: 100,
    bytes: KIB,
};
const LARGE: Calls = Calls {
    items: 4,
    bytes: 256 * KIB,
};

impl Calls {
    fn number(self) -> u64 {
        let total = std::env::var("ROCKSQ_MEMORY_MIB").map_or(768, |text| text.parse().unwrap());
        total * MIB / (self.items * self.bytes)
    }
}

/// Calls of the queues by turns.
fn fill(queues: &[Fifo], calls: Calls, level: Durability) {
    let item = vec![7; calls.bytes as usize];
    let items = vec![&item[..]; calls.items as usize];
    for queue in queues.iter().cycle().take(calls.number() as usize) {
        queue.push_with(&items, level).unwrap();
    }
}

fn drain(queues: &[Fifo], calls: Calls) {
    let mut left = calls.number() * calls.items;
    for queue in queues.iter().cycle() {
        left -= queue.pop(calls.items).unwrap().len() as u64;
        if left == 0 {
            break;
        }
    }
}

fn open(home: &Home, count: usize) -> Vec<Fifo> {
    (0..count)
        .map(|n| Fifo::new(home.at(&n.to_string()), ROOMY).unwrap())
        .collect()
}

/// One queue for small calls, then one for large ones.
fn fill_and_drain_one(home: &Home) {
    for calls in [SMALL, LARGE] {
        let queues = open(home, 1);
        fill(&queues, calls, Durability::Written);
        drain(&queues, calls);
    }
}

/// The most memory that the process has over what it has now, while something is done.
fn most(what: &str, work: impl FnOnce()) -> u64 {
    let (done, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = anonymous();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(anonymous(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
    });
    let most = peak.into_inner().saturating_sub(before);
    eprintln!("{what}: {:.1} MiB", most as f64 / MIB as f64);
    most
}

fn assert_within(budget: u64, what: &str, work: impl FnOnce()) {
    let most = most(what, work);
    assert!(most <= budget, "{what}: {most} bytes");
}

/// The figures are those of a process in which nothing else happens.
fn alone(test: &str) {
    let status = another(test).status().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn a_backlog_is_filled_and_drained_within_the_default() {
    alone("memory::fills_and_drains_a_backlog");
}

#[test]
#[ignore = "the other process of a test"]
fn fills_and_drains_a_backlog() {
    let home = Home::in_memory();
    let before = anonymous();
    assert_within(memory::DEFAULT, "a queue filled and drained", || {
        fill_and_drain_one(&home);
    });
    let queues = open(&home, 1);
    fill(&queues, SMALL, Durability::Written);
    until(
        Duration::from_secs(60),
        "an idle queue takes little",
        || anonymous() < before + 24 * MIB,
    );
}

#[test]
fn a_queue_works_within_thirty_two_mebibytes() {
    alone("memory::works_with_little");
}

/// The budget is changed when there is more in memory than it allows.
#[test]
#[ignore = "the other process of a test"]
fn works_with_little() {
    let home = Home::in_memory();
    let before = anonymous();
    let queues = open(&home, 1);
    fill(&queues, SMALL, Durability::Written);
    memory::set_budget(32 * MIB).unwrap();
    until(Duration::from_secs(60), "the new budget is kept to", || {
        anonymous() < before + 16 * MIB
    });
    drain(&queues, SMALL);
    drop(queues);
    assert_within(32 * MIB, "a queue filled and drained with 32 MiB", || {
        fill_and_drain_one(&home);
    });
}

#[test]
fn a_hundred_queues_share_the_default() {
    alone("memory::fills_and_drains_a_hundred_queues");
}

#[test]
#[ignore = "the other process of a test"]
fn fills_and_drains_a_hundred_queues() {
    for (calls, level) in [
        (SMALL, Durability::Written),
        (SMALL, Durability::Buffered),
        (LARGE, Durability::Written),
    ] {
        let home = Home::in_memory();
        assert_within(
            memory::DEFAULT,
            "a hundred queues filled and drained",
            || {
                let queues = open(&home, 100);
                fill(&queues, calls, level);
                drain(&queues, calls);
            },
        );
    }
}

#[test]
fn queues_filled_by_a_thread_each_share_the_default() {
    alone("memory::fills_by_a_thread_each");
}

/// The C library keeps what it frees for the threads that had it.
#[test]
#[ignore = "the other process of a test"]
fn fills_by_a_thread_each() {
    let home = Home::in_memory();
    assert_within(memory::DEFAULT, "queues filled by a thread each", || {
        thread::scope(|scope| {
            let queues = open(&home, 4);
            for queue in queues {
                scope.spawn(move || {
                    let queues = [queue];
                    fill(&queues, LARGE, Durability::Written);
                    drain(&queues, LARGE);
                });
            }
        });
    });
}
