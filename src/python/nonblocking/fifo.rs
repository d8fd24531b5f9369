//! `rocksq.nonblocking.PersistentQueueWithCapacity`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

use super::reply::Reply;
use super::{Response, inflight_limit};
use crate::error::Result;
use crate::python::arguments::{Timeout, durability, durability_object, timeout};
use crate::python::blocking::leave;
use crate::python::call::{options, released, waiting};
use crate::python::items::{Copied, items};
use crate::python::shared::Shared;
use crate::{Durability, Wait, blocking, nonblocking, python};

/// The persistent queue with methods that return at once.
///
/// The constructor opens the queue like that of the blocking class. In a `with` statement the
/// queue is closed at the end.
///
/// >>> import tempfile
/// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
/// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
/// >>> pushed = queue.push([b"item"])
/// >>> queue.pop().get().data
/// [b'item']
/// >>> queue.close()
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct PersistentQueueWithCapacity {
    queue: Shared<nonblocking::PersistentQueueWithCapacity>,
}

impl PersistentQueueWithCapacity {
    pub(in crate::python) fn over(
        py: Python<'_>,
        queue: &blocking::PersistentQueueWithCapacity,
        max_inflight_ops: u64,
    ) -> PyResult<Self> {
        let queue = released(py, || queue.nonblocking(inflight_limit(max_inflight_ops)))?;
        Ok(Self {
            queue: Shared::new(py, queue),
        })
    }

    /// Has the worker do `operation`; waits when too many are under way.
    fn submit(
        &self,
        py: Python<'_>,
        operation: impl FnOnce(&blocking::PersistentQueueWithCapacity) -> Result<Reply> + Send + 'static,
    ) -> PyResult<Response> {
        waiting(py, Timeout::FOREVER, |wait| {
            self.queue.submit(operation, wait)
        })
        .map(Response::new)
    }
}

#[pymethods]
impl PersistentQueueWithCapacity {
    #[new]
    #[pyo3(
        signature = (path, max_elements = 1_000_000_000, max_inflight_ops = 1_000, *, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, max_elements=1000000000, max_inflight_ops=1000, *, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        max_elements: u64,
        max_inflight_ops: u64,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        type Blocking = python::blocking::PersistentQueueWithCapacity;
        let queue = Blocking::open(py, &path, max_elements, durability, open_timeout)?;
        Self::over(py, &queue, max_inflight_ops)
    }

    /// Add `items` at the end: all of them, or none. The response tells whether they fitted.
    ///
    /// The items are copied before the call returns.
    #[pyo3(signature = (items, no_gil = true, *, durability = None))]
    fn push(
        &self,
        items: &Bound<'_, PyAny>,
        no_gil: bool,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Response> {
        let _ = no_gil;
        let py = items.py();
        let items = Copied::new(py, &self::items("push", items)?);
        self.submit(py, move |queue| {
            queue
                .push_with(&items.items(), options(Wait::NEVER, durability))
                .map(|()| Reply::Done)
        })
    }

    /// Take up to `max_elements` items, oldest first: `data` of the answer.
    #[pyo3(signature = (max_elements = 1, no_gil = true, *, durability = None))]
    fn pop(
        &self,
        py: Python<'_>,
        max_elements: u64,
        no_gil: bool,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Response> {
        let _ = no_gil;
        self.submit(py, move |queue| {
            queue
                .pop_with(max_elements, options(Wait::NEVER, durability))
                .map(Reply::Items)
        })
    }

    /// Make everything asked for before the call survive a power cut.
    ///
    /// >>> import tempfile
    /// >>> from rocksq import Durability
    /// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    /// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp(), durability=Durability.Buffered)
    /// >>> pushed = queue.push([b"item"])
    /// >>> flushed = queue.flush().get()
    /// >>> queue.close()
    fn flush(&self, py: Python<'_>) -> PyResult<Response> {
        self.submit(py, |queue| queue.flush().map(|()| Reply::Done))
    }

    /// Number of items in the queue: `len` of the answer.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<Response> {
        self.submit(py, |queue| queue.len().map(Reply::Len))
    }

    /// Bytes that the queue takes on the file system: `size` of the answer.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<Response> {
        self.submit(py, |queue| queue.disk_size().map(Reply::Size))
    }

    /// Bytes of all items in the queue: `size` of the answer.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<Response> {
        self.submit(py, |queue| queue.payload_size().map(Reply::Size))
    }

    /// Operations that were asked for and are not done.
    #[getter]
    fn inflight_ops(&self, py: Python<'_>) -> PyResult<usize> {
        released(py, || self.queue.inflight_ops())
    }

    /// The number of items that the queue can hold at once.
    #[getter]
    fn max_elements(&self) -> u64 {
        self.queue.blocking().max_elements()
    }

    /// How durable what a call does is when it is answered, unless the call says otherwise.
    #[getter]
    fn durability<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        durability_object(py, self.queue.blocking().durability())
    }

    /// The directory of the queue, as it was given.
    #[getter]
    fn path(&self) -> OsString {
        self.queue.blocking().path().into()
    }

    /// Whether the queue was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.queue.blocking().is_closed())
    }

    /// Let the operations under way finish, sync and close. Closing twice does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.queue.close())
    }

    /// Return the blocking face of the same open queue. Closing either closes the queue.
    fn blocking(&self, py: Python<'_>) -> python::blocking::PersistentQueueWithCapacity {
        python::blocking::PersistentQueueWithCapacity::over(py, self.queue.blocking())
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let queue = slf.get();
        released(slf.py(), || queue.queue.blocking().len())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        released(py, || leave(self.queue.close()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let queue = self.queue.blocking();
        let state = match py.detach(|| queue.is_closed()) {
            true => " closed",
            false => "",
        };
        format!(
            "<rocksq.nonblocking.PersistentQueueWithCapacity path={:?} max_elements={}{state}>",
            queue.path(),
            queue.max_elements(),
        )
    }
}
