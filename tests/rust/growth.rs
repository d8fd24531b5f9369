//! Operations cost the same whatever is waiting, whoever reads, and whatever has passed through.
//!
//! `ROCKSQ_GROWTH_ITEMS` sets how many items wait, ten million if it is not set;
//! `ROCKSQ_GROWTH_GIB` how much passes through a queue, four if it is not set.

mod labels;
#[cfg(target_os = "linux")]
mod life;
#[cfg(unix)]
mod opening;
mod together;
mod turns;
mod waiting;

use std::time::Duration;

const FEW: u64 = 10;
const HOUR: Duration = Duration::from_secs(3600);
/// Items that are pushed one by one. Those behind them come in calls of [`PUSH`].
const SINGLE: u64 = 100_000;
const PUSH: u64 = 10_000;

/// A number from the environment.
fn set(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn many() -> u64 {
    set("ROCKSQ_GROWTH_ITEMS", 10_000_000)
}

/// Tiny items, until there are so many.
fn fill(count: u64, mut push: impl FnMut(&[String])) {
    let mut from = 0;
    while from < count {
        let size = if from < SINGLE { 1 } else { PUSH };
        let until = count.min(from + size);
        let items: Vec<_> = (from..until).map(|n| n.to_string()).collect();
        push(&items);
        from = until;
    }
}
