//! Callbacks that are told how full a queue is.

use pyo3::prelude::*;

use super::arguments::watermark;
use super::call::released;
use rocksq::Result;
use rocksq::Watermark;
use rocksq::blocking;

/// A callback that is told how full a queue is.
///
/// It is told until `stop` is called or the queue is closed, whether this object is kept or not.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct Watch(blocking::Watch);

#[pymethods]
impl Watch {
    /// Tell the callback nothing more, once a call of it that is under way has returned.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }
}

/// The marks of a watch: high and low, items and bytes. A low one that is not given is the high
/// one.
pub(super) struct Marks {
    pub high: (Option<u64>, Option<u64>),
    pub low: (Option<u64>, Option<u64>),
}

/// Has `callback` told by `watch`; what it raises is reported as Python reports errors that nobody
/// can catch.
pub(super) fn watch(
    callback: &Bound<'_, PyAny>,
    marks: Marks,
    watch: impl FnOnce(Watermark, Watermark, Box<dyn FnMut(bool) + Send>) -> Result<blocking::Watch>
    + Send,
) -> PyResult<Watch> {
    let py = callback.py();
    if !callback.is_callable() {
        let message = "the first argument of watch is a callable that takes one bool";
        return Err(pyo3::exceptions::PyTypeError::new_err(message));
    }
    let high = watermark("watch", marks.high.0, marks.high.1)?;
    let low = watermark(
        "watch",
        marks.low.0.or(marks.high.0),
        marks.low.1.or(marks.high.1),
    )?;
    let callback = callback.clone().unbind();
    let call = move |is_high: bool| {
        // Without an interpreter there is nobody to tell.
        Python::try_attach(|py| {
            if let Err(error) = callback.call1(py, (is_high,)) {
                error.write_unraisable(py, Some(callback.bind(py)));
            }
        });
    };
    released(py, || watch(high, low, Box::new(call))).map(Watch)
}
