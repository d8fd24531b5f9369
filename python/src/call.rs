//! Calls into the queues: without the GIL, and open to Ctrl-C where they may wait.

use std::cell::Cell;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::arguments::Timeout;
use super::errors::exception;
use super::{exit, open_queues};
use rocksq::blocking;
use rocksq::{CallOptions, Durability, Wait};
use rocksq::{ErrorKind, Result};

/// How often a wait on Python's main thread looks for signals. Python can run their handlers
/// nowhere else, so no other thread looks.
const SIGNALS: Duration = Duration::from_millis(50);

/// Does `work` without the GIL.
pub(super) fn released<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(|error| exception(py, &error))
}

/// Does `work`, which waits as long as `timeout` says, without the GIL. A signal whose handler
/// raises ends the wait with that exception.
pub(super) fn waiting<T: Send>(
    py: Python<'_>,
    timeout: Timeout,
    work: impl FnOnce(Wait<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    if !timeout.waits() || !on_main_thread(py)? {
        return released(py, || work(timeout.wait()));
    }
    let raised = Mutex::new(None);
    let outcome = py.detach(|| {
        let asked = || look_for_signals(&raised);
        work(timeout.wait().interruptible(SIGNALS, &asked))
    });
    outcome.map_err(|error| match raised.into_inner() {
        Some(raised) if error.kind() == ErrorKind::Interrupted => raised,
        _ => exception(py, &error),
    })
}

/// Does `at_once` with the GIL, which keeps other threads from running for some microseconds, while
/// coming back to the GIL can take until one of them has had its turn; what cannot be done at once
/// is done like [`waiting`].
pub(super) fn at_once_or_waiting<T: Send>(
    py: Python<'_>,
    timeout: Timeout,
    at_once: impl FnOnce() -> Result<Option<T>>,
    work: impl FnOnce(Wait<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    match at_once() {
        Ok(Some(done)) => Ok(done),
        Ok(None) => waiting(py, timeout, work),
        Err(error) => Err(exception(py, &error)),
    }
}

/// Bytes that are written without letting go of the GIL: more if that is what the caller wants.
pub(super) fn most_at_once(no_gil: bool) -> u64 {
    if no_gil { 4 << 10 } else { 64 << 10 }
}

/// A thread that finds a queue empty again so soon does nothing but ask.
const AT_ONCE: Duration = Duration::from_micros(100);
const PAUSE: Duration = Duration::from_micros(50);

thread_local! {
    /// The queue that this thread last found empty, and when.
    static FOUND_EMPTY: Cell<Option<(usize, Instant)>> = const { Cell::new(None) };
}

/// To be called when there was nothing in `queue`. Lets other threads have the GIL for a moment when
/// the calling one does nothing but ask: otherwise each call of the producer, for whom it asks, would
/// wait 5 ms for the GIL.
pub(super) fn pause_if_polling<Q>(py: Python<'_>, queue: &Q) {
    let queue = std::ptr::from_ref(queue).addr();
    let now = Instant::now();
    let again = FOUND_EMPTY
        .get()
        .is_some_and(|(same, last)| same == queue && now.saturating_duration_since(last) < AT_ONCE);
    if again {
        py.detach(|| std::thread::sleep(PAUSE));
    }
    FOUND_EMPTY.set(Some((queue, Instant::now())));
}

/// What a call says of waiting and of durability.
pub(super) fn options(wait: Wait<'_>, durability: Option<Durability>) -> CallOptions<'_> {
    CallOptions::new().wait(wait).durability(durability)
}

/// Opens a queue, waiting for another holder of its path as long as `timeout` says. On the main
/// thread it waits in short turns, to look for signals in between.
pub(super) fn opening<T: Send>(
    py: Python<'_>,
    timeout: Timeout,
    open: impl Fn(Option<Duration>) -> Result<T> + Send + Sync,
) -> PyResult<T> {
    exit::opening(py, |py| {
        let place = open_queues::place(py)?;
        let open = |timeout| blocking::opening_at(&place, || open(timeout));
        open_in_turns(py, timeout, open)
    })
}

fn open_in_turns<T: Send>(
    py: Python<'_>,
    timeout: Timeout,
    open: impl Fn(Option<Duration>) -> Result<T> + Send + Sync,
) -> PyResult<T> {
    if !timeout.waits() || !on_main_thread(py)? {
        return released(py, || open(timeout.0));
    }
    let end = timeout
        .0
        .and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let turn = end.map_or(SIGNALS, |end| {
            SIGNALS.min(end.saturating_duration_since(Instant::now()))
        });
        match py.detach(|| open(Some(turn))) {
            Err(error) if error.kind() == ErrorKind::Busy && !turn.is_zero() => {
                py.check_signals()?
            }
            outcome => return outcome.map_err(|error| exception(py, &error)),
        }
    }
}

fn look_for_signals(raised: &Mutex<Option<PyErr>>) -> bool {
    let error = Python::attach(|py| py.check_signals()).err();
    let came = error.is_some();
    *raised.lock() = error;
    came
}

thread_local! {
    /// Whether this is Python's main thread, once that was asked.
    static ON_MAIN_THREAD: Cell<Option<bool>> = const { Cell::new(None) };
}

fn on_main_thread(py: Python<'_>) -> PyResult<bool> {
    if let Some(known) = ON_MAIN_THREAD.get() {
        return Ok(known);
    }
    // At the interpreter's end this may fail. No queue is open then, so that no call waits.
    let Ok(asked) = ask_for_main_thread(py) else {
        return Ok(false);
    };
    ON_MAIN_THREAD.set(Some(asked));
    Ok(asked)
}

static GET_IDENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static MAIN_THREAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Looks up what cannot be imported any more at the interpreter's end.
pub(super) fn look_up(py: Python<'_>) -> PyResult<()> {
    ask_for_main_thread(py).map(drop)
}

fn ask_for_main_thread(py: Python<'_>) -> PyResult<bool> {
    let here: u64 = GET_IDENT
        .import(py, "threading", "get_ident")?
        .call0()?
        .extract()?;
    let main = MAIN_THREAD
        .import(py, "threading", "main_thread")?
        .call0()?;
    Ok(main.getattr("ident")?.extract::<Option<u64>>()? == Some(here))
}
