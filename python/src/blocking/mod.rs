//! The classes of `rocksq.blocking`.

mod fifo;
mod mpmc;

pub(super) use fifo::PersistentQueueWithCapacity;
pub(super) use mpmc::{MpmcQueue, seconds, ttl};

use std::path::Path;

use pyo3::PyErr;
use pyo3::exceptions::PyTypeError;
use rocksq::extension::Amount;
use rocksq::{ErrorKind, Result};

/// How `repr` shows what is in a queue, or why it shows nothing.
pub(crate) fn state(present: Option<Result<Amount>>) -> String {
    let Some(present) = present else {
        return "busy".to_owned();
    };
    match present {
        Ok(Amount { items, bytes }) => format!("len={items} bytes={bytes}"),
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

/// Why a queue cannot be pickled or copied.
pub(crate) fn stays_here(path: &Path) -> PyErr {
    PyTypeError::new_err(format!(
        "a queue stays in its process and cannot be pickled or copied: send its path, {path:?}, and \
         open it where it is needed, in one process at a time"
    ))
}
