//! `rocksq.maintenance`: reports on damaged files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::call::released;
use super::exit::opening;
use rocksq::maintenance;

/// A run of positions whose items are gone.
#[pyclass(frozen, eq, module = "rocksq.maintenance")]
#[derive(Clone, PartialEq)]
pub struct Missing(maintenance::Missing);

#[pymethods]
impl Missing {
    /// Position of the first of them.
    #[getter]
    fn first(&self) -> u64 {
        self.0.first
    }

    /// Position after the last of them.
    #[getter]
    fn next(&self) -> u64 {
        self.0.next
    }

    /// Why, in words.
    #[getter]
    fn why(&self) -> &str {
        &self.0.why
    }

    fn __repr__(&self) -> String {
        format!(
            "Missing(first={}, next={}, why={:?})",
            self.0.first, self.0.next, self.0.why
        )
    }
}

/// What `verify` or `repair` found in a queue's files.
#[pyclass(frozen, eq, module = "rocksq.maintenance")]
#[derive(Clone, PartialEq)]
pub struct Report(maintenance::Report);

#[pymethods]
impl Report {
    /// Items that are in the queue and can be read.
    ///
    /// After `verify` 0 when the queue does not open; `problems` says why.
    #[getter]
    fn items(&self) -> u64 {
        self.0.items
    }

    /// Bytes of these items.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The labels that have a place in the queue; none for a persistent queue.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.labels)
    }

    /// Items in logs that an earlier opening had to set aside.
    ///
    /// `repair` has brought them back, and counts them in `items` as well; after `verify` it still
    /// can.
    #[getter]
    fn set_aside(&self) -> u64 {
        self.0.set_aside
    }

    /// Items that should be there and cannot be read, by their positions before a repair.
    ///
    /// What is gone of a log that an earlier opening had to set aside has the positions it had
    /// there, which items that were pushed later may have too.
    #[getter]
    fn missing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let runs: PyResult<Vec<_>> = self
            .0
            .missing
            .iter()
            .map(|run| Py::new(py, Missing(run.clone())))
            .collect();
        PyTuple::new(py, runs?)
    }

    /// Whatever else is not as it should be, in words.
    #[getter]
    fn problems<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.problems)
    }

    /// The directory to which a repair moved the damaged files; it can be deleted.
    #[getter]
    fn kept(&self) -> Option<&OsStr> {
        self.0.kept.as_deref().map(Path::as_os_str)
    }

    /// Whether nothing is missing and nothing else is wrong.
    #[getter]
    fn is_intact(&self) -> bool {
        self.0.is_intact()
    }

    fn __repr__(&self) -> String {
        format!(
            "<rocksq.maintenance.Report items={} missing={} problems={}>",
            self.0.items,
            self.0.missing.len(),
            self.0.problems.len()
        )
    }
}

/// What was lost to a damaged log when a queue was opened, or opened itself anew after an error.
///
/// A log that ends in the middle of a write, as a crash or a power cut leaves it, is no damage.
/// `str()` of it is a sentence for people.
#[pyclass(frozen, eq, module = "rocksq.maintenance")]
#[derive(Clone, PartialEq)]
pub struct Recovery(maintenance::Recovery);

impl Recovery {
    /// What a queue has left out, if anything.
    pub(super) fn of(recovery: Option<maintenance::Recovery>) -> Option<Self> {
        recovery.map(Self)
    }
}

#[pymethods]
impl Recovery {
    /// Items from this position on are lost; there the next item went after the opening.
    #[getter]
    fn first(&self) -> u64 {
        self.0.first
    }

    /// Position after the last item that is known to be lost.
    ///
    /// None when the log does not tell: its damaged end may have been a push, a take, or a note of
    /// the queue's own.
    #[getter]
    fn next(&self) -> Option<u64> {
        self.0.next
    }

    /// Whole writes (pushes, takes and others) behind the damage, which were left out.
    #[getter]
    fn writes(&self) -> u64 {
        self.0.writes
    }

    /// Bytes of the log from the damage on.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The directory, within the queue's, to which the damaged log was moved.
    ///
    /// `repair` brings back what it still holds.
    #[getter]
    fn kept(&self) -> &OsStr {
        self.0.kept.as_os_str()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!(
            "<rocksq.maintenance.Recovery first={} next={} writes={}>",
            self.0.first,
            self.0
                .next
                .map_or_else(|| "None".to_owned(), |next| next.to_string()),
            self.0.writes
        )
    }
}

/// Read everything that the queue at `path` holds, and say what is damaged.
///
/// The queue, of either kind, must be closed. Nothing in its directory changes. Damage is no error:
/// it is in the report. Raises `Busy` when somebody has the queue open, `WrongKind` or `PathError`
/// when there is none, and `UnsupportedFormat` when it is of a newer version, or of rocksq 0.3.0,
/// which opening it converts.
///
/// >>> import tempfile
/// >>> import rocksq
/// >>> from rocksq.blocking import MpmcQueue
/// >>> path = f"{tempfile.mkdtemp()}/queue"
/// >>> with MpmcQueue(path, ttl=60) as queue:
/// ...     queue.add([b"item"])
/// ...     _ = queue.next("label", rocksq.StartPosition.Oldest)
/// >>> rocksq.verify(path).labels
/// ('label',)
#[pyfunction]
pub(super) fn verify(py: Python<'_>, path: PathBuf) -> PyResult<Report> {
    let report = opening(py, |py| released(py, || maintenance::verify(&path)));
    report.map(Report)
}

/// Write a new queue with every intact item in the place of the one at `path`.
///
/// The queue, of either kind, must be closed. Items keep their order and their times; they are
/// numbered anew, without gaps, and labels stand before the item that they would have read
/// next. What an earlier opening had to leave out of a damaged log comes back, and is read next by
/// every label that was past it. An item that was taken shortly before the damage may come again,
/// if the note of its taking is what was damaged.
///
/// The damaged files go to the directory `kept` of the report, within the queue's own. It takes as
/// much disk space as the intact items once more. A crash at any moment leaves the old queue or
/// the new one. Raises what `verify` raises, `Corrupt` when not even the kind of queue can be told,
/// and `DiskFull`; then the old queue is as it was.
///
/// >>> import tempfile
/// >>> import rocksq
/// >>> from rocksq.blocking import PersistentQueueWithCapacity
/// >>> path = f"{tempfile.mkdtemp()}/queue"
/// >>> with PersistentQueueWithCapacity(path) as queue:
/// ...     queue.push([b"one", b"two"])
/// >>> rocksq.repair(path).items
/// 2
/// >>> PersistentQueueWithCapacity(path).pop(9)
/// [b'one', b'two']
#[pyfunction]
pub(super) fn repair(py: Python<'_>, path: PathBuf) -> PyResult<Report> {
    let report = opening(py, |py| released(py, || maintenance::repair(&path)));
    report.map(Report)
}
