//! Items that were read and not taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::arguments::durability;
use super::bytes;
use super::call::released;
use rocksq::Durability;
use rocksq::Result;

/// Items that were read but not taken.
///
/// It can be iterated over and indexed like their list. Dropping a batch changes nothing. Positions
/// count the items of a queue from 0 since it was made.
#[pyclass(frozen, subclass, module = "rocksq.blocking")]
pub struct BatchBase {
    batch: rocksq::Batch,
    items: Py<PyList>,
    mark: Mark,
}

/// Whether something was done about a batch: it was committed, or used in a `with` statement.
type Mark = Arc<AtomicBool>;

/// The batch that a loop was given last. Locked for a step.
#[derive(Clone, Default)]
pub(super) struct Last(Arc<Mutex<Option<Mark>>>);

impl Last {
    pub(super) fn is(&self, batch: &BatchBase) {
        *self.0.lock() = Some(Arc::clone(&batch.mark));
    }

    /// Fails for a loop that has done nothing about it before the next.
    pub(super) fn check(&self) -> PyResult<()> {
        let last = self.0.lock().take();
        match last.is_none_or(|mark| mark.load(Ordering::Relaxed)) {
            true => Ok(()),
            false => Err(PyRuntimeError::new_err(
                "the batch before was not committed, so the loop would read it again and again: \
                 put what is done with it under `with batch:` (`async with batch:` in a \
                 coroutine), or call batch.commit()",
            )),
        }
    }
}

impl BatchBase {
    pub(super) fn new(py: Python<'_>, batch: rocksq::Batch) -> PyResult<Self> {
        let items = bytes::list(py, batch.items().clone())?.unbind();
        Ok(Self {
            batch,
            items,
            mark: Mark::default(),
        })
    }

    /// What `commit` commits.
    pub(super) fn to_commit(&self) -> &rocksq::Batch {
        self.seen_to();
        &self.batch
    }

    /// Something is done about it.
    pub(super) fn seen_to(&self) {
        self.mark.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.items().is_empty()
    }
}

#[pymethods]
impl BatchBase {
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

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.items.bind(py).try_iter()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.items.bind(index.py()).as_any().get_item(index)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let batch = &slf.get().batch;
        Ok(format!(
            "<{} first={} next={} items={}>",
            slf.get_type().fully_qualified_name()?,
            batch.first(),
            batch.next(),
            batch.items().len()
        ))
    }
}

/// Commits a batch to the queue that it was read from, which it keeps open.
pub(super) type Commit =
    Arc<dyn Fn(&rocksq::Batch, Option<Durability>) -> Result<()> + Send + Sync>;

/// Items that were read but not taken. `commit` takes them.
///
/// In a `with` statement they are taken when the block ends well, and stay when it raises.
///
/// >>> import tempfile
/// >>> from rocksq.blocking import PersistentQueueWithCapacity
/// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
/// >>> queue.push([b"a", b"b"])
/// >>> with queue.read(2) as batch:
/// ...     print(batch[0], list(batch))
/// b'a' [b'a', b'b']
/// >>> queue.len
/// 0
#[pyclass(frozen, extends = BatchBase, module = "rocksq.blocking")]
pub struct Batch(Commit);

impl Batch {
    pub(super) fn new(py: Python<'_>, batch: rocksq::Batch, commit: Commit) -> PyResult<Py<Self>> {
        let base = BatchBase::new(py, batch)?;
        Py::new(
            py,
            PyClassInitializer::from(base).add_subclass(Self(commit)),
        )
    }
}

#[pymethods]
impl Batch {
    /// Take the items, as `commit` of the queue does.
    #[pyo3(signature = (*, durability = None))]
    fn commit(
        slf: &Bound<'_, Self>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<()> {
        let (batch, commit) = (slf.as_super().get().to_commit(), &slf.get().0);
        released(slf.py(), || commit(batch, durability))
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> Bound<'py, Self> {
        slf.as_super().get().seen_to();
        slf
    }

    #[pyo3(signature = (exc_type, *_exception))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        exc_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match exc_type.is_none() {
            true => Self::commit(slf, None),
            false => Ok(()),
        }
    }
}
