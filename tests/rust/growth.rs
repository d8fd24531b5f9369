//! Operations cost the same whatever is waiting.
//!
//! `ROCKSQ_GROWTH_ITEMS` sets the number of items; the default is ten million.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use crate::support::{Home, ROOMY};

const FEW: u64 = 10;
const PUSH: u64 = 10_000;
/// So much more may it take with many items than with few.
const RATIO: f64 = 3.0;
const HOUR: Duration = Duration::from_secs(3600);

fn many() -> u64 {
    std::env::var("ROCKSQ_GROWTH_ITEMS").map_or(10_000_000, |text| text.parse().unwrap())
}

/// Tiny items, some at a time, until there are so many.
fn fill(count: u64, mut push: impl FnMut(&[String])) {
    let mut from = 0;
    while from < count {
        let items: Vec<_> = (from..count.min(from + PUSH))
            .map(|n| n.to_string())
            .collect();
        push(&items);
        from += PUSH;
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Measures by turns with few and with many items, so that both meet the same noise.
fn compare(
    what: &str,
    times: usize,
    noise: Duration,
    mut few: impl FnMut() -> Duration,
    mut many: impl FnMut() -> Duration,
) {
    let (few, many) = (0..times).map(|_| (few(), many())).unzip();
    let (few, many) = (median(few), median(many));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    eprintln!("{what}: {few:?} with few items, {many:?} with many, ratio {ratio:.2}");
    let floor = few.max(noise).as_secs_f64();
    assert!(
        many.as_secs_f64() <= floor * RATIO,
        "{what} grows: {few:?} to {many:?}"
    );
}

fn timed<T>(operation: impl FnOnce() -> T) -> Duration {
    let begin = Instant::now();
    black_box(operation());
    begin.elapsed()
}

#[test]
fn a_fifo_queue_is_as_quick_with_many_items_as_with_few() {
    let home = Home::new();
    let paths = [home.at("few"), home.at("many")];
    let begin = Instant::now();
    for (path, count) in paths.iter().zip([FEW, many()]) {
        let queue = Fifo::new(path, ROOMY).unwrap();
        fill(count, |items| queue.push(items).unwrap());
    }
    eprintln!("{} items pushed in {:?}", many(), begin.elapsed());

    let open = |path| {
        let begin = Instant::now();
        let queue = Fifo::new(path, ROOMY).unwrap();
        let took = begin.elapsed();
        queue.close().unwrap();
        took
    };
    compare(
        "opening",
        9,
        Duration::from_millis(5),
        || open(&paths[0]),
        || open(&paths[1]),
    );

    let first_pop = |path| {
        let queue = Fifo::new(path, ROOMY).unwrap();
        let took = timed(|| assert_eq!(queue.pop(1).unwrap().len(), 1));
        queue.push(&["again"]).unwrap();
        took
    };
    let floor = Duration::from_millis(1);
    compare(
        "first pop",
        9,
        floor,
        || first_pop(&paths[0]),
        || first_pop(&paths[1]),
    );

    let [few, many] = paths.each_ref().map(|path| Fifo::new(path, ROOMY).unwrap());
    let len = |queue: &Fifo| timed(|| queue.len().unwrap());
    compare(
        "len",
        1001,
        Duration::from_micros(1),
        || len(&few),
        || len(&many),
    );
    let payload = |queue: &Fifo| timed(|| queue.payload_size().unwrap());
    compare(
        "payload_size",
        1001,
        Duration::from_micros(1),
        || payload(&few),
        || payload(&many),
    );
    let pop = |queue: &Fifo| {
        let took = timed(|| assert_eq!(queue.pop(1).unwrap().len(), 1));
        queue.push(&["again"]).unwrap();
        took
    };
    compare(
        "pop",
        1001,
        Duration::from_micros(10),
        || pop(&few),
        || pop(&many),
    );
}

#[test]
fn an_mpmc_queue_is_as_quick_with_many_items_as_with_few() {
    let home = Home::new();
    let paths = [home.at("few"), home.at("many")];
    for (path, count) in paths.iter().zip([FEW, many()]) {
        let queue = MpmcQueue::new(path, HOUR).unwrap();
        fill(count, |items| queue.add(items).unwrap());
    }
    let open = |path| {
        let begin = Instant::now();
        let queue = MpmcQueue::new(path, HOUR).unwrap();
        let took = begin.elapsed();
        queue.close().unwrap();
        took
    };
    compare(
        "opening",
        9,
        Duration::from_millis(5),
        || open(&paths[0]),
        || open(&paths[1]),
    );

    let first_len = |path| {
        let queue = MpmcQueue::new(path, HOUR).unwrap();
        timed(|| queue.len().unwrap())
    };
    let floor = Duration::from_millis(1);
    compare(
        "first len",
        9,
        floor,
        || first_len(&paths[0]),
        || first_len(&paths[1]),
    );

    let [few, many] = paths
        .each_ref()
        .map(|path| MpmcQueue::new(path, HOUR).unwrap());
    let len = |queue: &MpmcQueue| timed(|| queue.len().unwrap());
    compare(
        "len",
        1001,
        Duration::from_micros(1),
        || len(&few),
        || len(&many),
    );
    let next = |queue: &MpmcQueue| {
        let took = timed(|| assert_eq!(queue.next("x", Oldest, 1).unwrap().items.len(), 1));
        queue.add(&["again"]).unwrap();
        took
    };
    compare(
        "next",
        1001,
        Duration::from_micros(10),
        || next(&few),
        || next(&many),
    );
}
