//! `Response`, `MpmcResponse` and what they give.

use pyo3::prelude::*;

use super::pending::Pending;
use super::reply::Reply;
use crate::nonblocking;

/// What an operation gave: the field that it is about, and None in the others.
#[pyclass(frozen, get_all, module = "rocksq.nonblocking")]
pub struct ResponseVariant {
    /// The items that `pop` took.
    data: Option<Py<PyAny>>,
    /// The number of items, from `len`.
    len: Option<u64>,
    /// Bytes, from `disk_size` and `payload_size`.
    size: Option<u64>,
}

/// What an operation gave: the field that it is about, and None in the others.
#[pyclass(frozen, get_all, module = "rocksq.nonblocking")]
pub struct MpmcResponseVariant {
    /// The items that `next` read, and whether others had expired.
    data: Option<Py<PyAny>>,
    /// The labels, from `labels`.
    labels: Option<Vec<String>>,
    /// Whether `remove_label` found the label.
    removed_label: Option<bool>,
    /// The number of items, from `len`.
    len: Option<u64>,
    /// Bytes, from `disk_size` and `payload_size`.
    size: Option<u64>,
}

fn variant(py: Python<'_>, reply: Reply) -> PyResult<Py<ResponseVariant>> {
    let variant = ResponseVariant {
        data: reply.data(py)?,
        len: reply.len(),
        size: reply.size(),
    };
    Py::new(py, variant)
}

fn mpmc_variant(py: Python<'_>, reply: Reply) -> PyResult<Py<MpmcResponseVariant>> {
    let variant = MpmcResponseVariant {
        data: reply.data(py)?,
        labels: reply.labels(),
        removed_label: reply.removed_label(),
        len: reply.len(),
        size: reply.size(),
    };
    Py::new(py, variant)
}

/// The answer to an operation that may be under way. Dropping it unread is harmless.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct Response(Pending<ResponseVariant>);

impl Response {
    pub(super) fn new(response: nonblocking::Response<Reply>) -> Self {
        Self(Pending::new(response))
    }
}

#[pymethods]
impl Response {
    /// Whether the answer is there.
    #[getter]
    fn is_ready(&self, py: Python<'_>) -> bool {
        self.0.is_ready(py)
    }

    /// Return the answer, or None if it is not there yet; raise what the operation raised.
    fn try_get(&self, py: Python<'_>) -> PyResult<Option<Py<ResponseVariant>>> {
        self.0.try_get(py, variant)
    }

    /// Wait for the answer and return it, the same each time; raise what the operation did.
    ///
    /// >>> import tempfile
    /// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    /// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp(), max_elements=1)
    /// >>> queue.push([b"one", b"two"]).get()
    /// Traceback (most recent call last):
    /// rocksq.exceptions.Full: Failed to push item: Queue is full
    fn get(&self, py: Python<'_>) -> PyResult<Py<ResponseVariant>> {
        self.0.get(py, variant)
    }
}

/// The answer to an operation that may be under way. Dropping it unread is harmless.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct MpmcResponse(Pending<MpmcResponseVariant>);

impl MpmcResponse {
    pub(super) fn new(response: nonblocking::Response<Reply>) -> Self {
        Self(Pending::new(response))
    }
}

#[pymethods]
impl MpmcResponse {
    /// Whether the answer is there.
    #[getter]
    fn is_ready(&self, py: Python<'_>) -> bool {
        self.0.is_ready(py)
    }

    /// Return the answer, or None if it is not there yet; raise what the operation raised.
    fn try_get(&self, py: Python<'_>) -> PyResult<Option<Py<MpmcResponseVariant>>> {
        self.0.try_get(py, mpmc_variant)
    }

    /// Wait for the answer and return it, the same each time; raise what the operation did.
    fn get(&self, py: Python<'_>) -> PyResult<Py<MpmcResponseVariant>> {
        self.0.get(py, mpmc_variant)
    }
}
