//! The MPMC queue: every label reads every item, at its own pace, and keeps its place.
//!
//! `cargo run --release --example mpmc_queue [DIRECTORY]`

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use rocksq::Items;
use rocksq::mpmc::{MpmcQueue, StartPosition};

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let path = directory
        .as_deref()
        .unwrap_or(temporary.path())
        .join("events");

    let queue = MpmcQueue::new(&path, HOUR)?;
    queue.add(&["created", "changed", "deleted"])?;
    let read = queue.next("audit", StartPosition::Oldest, 2)?;
    println!("audit read {}", text(&read.items));
    let read = queue.next("screen", StartPosition::Newest, 10)?; // only the last one matters
    println!("screen read {}", text(&read.items));
    queue.close()?;

    let queue = MpmcQueue::new(&path, HOUR)?; // after a restart
    println!("labels {}", queue.labels()?.join(", "));
    let read = queue.next("audit", StartPosition::Oldest, 10)?;
    println!("audit goes on with {}", text(&read.items));
    Ok(queue.close()?)
}

fn text(items: &Items) -> String {
    let items: Vec<_> = items.iter().map(String::from_utf8_lossy).collect();
    items.join(", ")
}
