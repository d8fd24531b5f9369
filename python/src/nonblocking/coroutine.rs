//! A response as a coroutine, which `asyncio.create_task` and `TaskGroup.create_task` drive.
//!
//! A coroutine of Python's belongs to one task. A response can be driven by several, each of which
//! waits and claims for itself; the running task tells which of them takes its next step.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::asking;
use super::awaiting::{Outcome, Steps};
use super::pending::Pending;

/// Who drives, by the address of its task; 0 for one without a task.
type Driver = usize;

/// The steps of those who drive a response and have not come to their end. Locked for a few steps
/// by threads that are attached to the interpreter.
#[derive(Default)]
pub(super) struct Coroutine(Mutex<Vec<(Driver, Steps)>>);

impl Coroutine {
    /// One step further: raises what came, or returns a future to wait on.
    pub(super) fn advance(&self, py: Python<'_>, pending: &Arc<Pending>) -> PyResult<Py<PyAny>> {
        let driver = driver(py)?;
        let steps = self.take(driver, pending);
        let future = steps.advance(py)?;
        self.0.lock().push((driver, steps));
        Ok(future)
    }

    /// The one that drives ends here without the answer.
    pub(super) fn give_up(&self, py: Python<'_>, pending: &Arc<Pending>) -> PyResult<()> {
        self.take(driver(py)?, pending).give_up(py);
        Ok(())
    }

    /// The steps of `driver` so far.
    fn take(&self, driver: Driver, pending: &Arc<Pending>) -> Steps {
        let mut driven = self.0.lock();
        let begun = driven.iter().position(|(other, _)| *other == driver);
        match begun {
            Some(index) => driven.swap_remove(index).1,
            None => Steps::new(pending, Outcome::Value),
        }
    }
}

fn driver(py: Python<'_>) -> PyResult<Driver> {
    static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let Some(event_loop) = asking::running_loop(py)? else {
        return Ok(0);
    };
    let task = CURRENT
        .import(py, "asyncio", "current_task")?
        .call1((event_loop,))?;
    Ok(if task.is_none() {
        0
    } else {
        task.as_ptr().addr()
    })
}
