//! The classes of `rocksq.blocking`.

mod fifo;
mod mpmc;

pub(super) use fifo::PersistentQueueWithCapacity;
pub(super) use mpmc::{MpmcQueue, seconds};

use crate::error::{ErrorKind, Result};

/// How `repr` shows a queue's length, or that it has none to show.
fn state(len: Result<u64>) -> String {
    match len {
        Ok(len) => format!("len={len}"),
        Err(error) if error.kind() == ErrorKind::Closed => "closed".to_owned(),
        Err(error) if error.kind() == ErrorKind::Forked => "forked".to_owned(),
        Err(_) => "failed".to_owned(),
    }
}

/// What leaving a `with` block makes of closing the queue: a forked child leaves the queue to its
/// parent, as its destructors do.
pub(super) fn leave(closed: Result<()>) -> Result<()> {
    match closed {
        Err(error) if error.kind() == ErrorKind::Forked => Ok(()),
        closed => closed,
    }
}
