//! What is open in this process, and where in the program it was opened.

use std::ffi::OsStr;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use rocksq::blocking::{self, QueueKind};

/// The place in the Python program that is calling, as people call it.
pub(super) fn place(py: Python<'_>) -> PyResult<String> {
    static OF_CALLER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let place = OF_CALLER.import(py, "rocksq._place", "of_caller")?;
    place.call0()?.extract()
}

/// A queue that is open in this process; one for each time that it was opened.
#[pyclass(frozen, module = "rocksq")]
pub struct OpenQueue(blocking::OpenQueue);

impl From<blocking::OpenQueue> for OpenQueue {
    fn from(open: blocking::OpenQueue) -> Self {
        Self(open)
    }
}

#[pymethods]
impl OpenQueue {
    /// The directory of the queue, as it was given.
    #[getter]
    fn path(&self) -> &OsStr {
        self.0.path().as_os_str()
    }

    /// Either "persistent" or "mpmc".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind() {
            QueueKind::Persistent => "persistent",
            _ => "mpmc",
        }
    }

    /// The file and line that opened it, or the cell of a notebook and the line in it.
    #[getter]
    fn opened_at(&self) -> &str {
        self.0.opened_at()
    }

    fn __repr__(&self) -> String {
        format!(
            "<rocksq.OpenQueue path={:?} kind={} opened_at={:?}>",
            self.0.path(),
            self.kind(),
            self.0.opened_at()
        )
    }
}
