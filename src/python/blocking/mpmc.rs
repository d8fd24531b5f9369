//! `rocksq.blocking.MpmcQueue`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::blocking;
use crate::options::{Durability, MpmcOptions, StartPosition};
use crate::python::arguments::{Timeout, durability, durability_object, start_position, timeout};
use crate::python::batch::Batch;
use crate::python::call::{opening, options, released, waiting};
use crate::python::items::items;
use crate::python::iterators::{Consumer, LiveItems};
use crate::python::shared::Shared;
use crate::python::{bytes, nonblocking};

/// A durable log of items that live for a TTL, in a directory; each label reads every item once.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct MpmcQueue {
    queue: Shared<blocking::MpmcQueue>,
}

impl MpmcQueue {
    pub(in crate::python) fn over(py: Python<'_>, queue: blocking::MpmcQueue) -> Self {
        Self {
            queue: Shared::new(py, queue),
        }
    }

    /// Opens the queue for either of its faces.
    pub(in crate::python) fn open(
        py: Python<'_>,
        path: &PathBuf,
        ttl: u64,
        durability: Option<Durability>,
        open_timeout: Timeout,
    ) -> PyResult<blocking::MpmcQueue> {
        opening(py, open_timeout, |open_timeout| {
            let options = MpmcOptions {
                ttl: (ttl > 0).then(|| Duration::from_secs(ttl)),
                durability: durability.unwrap_or_default(),
                open_timeout,
            };
            blocking::MpmcQueue::open(path, options)
        })
    }
}

/// The TTL in seconds, 0 for items that never expire.
pub(in crate::python) fn seconds(ttl: Option<Duration>) -> u64 {
    ttl.map_or(0, |ttl| ttl.as_secs())
}

#[pymethods]
impl MpmcQueue {
    #[new]
    #[pyo3(
        signature = (path, ttl, *, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, ttl, *, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        ttl: u64,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        Self::open(py, &path, ttl, durability, open_timeout).map(|queue| Self::over(py, queue))
    }

    /// Adds items at the end: all of them, or none.
    #[pyo3(signature = (items, no_gil = true, *, durability = None))]
    fn add(
        &self,
        items: &Bound<'_, PyAny>,
        no_gil: bool,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<()> {
        let _ = no_gil;
        let py = items.py();
        let items = self::items("add", items)?;
        let durability = durability.unwrap_or(self.queue.durability());
        released(py, || self.queue.add_with(&items, durability))
    }

    /// Reads up to max_elements items under label and moves the label behind them.
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (label, start_position, max_elements = 1, no_gil = true, *, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, label, start_position, max_elements=1, no_gil=True, *, timeout=0, durability=None)"
    )]
    fn next<'py>(
        &self,
        py: Python<'py>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        max_elements: u64,
        no_gil: bool,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<(Bound<'py, PyList>, bool)> {
        let _ = no_gil;
        let next = waiting(py, timeout, |wait| {
            let options = options(wait, durability);
            self.queue
                .next_with(label, start_position, max_elements, options)
        })?;
        Ok((bytes::list(py, next.items)?, next.expired))
    }

    /// Reads up to n items under label without moving it; commit() moves it.
    #[pyo3(
        signature = (label, start_position, n = 1, timeout = Timeout::NEVER),
        text_signature = "($self, label, start_position, n=1, timeout=0)"
    )]
    fn read(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        n: u64,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<Batch> {
        let batch = waiting(py, timeout, |wait| {
            self.queue.read(label, start_position, n, wait)
        })?;
        Batch::new(py, batch)
    }

    /// Moves the label of a batch behind its items; raises Conflict if it was moved since.
    #[pyo3(signature = (batch, *, durability = None))]
    fn commit(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, Batch>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<()> {
        let batch = batch.get().batch();
        let durability = durability.unwrap_or(self.queue.durability());
        released(py, || self.queue.commit_with(batch, durability))
    }

    /// The next n items of label, without moving or making it.
    #[pyo3(signature = (label, start_position, n = 1))]
    fn peek<'py>(
        &self,
        py: Python<'py>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        n: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let items = released(py, || self.queue.peek(label, start_position, n))?;
        bytes::list(py, items)
    }

    /// The live items from the oldest on, wherever the labels are.
    fn __iter__(&self) -> LiveItems {
        LiveItems::new(&self.queue, blocking::MpmcQueue::browse)
    }

    /// An iterator that reads item after item under label until the queue is closed.
    fn consume(
        &self,
        label: String,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
    ) -> Consumer {
        Consumer::new(&self.queue, move |queue, wait| {
            Ok(queue.next_wait(&label, start_position, 1, wait)?.items)
        })
    }

    /// Whether there is no live item.
    #[getter]
    fn is_empty(&self, py: Python<'_>) -> PyResult<bool> {
        released(py, || self.queue.is_empty())
    }

    /// Bytes that the queue takes on the file system.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.disk_size())
    }

    /// Bytes of all live items.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.payload_size())
    }

    /// Number of live items.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.len())
    }

    /// The labels, in alphabetical order.
    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        released(py, || self.queue.labels())
    }

    /// Forgets a label and its place; False when there is no such label.
    #[pyo3(signature = (label, no_gil = true))]
    fn remove_label(&self, py: Python<'_>, label: &str, no_gil: bool) -> PyResult<bool> {
        let _ = no_gil;
        released(py, || self.queue.remove_label(label))
    }

    /// How many seconds an item lives; 0 for ever.
    #[getter]
    fn ttl(&self) -> u64 {
        seconds(self.queue.ttl())
    }

    /// How durable what a call does is when it returns, unless the call says otherwise.
    #[getter]
    fn durability<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        durability_object(py, self.queue.durability())
    }

    /// The directory of the queue.
    #[getter]
    fn path(&self) -> &OsStr {
        self.queue.path().as_os_str()
    }

    /// Whether the queue was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.queue.is_closed())
    }

    /// Makes everything done before the call survive a power cut.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.queue.flush())
    }

    /// Ends every wait with Closed, syncs and closes. Closing twice does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.queue.close())
    }

    /// The nonblocking face of the same open queue.
    #[pyo3(signature = (max_inflight_ops = 1_000))]
    fn nonblocking(
        &self,
        py: Python<'_>,
        max_inflight_ops: u64,
    ) -> PyResult<nonblocking::MpmcQueue> {
        nonblocking::MpmcQueue::over(py, &self.queue, max_inflight_ops)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(usize::try_from(self.len(py)?)?)
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(!self.is_empty(py)?)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().len(slf.py())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        released(py, || super::leave(self.queue.close()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let state = py.detach(|| super::state(self.queue.len()));
        format!(
            "<rocksq.blocking.MpmcQueue path={:?} ttl={} {state}>",
            self.queue.path(),
            self.ttl(),
        )
    }
}
