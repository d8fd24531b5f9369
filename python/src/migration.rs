//! Converting queues of rocksq 0.3.0.

use std::ops::ControlFlow;
use std::path::PathBuf;

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::errors::exception;
use super::exit;
use rocksq::Progress;

/// What `migrate` has done.
#[pyclass(frozen, eq, get_all, module = "rocksq")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Migrated {
    /// Items that are in the queue now; its TTL may hide some of them at once.
    items: u64,
    /// Labels that are in the queue now.
    labels: u64,
    /// Items that had expired and were not taken over.
    left_out: u64,
    /// Labels whose place was of a numbering that rocksq 0.3.0 had lost.
    ///
    /// They begin at the oldest item.
    moved_labels: u64,
}

impl From<rocksq::Migrated> for Migrated {
    fn from(migrated: rocksq::Migrated) -> Self {
        let rocksq::Migrated {
            items,
            labels,
            left_out,
            moved_labels,
            ..
        } = migrated;
        Self {
            items,
            labels,
            left_out,
            moved_labels,
        }
    }
}

#[pymethods]
impl Migrated {
    fn __repr__(&self) -> String {
        let Self {
            items,
            labels,
            left_out,
            moved_labels,
        } = self;
        format!(
            "Migrated(items={items}, labels={labels}, left_out={left_out}, \
             moved_labels={moved_labels})"
        )
    }
}

/// Converts a queue; what is told of it goes to `logging` before this returns.
pub(super) fn migrate(
    py: Python<'_>,
    path: PathBuf,
    progress: Option<Py<PyAny>>,
) -> PyResult<Option<Migrated>> {
    exit::opening(py, |py| convert(py, path, progress))
}

/// Converts without the GIL; an exception that `progress` or a signal raises stops it.
fn convert(
    py: Python<'_>,
    path: PathBuf,
    progress: Option<Py<PyAny>>,
) -> PyResult<Option<Migrated>> {
    let raised = Mutex::new(None);
    let outcome = py.detach(|| {
        rocksq::migrate(path, |now| match tell(progress.as_ref(), now) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                *raised.lock() = Some(error);
                ControlFlow::Break(())
            }
        })
    });
    match (outcome, raised.into_inner()) {
        (Err(_), Some(raised)) => Err(raised),
        (outcome, _) => outcome
            .map(|migrated| migrated.map(Migrated::from))
            .map_err(|error| exception(py, &error)),
    }
}

fn tell(progress: Option<&Py<PyAny>>, now: Progress) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        match progress {
            Some(progress) => progress.call1(py, (now.done, now.total)).map(drop),
            None => Ok(()),
        }
    })
}
