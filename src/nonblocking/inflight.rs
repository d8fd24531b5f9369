//! How many operations are under way, and how many may be.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::response::{Response, response};
use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::log::wait::{Line, Wait};
use crate::worker::Worker;

/// The operations of one nonblocking face. Dropping it waits until they are done.
pub(crate) struct Inflight {
    counter: Arc<Counter>,
    max: usize,
    birthplace: Birthplace,
}

#[derive(Default)]
struct Counter {
    room: Mutex<Room>,
    idle: Condvar,
}

#[derive(Default)]
struct Room {
    count: usize,
    /// Callers who wait for fewer to be under way, in the order in which they came.
    line: Line,
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
        Ok(self.counter.room.lock().count)
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
        let (counter, max) = (Arc::clone(&self.counter), self.max);
        let submitted = worker.submit(move || {
            let result = operation();
            counter.end(max);
            responder.answer(result);
        });
        match submitted {
            Ok(()) => Ok(response),
            Err(error) => {
                self.counter.end(max);
                Err(error)
            }
        }
    }

    fn begin(&self, wait: Wait<'_>) -> Result<()> {
        let ticket = {
            let mut room = self.counter.room.lock();
            if room.line.is_empty() && room.count < self.max {
                room.count = room.count.saturating_add(1);
                return Ok(());
            }
            let ticket = room.line.join(1);
            room.call(self.max);
            ticket
        };
        let called = ticket.wait(&wait.begin());
        let mut room = self.counter.room.lock();
        room.line.leave(&ticket);
        if let Ok(true) = called {
            room.count = room.count.saturating_add(1);
        }
        room.call(self.max);
        match called? {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Full,
                "Too many operations are under way: let some finish first",
            )),
        }
    }
}

impl Room {
    /// Calls those who can begin.
    fn call(&mut self, max: usize) {
        self.line.call(max.saturating_sub(self.count) as u64);
    }
}

impl Counter {
    fn end(&self, max: usize) {
        let mut room = self.room.lock();
        room.count = room.count.saturating_sub(1);
        room.call(max);
        if room.count == 0 {
            self.idle.notify_all();
        }
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        if self.birthplace.is_here() {
            let mut room = self.counter.room.lock();
            while room.count > 0 {
                self.counter.idle.wait(&mut room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_goes_to_those_who_wait_before_those_who_come() {
        let inflight = Inflight::at_most(1).unwrap();
        inflight.begin(Wait::NEVER).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| inflight.begin(Wait::FOREVER));
            while inflight.counter.room.lock().line.is_empty() {
                std::thread::yield_now();
            }
            inflight.counter.end(1);
            let error = inflight.begin(Wait::NEVER).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Full);
            waiting.join().unwrap().unwrap();
        });
        assert_eq!(inflight.count().unwrap(), 1);
        inflight.counter.end(1);
    }

    #[test]
    fn one_who_gives_up_leaves_the_room_to_others() {
        let inflight = Inflight::at_most(1).unwrap();
        inflight.begin(Wait::NEVER).unwrap();
        inflight.begin(Wait::NEVER).unwrap_err();
        inflight.counter.end(1);
        inflight.begin(Wait::NEVER).unwrap();
        inflight.counter.end(1);
    }
}
