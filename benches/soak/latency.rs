//! How long calls took: how many in each of some hundred ranges.

use std::fmt;
use std::time::Duration;

/// Ranges between one power of two and the next.
const STEPS: u64 = 16;
const RANGES: usize = 64 * STEPS as usize;

#[derive(Clone)]
pub struct Latency {
    counts: Vec<u64>,
    longest: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: vec![0; RANGES],
            longest: Duration::ZERO,
        }
    }
}

/// The range of so many nanoseconds.
fn range(nanoseconds: u64) -> usize {
    let nanoseconds = nanoseconds.max(STEPS);
    let power = nanoseconds.ilog2();
    let step = (nanoseconds >> (power - STEPS.ilog2())) - STEPS;
    (u64::from(power) * STEPS + step) as usize
}

/// Where a range ends.
fn end(range: usize) -> Duration {
    let (power, step) = (range as u64 / STEPS, range as u64 % STEPS);
    Duration::from_nanos((STEPS + step + 1) << (power - u64::from(STEPS.ilog2())))
}

impl Latency {
    pub fn note(&mut self, took: Duration) {
        self.counts[range(took.as_nanos() as u64)] += 1;
        self.longest = self.longest.max(took);
    }

    pub fn add(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.longest = self.longest.max(other.longest);
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// So much of the calls took no longer.
    pub fn quantile(&self, part: f64) -> Duration {
        let mut left = (self.count() as f64 * part).ceil() as u64;
        for (range, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            left = left.saturating_sub(*count);
            if left == 0 {
                return end(range).min(self.longest);
            }
        }
        self.longest
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, part) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
            write!(f, "{name} {:>9.1?}  ", self.quantile(part))?;
        }
        write!(f, "max {:.1?}", self.longest)
    }
}
