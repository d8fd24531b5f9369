//! The interpreter's exit: every queue that is still open is closed in order.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::errors::exception;
use super::gate::{Gate, Inside};
use super::logging;
use super::nonblocking::aide;
use rocksq::extension::is_sound;
use rocksq::{Error, ErrorKind, Result};
use rocksq::{blocking, nonblocking};

/// An open queue. Closing it lets operations that are under way finish first.
pub(super) trait Closing: Send + Sync + 'static {
    fn close(&self) -> Result<()>;
}

macro_rules! closing {
    ($($queue:ty),*) => {$(
        impl Closing for $queue {
            fn close(&self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

closing!(
    blocking::PersistentQueueWithCapacity,
    blocking::MpmcQueue,
    nonblocking::PersistentQueueWithCapacity,
    nonblocking::MpmcQueue
);

/// Queues that are, or were, open.
static OPEN: Mutex<Vec<Weak<dyn Closing>>> = Mutex::new(Vec::new());

/// Those who open a queue, or look into one.
static OPENINGS: Gate = Gate::new();

/// Opens a queue, or looks into one: the interpreter does not end meanwhile, and `logging` hears of
/// it before this returns.
pub(super) fn opening<T>(
    py: Python<'_>,
    work: impl FnOnce(Python<'_>) -> PyResult<T>,
) -> PyResult<T> {
    let _inside = begin_opening().map_err(|error| exception(py, &error))?;
    logging::heard_by(py, work)
}

fn begin_opening() -> Result<Inside<'static>> {
    OPENINGS.enter().ok_or_else(|| {
        let message = "The interpreter is about to end: no queue can be opened any more";
        Error::new(ErrorKind::Closed, message)
    })
}

/// Remembers an open queue.
pub(super) fn register<Q: Closing>(queue: &Arc<Q>) {
    let queue: Arc<dyn Closing> = Arc::clone(queue) as _;
    let mut open = OPEN.lock();
    // Whenever it would have to grow, those that are gone go first.
    if open.len() == open.capacity() {
        open.retain(|queue| queue.strong_count() > 0);
    }
    open.push(Arc::downgrade(&queue));
}

/// Closes every queue that is open; what goes wrong is reported as Python reports errors that
/// nobody can catch.
pub(super) fn close_all(py: Python<'_>) {
    // The parent may have held the locks when this child was forked.
    if !is_sound() {
        return;
    }
    py.detach(|| OPENINGS.shut());
    let closed = logging::heard_by(py, |py| {
        for error in py.detach(close_each) {
            exception(py, &error).write_unraisable(py, None);
        }
        // What was answered by that has callbacks.
        aide::finish(py);
        Ok(())
    });
    if let Err(error) = closed {
        error.write_unraisable(py, None);
    }
    logging::end(py);
}

/// Closes them; returns what went wrong.
fn close_each() -> Vec<Error> {
    let open: Vec<_> = OPEN.lock().iter().filter_map(Weak::upgrade).collect();
    open.into_iter()
        .filter_map(|queue| queue.close().err())
        .collect()
}
