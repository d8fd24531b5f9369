//! `Response` and `MpmcResponse`: what a call hands back while the worker does the work.

use std::sync::Arc;

use pyo3::exceptions::{PyTimeoutError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyType};

use super::awaiting::{Awaiting, Outcome, thrown};
use super::callbacks;
use super::coroutine::Coroutine;
use super::pending::{Failure, Keeper, Pending};
use super::reply::Reply;
use super::variant::{Answered, MpmcResponseVariant, ResponseVariant};
use crate::arguments::{Timeout, timeout};
use crate::errors::exception;
use rocksq::Error;
use rocksq::nonblocking;

/// The answer to an operation that may be under way.
///
/// It can be awaited, made a task of like any coroutine, and asked like a
/// `concurrent.futures.Future`.
///
/// >>> import asyncio, tempfile
/// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
/// >>> async def main() -> None:
/// ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
/// ...         popped = asyncio.ensure_future(queue.pop(timeout=None))
/// ...         await queue.push([b"item"])
/// ...         print(await popped)
/// >>> asyncio.run(main())
/// [b'item']
#[pyclass(frozen, subclass, weakref, module = "rocksq.nonblocking")]
pub struct ResponseBase {
    pending: Arc<Pending>,
    coroutine: Coroutine,
}

impl ResponseBase {
    /// The answer, if it came in time.
    fn within(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Option<Answered>> {
        if !self.pending.wait(py, timeout)? {
            return Ok(None);
        }
        self.pending.claim(py).map_err(|failure| failure.raise(py))
    }

    fn get(&self, py: Python<'_>) -> PyResult<Answered> {
        match self.within(py, Timeout::FOREVER)? {
            Some(answered) => Ok(answered),
            None => Err(PyTimeoutError::new_err(())),
        }
    }

    fn check_not_cancelled(&self, py: Python<'_>) -> PyResult<()> {
        match self.pending.is_cancelled() {
            true => Err(Failure::Operation(Error::cancelled()).raise(py)),
            false => Ok(()),
        }
    }
}

#[pymethods]
impl ResponseBase {
    /// Whether the answer is there. Asking claims nothing.
    #[getter]
    fn is_ready(&self) -> bool {
        self.pending.is_ready()
    }

    /// Wait for the answer up to `timeout` seconds (None: for ever) and claim it.
    ///
    /// Returns the plain value, the same each time. Raises what the operation failed with,
    /// `TimeoutError` when the answer did not come in time, which cancels nothing, and
    /// `concurrent.futures.CancelledError` when it was cancelled.
    #[pyo3(signature = (timeout = Timeout::FOREVER), text_signature = "($self, timeout=None)")]
    fn result(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<Py<PyAny>> {
        match self.within(py, timeout)? {
            Some(answered) => Ok(answered.value),
            None => Err(PyTimeoutError::new_err(())),
        }
    }

    /// Wait like `result` and return what the operation failed with, or None.
    ///
    /// Claims nothing.
    #[pyo3(signature = (timeout = Timeout::FOREVER), text_signature = "($self, timeout=None)")]
    fn exception(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<Option<Py<PyAny>>> {
        if !self.pending.wait(py, timeout)? {
            return Err(PyTimeoutError::new_err(()));
        }
        self.check_not_cancelled(py)?;
        let failure = self.pending.failure();
        Ok(failure.map(|error| exception(py, &error).into_value(py).into_any()))
    }

    /// Whether the operation is done or was cancelled.
    fn done(&self) -> bool {
        self.pending.is_ready()
    }

    /// Give the operation up, if it is not too late; return whether it is given up.
    ///
    /// It is not too late before the operation has begun, while it waits, and for one that takes
    /// or reads until its answer was claimed: items that it took are given back then.
    fn cancel(&self, py: Python<'_>) -> bool {
        self.pending.cancel(py)
    }

    /// Whether the operation was given up.
    fn cancelled(&self) -> bool {
        self.pending.is_cancelled()
    }

    /// Whether it is being done now, and neither waits for its turn nor for items or room.
    fn running(&self) -> bool {
        self.pending.is_running()
    }

    /// Have `function` called with this response when it is done; at once if it is.
    ///
    /// It is called in a thread of rocksq's, one after another. What it raises is reported to
    /// `sys.unraisablehook`.
    fn add_done_callback(slf: &Bound<'_, Self>, function: Py<PyAny>) -> PyResult<()> {
        let py = slf.py();
        let response = slf.get().pending.response();
        match response.filter(|response| !response.is_ready()) {
            Some(response) => callbacks::add(py, &response, function, slf.clone().into()),
            None => {
                if let Err(error) = function.call1(py, (slf,)) {
                    error.write_unraisable(py, Some(function.bind(py)));
                }
            }
        }
        Ok(())
    }

    fn __await__(&self) -> Awaiting {
        Awaiting::new(&self.pending, Outcome::Value)
    }

    /// Take the next step of a coroutine. An event loop calls this.
    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let _ = value;
        self.coroutine.advance(py, &self.pending)
    }

    /// Give the operation up, like `close`, and raise an exception. An event loop calls this.
    #[pyo3(signature = (typ, val = None, tb = None, /))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = tb;
        self.coroutine.give_up(typ.py(), &self.pending)?;
        Err(thrown(typ, val)?)
    }

