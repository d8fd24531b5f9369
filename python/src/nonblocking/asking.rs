//! Asking for an operation: how long a call may wait for others to finish.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::reply::Reply;
use crate::arguments::Timeout;
use crate::call::{released, waiting};
use rocksq::Result;
use rocksq::extension::Entry;
use rocksq::nonblocking::Response;

/// Asks for an operation. When too many are under way the call waits, except on a thread that runs
/// an event loop: there the operation begins later.
pub(super) fn ask(
    py: Python<'_>,
    ask: impl FnOnce(Entry<'_>) -> Result<Response<Reply>> + Send,
) -> PyResult<Response<Reply>> {
    match runs_event_loop(py)? {
        true => released(py, || ask(Entry::Later)),
        false => waiting(py, Timeout::FOREVER, |wait| ask(Entry::Wait(wait))),
    }
}

/// Whether the calling thread runs an event loop of asyncio.
fn runs_event_loop(py: Python<'_>) -> PyResult<bool> {
    Ok(running_loop(py)?.is_some())
}

/// The event loop of asyncio that the calling thread runs.
pub(super) fn running_loop(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if RUNNING.get(py).is_none() && !is_imported(py)? {
        return Ok(None);
    }
    let running = RUNNING.import(py, "asyncio", "_get_running_loop")?;
    let event_loop = running.call0()?;
    Ok((!event_loop.is_none()).then_some(event_loop))
}

/// Whether asyncio is there: importing it takes longer than any call should.
fn is_imported(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        let modules = py.import("sys")?.getattr("modules")?;
        PyResult::Ok(modules.cast_into::<PyDict>()?.unbind())
    })?;
    modules.bind(py).contains(intern!(py, "asyncio"))
}
