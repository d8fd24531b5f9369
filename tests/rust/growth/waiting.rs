//! With ten items waiting and with ten million.

use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use super::turns::{calls, compare, pops, pushes, untimed};
use super::{FEW, HOUR, fill, many};
use crate::support::measured::figure;
use crate::support::{Home, ROOMY};

const STATS: Duration = Duration::from_micros(20);

#[test]
fn a_fifo_queue_is_as_quick_with_many_items_as_with_few() {
    let home = Home::in_memory();
    let [few, many] = [("few", FEW), ("many", many())].map(|(name, count)| {
        let queue = Fifo::new(home.at(name), ROOMY).unwrap();
        fill(count, |items| queue.push(items).unwrap());
        queue
    });
    compare("push", || pushes(&few), || pushes(&many));
    compare("pop", || pops(&few), || pops(&many));
    let len = |queue: &Fifo| calls(|| queue.len().unwrap());
    compare("len", || len(&few), || len(&many));
    let payload = |queue: &Fifo| calls(|| queue.payload_size().unwrap());
    compare("payload_size", || payload(&few), || payload(&many));
    let stats = |queue: &Fifo| calls(|| queue.stats().unwrap());
    let one = compare("stats", || stats(&few), || stats(&many));
    figure("stats(), s", one.as_secs_f64(), STATS.as_secs_f64());
    let pop_and_stats = |queue: &Fifo| {
        untimed(|| queue.push(&["again"]).unwrap());
        calls(|| {
            assert_eq!(queue.pop(1).unwrap().len(), 1);
            queue.stats().unwrap()
        })
    };
    let both = compare(
        "pop and stats",
        || pop_and_stats(&few),
        || pop_and_stats(&many),
    );
    figure(
        "stats() and another call, s",
        both.as_secs_f64(),
        STATS.as_secs_f64(),
    );
}

#[test]
fn an_mpmc_queue_is_as_quick_with_many_items_as_with_few() {
    let home = Home::in_memory();
    let [few, many] = [("few", FEW), ("many", many())].map(|(name, count)| {
        let queue = MpmcQueue::new(home.at(name), HOUR).unwrap();
        fill(count, |items| queue.add(items).unwrap());
        queue
    });
    let add = |queue: &MpmcQueue| calls(|| queue.add(&["again"]).unwrap());
    compare("add", || add(&few), || add(&many));
    let next = |queue: &MpmcQueue| {
        untimed(|| queue.add(&["again"]).unwrap());
        calls(|| assert_eq!(queue.next("label", Oldest, 1).unwrap().items.len(), 1))
    };
    compare("next", || next(&few), || next(&many));
    let len = |queue: &MpmcQueue| calls(|| queue.len().unwrap());
    compare("len", || len(&few), || len(&many));
    let stats = |queue: &MpmcQueue| calls(|| queue.stats().unwrap());
    let one = compare("stats", || stats(&few), || stats(&many));
    figure("stats(), s", one.as_secs_f64(), STATS.as_secs_f64());
}
