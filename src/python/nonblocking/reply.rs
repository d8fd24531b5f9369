//! What the operations of the nonblocking queues answer.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::Items;
use crate::mpmc::Next;
use crate::python::bytes;

/// The answer to an operation.
#[derive(Clone)]
pub(super) enum Reply {
    Done,
    Items(Items),
    Next(Next),
    Len(u64),
    Size(u64),
    Labels(Vec<String>),
    Removed(bool),
}

impl Reply {
    /// The field `data`: items, or items and whether others had expired.
    pub(super) fn data(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self {
            Self::Items(items) => Ok(Some(bytes::list(py, items.clone())?.into_any().unbind())),
            Self::Next(next) => {
                let pair = (bytes::list(py, next.items.clone())?, next.expired);
                Ok(Some(pair.into_py_any(py)?))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Self::Len(len) => Some(*len),
            _ => None,
        }
    }

    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Size(size) => Some(*size),
            _ => None,
        }
    }

    pub(super) fn labels(&self) -> Option<Vec<String>> {
        match self {
            Self::Labels(labels) => Some(labels.clone()),
            _ => None,
        }
    }

    pub(super) fn removed_label(&self) -> Option<bool> {
        match self {
            Self::Removed(removed) => Some(*removed),
            _ => None,
        }
    }
}
