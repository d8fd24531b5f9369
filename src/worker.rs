//! The one thread of a queue that does its nonblocking operations, in their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Error, ErrorKind, Result};

type Operation = Box<dyn FnOnce() + Send>;

/// A worker and the operations before it. Its thread begins with the first of them.
#[derive(Default)]
pub(crate) struct Worker {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Desk {
    tray: Mutex<Tray>,
    /// Something to do, or nothing more to come.
    filled: Condvar,
}

#[derive(Default)]
struct Tray {
    operations: VecDeque<Operation>,
    finished: bool,
}

impl Worker {
    /// Has `operation` done after those asked for before.
    pub(crate) fn submit(&self, operation: impl FnOnce() + Send + 'static) -> Result<()> {
        self.start_thread()?;
        let mut tray = self.desk.tray.lock();
        if tray.finished {
            return Err(Error::closed());
        }
        tray.operations.push_back(Box::new(operation));
        self.desk.filled.notify_one();
        Ok(())
    }

    /// Lets the operations asked for so far finish and ends the thread. Later ones fail with
    /// `Closed`. Called by the worker itself it does not wait.
    pub(crate) fn finish(&self) {
        self.desk.tray.lock().finished = true;
        self.desk.filled.notify_one();
        let mut thread = self.thread.lock();
        let Some(running) = thread.take() else {
            return;
        };
        // The lock is kept while waiting, so that nobody who finishes the worker too goes on early.
        let own = running.thread().id() == std::thread::current().id();
        if !own && running.join().is_err() {
            tracing::error!("the worker thread of a queue panicked");
        }
    }

    fn start_thread(&self) -> Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_some() || self.desk.tray.lock().finished {
            return Ok(());
        }
        let desk = Arc::clone(&self.desk);
        let started = std::thread::Builder::new()
            .name("rocksq-worker".to_owned())
            .spawn(move || desk.work())
            .map_err(|error| {
                let message = format!("Failed to start the worker thread of the queue: {error}");
                Error::new(ErrorKind::Io, message)
            })?;
        *thread = Some(started);
        Ok(())
    }
}

impl Desk {
    fn work(&self) {
        let mut tray = self.tray.lock();
        loop {
            match tray.operations.pop_front() {
                Some(operation) => MutexGuard::unlocked(&mut tray, operation),
                None if tray.finished => return,
                None => self.filled.wait(&mut tray),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    #[test]
    fn what_was_asked_for_is_done_in_order_before_the_worker_ends() {
        let worker = Worker::default();
        let done = Arc::new(Mutex::new(Vec::new()));
        for n in 0..100 {
            let done = Arc::clone(&done);
            worker.submit(move || done.lock().push(n)).unwrap();
        }
        worker.finish();
        assert!(done.lock().iter().copied().eq(0..100));
    }

    #[test]
    fn everyone_who_finishes_a_worker_returns_after_the_last_operation() {
        let worker = Worker::default();
        let (go_on, done) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
        let (gate, flag) = (Arc::clone(&go_on), Arc::clone(&done));
        worker
            .submit(move || {
                gate.wait();
                flag.store(true, Ordering::SeqCst);
            })
            .unwrap();
        std::thread::scope(|scope| {
            let closers = [(); 2].map(|()| {
                scope.spawn(|| {
                    worker.finish();
                    done.load(Ordering::SeqCst)
                })
            });
            let early = Instant::now() + Duration::from_millis(100);
            while Instant::now() < early && !closers.iter().any(|closer| closer.is_finished()) {
                std::thread::yield_now();
            }
            go_on.wait();
            assert_eq!(closers.map(|closer| closer.join().unwrap()), [true; 2]);
        });
    }

    #[test]
    fn a_worker_that_has_finished_takes_nothing_more() {
        let worker = Worker::default();
        worker.finish();
        let error = worker.submit(|| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}
