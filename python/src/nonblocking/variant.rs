//! What `get` and `try_get` give, as with rocksq 0.3.0: a field for each kind of answer.

use pyo3::prelude::*;

use super::reply::Field;

/// An answer, and the field that it belongs to.
pub(super) struct Answered {
    pub field: Field,
    pub value: Py<PyAny>,
}

impl Answered {
    fn get(&self, py: Python<'_>, field: Field) -> Option<Py<PyAny>> {
        (self.field == field).then(|| self.value.clone_ref(py))
    }
}

/// What an operation gave: the field that it is about, and None in the others.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct ResponseVariant(pub(super) Answered);

#[pymethods]
impl ResponseVariant {
    /// The items that `pop` took.
    #[getter]
    fn data(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Data)
    }

    /// The number of items, from `len`.
    #[getter]
    fn len(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Len)
    }

    /// Bytes, from `disk_size` and `payload_size`.
    #[getter]
    fn size(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Size)
    }
}

/// What an operation gave: the field that it is about, and None in the others.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct MpmcResponseVariant(pub(super) Answered);

#[pymethods]
impl MpmcResponseVariant {
    /// The items that `next` read, and whether others had expired.
    #[getter]
    fn data(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Data)
    }

    /// The labels, from `labels`.
    #[getter]
    fn labels(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Labels)
    }

    /// Whether `remove_label` found the label.
    #[getter]
    fn removed_label(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::RemovedLabel)
    }

    /// The number of items, from `len`.
    #[getter]
    fn len(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Len)
    }

    /// Bytes, from `disk_size` and `payload_size`.
    #[getter]
    fn size(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.get(py, Field::Size)
    }
}
