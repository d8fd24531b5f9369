//! Items that were read and not taken.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::bytes;

/// Items that were read but not taken. `commit` of its queue takes them.
///
/// Dropping a batch changes nothing. Positions count the items of a queue from 0 since it was made.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct Batch {
    batch: rocksq::Batch,
    items: Py<PyList>,
}

impl Batch {
    pub(super) fn new(py: Python<'_>, batch: rocksq::Batch) -> PyResult<Self> {
        let items = bytes::list(py, batch.items().clone())?.unbind();
        Ok(Self { batch, items })
    }

    pub(super) fn batch(&self) -> &rocksq::Batch {
        &self.batch
    }
}

#[pymethods]
impl Batch {
    /// The items, oldest first; fewer than asked for when fewer were there.
    #[getter]
    fn items(&self, py: Python<'_>) -> Py<PyList> {
        self.items.clone_ref(py)
    }

    /// Position of the first item.
    #[getter]
    fn first(&self) -> u64 {
        self.batch.first()
    }

    /// Position at which the next read begins once this batch is committed.
    #[getter]
    fn next(&self) -> u64 {
        self.batch.next()
    }

    /// Whether items that the label had not read were lost to the TTL.
    #[getter]
    fn expired(&self) -> bool {
        self.batch.expired()
    }

    fn __len__(&self) -> usize {
        self.batch.items().len()
    }

    fn __repr__(&self) -> String {
        format!(
            "<rocksq.blocking.Batch first={} next={} items={}>",
            self.batch.first(),
            self.batch.next(),
            self.batch.items().len()
        )
    }
}
