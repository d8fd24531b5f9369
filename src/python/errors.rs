//! Errors as exceptions. The classes are Python's, in `rocksq/exceptions.py`.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{Error, ErrorKind};

/// The exception for an error. Failing to make one is an exception too.
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failure| failure)
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let path = error.path().map(Path::as_os_str);
    let class = classes(py)?.getattr(class_name(error.kind()))?;
    Ok(PyErr::from_value(class.call1((error.to_string(), path))?))
}

fn classes(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static CLASSES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || {
        PyResult::Ok(py.import("rocksq.exceptions")?.unbind())
    })?;
    Ok(classes.bind(py))
}

fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Full => "Full",
        ErrorKind::Closed => "Closed",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Forked => "Forked",
        ErrorKind::InvalidArgument => "InvalidArgument",
        ErrorKind::Busy => "Busy",
        ErrorKind::WrongKind => "WrongKind",
        ErrorKind::UnsupportedFormat => "UnsupportedFormat",
        ErrorKind::Path => "PathError",
        ErrorKind::DiskFull => "DiskFull",
        ErrorKind::Io => "IOFailure",
        ErrorKind::Corrupt => "Corrupt",
        ErrorKind::OutcomeUnknown => "OutcomeUnknown",
        // `call::waiting` raises what the signal handler raised in its place.
        ErrorKind::Interrupted => "Error",
    }
}
