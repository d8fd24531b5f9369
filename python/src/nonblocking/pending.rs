//! An answer that is asked for, and the Python value that it becomes.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::aide::Aide;
use super::batch::Batch;
use super::reply::{Field, Reply};
use super::variant::Answered;
use crate::arguments::Timeout;
use crate::call::waiting;
use crate::errors::{self, exception};
use crate::shared::Shared;
use rocksq::nonblocking::{self, Response};
use rocksq::{Error, ErrorKind, Result};

/// What keeps a queue open until items taken from it were claimed, and a batch read from it is gone.
#[derive(Clone)]
pub(super) enum Keeper {
    None,
    Fifo(Shared<nonblocking::PersistentQueueWithCapacity>),
    Mpmc(Shared<nonblocking::MpmcQueue>),
}

/// An answer under way.
///
/// The locks are held for a few steps by threads that are attached to the interpreter, and never
/// while one of these lets go of it.
pub(super) struct Pending {
    /// Gone when the answer was claimed: the items need not be kept twice.
    asked: Mutex<Option<Asked>>,
    /// The field of the answer and its value, made once.
    made: OnceLock<(Field, Py<PyAny>)>,
    /// How many coroutines wait for it.
    awaited: Mutex<usize>,
}

struct Asked {
    response: Response<Reply>,
    keeper: Keeper,
}

impl Pending {
    pub(super) fn new(response: Response<Reply>, keeper: Keeper) -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::new(Some(Asked { response, keeper })),
            made: OnceLock::new(),
            awaited: Mutex::new(0),
        })
    }

    /// Asks the response something, unless it was claimed.
    fn ask<R>(&self, ask: impl FnOnce(&Response<Reply>) -> R) -> Option<R> {
        self.asked.lock().as_ref().map(|asked| ask(&asked.response))
    }

    /// A clone of the response, unless it was claimed.
    pub(super) fn response(&self) -> Option<Response<Reply>> {
        self.ask(Response::clone)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ask(Response::is_ready).unwrap_or(true)
    }

    /// Waits for the answer; false when it did not come in time.
    pub(super) fn wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<bool> {
        if self.is_ready() {
            return Ok(true);
        }
        let Some(response) = self.response() else {
            return Ok(true);
        };
        waiting(py, timeout, move |wait| {
            response.wait(wait).map(|()| response.is_ready())
        })
    }

    /// Makes the Python value, without claiming it. An error is left for who claims it.
    pub(super) fn make(&self, py: Python<'_>) -> PyResult<()> {
        let reply = self.ask(|response| response.look(Clone::clone)).flatten();
        if let Some(Ok(reply)) = reply {
            self.made(py, reply)?;
        }
        Ok(())
    }

    /// Who has still to make the value, if an aide has.
    pub(super) fn aide(&self) -> Option<Aide> {
        let look = |response: &Response<Reply>| response.look(aide_of).flatten();
        match self.made.get() {
            Some(_) => None,
            None => self.ask(look).flatten(),
        }
    }

    /// Claims the answer, if it is there.
    pub(super) fn claim(&self, py: Python<'_>) -> Result<Option<Answered>, Failure> {
        let Some(answer) = self.ask(Response::try_get) else {
            return Ok(self.made.get().map(|made| answered(py, made)));
        };
        let Some(answer) = answer else {
            return Ok(None);
        };
        let made = self.made(py, answer?)?;
        let asked = self.asked.lock().take();
        let answered = answered(py, made);
        drop(asked);
        Ok(Some(answered))
    }

    fn made(&self, py: Python<'_>, reply: Reply) -> PyResult<&(Field, Py<PyAny>)> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let field = reply.field();
        let value = match reply {
            Reply::Batch(batch) => Batch::new(py, batch, self.keeper())?.into_any(),
            other => other.value(py)?,
        };
        let made = (field, value);
        Ok(self.made.get_or_init(|| made))
    }

    fn keeper(&self) -> Keeper {
        let asked = self.asked.lock();
        asked
            .as_ref()
            .map_or(Keeper::None, |asked| asked.keeper.clone())
    }

    /// What the operation failed with, if it has; claims nothing.
    pub(super) fn failure(&self) -> Option<Error> {
        self.ask(Response::failure).flatten()
    }

    pub(super) fn cancel(&self, py: Python<'_>) -> bool {
        match self.response() {
            Some(response) => py.detach(move || response.cancel()),
            None => false,
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.ask(Response::is_cancelled).unwrap_or(false)
    }

    pub(super) fn is_running(&self) -> bool {
        self.ask(Response::is_running).unwrap_or(false)
    }

    /// A coroutine begins to wait.
    pub(super) fn arrive(&self) {
        let mut awaited = self.awaited.lock();
        *awaited = awaited.saturating_add(1);
    }

    /// A coroutine waits no longer; true when it was the last.
    pub(super) fn depart(&self) -> bool {
        let mut awaited = self.awaited.lock();
        *awaited = awaited.saturating_sub(1);
        *awaited == 0
    }
}

pub(super) fn aide_of(answer: &Result<Reply>) -> Option<Aide> {
    answer.as_ref().ok().and_then(Reply::aide)
}

fn answered(py: Python<'_>, (field, value): &(Field, Py<PyAny>)) -> Answered {
    Answered {
        field: *field,
        value: value.clone_ref(py),
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Giving items back takes locks, for which nobody waits with the GIL.
        let mut asked = self.asked.get_mut().take();
        if asked
            .as_ref()
            .is_some_and(|asked| asked.response.can_be_given_up())
        {
            Python::try_attach(|py| py.detach(|| drop(asked.take())));
        }
    }
}

/// Why an answer could not be had.
pub(super) enum Failure {
    Operation(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Failure {
    /// As `concurrent.futures` raises it.
    pub(super) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Operation(error) if error.kind() == ErrorKind::Cancelled => {
                errors::future_cancelled(py)
            }
            other => other.raise_plainly(py),
        }
    }

    /// As `await` raises it.
    pub(super) fn raise_in_coroutine(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Operation(error) if error.kind() == ErrorKind::Cancelled => {
                errors::task_cancelled(py)
            }
            other => other.raise_plainly(py),
        }
    }

    fn raise_plainly(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Operation(error) => exception(py, &error),
            Self::Python(error) => error,
        }
    }
}
