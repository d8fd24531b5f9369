//! The one thread of a queue that does its nonblocking operations, in their order.
//!
//! Operations that wait for items or room do not hold it up: they are tried, stand in the log's
//! line, and come back to the tray when they are called. Their deadlines are the worker's alarm, so
//! that waiting costs neither a thread nor a wake-up.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::threads;

/// What could not be given back is tried again after so long.
const RETRY: Duration = Duration::from_secs(1);

/// Something for the worker to do.
pub(crate) enum Job {
    /// Once.
    Do(Box<dyn FnOnce() + Send>),
    /// Now, and again until it is over.
    Try(Arc<dyn Patient>),
    /// Once, together with those behind it of the same kind.
    Together(Box<dyn Joint>),
}

/// An operation that is done together with those of its kind behind it.
pub(crate) trait Joint: Send {
    /// Does it, and takes those from the front of `following` that go with it. When it fails,
    /// something is left to be given back.
    fn run(self: Box<Self>, following: &mut VecDeque<Job>) -> Result<()>;

    /// Joins `group` if that is one of its kind with room; comes back otherwise.
    fn join(self: Box<Self>, group: &mut dyn Any) -> Option<Box<dyn Joint>>;
}

/// An operation that may have to wait.
pub(crate) trait Patient: Send + Sync {
    /// Tries it, for the `last` time if its deadline has come. Returns whether it is over.
    fn attempt(self: Arc<Self>, last: bool) -> bool;

    /// When it will not wait any longer.
    fn deadline(&self) -> Option<Instant>;
}

/// A worker and the jobs before it. Its thread begins with the first of them.
pub(crate) struct Worker {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where jobs are handed in.
pub(crate) struct Desk {
    tray: Mutex<Tray>,
    /// Something to do, or nothing more to come.
    filled: Condvar,
    /// Whether there is something to give back.
    given_up: AtomicBool,
    /// Whether there is a thread, or will never be one again.
    started: AtomicBool,
    give_back: Box<dyn Fn() -> Result<()> + Send + Sync>,
}

#[derive(Default)]
struct Tray {
    jobs: VecDeque<Job>,
    /// No new operations.
    finished: bool,
    /// Nothing at all any more.
    dismissed: bool,
}

impl Worker {
    /// A worker that calls `give_back` before other jobs once something was given up.
    pub(crate) fn new(give_back: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        Self {
            desk: Arc::new(Desk {
                tray: Mutex::default(),
                filled: Condvar::new(),
                given_up: AtomicBool::new(false),
                started: AtomicBool::new(false),
                give_back: Box::new(give_back),
            }),
            thread: Mutex::new(None),
        }
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Makes sure that the thread is there, which does what is handed in.
    pub(crate) fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock();
        if self.desk.is_started() {
            return Ok(());
        }
        let desk = Arc::clone(&self.desk);
        let started = threads::spawn("rocksq-worker", move || desk.work()).map_err(|error| {
            let message = format!("Failed to start the worker thread of the queue: {error}");
            Error::new(ErrorKind::Io, message)
        })?;
        *thread = Some(started);
        self.desk.started.store(true, Ordering::Release);
        Ok(())
    }

    /// Lets the operations asked for so far finish and ends the thread. Later ones fail with
    /// `Closed`. Called by the worker itself it does not wait.
    pub(crate) fn finish(&self) {
        self.desk.tray.lock().finished = true;
        self.desk.started.store(true, Ordering::Release);
        self.desk.filled.notify_one();
        let mut thread = self.thread.lock();
        let Some(running) = thread.take() else {
            return;
        };
        // The lock is kept while waiting, so that nobody who finishes the worker too goes on early.
        let own = running.thread().id() == std::thread::current().id();
        if !own && running.join().is_err() {
            Event::at(Level::Error).post("the worker thread of a queue panicked");
        }
    }

    /// Waits until the operations asked for so far are done, or wait. Called by the worker itself it
    /// does not wait.
    pub(crate) fn settle(&self) {
        let thread = self.thread.lock();
        let own = std::thread::current().id();
        match &*thread {
            Some(running) if running.thread().id() != own => {}
            _ => return,
        }
        drop(thread);
        let (done, settled) = std::sync::mpsc::channel();
        // Who asked waits, or the worker is finished by somebody else.
        let report = Job::Do(Box::new(move || done.send(()).unwrap_or_default()));
        if self.desk.submit(report).is_ok() {
            settled.recv().unwrap_or_default();
        }
    }

