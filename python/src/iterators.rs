//! Iterators over queues: one that looks, one that takes, one that reads batches.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::arguments::Timeout;
use super::batch::{Batch, Commit, Last};
use super::call::{released, waiting};
use super::{bytes, exit::Closing, shared::Shared};
use rocksq::{ErrorKind, Result};
use rocksq::{Items, Wait};

/// Finds the next item from a position on, and says where the one after it is.
type Look = Box<dyn Fn(u64) -> Result<(Items, u64)> + Send + Sync>;

/// The items of a queue from the oldest on, which stay in it.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct LiveItems {
    look: Look,
    /// Locked only without the GIL, since it is held while the disk is read.
    position: Mutex<u64>,
}

impl LiveItems {
    pub(super) fn new<Q: Closing>(
        queue: &Shared<Q>,
        browse: impl Fn(&Q, u64, u64) -> Result<(Items, u64)> + Send + Sync + 'static,
    ) -> Self {
        let queue = queue.clone();
        Self {
            look: Box::new(move |position| browse(&queue, position, 1)),
            position: Mutex::new(0),
        }
    }

    fn advance(&self) -> Result<Items> {
        let mut position = self.position.lock();
        let (items, next) = (self.look)(*position)?;
        // An iterator that has come to its end stays there, whatever is pushed later.
        *position = if items.is_empty() { u64::MAX } else { next };
        Ok(items)
    }
}

#[pymethods]
impl LiveItems {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let items = released(py, || self.advance())?;
        bytes::first(py, items)
    }
}

/// Takes one item, waiting for it.
type Take = Box<dyn Fn(Wait<'_>) -> Result<Items> + Send + Sync>;

/// Takes item after item, waiting for each, until the queue is closed.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct Consumer(Take);

impl Consumer {
    pub(super) fn new<Q: Closing>(
        queue: &Shared<Q>,
        take: impl Fn(&Q, Wait<'_>) -> Result<Items> + Send + Sync + 'static,
    ) -> Self {
        let queue = queue.clone();
        Self(Box::new(move |wait| take(&queue, wait)))
    }

    /// One item, or none when the queue is closed.
    fn take(&self, wait: Wait<'_>) -> Result<Items> {
        match (self.0)(wait) {
            Err(error) if error.kind() == ErrorKind::Closed => Ok(Items::default()),
            taken => taken,
        }
    }
}

#[pymethods]
impl Consumer {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let items = waiting(py, Timeout::FOREVER, |wait| self.take(wait))?;
        bytes::first(py, items)
    }
}

/// Reads one batch, waiting for it.
type Read = Box<dyn Fn(Wait<'_>) -> Result<rocksq::Batch> + Send + Sync>;

/// Reads batch after batch until the queue is closed, or nothing came in time.
///
/// A batch whose block raised is read again.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct Batches {
    read: Read,
    timeout: Timeout,
    commit: Commit,
    last: Last,
}

impl Batches {
    pub(super) fn new(
        commit: Commit,
        timeout: Timeout,
        read: impl Fn(Wait<'_>) -> Result<rocksq::Batch> + Send + Sync + 'static,
    ) -> Self {
        Self {
            read: Box::new(read),
            timeout,
            commit,
            last: Last::default(),
        }
    }

    /// One batch; none when the queue is closed or nothing came.
    fn read(&self, wait: Wait<'_>) -> Result<Option<rocksq::Batch>> {
        match (self.read)(wait) {
            Err(error) if error.kind() == ErrorKind::Closed => Ok(None),
            read => Ok(Some(read?).filter(|batch| !batch.items().is_empty())),
        }
    }
}

#[pymethods]
impl Batches {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<Batch>>> {
        self.last.check()?;
        let Some(batch) = waiting(py, self.timeout, |wait| self.read(wait))? else {
            return Ok(None);
        };
        let batch = Batch::new(py, batch, Commit::clone(&self.commit))?;
        self.last.is(batch.bind(py).as_super().get());
        Ok(Some(batch))
    }
}
