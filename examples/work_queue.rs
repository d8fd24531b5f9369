//! A work queue with a pool of threads that finishes every job, whatever dies in between.
//!
//! The jobs of a batch are done side by side and leave the queue when all of them are done. A
//! program that is killed does the jobs of its last batch again when it comes back, so a job must
//! bear to be done twice.
//!
//! `cargo run --release --example work_queue`

use std::error::Error;
use std::thread;

use rocksq::Wait;
use rocksq::blocking::PersistentQueueWithCapacity;

const THREADS: u64 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let queue = PersistentQueueWithCapacity::new(directory.path().join("jobs"), 1_000)?;
    let jobs: Vec<_> = (1..=10).map(|number| number.to_string()).collect();
    queue.push(&jobs)?;

    loop {
        let batch = queue.read(THREADS, Wait::NEVER)?;
        if batch.items().is_empty() {
            return Ok(queue.close()?);
        }
        thread::scope(|scope| {
            for job in batch.items().iter() {
                scope.spawn(|| work(job));
            }
        });
        queue.commit(&batch)?;
    }
}

/// Does one job: anything that may run in a thread.
fn work(job: &[u8]) {
    println!("done {}", String::from_utf8_lossy(job));
}