    /// Ends what still waits, after the worker has finished and the log was closed.
    pub(crate) fn dismiss(&self) {
        let left = {
            let mut tray = self.desk.tray.lock();
            tray.dismissed = true;
            std::mem::take(&mut tray.jobs)
        };
        left.into_iter().for_each(Job::run_last);
    }
}

impl Desk {
    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Hands in an operation, to be done after those handed in before.
    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        let tray = self.tray.lock();
        if tray.finished {
            return Err(Error::closed());
        }
        self.put(tray, job);
        Ok(())
    }

    /// Hands in an operation that was asked for before, even when the worker takes no new ones.
    /// Gives it back to be [run](Job::run_last) by the caller when nobody else will.
    pub(crate) fn submit_late(&self, job: Job) -> Option<Job> {
        let tray = self.tray.lock();
        if tray.dismissed {
            return Some(job);
        }
        self.put(tray, job);
        None
    }

    /// Has an operation that waits tried again. Neither waits nor calls anything.
    pub(crate) fn try_again(&self, operation: Arc<dyn Patient>) {
        let tray = self.tray.lock();
        // The last of them was tried, and was over, before the worker was dismissed.
        if !tray.dismissed {
            self.put(tray, Job::Try(operation));
        }
    }

    fn put(&self, mut tray: MutexGuard<'_, Tray>, job: Job) {
        tray.jobs.push_back(job);
        drop(tray);
        self.filled.notify_one();
    }

    /// Has what was given up given back before anything else is done.
    pub(crate) fn give_back_soon(&self) {
        self.given_up.store(true, Ordering::Release);
        drop(self.tray.lock());
        self.filled.notify_one();
    }

    fn work(&self) {
        let mut alarms = Alarms::default();
        let mut jobs = VecDeque::new();
        while self.next_jobs(&mut jobs, &alarms) {
            self.give_back(&mut alarms);
            alarms.ring();
            while let Some(job) = jobs.pop_front() {
                self.give_back(&mut alarms);
                match job {
                    Job::Do(operation) => operation(),
                    Job::Try(operation) => alarms.attempt(operation),
                    Job::Together(first) => {
                        if first.run(&mut jobs).is_err() {
                            self.given_up.store(true, Ordering::Release);
                        }
                    }
                }
            }
        }
    }

    /// Waits until there is something to do, and takes all jobs at once into `jobs`, which is
    /// empty; false when nothing more will come.
    fn next_jobs(&self, jobs: &mut VecDeque<Job>, alarms: &Alarms) -> bool {
        let mut tray = self.tray.lock();
        loop {
            std::mem::swap(jobs, &mut tray.jobs);
            let alarm = alarms.next();
            let due = alarm.is_some_and(|alarm| alarm <= Instant::now());
            if !jobs.is_empty() || due || self.given_up.load(Ordering::Acquire) {
                return true;
            }
            match alarm {
                _ if tray.finished => return false,
                Some(alarm) => drop(self.filled.wait_until(&mut tray, alarm)),
                None => self.filled.wait(&mut tray),
            }
        }
    }

    fn give_back(&self, alarms: &mut Alarms) {
        let retry = alarms.retry.is_some_and(|retry| retry <= Instant::now());
        if !retry && !self.given_up.load(Ordering::Acquire) {
            return;
        }
        self.given_up.store(false, Ordering::Release);
        alarms.retry = match (self.give_back)() {
            Ok(()) => None,
            Err(error) => {
                let text =
                    format_args!("could not give back items, it will be tried again: {error}");
                Event::at(Level::Warn).tell(text);
                Instant::now().checked_add(RETRY)
            }
        };
    }
}

impl Job {
    /// Does it without a worker, on a queue that is closed.
    pub(crate) fn run_last(self) {
        match self {
            Self::Do(operation) => operation(),
            Self::Try(operation) => drop(operation.attempt(true)),
            Self::Together(operation) => drop(operation.run(&mut VecDeque::new())),
        }
    }
}

/// The deadlines of the operations that wait.
#[derive(Default)]
struct Alarms {
    /// By time and identity.
    waiting: BTreeMap<(Instant, usize), Arc<dyn Patient>>,
    /// When to try again to give back what could not be given back.
    retry: Option<Instant>,
}

impl Alarms {
    fn next(&self) -> Option<Instant> {
        let first = self.waiting.first_key_value();
        let first = first.map(|(&(moment, _), _)| moment);
        [first, self.retry].into_iter().flatten().min()
    }

