//! What `await` makes of a response.
//!
//! The coroutine waits on a future of its own event loop, which the loop's bell completes. When the
//! coroutine is resumed it claims the answer, in the same step. If it is thrown something into
//! instead, or closed, it claims nothing, and the last one to wait cancels the response.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

use super::aide::{Aide, Errand};
use super::asking;
use super::bell::{Bell, Rope};
use super::pending::{Failure, Pending, aide_of};
use super::reply::Reply;
use crate::batch::{BatchBase, Last};
use rocksq::ErrorKind;
use rocksq::extension::Watch;
use rocksq::nonblocking::Response;

/// What a coroutine makes of the answer.
pub(super) enum Outcome {
    /// Its value.
    Value,
    /// Its only item; the end of the iteration when the queue is closed.
    Item,
    /// A batch with items, the last of its loop; otherwise the end of the iteration.
    Batch(Last),
}

/// One `await` of a response.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct Awaiting(Steps);

/// The steps of one coroutine towards the answer.
pub(super) struct Steps {
    pending: Arc<Pending>,
    outcome: Outcome,
    /// Locked for a few steps by the thread that runs the coroutine.
    wait: Mutex<Option<Wait>>,
}

/// How a coroutine waits. The future that it waits on is kept by the task that it was given to.
struct Wait {
    bell: Py<Bell>,
    waiter: u64,
    /// A clone of its own, which remembers whom to wake.
    response: Response<Reply>,
}

/// Rings for a coroutine when the answer is there; what an aide is to make into Python
/// objects is made before.
struct Ring {
    rope: Arc<Rope>,
    waiter: u64,
    response: Watch<Reply>,
    pending: Weak<Pending>,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        match self.response.look(aide_of).flatten() {
            Some(aide) => self.send(aide),
            None => self.rope.pull(self.waiter),
        }
    }
}

impl Ring {
    fn send(&self, aide: Aide) {
        let (pending, rope) = (Weak::clone(&self.pending), Arc::clone(&self.rope));
        aide.send(Errand::Make(pending, rope, self.waiter));
    }
}

impl Awaiting {
    pub(super) fn new(pending: &Arc<Pending>, outcome: Outcome) -> Self {
        Self(Steps::new(pending, outcome))
    }
}

impl Steps {
    pub(super) fn new(pending: &Arc<Pending>, outcome: Outcome) -> Self {
        Self {
            pending: Arc::clone(pending),
            outcome,
            wait: Mutex::new(None),
        }
    }

    /// Goes on: with the answer, or a future to wait on.
    pub(super) fn advance(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if !self.pending.is_ready() || self.pending.aide().is_some() {
            let future = self.wait_longer(py)?;
            if let Some(future) = future {
                return Ok(future);
            }
        }
        self.stop_waiting(py);
        match self.pending.claim(py) {
            Ok(Some(answered)) => Err(self.give(py, answered.value)),
            Ok(None) => Err(PyRuntimeError::new_err("the response has lost its answer")),
            Err(Failure::Operation(error))
                if self.iterates() && error.kind() == ErrorKind::Closed =>
            {
                Err(PyStopAsyncIteration::new_err(()))
            }
            Err(failure) => Err(failure.raise_in_coroutine(py)),
        }
    }

    /// How an iterator returns a value.
    fn give(&self, py: Python<'_>, value: Py<PyAny>) -> PyErr {
        match &self.outcome {
            Outcome::Value => PyStopIteration::new_err((value,)),
            Outcome::Item => match only_item(value.bind(py)) {
                Ok(item) => PyStopIteration::new_err((item.unbind(),)),
                Err(error) => error,
            },
            Outcome::Batch(last) => match value.bind(py).cast::<BatchBase>() {
                Ok(batch) if batch.get().is_empty() => PyStopAsyncIteration::new_err(()),
                Ok(batch) => {
                    last.is(batch.get());
                    PyStopIteration::new_err((value,))
                }
                Err(error) => error.into(),
            },
        }
    }

    fn iterates(&self) -> bool {
        !matches!(self.outcome, Outcome::Value)
    }

    /// A future of the running loop that is completed when the answer is there; none when it is.
    fn wait_longer(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.stop_waiting(py);
        let Some(own) = self.pending.response() else {
            return Ok(None);
        };
        let event_loop = running_loop(py)?;
        let bell = Bell::of(&event_loop)?;
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        future.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
        let waiter = bell.get().wait_on(&future)?;
        let ring = Arc::new(Ring {
            rope: Arc::clone(bell.get().rope()),
            waiter,
            response: own.watch(),
            pending: Arc::downgrade(&self.pending),
        });
        let waker = Waker::from(Arc::clone(&ring));
        let waits = py.detach(|| own.wake_when_ready(&waker));
        self.pending.arrive();
        *self.wait.lock() = Some(Wait {
            bell: bell.unbind(),
            waiter,
            response: own,
        });
        if !waits {
            match self.pending.aide() {
                Some(aide) => ring.send(aide),
                None => return Ok(None),
            }
        }
        Ok(Some(future.unbind()))
    }

    /// Waits no longer; returns whether nobody else does either.
    fn stop_waiting(&self, py: Python<'_>) -> bool {
        let wait = self.wait.lock().take();
        let Some(wait) = wait else {
            return true;
        };
        wait.bell.get().forget(wait.waiter);
        if !wait.response.is_ready() {
            py.detach(|| drop(wait.response));
        }
        self.pending.depart()
    }

    /// The coroutine ends here without the answer.
    pub(super) fn give_up(&self, py: Python<'_>) {
        if self.stop_waiting(py) {
            self.pending.cancel(py);
        }
    }
}

#[pymethods]
impl Awaiting {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.advance(py)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.0.advance(py)
    }

    #[pyo3(signature = (error, value = None, _traceback = None))]
    fn throw(
        &self,
        error: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.0.give_up(error.py());
        Err(thrown(error, value)?)
    }

    fn close(&self, py: Python<'_>) {
        self.0.give_up(py);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if self.wait.get_mut().is_some() {
            Python::try_attach(|py| self.give_up(py));
        }
    }
}

/// What `throw` was asked to raise: an exception, or a class and what to make it of.
pub(super) fn thrown(
    error: &Bound<'_, PyAny>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyErr> {
    let thrown = value.filter(|value| !value.is_none()).unwrap_or(error);
    match thrown.cast::<PyType>() {
        Ok(class) => Ok(PyErr::from_value(class.call0()?)),
        Err(_) => Ok(PyErr::from_value(thrown.clone())),
    }
}

/// The item of a list of one, or of the pair that `next` gives.
fn only_item<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match value.cast::<PyTuple>() {
        Ok(pair) => pair.get_item(0)?.get_item(0),
        Err(_) => value.cast::<PyList>()?.get_item(0),
    }
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    asking::running_loop(py)?.ok_or_else(|| {
        PyRuntimeError::new_err(
            "a response can be awaited in an event loop of asyncio, and none is running here: \
             with trio, await it through trio-asyncio (aio_as_trio), or await \
             trio.to_thread.run_sync(response.result); without an event loop, call \
             response.result()",
        )
    })
}
