//! Errors as exceptions. The classes are Python's, in `rocksq/exceptions.py`.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::kept;
use rocksq::Error;
use rocksq::extension::exception_name;

/// The exception for an error. Failing to make one is an exception too.
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failure| failure)
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let path = error.path().map(Path::as_os_str);
    let class = kept::error(py, exception_name(error.kind()))?;
    let made = match error.advice() {
        Some(advice) => class.call1((error.to_string(), path, advice)),
        None => class.call1((error.to_string(), path)),
    };
    Ok(PyErr::from_value(made?))
}

/// What `concurrent.futures` raises for something that was cancelled.
pub(super) fn future_cancelled(py: Python<'_>) -> PyErr {
    raise(kept::future_cancelled(py))
}

/// What a coroutine sees when something that it awaits was cancelled.
pub(super) fn task_cancelled(py: Python<'_>) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(CLASS.import(py, "asyncio", "CancelledError"))
}

fn raise(class: PyResult<&Bound<'_, PyType>>) -> PyErr {
    match class.and_then(|class| class.call0()) {
        Ok(error) => PyErr::from_value(error),
        Err(failure) => failure,
    }
}
