//! The persistent queue: push, pop, wait, bound, and find everything again after a restart.
//!
//! `cargo run --release --example persistent_queue [DIRECTORY]`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity;
use rocksq::{ErrorKind, Items};

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let path = directory
        .as_deref()
        .unwrap_or(temporary.path())
        .join("frames");
    fill(&path)?;
    Ok(drain(&path)?)
}

fn fill(path: &Path) -> rocksq::Result<()> {
    let queue = PersistentQueueWithCapacity::new(path, 3)?;
    queue.push(&["one", "two", "three"])?; // all of them, or none
    match queue.push(&["four"]) {
        Err(error) if error.kind() == ErrorKind::Full => println!("full at {} items", queue.len()?),
        other => other?,
    }
    println!("took {}", text(&queue.pop(1)?));
    queue.close()
}

fn drain(path: &Path) -> rocksq::Result<()> {
    let queue = PersistentQueueWithCapacity::new(path, 3)?; // after a restart
    println!("took {}", text(&queue.pop(10)?)); // at most 10: what is there
    let waited = queue.pop_wait(1, Duration::from_millis(100).into())?;
    println!("waited in vain: {}", waited.is_empty());
    queue.close()
}

fn text(items: &Items) -> String {
    let items: Vec<_> = items.iter().map(String::from_utf8_lossy).collect();
    items.join(", ")
}
