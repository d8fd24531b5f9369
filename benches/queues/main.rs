//! What the calls cost, beside what RocksDB alone would: `make bench`.
//!
//! Compare within one run. Figures of different machines, disks or hours do not compare.

// A bench may panic: that is how a difference shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod batches;
mod fifo;
mod floor;
mod mpmc;
mod synced;
mod together;
mod work;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

use work::compare;

fn queues(criterion: &mut Criterion) {
    compare::<fifo::Push, floor::Put>(criterion, "push");
    compare::<fifo::Pop, floor::Take>(criterion, "pop");
    compare::<batches::ReadAndCommit, floor::Take>(criterion, "read and commit");
    compare::<mpmc::Add, floor::Put>(criterion, "add");
    compare::<mpmc::Next, floor::Take>(criterion, "next");
    compare::<together::WriteThenRead, floor::WriteThenRead>(criterion, "write, then read");
    compare::<together::Mixed, floor::Mixed>(criterion, "read while writing");
    synced::compare(criterion);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = queues
}
criterion_main!(benches);
