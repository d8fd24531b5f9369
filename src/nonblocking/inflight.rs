//! How many operations are under way, and how many may be.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::response::{Response, response};
use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::log::wait::Wait;
use crate::worker::Worker;

/// The operations of one nonblocking face. Dropping it waits until they are done.
pub(crate) struct Inflight {
    counter: Arc<Counter>,
    max: usize,
    birthplace: Birthplace,
}

#[derive(Default)]
struct Counter {
    count: Mutex<usize>,
    fewer: Condvar,
}

impl Inflight {
    pub(crate) fn at_most(max: usize) -> Result<Self> {
        if max == 0 {
            return Err(Error::invalid(
                "max_inflight_ops is 0, so no operation could ever begin: choose at least 1",
            ));
        }
        Ok(Self {
            counter: Arc::default(),
            max,
            birthplace: Birthplace::here(),
        })
    }

    /// Operations that were asked for and are not done.
    pub(crate) fn count(&self) -> Result<usize> {
        self.birthplace.check()?;
        Ok(*self.counter.count.lock())
    }

    /// Has `worker` do `operation`. Waits as long as `wait` says when too many are under way.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        worker: &Worker,
        operation: impl FnOnce() -> Result<T> + Send + 'static,
        wait: Wait<'_>,
    ) -> Result<Response<T>> {
        self.birthplace.check()?;
        self.begin(wait)?;
        let (responder, response) = response();
        let counter = Arc::clone(&self.counter);
        let submitted = worker.submit(move || {
            let result = operation();
            counter.end();
            responder.answer(result);
        });
        match submitted {
            Ok(()) => Ok(response),
            Err(error) => {
                self.counter.end();
                Err(error)
            }
        }
    }

    fn begin(&self, wait: Wait<'_>) -> Result<()> {
        let deadline = wait.begin();
        let mut count = self.counter.count.lock();
        while *count >= self.max {
            if deadline.is_past() {
                return Err(Error::new(
                    ErrorKind::Full,
                    "Too many operations are under way: let some finish first",
                ));
            }
            deadline.wait(&self.counter.fewer, &mut count)?;
        }
        *count = count.saturating_add(1);
        Ok(())
    }
}

impl Counter {
    fn end(&self) {
        let mut count = self.count.lock();
        *count = count.saturating_sub(1);
        self.fewer.notify_all();
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        if self.birthplace.is_here() {
            let mut count = self.counter.count.lock();
            while *count > 0 {
                self.counter.fewer.wait(&mut count);
            }
        }
    }
}
