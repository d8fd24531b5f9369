//! Comparing what two calls take on a machine that does other things meanwhile.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use crate::support::measured::figure;

/// So much more may a call take.
pub const RATIO: f64 = 1.2;
const CALLS: u32 = 100;
const ROUNDS: usize = 40;
/// For a machine that is never left alone for a round.
const MORE_ROUNDS: usize = 600;

/// What a number of calls take that follow on one another.
pub fn calls<T>(mut call: impl FnMut() -> T) -> Duration {
    let begin = Instant::now();
    for _ in 0..CALLS {
        black_box(call());
    }
    begin.elapsed()
}

/// Calls that prepare for [`calls`], or clear up after them.
pub fn untimed<T>(call: impl FnMut() -> T) {
    calls(call);
}

/// A round of pushes, whose items are gone afterwards.
pub fn pushes(queue: &Fifo) -> Duration {
    let took = calls(|| queue.push(&["again"]).unwrap());
    untimed(|| queue.pop(1).unwrap());
    took
}

/// A round of pops, which leaves as many items as there were.
pub fn pops(queue: &Fifo) -> Duration {
    untimed(|| queue.push(&["again"]).unwrap());
    calls(|| assert_eq!(queue.pop(1).unwrap().len(), 1))
}

/// Measures two kinds of rounds by turns, until the second takes at most `ratio` times what the first
/// takes. What counts is the median of how two rounds that follow on one another compare: what else
/// the machine does meets either of them, and how quick it is seldom changes in between. Returns the
/// shortest round of the second kind.
pub fn compare_with(
    what: &str,
    ratio: f64,
    mut few: impl FnMut() -> Duration,
    mut many: impl FnMut() -> Duration,
) -> Duration {
    let mut shortest = Duration::MAX;
    let mut ratios = Ratios::default();
    for round in 1..=MORE_ROUNDS {
        let (few, many) = (few(), many());
        shortest = shortest.min(many);
        ratios.insert(many.as_secs_f64() / few.as_secs_f64());
        if round >= ROUNDS && ratios.median() <= ratio {
            break;
        }
    }
    let found = ratios.median();
    eprintln!("{what}: {shortest:?} with many");
    figure(&format!("{what}, many beside few"), found, ratio);
    shortest
}

/// In ascending order.
#[derive(Default)]
struct Ratios(Vec<f64>);

impl Ratios {
    fn insert(&mut self, ratio: f64) {
        let place = self.0.partition_point(|other| *other < ratio);
        self.0.insert(place, ratio);
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

/// The same for rounds of [`calls`]; returns what one call takes with many.
pub fn compare(
    what: &str,
    few: impl FnMut() -> Duration,
    many: impl FnMut() -> Duration,
) -> Duration {
    compare_with(what, RATIO, few, many) / CALLS
}
