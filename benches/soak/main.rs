//! A steady flow through a queue whose consumer keeps up, for long: `make soak`.
//!
//! Each push is followed by a put of the same size into a bare RocksDB with the same settings. Every
//! minute it is reported, and at the end judged, what is held on disk and in memory, whether RocksDB
//! made writes wait, and how long calls took.
//!
//! From the environment: `SECONDS` (600), `RATE` in pushes a second (10,000; 0 for as fast as it
//! goes), `SIZE` of an item in bytes (1,024). It runs where `TMPDIR` is.

// A bench may panic: that is how a difference shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod bare;
#[path = "../../tests/rust/support/figures.rs"]
#[allow(dead_code, reason = "the tests use all of them")]
mod figures;
mod flow;
#[path = "../../tests/rust/support/hearing.rs"]
mod hearing;
mod held;
mod latency;
mod stalls;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use flow::Flow;
use held::Held;

const MIB: u64 = 1 << 20;
/// Four write buffers.
const MOST_DISK: u64 = 4 * 24 * MIB;
/// What memory may grow by after the first tenth of the time.
const MOST_GROWTH: u64 = 32 * MIB;
/// So much longer than a put may the slowest of a thousand pushes take.
const MOST_LATENCY: u32 = 3;
const LOOK: Duration = Duration::from_millis(20);
const REPORT: Duration = Duration::from_secs(60);

fn set(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn main() -> ExitCode {
    // Cargo passes arguments to every bench.
    let whole = Duration::from_secs(set("SECONDS", 600));
    let home = tempfile::tempdir().unwrap();
    let stalls = stalls::count();
    let flow = Flow::new(home.path(), set("SIZE", 1024) as usize, set("RATE", 10_000));
    let mut held = Held::new(flow.queue.path());
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| flow.produce());
        scope.spawn(|| flow.consume());
        let mut reported = begin;
        while begin.elapsed() < whole {
            std::thread::sleep(LOOK);
            held.look(begin.elapsed() >= whole / 10);
            if reported.elapsed() >= REPORT {
                reported = Instant::now();
                report(
                    begin.elapsed(),
                    &flow,
                    &held,
                    stalls.load(Ordering::Relaxed),
                );
            }
        }
        flow.over.store(true, Ordering::Relaxed);
    });
    report(
        begin.elapsed(),
        &flow,
        &held,
        stalls.load(Ordering::Relaxed),
    );
    judge(&flow, &held, stalls.load(Ordering::Relaxed))
}

fn report(since: Duration, flow: &Flow, held: &Held, stalls: u64) {
    let took = flow.took.lock().unwrap();
    println!(
        "{:4} s: {} pushed, {} waiting; {held}; {stalls} stalls",
        since.as_secs(),
        took.push.count(),
        flow.queue.len().unwrap()
    );
    for (name, latency) in [("put", &took.put), ("push", &took.push), ("pop", &took.pop)] {
        println!("        {name:4} {latency}");
    }
}

/// Says of each target whether it holds.
fn judge(flow: &Flow, held: &Held, stalls: u64) -> ExitCode {
    let took = flow.took.lock().unwrap();
    let (put, push) = (took.put.quantile(0.999), took.push.quantile(0.999));
    let targets = [
        ("disk held at most 4 write buffers", held.disk <= MOST_DISK),
        ("memory does not grow", held.growth() <= MOST_GROWTH),
        ("no stall", stalls == 0),
        (
            "p99.9 of a push at most 3 times that of a put",
            push <= put * MOST_LATENCY,
        ),
    ];
    for (target, holds) in targets {
        println!("{} {target}", if holds { "holds:" } else { "FAILS:" });
    }
    match targets.iter().all(|(_, holds)| *holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
