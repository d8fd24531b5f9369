//! The one thread that does the operations of a nonblocking queue, in their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use super::response::{Response, response};
use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::log::wait::{Deadline, Wait};

type Operation = Box<dyn FnOnce(&Desk) + Send>;

/// A worker and the operations before it. Dropping it lets them finish.
pub(crate) struct Worker {
    desk: Arc<Desk>,
    max_inflight: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
    birthplace: Birthplace,
}

#[derive(Default)]
struct Desk {
    tray: Mutex<Tray>,
    /// Something to do, or nothing more to come.
    filled: Condvar,
    /// Room for another operation.
    cleared: Condvar,
}

#[derive(Default)]
struct Tray {
    operations: VecDeque<Operation>,
    inflight: usize,
    done: bool,
}

impl Worker {
    /// A worker for at most `max_inflight` operations at a time; its thread begins with the first.
    pub(crate) fn new(max_inflight: usize) -> Result<Self> {
        if max_inflight == 0 {
            return Err(Error::invalid(
                "max_inflight_ops is 0, so no operation could ever begin: choose at least 1",
            ));
        }
        Ok(Self {
            desk: Arc::default(),
            max_inflight,
            thread: Mutex::new(None),
            birthplace: Birthplace::here(),
        })
    }

    /// Operations that were asked for and are not done.
    pub(crate) fn inflight(&self) -> Result<usize> {
        self.birthplace.check()?;
        Ok(self.desk.tray.lock().inflight)
    }

    /// Has `operation` done after those asked for before. Waits as long as `wait` says when too
    /// many are under way.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce() -> Result<T> + Send + 'static,
        wait: Wait<'_>,
    ) -> Result<Response<T>> {
        self.birthplace.check()?;
        let (responder, response) = response();
        let mut tray = self.desk.tray.lock();
        self.wait_for_room(&mut tray, &wait.begin())?;
        self.start_thread()?;
        tray.inflight = tray.inflight.saturating_add(1);
        tray.operations.push_back(Box::new(move |desk| {
            let result = operation();
            desk.count_done();
            responder.answer(result);
        }));
        self.desk.filled.notify_one();
        Ok(response)
    }

    fn wait_for_room(
        &self,
        tray: &mut parking_lot::MutexGuard<'_, Tray>,
        deadline: &Deadline<'_>,
    ) -> Result<()> {
        while !tray.done && tray.inflight >= self.max_inflight {
            if deadline.is_past() {
                return Err(Error::new(
                    ErrorKind::Full,
                    "Too many operations are under way: read some responses first",
                ));
            }
            deadline.wait(&self.desk.cleared, tray)?;
        }
        match tray.done {
            true => Err(Error::closed()),
            false => Ok(()),
        }
    }

    fn start_thread(&self) -> Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let desk = Arc::clone(&self.desk);
            let started = std::thread::Builder::new()
                .name("rocksq-worker".to_owned())
                .spawn(move || desk.work())
                .map_err(|error| {
                    Error::new(
                        ErrorKind::Io,
                        format!("Failed to start the queue's worker thread: {error}"),
                    )
                })?;
            *thread = Some(started);
        }
        Ok(())
    }

    /// Lets the operations asked for so far finish and ends the thread. Later ones fail with
    /// `Closed`.
    pub(crate) fn finish(&self) -> Result<()> {
        self.birthplace.check()?;
        self.desk.tray.lock().done = true;
        self.desk.filled.notify_one();
        self.desk.cleared.notify_all();
        if let Some(thread) = self.thread.lock().take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the worker thread of a queue panicked");
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::debug!(%error, "the worker stays with the parent process");
        }
    }
}

impl Desk {
    fn work(&self) {
        let mut tray = self.tray.lock();
        loop {
            match tray.operations.pop_front() {
                Some(operation) => parking_lot::MutexGuard::unlocked(&mut tray, || operation(self)),
                None if tray.done => return,
                None => self.filled.wait(&mut tray),
            }
        }
    }

    fn count_done(&self) {
        let mut tray = self.tray.lock();
        tray.inflight = tray.inflight.saturating_sub(1);
        self.cleared.notify_one();
    }
}
