//! Both queues with calls that return at once, and answers that come later.
//!
//! `cargo run --release --example nonblocking`

use std::error::Error;
use std::time::Duration;

use rocksq::mpmc::StartPosition;
use rocksq::nonblocking::{MpmcQueue, PersistentQueueWithCapacity};

const MAX_INFLIGHT_OPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;

    let queue =
        PersistentQueueWithCapacity::new(directory.path().join("frames"), 100, MAX_INFLIGHT_OPS)?;
    // Nothing here waits for the disk. A worker does the calls in the order in which they came.
    let pushed = queue.push(vec![b"first".to_vec(), b"other".to_vec()])?;
    let popped = queue.pop(1)?;
    pushed.get()?; // waits, and returns the error of the push if there was one
    println!("took {} item", popped.get()?.len());
    println!("left {}", queue.len()?.get()?);
    queue.close()?;

    let minute = Duration::from_secs(60);
    let queue = MpmcQueue::new(directory.path().join("events"), minute, MAX_INFLIGHT_OPS)?;
    let added = queue.add(vec![b"created".to_vec()])?;
    let read = queue.next("audit", StartPosition::Oldest, 10)?;
    added.get()?;
    println!("audit read {} item", read.get()?.items.len());
    Ok(queue.close()?)
}
