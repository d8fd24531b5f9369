//! `Response`, `MpmcResponse` and what they give.

use pyo3::prelude::*;

use super::pending::Pending;
use super::reply::Reply;
use crate::nonblocking;

/// What an operation of the persistent queue gave: the field that it is about, None in the others.
#[pyclass(frozen, get_all, module = "rocksq.nonblocking")]
pub struct ResponseVariant {
    /// The items of a pop.
    data: Option<Py<PyAny>>,
    /// The number of items, of len.
    len: Option<u64>,
    /// Bytes, of disk_size and payload_size.
    size: Option<u64>,
}

/// What an operation of the MPMC queue gave: the field that it is about, None in the others.
#[pyclass(frozen, get_all, module = "rocksq.nonblocking")]
pub struct MpmcResponseVariant {
    /// The items of a next, and whether others had expired.
    data: Option<Py<PyAny>>,
    /// The labels.
    labels: Option<Vec<String>>,
    /// Whether there was a label to be removed.
    removed_label: Option<bool>,
    /// The number of items, of len.
    len: Option<u64>,
    /// Bytes, of disk_size and payload_size.
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

    /// The answer, or None if it is not there yet; raises what the operation failed with.
    fn try_get(&self, py: Python<'_>) -> PyResult<Option<Py<ResponseVariant>>> {
        self.0.try_get(py, variant)
    }

    /// The answer, waiting for it; raises what the operation failed with.
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

    /// The answer, or None if it is not there yet; raises what the operation failed with.
    fn try_get(&self, py: Python<'_>) -> PyResult<Option<Py<MpmcResponseVariant>>> {
        self.0.try_get(py, mpmc_variant)
    }

    /// The answer, waiting for it; raises what the operation failed with.
    fn get(&self, py: Python<'_>) -> PyResult<Py<MpmcResponseVariant>> {
        self.0.get(py, mpmc_variant)
    }
}
