//! The answer to an operation that is under way.

use std::fmt;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::error::Result;
use crate::fork::Birthplace;
use crate::log::wait::Wait;

/// The answer to an operation of a nonblocking queue, once it is there.
///
/// Dropping it unread is harmless: the operation is done all the same. In a forked child it is
/// answered with `Forked` at once, since the worker is not there.
pub struct Response<T>(Arc<Answer<T>>);

struct Answer<T> {
    birthplace: Birthplace,
    result: Mutex<Option<Result<T>>>,
    ready: Condvar,
}

/// The worker's end of a response.
pub(crate) struct Responder<T>(Arc<Answer<T>>);

pub(crate) fn response<T>() -> (Responder<T>, Response<T>) {
    let answer = Arc::new(Answer {
        birthplace: Birthplace::here(),
        result: Mutex::new(None),
        ready: Condvar::new(),
    });
    (Responder(Arc::clone(&answer)), Response(answer))
}

impl<T> Responder<T> {
    pub(crate) fn answer(self, result: Result<T>) {
        *self.0.result.lock() = Some(result);
        self.0.ready.notify_all();
    }
}

impl<T: Clone> Response<T> {
    /// Whether the answer is there. In a forked child it is always there: an error.
    pub fn is_ready(&self) -> bool {
        self.try_get().is_some()
    }

    /// The answer, if it is there.
    pub fn try_get(&self) -> Option<Result<T>> {
        if let Err(error) = self.0.birthplace.check() {
            return Some(Err(error));
        }
        self.0.result.lock().clone()
    }

    /// The answer; waits for it. Asking again gives the same again.
    pub fn get(&self) -> Result<T> {
        match self.get_wait(Wait::FOREVER)? {
            Some(answer) => answer,
            None => self.get(),
        }
    }

    /// The answer, if it comes as long as `wait` says. The outer error is that of the wait.
    pub fn get_wait(&self, wait: Wait<'_>) -> Result<Option<Result<T>>> {
        self.0.birthplace.check()?;
        let deadline = wait.begin();
        let mut result = self.0.result.lock();
        while result.is_none() && !deadline.is_past() {
            deadline.wait(&self.0.ready, &mut result)?;
        }
        Ok(result.clone())
    }
}

impl<T> Clone for Response<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").finish_non_exhaustive()
    }
}
