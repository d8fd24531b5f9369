//! Waking an event loop from the worker, without the GIL.
//!
//! Each event loop that awaits a response gets a bell: a pair of sockets of which the loop watches
//! one. Whoever has an answer notes whom it is for and writes a byte, if none is on its way. The
//! worker never waits for the GIL, and a busy loop wakes once for many answers.
//!
//! An event loop that cannot watch sockets (the default one of Windows has no `add_reader`) is woken
//! by its `call_soon_threadsafe`. That needs the GIL, so an aide calls it.

#[cfg(unix)]
mod socket;
#[cfg(not(unix))]
#[path = "bell/no_socket.rs"]
mod socket;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use pyo3::exceptions::{PyAttributeError, PyNotImplementedError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::aide::{Aide, Errand};

/// The end of a bell that rings it. Needs no GIL.
pub(super) struct Rope {
    answered: Sender<u64>,
    /// Whether the loop has been told to come, and has not come yet.
    rung: AtomicBool,
    wire: Wire,
}

/// How the loop is told to come.
enum Wire {
    /// By a byte to a socket that it watches.
    Socket(socket::Far),
    /// By an aide, which calls it.
    Aide(Py<PyWeakrefReference>),
}

impl Rope {
    /// Has the loop wake the coroutine that waits as `waiter`.
    pub(super) fn pull(self: &Arc<Self>, waiter: u64) {
        // It fails when the loop is gone, and its coroutines with it.
        if self.answered.send(waiter).is_ok() && !self.rung.swap(true, Ordering::AcqRel) {
            match &self.wire {
                Wire::Socket(far_end) => far_end.write(),
                // The one that runs our own code: a callback of a user can wait for this loop.
                Wire::Aide(_) => Aide::Maker.send(Errand::Ring(Arc::clone(self))),
            }
        }
    }

    /// Calls a loop that watches no socket.
    pub(super) fn call(&self, py: Python<'_>) {
        let Wire::Aide(event_loop) = &self.wire else {
            return;
        };
        if let Some(event_loop) = event_loop.bind(py).upgrade()
            && let Err(error) = call_soon(&event_loop)
            // The loop is closed, and its coroutines wait no longer.
            && !error.is_instance_of::<PyRuntimeError>(py)
        {
            error.write_unraisable(py, Some(&event_loop));
        }
    }
}

/// What an event loop calls when somebody has rung. Its locks are held for a few steps by threads
/// that are attached to the interpreter.
#[pyclass(frozen, weakref, module = "rocksq.nonblocking")]
pub struct Bell {
    rope: Arc<Rope>,
    /// None where the loop is called by an aide.
    near_end: Option<socket::Near>,
    heard: Mutex<Receiver<u64>>,
    waiting: Mutex<Waiting>,
}

/// The futures of the loop that its coroutines wait on. They belong to the coroutines, so that a
/// loop that nobody uses any more can go with its tasks.
#[derive(Default)]
struct Waiting {
    last: u64,
    futures: HashMap<u64, Py<PyWeakrefReference>>,
}

impl Bell {
    /// The bell of a running event loop, hung up there the first time.
    pub(super) fn of<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let hung = bell_of(event_loop)?;
        if let Ok(bell) = hung.cast_into::<Self>() {
            return Ok(bell);
        }
        let bell = match Self::watched_by(event_loop)? {
            Some(bell) => bell,
            None => Self::called_by_an_aide(event_loop)?,
        };
        bells(event_loop.py())?.set_item(event_loop, &bell)?;
        Ok(bell)
    }

    /// With a socket that the loop watches; none if it cannot.
    fn watched_by<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Self>>> {
        let py = event_loop.py();
        let Some((near_end, far_end)) = socket::pair()? else {
            return Ok(None);
        };
        let descriptor = near_end.descriptor();
        let bell = Bound::new(py, Self::new(Some(near_end), Wire::Socket(far_end)))?;
        match event_loop.call_method1("add_reader", (descriptor, &bell)) {
            Ok(_) => Ok(Some(bell)),
            Err(error) if says_that_it_cannot(&error, py) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn called_by_an_aide<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let called = PyWeakrefReference::new(event_loop)?.unbind();
        Bound::new(event_loop.py(), Self::new(None, Wire::Aide(called)))
    }

    fn new(near_end: Option<socket::Near>, wire: Wire) -> Self {
        let (answered, heard) = channel();
        Self {
            rope: Arc::new(Rope {
                answered,
                rung: AtomicBool::new(false),
                wire,
            }),
            near_end,
            heard: Mutex::new(heard),
            waiting: Mutex::default(),
        }
    }

    pub(super) fn rope(&self) -> &Arc<Rope> {
        &self.rope
    }

    /// Notes that a coroutine waits on `future`; returns what to ring for it with.
    pub(super) fn wait_on(&self, future: &Bound<'_, PyAny>) -> PyResult<u64> {
        let future = PyWeakrefReference::new(future)?.unbind();
        let mut waiting = self.waiting.lock();
        waiting.last = waiting.last.wrapping_add(1);
        let waiter = waiting.last;
        waiting.futures.insert(waiter, future);
        Ok(waiter)
    }

    /// Forgets a coroutine that waits no longer.
    pub(super) fn forget(&self, waiter: u64) {
        let future = self.waiting.lock().futures.remove(&waiter);
        drop(future);
    }

    fn next_answered(&self) -> Option<u64> {
        self.heard.lock().try_recv().ok()
    }
}

#[pymethods]
impl Bell {
    /// Wakes those who were rung for.
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(near_end) = &self.near_end {
            near_end.drain();
        }
        // Who rings from here on is heard below, or tells the loop again. Swapped, not stored: what
        // those had sent who saw that the loop was told already is then seen below.
        self.rope.rung.swap(false, Ordering::AcqRel);
        while let Some(waiter) = self.next_answered() {
            let future = self.waiting.lock().futures.remove(&waiter);
            if let Some(future) = future.and_then(|future| future.bind(py).upgrade()) {
                wake(&future)?;
            }
        }
        Ok(())
    }
}

/// Wakes the coroutine, unless it was cancelled.
fn wake(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}

/// What an event loop without `add_reader` raises: asyncio's own, and one that has no such method.
fn says_that_it_cannot(error: &PyErr, py: Python<'_>) -> bool {
    error.is_instance_of::<PyNotImplementedError>(py)
        || error.is_instance_of::<PyAttributeError>(py)
}

fn call_soon(event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
    let bell = bell_of(event_loop)?;
    if !bell.is_none() {
        event_loop.call_method1(intern!(bell.py(), "call_soon_threadsafe"), (&bell,))?;
    }
    Ok(())
}

/// The bell that hangs at an event loop, or `None`.
fn bell_of<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    bells(py)?.call_method1(intern!(py, "get"), (event_loop,))
}

/// The bells of all event loops, which go with their loops.
fn bells(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static BELLS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let bells = BELLS.get_or_try_init(py, || {
        let dictionary = py.import("weakref")?.getattr("WeakKeyDictionary")?;
        PyResult::Ok(dictionary.call0()?.unbind())
    })?;
    Ok(bells.bind(py))
}
