//! One kind of call, so often, for tools that count: `make bench-check`.
//!
//! The first argument names the work, the second says how many calls, the third how many are
//! prepared for, so that what comes before does not depend on how many are done. What is counted is
//! what [`measured`] does; it prints how many bytes the process has written meanwhile.

// A bench may panic: that is how a difference shows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod works;

use std::hint::black_box;

/// Does the calls. Counting begins and ends with it.
#[inline(never)]
fn measured(calls: u64, call: &mut dyn FnMut()) {
    for _ in 0..calls {
        call();
    }
    black_box(call);
}

/// Bytes that the process has handed to the operating system.
fn written() -> u64 {
    let counters = std::fs::read_to_string("/proc/self/io").unwrap();
    let mut lines = counters.lines();
    let count = lines.find_map(|line| line.strip_prefix("wchar:"));
    count.unwrap().trim().parse().unwrap()
}

fn count(calls: u64, call: &mut dyn FnMut()) {
    let before = written();
    measured(calls, call);
    println!("{}", written() - before);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, work, calls, prepared] = arguments.as_slice() else {
        return works::NAMES.iter().for_each(|name| println!("{name}"));
    };
    let home = tempfile::tempdir().unwrap();
    let mut call = works::prepare(work, prepared.parse().unwrap(), home.path());
    count(calls.parse().unwrap(), &mut *call);
}