    /// Tries those whose deadline has come for the last time.
    fn ring(&mut self) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= Instant::now()
        {
            first.remove().attempt(true);
        }
    }

    fn attempt(&mut self, operation: Arc<dyn Patient>) {
        let deadline = operation.deadline();
        let key = deadline.map(|moment| (moment, Arc::as_ptr(&operation).addr()));
        let last = deadline.is_some_and(|moment| moment <= Instant::now());
        let over = Arc::clone(&operation).attempt(last);
        match key {
            Some(key) if over => drop(self.waiting.remove(&key)),
            Some(key) => drop(self.waiting.insert(key, operation)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    fn worker() -> Worker {
        let worker = Worker::new(|| Ok(()));
        worker.start().unwrap();
        worker
    }

    fn submit(worker: &Worker, operation: impl FnOnce() + Send + 'static) {
        worker.desk().submit(Job::Do(Box::new(operation))).unwrap();
    }

    #[test]
    fn what_was_asked_for_is_done_in_order_before_the_worker_ends() {
        let worker = worker();
        let done = Arc::new(Mutex::new(Vec::new()));
        for n in 0..100 {
            let done = Arc::clone(&done);
            submit(&worker, move || done.lock().push(n));
        }
        worker.finish();
        assert!(done.lock().iter().copied().eq(0..100));
    }

    #[test]
    fn everyone_who_finishes_a_worker_returns_after_the_last_operation() {
        let worker = worker();
        let (go_on, done) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
        let (gate, flag) = (Arc::clone(&go_on), Arc::clone(&done));
        submit(&worker, move || {
            gate.wait();
            flag.store(true, Ordering::SeqCst);
        });
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
        let worker = worker();
        worker.finish();
        let error = worker.desk().submit(Job::Do(Box::new(|| ()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }

    #[test]
    fn what_was_given_up_is_given_back_before_the_operations_that_wait_in_the_tray() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let given_back = Arc::clone(&done);
        let worker = Worker::new(move || {
            given_back.lock().push("given back");
            Ok(())
        });
        for text in ["first", "second"] {
            let (done, desk) = (Arc::clone(&done), Arc::clone(worker.desk()));
            submit(&worker, move || {
                done.lock().push(text);
                if text == "first" {
                    desk.give_back_soon();
                }
            });
        }
        worker.start().unwrap();
        worker.finish();
        assert_eq!(*done.lock(), ["first", "given back", "second"]);
    }

    #[test]
    fn what_could_not_be_given_back_is_tried_again() {
        let tries = Arc::new(Mutex::new(0));
        let (sender, given_back) = std::sync::mpsc::channel();
        let worker = Worker::new(move || {
            *tries.lock() += 1;
            match *tries.lock() {
                1 => Err(Error::closed()),
                _ => {
                    sender.send(()).unwrap();
                    Ok(())
                }
            }
        });
        worker.start().unwrap();
        worker.desk().give_back_soon();
        given_back.recv().unwrap();
        worker.finish();
    }

    /// Counts its tries; is over with the last.
    struct Waits {
        until: Instant,
        tries: Mutex<Vec<bool>>,
        over: Condvar,
    }

    impl Patient for Waits {
        fn attempt(self: Arc<Self>, last: bool) -> bool {
            self.tries.lock().push(last);
            self.over.notify_all();
            last
        }

        fn deadline(&self) -> Option<Instant> {
            Some(self.until)
        }
    }

    #[test]
    fn an_operation_that_waits_is_tried_when_called_and_for_the_last_time_at_its_deadline() {
        let worker = worker();
        let waits = Arc::new(Waits {
            until: Instant::now() + Duration::from_millis(30),
            tries: Mutex::default(),
            over: Condvar::new(),
        });
        worker.desk().submit(Job::Try(waits.clone())).unwrap();
        let mut tries = waits.tries.lock();
        while tries.last() != Some(&true) {
            waits.over.wait(&mut tries);
        }
        assert_eq!(*tries, [false, true]);
        assert!(Instant::now() >= waits.until);
        drop(tries);
        worker.finish();
    }

    #[test]
    fn what_waits_when_the_worker_is_dismissed_is_tried_for_the_last_time() {
        let worker = worker();
        let waits = Arc::new(Waits {
            until: Instant::now() + Duration::from_secs(3600),
            tries: Mutex::default(),
            over: Condvar::new(),
        });
        worker.desk().submit(Job::Try(waits.clone())).unwrap();
        worker.finish();
        worker.desk().try_again(waits.clone());
        worker.dismiss();
        assert_eq!(*waits.tries.lock(), [false, true]);
    }
}
