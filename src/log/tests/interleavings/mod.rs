//! Threads that meet in a log, in as many orders as time allows. A scheduler decides at each lock, bell
//! and atomic who goes on ([`crate::primitives`]), so that what happens once in a million runs
//! otherwise happens here soon, and again with the same seed. A wake-up that is lost is a deadlock,
//! which the scheduler finds.
//!
//! `ROCKSQ_INTERLEAVINGS` sets how many orders each test tries, `ROCKSQ_TEST_SEED` repeats a run.
//! A failure also prints its schedule.

mod committing;
mod losing;
mod syncing;
mod waiting;
mod waiting_without_a_thread;

use shuttle::rand::Rng;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, rand, thread};

use super::*;
use crate::options::Durability;
use crate::options::StartPosition::Oldest;

const ORDERS: usize = 1_000;
/// How often a thread loses its turn while it could go on: few such moments show most errors.
const PREEMPTIONS: usize = 3;
const STACK: usize = 1 << 20;

/// Runs `test` in many orders: half of them by pure chance, half with few changes of turn.
fn explore(test: fn()) {
    let (seed, half) = (seed(), number("ROCKSQ_INTERLEAVINGS").unwrap_or(ORDERS) / 2);
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    let random = RandomScheduler::new_from_seed(seed as u64, half);
    Runner::new(random, config.clone()).run(test);
    let few = PctScheduler::new_from_seed(seed as u64, PREEMPTIONS, half);
    Runner::new(few, config).run(test);
}

fn seed() -> usize {
    let started = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as usize;
    let seed = number("ROCKSQ_TEST_SEED").unwrap_or(started);
    eprintln!("ROCKSQ_TEST_SEED={seed}");
    seed
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("it is a number"))
}

fn any_of<T: Copy>(choices: &[T]) -> T {
    choices[rand::thread_rng().gen_range(0..choices.len())]
}

impl MemoryLog {
    fn push(&self, items: &[&str], level: Durability) {
        self.append(items, Wait::NEVER, level).unwrap();
    }

    /// Up to `max` items, at least one.
    fn wait_for(&self, max: u64) -> Vec<String> {
        let taken = self.take(&ONLY_LABEL.into(), Oldest, max, Wait::FOREVER, Written);
        texts(&taken.unwrap().items)
    }

    /// `count` items, in their order.
    fn wait_for_all(&self, count: usize) -> Vec<String> {
        let mut items = Vec::new();
        while items.len() < count {
            items.extend(self.wait_for((count - items.len()) as u64));
        }
        items
    }
}
