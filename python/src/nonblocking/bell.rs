//! Waking an event loop from the worker, without the GIL.
//!
//! Each event loop that awaits a response gets a bell: a pair of sockets of which the loop watches
//! one. Whoever has an answer notes whom it is for and writes a byte, if none is on its way. The
//! worker never waits for the GIL, and a busy loop wakes once for many answers.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

/// The end of a bell that rings it. Needs no GIL.
pub(super) struct Rope {
    answered: Sender<u64>,
    /// Whether a byte is on its way.
    rung: AtomicBool,
    far_end: UnixStream,
}

impl Rope {
    /// Has the loop wake the coroutine that waits as `waiter`.
    pub(super) fn pull(&self, waiter: u64) {
        // It fails when the loop is gone, and its coroutines with it.
        if self.answered.send(waiter).is_ok() && !self.rung.swap(true, Ordering::AcqRel) {
            // The pair holds many bytes; one more than enough is none too few.
            let _ = (&self.far_end).write(&[1]);
        }
    }
}

/// What an event loop calls when somebody has rung. Its locks are held for a few steps by threads
/// that are attached to the interpreter.
#[pyclass(frozen, weakref, module = "rocksq.nonblocking")]
pub struct Bell {
    rope: Arc<Rope>,
    near_end: UnixStream,
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
        let bells = bells(event_loop.py())?;
        let hung = bells.call_method1(intern!(event_loop.py(), "get"), (event_loop,))?;
        if let Ok(bell) = hung.cast_into::<Self>() {
            return Ok(bell);
        }
        let bell = Bound::new(event_loop.py(), Self::new()?)?;
        let descriptor = bell.get().near_end.as_raw_fd();
        event_loop.call_method1("add_reader", (descriptor, &bell))?;
        bells.set_item(event_loop, &bell)?;
        Ok(bell)
    }

    fn new() -> PyResult<Self> {
        let (near_end, far_end) = UnixStream::pair()?;
        near_end.set_nonblocking(true)?;
        far_end.set_nonblocking(true)?;
        let (answered, heard) = channel();
        Ok(Self {
            rope: Arc::new(Rope {
                answered,
                rung: AtomicBool::new(false),
                far_end,
            }),
            near_end,
            heard: Mutex::new(heard),
            waiting: Mutex::default(),
        })
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
        let mut bytes = [0; 64];
        while (&self.near_end)
            .read(&mut bytes)
            .is_ok_and(|read| read == bytes.len())
        {}
        // Who rings from here on is heard below, or writes another byte. Swapped, not stored: what
        // those had sent who saw that a byte was on its way is then seen below.
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

/// The bells of all event loops, which go with their loops.
fn bells(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static BELLS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let bells = BELLS.get_or_try_init(py, || {
        let dictionary = py.import("weakref")?.getattr("WeakKeyDictionary")?;
        PyResult::Ok(dictionary.call0()?.unbind())
    })?;
    Ok(bells.bind(py))
}