    /// Give the operation up, like `cancel`, unless somebody else waits for it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.give_up(py, &self.pending)
    }

    #[getter(__name__)]
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(slf.get_type().name()?.to_string())
    }

    #[getter(__qualname__)]
    fn qualified_name(slf: &Bound<'_, Self>) -> PyResult<String> {
        Self::name(slf)
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err(
            "a response is not the answer itself: `await` it, or ask it for .result()",
        ))
    }

    /// For annotations: Response[list[bytes]].
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let alias = cls.py().import("types")?.getattr("GenericAlias")?;
        alias.call1((cls, item))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let pending = &slf.get().pending;
        let state = match (pending.is_cancelled(), pending.is_ready()) {
            (true, _) => "cancelled",
            (_, true) => "done",
            _ if pending.is_running() => "running",
            _ => "pending",
        };
        let name = slf.get_type().name()?;
        Ok(format!("<rocksq.nonblocking.{name} {state}>"))
    }
}

/// The answer to an operation of the persistent queue.
#[pyclass(frozen, extends = ResponseBase, module = "rocksq.nonblocking")]
pub struct Response {
    /// What it gave, made once.
    variant: PyOnceLock<Py<ResponseVariant>>,
}

/// The answer to an operation of the MPMC queue.
#[pyclass(frozen, extends = ResponseBase, module = "rocksq.nonblocking")]
pub struct MpmcResponse {
    /// What it gave, made once.
    variant: PyOnceLock<Py<MpmcResponseVariant>>,
}

fn base(response: nonblocking::Response<Reply>, keeper: Keeper) -> ResponseBase {
    ResponseBase {
        pending: Pending::new(response, keeper),
        coroutine: Coroutine::default(),
    }
}

impl Response {
    fn give(&self, py: Python<'_>, answered: Answered) -> PyResult<Py<ResponseVariant>> {
        let variant = self
            .variant
            .get_or_try_init(py, || Py::new(py, ResponseVariant(answered)))?;
        Ok(variant.clone_ref(py))
    }

    pub(super) fn new(
        py: Python<'_>,
        response: nonblocking::Response<Reply>,
        keeper: Keeper,
    ) -> PyResult<Py<Self>> {
        let initializer = PyClassInitializer::from(base(response, keeper));
        let own = Self {
            variant: PyOnceLock::new(),
        };
        Py::new(py, initializer.add_subclass(own))
    }
}

impl MpmcResponse {
    fn give(&self, py: Python<'_>, answered: Answered) -> PyResult<Py<MpmcResponseVariant>> {
        let variant = self
            .variant
            .get_or_try_init(py, || Py::new(py, MpmcResponseVariant(answered)))?;
        Ok(variant.clone_ref(py))
    }

    pub(super) fn new(
        py: Python<'_>,
        response: nonblocking::Response<Reply>,
        keeper: Keeper,
    ) -> PyResult<Py<Self>> {
        let initializer = PyClassInitializer::from(base(response, keeper));
        let own = Self {
            variant: PyOnceLock::new(),
        };
        Py::new(py, initializer.add_subclass(own))
    }
}

#[pymethods]
impl Response {
    /// Claim and return the answer, or None if it is not there yet.
    fn try_get(slf: PyRef<'_, Self>, py: Python<'_>) -> PyResult<Option<Py<ResponseVariant>>> {
        let answered = slf.as_super().within(py, Timeout::NEVER)?;
        answered.map(|answered| slf.give(py, answered)).transpose()
    }

    /// Wait for the answer and claim it, as with rocksq 0.3.0; raise what the operation did.
    ///
    /// >>> import tempfile
    /// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    /// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp(), max_elements=1)
    /// >>> queue.push([b"one", b"two"]).get()
    /// Traceback (most recent call last):
    /// rocksq.exceptions.Full: Failed to push item: Queue is full
    fn get(slf: PyRef<'_, Self>, py: Python<'_>) -> PyResult<Py<ResponseVariant>> {
        let answered = slf.as_super().get(py)?;
        slf.give(py, answered)
    }
}

#[pymethods]
impl MpmcResponse {
    /// Claim and return the answer, or None if it is not there yet.
    fn try_get(slf: PyRef<'_, Self>, py: Python<'_>) -> PyResult<Option<Py<MpmcResponseVariant>>> {
        let answered = slf.as_super().within(py, Timeout::NEVER)?;
        answered.map(|answered| slf.give(py, answered)).transpose()
    }

    /// Wait for the answer and claim it, as with rocksq 0.3.0; raise what the operation did.
    fn get(slf: PyRef<'_, Self>, py: Python<'_>) -> PyResult<Py<MpmcResponseVariant>> {
        let answered = slf.as_super().get(py)?;
        slf.give(py, answered)
    }
}
