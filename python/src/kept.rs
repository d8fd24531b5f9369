//! The Python classes of rocksq that Rust names: those of its errors and of its choices.
//!
//! They are looked up when the module is initialised, since nothing can be imported any more at the
//! interpreter's end. The compiled code stays in the process however often rocksq is imported. So the
//! modules that define the classes stay too, and every further import puts them in place again:
//! `except` and `isinstance` then name the classes that are raised and expected here.

use pyo3::exceptions::PySystemError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

struct Kept {
    /// The classes of errors, by name.
    errors: Py<PyDict>,
    choices: [(Choice, Py<PyType>); 3],
    future_cancelled: Py<PyType>,
    /// The modules that define the errors and choices, by name.
    modules: Py<PyDict>,
}

/// A class whose members are arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Durability,
    OnFull,
    StartPosition,
}

static KEPT: PyOnceLock<Kept> = PyOnceLock::new();

const ERRORS: &str = "rocksq.exceptions";

/// The class of errors with this name.
pub(super) fn error<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let errors = kept(py)?.errors.bind(py);
    errors.get_item(name)?.ok_or_else(|| unknown(name))
}

/// What `concurrent.futures` raises for something that was cancelled.
pub(super) fn future_cancelled(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    Ok(kept(py)?.future_cancelled.bind(py))
}

/// The modules that every import of rocksq puts in place, by name.
pub(super) fn modules(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    Ok(kept(py)?.modules.bind(py))
}

fn kept(py: Python<'_>) -> PyResult<&Kept> {
    KEPT.get_or_try_init(py, || look_up(py))
}

fn unknown(name: &str) -> PyErr {
    PySystemError::new_err(format!("rocksq has no class {name}"))
}

impl Choice {
    pub(super) fn class(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let mut choices = kept(py)?.choices.iter();
        let found = choices.find(|(choice, _)| *choice == self);
        found
            .map(|(_, class)| class.bind(py))
            .ok_or_else(|| unknown(self.place().1))
    }

    /// Its module and its name there.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Durability => ("rocksq._durability", "Durability"),
            Self::OnFull => ("rocksq._on_full", "OnFull"),
            Self::StartPosition => ("rocksq._start_position", "StartPosition"),
        }
    }

    fn look_up(self, py: Python<'_>, modules: &Bound<'_, PyDict>) -> PyResult<(Self, Py<PyType>)> {
        let (module, name) = self.place();
        modules.set_item(module, py.import(module)?)?;
        Ok((self, class(py, module, name)?))
    }
}

fn look_up(py: Python<'_>) -> PyResult<Kept> {
    let modules = PyDict::new(py);
    modules.set_item(ERRORS, py.import(ERRORS)?)?;
    Ok(Kept {
        errors: errors(py)?,
        choices: [
            Choice::Durability.look_up(py, &modules)?,
            Choice::OnFull.look_up(py, &modules)?,
            Choice::StartPosition.look_up(py, &modules)?,
        ],
        future_cancelled: class(py, "concurrent.futures", "CancelledError")?,
        modules: modules.unbind(),
    })
}

fn errors(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let errors = PyDict::new(py);
    for name in py.import(ERRORS)?.getattr("__all__")?.try_iter()? {
        let name = name?.extract::<String>()?;
        errors.set_item(&name, class(py, ERRORS, &name)?)?;
    }
    Ok(errors.unbind())
}

fn class(py: Python<'_>, module: &str, name: &str) -> PyResult<Py<PyType>> {
    let class = py.import(module)?.getattr(name)?;
    Ok(class.cast_into::<PyType>()?.unbind())
}
