//! Measuring one kind of call, in rounds that fit the disk.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fmt, iter};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

/// Bytes that a round leaves on the disk at most.
const ROUND: usize = 64 << 20;
/// Calls in a round at most.
const CALLS: usize = 20_000;

/// How many items of which size a call carries.
#[derive(Clone, Copy)]
pub struct Shape {
    pub size: usize,
    pub items: usize,
}

const SHAPES: [Shape; 6] = [
    Shape {
        size: 100,
        items: 1,
    },
    Shape {
        size: 100,
        items: 100,
    },
    Shape {
        size: 1 << 10,
        items: 1,
    },
    Shape {
        size: 1 << 10,
        items: 100,
    },
    Shape {
        size: 256 << 10,
        items: 1,
    },
    Shape {
        size: 256 << 10,
        items: 10,
    },
];

impl Shape {
    /// The items of one call.
    pub fn batch(self) -> Vec<Vec<u8>> {
        let item: Vec<u8> = (0..=u8::MAX).cycle().take(self.size).collect();
        iter::repeat_n(item, self.items).collect()
    }

    fn calls_in_a_round(self) -> u64 {
        (ROUND / (self.size * self.items)).clamp(1, CALLS) as u64
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            size if size < 1 << 10 => write!(f, "{size} B x {}", self.items),
            size => write!(f, "{} KiB x {}", size >> 10, self.items),
        }
    }
}

/// A kind of call, on a directory of its own.
pub trait Work {
    const WHO: &'static str;

    fn open(path: &Path, shape: Shape) -> Self;

    /// Brings about what so many calls need. Not measured.
    fn prepare(&mut self, _calls: u64) {}

    /// Does one call. Measured.
    fn call(&mut self);

    /// Does all calls of a round. Measured.
    fn round(&mut self, calls: u64) {
        for _ in 0..calls {
            self.call();
        }
    }

    /// Checks what the calls have done, and takes it away. Not measured.
    fn finish(&mut self, calls: u64);
}

/// Measures a queue and the floor under it side by side, for each shape.
pub fn compare<Q: Work, F: Work>(criterion: &mut Criterion, name: &str) {
    let mut group = criterion.benchmark_group(name);
    for shape in SHAPES {
        group.throughput(Throughput::Elements(shape.items as u64));
        measure::<Q>(&mut group, shape);
        measure::<F>(&mut group, shape);
    }
    group.finish();
}

fn measure<W: Work>(group: &mut BenchmarkGroup<'_, WallTime>, shape: Shape) {
    group.bench_function(BenchmarkId::new(W::WHO, shape), |bencher| {
        let directory = tempfile::tempdir().unwrap();
        let mut work = W::open(&directory.path().join("queue"), shape);
        bencher.iter_custom(|calls| timed(&mut work, calls, shape.calls_in_a_round()));
    });
}

fn timed(work: &mut impl Work, calls: u64, at_once: u64) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = calls;
    while left > 0 {
        let now = left.min(at_once);
        work.prepare(now);
        let start = Instant::now();
        work.round(now);
        spent += start.elapsed();
        work.finish(now);
        left -= now;
    }
    spent
}
