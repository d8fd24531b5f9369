//! An answer that is asked for, and what became of it.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::reply::Reply;
use crate::Wait;
use crate::error::{Error, Result};
use crate::nonblocking::Response;
use crate::python::arguments::Timeout;
use crate::python::call::waiting;
use crate::python::errors::exception;

/// An answer under way, and the Python object made of it once it was read.
pub(super) struct Pending<V> {
    /// Gone when `variant` is there: the items need not be kept twice.
    response: Mutex<Option<Response<Reply>>>,
    variant: PyOnceLock<Py<V>>,
}

impl<V> Pending<V> {
    pub(super) fn new(response: Response<Reply>) -> Self {
        Self {
            response: Mutex::new(Some(response)),
            variant: PyOnceLock::new(),
        }
    }

    pub(super) fn is_ready(&self, py: Python<'_>) -> bool {
        py.detach(|| self.unread().is_none_or(|response| response.is_ready()))
    }

    /// The answer, waiting for it.
    pub(super) fn get(
        &self,
        py: Python<'_>,
        make: impl Fn(Python<'_>, Reply) -> PyResult<Py<V>>,
    ) -> PyResult<Py<V>> {
        match py.detach(|| self.unread()) {
            Some(response) => {
                let reply = waiting(py, Timeout::FOREVER, |wait| answer(&response, wait))?;
                self.keep(py, reply, make)
            }
            None => self.kept(py),
        }
    }

    /// The answer, if it is there.
    pub(super) fn try_get(
        &self,
        py: Python<'_>,
        make: impl Fn(Python<'_>, Reply) -> PyResult<Py<V>>,
    ) -> PyResult<Option<Py<V>>> {
        let answer = py.detach(|| self.unread().map(|response| response.try_get()));
        match answer {
            Some(Some(Ok(reply))) => self.keep(py, reply, make).map(Some),
            Some(Some(Err(error))) => Err(exception(py, &error)),
            Some(None) => Ok(None),
            None => self.kept(py).map(Some),
        }
    }

    fn unread(&self) -> Option<Response<Reply>> {
        self.response.lock().clone()
    }

    fn keep(
        &self,
        py: Python<'_>,
        reply: Reply,
        make: impl Fn(Python<'_>, Reply) -> PyResult<Py<V>>,
    ) -> PyResult<Py<V>> {
        let variant = self.variant.get_or_try_init(py, || make(py, reply))?;
        py.detach(|| self.response.lock().take());
        Ok(variant.clone_ref(py))
    }

    fn kept(&self, py: Python<'_>) -> PyResult<Py<V>> {
        match self.variant.get(py) {
            Some(variant) => Ok(variant.clone_ref(py)),
            None => Err(exception(py, &Error::closed())),
        }
    }
}

fn answer(response: &Response<Reply>, wait: Wait<'_>) -> Result<Reply> {
    match response.get_wait(wait)? {
        Some(answer) => answer,
        None => response.get(),
    }
}
