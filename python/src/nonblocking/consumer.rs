//! `async for` over a queue, and what `async with` needs.

use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;

use super::asking::ask;
use super::awaiting::{Awaiting, Outcome};
use super::pending::{Keeper, Pending};
use super::reply::Reply;
use crate::errors::exception;
use crate::exit::Closing;
use crate::shared::Shared;
use rocksq::extension::Entry;
use rocksq::nonblocking::Response;
use rocksq::{ErrorKind, Result};

/// Asks for one item, waiting for it.
type Ask = Box<dyn Fn(Entry<'_>) -> Result<Response<Reply>> + Send + Sync>;

/// Takes item after item, waiting for each, until the queue is closed.
///
/// An iteration that is cancelled while it waits has taken nothing.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct AsyncConsumer(Ask);

impl AsyncConsumer {
    pub(super) fn new<Q: Closing>(
        queue: &Shared<Q>,
        ask: impl Fn(&Q, Entry<'_>) -> Result<Response<Reply>> + Send + Sync + 'static,
    ) -> Self {
        let queue = queue.clone();
        Self(Box::new(move |entry| ask(&queue, entry)))
    }
}

#[pymethods]
impl AsyncConsumer {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Awaiting> {
        let mut closed = false;
        let asked = ask(py, |entry| {
            let asked = (self.0)(entry);
            closed = matches!(&asked, Err(error) if error.kind() == ErrorKind::Closed);
            asked
        });
        match asked {
            Ok(response) => {
                let pending = Pending::new(response, Keeper::None);
                Ok(Awaiting::new(&pending, Outcome::Item))
            }
            Err(_) if closed => Err(PyStopAsyncIteration::new_err(())),
            Err(error) => Err(error),
        }
    }
}

/// An awaitable whose value is there.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct Ready(pub(super) Py<PyAny>);

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<()> {
        Err(PyStopIteration::new_err((self.0.clone_ref(py),)))
    }
}

/// An awaitable for the end of closing a queue; a forked child leaves that to its parent.
pub(super) fn leave(py: Python<'_>, closing: Result<Response<Reply>>) -> PyResult<Py<PyAny>> {
    match closing {
        Ok(response) => {
            let pending = Pending::new(response, Keeper::None);
            Ok(Py::new(py, Awaiting::new(&pending, Outcome::Value))?.into_any())
        }
        Err(error) if error.kind() == ErrorKind::Forked => {
            Ok(Py::new(py, Ready(py.None()))?.into_any())
        }
        Err(error) => Err(exception(py, &error)),
    }
}
