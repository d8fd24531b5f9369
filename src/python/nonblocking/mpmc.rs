//! `rocksq.nonblocking.MpmcQueue`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

use super::reply::Reply;
use super::{MpmcResponse, inflight_limit};
use crate::error::Result;
use crate::options::StartPosition;
use crate::python::arguments::{Timeout, durability, durability_object, start_position, timeout};
use crate::python::blocking::{leave, seconds};
use crate::python::call::{options, released, waiting};
use crate::python::items::{Copied, items};
use crate::python::shared::Shared;
use crate::{Durability, Wait, blocking, nonblocking, python};

/// The MPMC queue with methods that return at once.
///
/// The constructor opens the queue like that of the blocking class. In a `with` statement the
/// queue is closed at the end.
///
/// >>> import tempfile
/// >>> from rocksq import StartPosition
/// >>> from rocksq.nonblocking import MpmcQueue
/// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=3600)
/// >>> added = queue.add([b"item"])
/// >>> queue.next("label", StartPosition.Oldest).get().data
/// ([b'item'], False)
/// >>> queue.close()
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct MpmcQueue {
    queue: Shared<nonblocking::MpmcQueue>,
}

impl MpmcQueue {
    pub(in crate::python) fn over(
        py: Python<'_>,
        queue: &blocking::MpmcQueue,
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
        operation: impl FnOnce(&blocking::MpmcQueue) -> Result<Reply> + Send + 'static,
    ) -> PyResult<MpmcResponse> {
        waiting(py, Timeout::FOREVER, |wait| {
            self.queue.submit(operation, wait)
        })
        .map(MpmcResponse::new)
    }
}

#[pymethods]
impl MpmcQueue {
    #[new]
    #[pyo3(
        signature = (path, ttl, max_inflight_ops = 1_000, *, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, ttl, max_inflight_ops=1000, *, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        ttl: u64,
        max_inflight_ops: u64,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        let queue = python::blocking::MpmcQueue::open(py, &path, ttl, durability, open_timeout)?;
        Self::over(py, &queue, max_inflight_ops)
    }

    /// Add `items` at the end: all of them, or none.
    ///
    /// The items are copied before the call returns.
    #[pyo3(signature = (items, no_gil = true, *, durability = None))]
    fn add(
        &self,
        items: &Bound<'_, PyAny>,
        no_gil: bool,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<MpmcResponse> {
        let _ = no_gil;
        let py = items.py();
        let items = Copied::new(py, &self::items("add", items)?);
        self.submit(py, move |queue| {
            let durability = durability.unwrap_or(queue.durability());
            queue
                .add_with(&items.items(), durability)
                .map(|()| Reply::Done)
        })
    }

    /// Read up to `max_elements` items under `label` and move the label behind them.
    #[pyo3(signature = (label, start_position, max_elements = 1, no_gil = true, *, durability = None))]
    fn next(
        &self,
        py: Python<'_>,
        label: String,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        max_elements: u64,
        no_gil: bool,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<MpmcResponse> {
        let _ = no_gil;
        self.submit(py, move |queue| {
            let options = options(Wait::NEVER, durability);
            queue
                .next_with(&label, start_position, max_elements, options)
                .map(Reply::Next)
        })
    }

    /// Make everything asked for before the call survive a power cut.
    fn flush(&self, py: Python<'_>) -> PyResult<MpmcResponse> {
        self.submit(py, |queue| queue.flush().map(|()| Reply::Done))
    }

    /// Forget a label and its place: `removed_label` of the answer.
    #[pyo3(signature = (label, no_gil = true))]
    fn remove_label(&self, py: Python<'_>, label: String, no_gil: bool) -> PyResult<MpmcResponse> {
        let _ = no_gil;
        self.submit(py, move |queue| {
            queue.remove_label(&label).map(Reply::Removed)
        })
    }

    /// The labels, in alphabetical order: `labels` of the answer.
    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<MpmcResponse> {
        self.submit(py, |queue| queue.labels().map(Reply::Labels))
    }

    /// Number of live items: `len` of the answer.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<MpmcResponse> {
        self.submit(py, |queue| queue.len().map(Reply::Len))
    }

    /// Bytes that the queue takes on the file system: `size` of the answer.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<MpmcResponse> {
        self.submit(py, |queue| queue.disk_size().map(Reply::Size))
    }

    /// Bytes of all live items: `size` of the answer.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<MpmcResponse> {
        self.submit(py, |queue| queue.payload_size().map(Reply::Size))
    }

    /// Operations that were asked for and are not done.
    #[getter]
    fn inflight_ops(&self, py: Python<'_>) -> PyResult<usize> {
        released(py, || self.queue.inflight_ops())
    }

    /// How many seconds an item lives; 0 for ever.
    #[getter]
    fn ttl(&self) -> u64 {
        seconds(self.queue.blocking().ttl())
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
    fn blocking(&self, py: Python<'_>) -> python::blocking::MpmcQueue {
        python::blocking::MpmcQueue::over(py, self.queue.blocking())
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
            "<rocksq.nonblocking.MpmcQueue path={:?} ttl={}{state}>",
            queue.path(),
            self.ttl(),
        )
    }
}
