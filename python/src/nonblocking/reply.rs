//! What the operations of the nonblocking queues answer, and the Python values of that.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use super::aide::Aide;
use crate::batch::BatchBase;
use crate::{bytes, logging};
use rocksq::blocking::Next;
use rocksq::extension::Taken;
use rocksq::{Batch, Items};

/// The answer to an operation.
#[derive(Clone)]
pub(super) enum Reply {
    Done,
    Closed,
    Items(Items),
    Next(Next),
    Len(u64),
    Size(u64),
    Labels(Vec<String>),
    Removed(bool),
    Batch(Batch),
    Peeked(Items),
    Flag(bool),
}

/// Which of the fields that rocksq 0.3.0 had an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Len,
    Size,
    Labels,
    RemovedLabel,
    None,
}

/// An answer with more bytes or items than this is made into Python objects by another thread than
/// one that runs an event loop.
const LARGE_BYTES: u64 = 128 << 10;
const LARGE_ITEMS: usize = 1 << 10;

impl Reply {
    pub(super) fn done(_: ()) -> Self {
        Self::Done
    }

    pub(super) fn closed(_: ()) -> Self {
        Self::Closed
    }

    pub(super) fn items(taken: Taken) -> Self {
        Self::Items(taken.items)
    }

    pub(super) fn next(taken: Taken) -> Self {
        Self::Next(taken.into())
    }

    /// The plain value.
    pub(super) fn value(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Done => Ok(py.None()),
            Self::Closed => {
                logging::come(py);
                Ok(py.None())
            }
            Self::Items(items) | Self::Peeked(items) => {
                Ok(bytes::list(py, items)?.into_any().unbind())
            }
            Self::Next(next) => (bytes::list(py, next.items)?, next.expired).into_py_any(py),
            Self::Len(number) | Self::Size(number) => number.into_py_any(py),
            Self::Labels(labels) => labels.into_py_any(py),
            Self::Removed(flag) | Self::Flag(flag) => flag.into_py_any(py),
            // Of no queue: `Pending` makes those that can be committed.
            Self::Batch(batch) => Py::new(py, BatchBase::new(py, batch)?)?.into_py_any(py),
        }
    }

    pub(super) fn field(&self) -> Field {
        match self {
            Self::Items(_) | Self::Next(_) => Field::Data,
            Self::Len(_) => Field::Len,
            Self::Size(_) => Field::Size,
            Self::Labels(_) => Field::Labels,
            Self::Removed(_) => Field::RemovedLabel,
            Self::Done | Self::Closed | Self::Batch(_) | Self::Peeked(_) | Self::Flag(_) => {
                Field::None
            }
        }
    }

    /// Who is to make the value, if that takes long enough for an event loop to notice, or has to come
    /// behind what is being logged.
    pub(super) fn aide(&self) -> Option<Aide> {
        let items = match self {
            Self::Closed => return Some(Aide::Caller),
            Self::Items(items) | Self::Peeked(items) => items,
            Self::Next(next) => &next.items,
            Self::Batch(batch) => batch.items(),
            _ => return None,
        };
        let is_large = items.len() > LARGE_ITEMS || items.bytes() > LARGE_BYTES;
        is_large.then_some(Aide::Maker)
    }
}
