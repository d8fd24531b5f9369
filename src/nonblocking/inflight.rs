//! How many operations are under way, and how many may be.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, ErrorKind, Result};
use crate::fork::Birthplace;
use crate::log::wait::Ticket;
use crate::wait::Wait;
use crate::worker::{Desk, Job};

/// The operations of one nonblocking face. Dropping it waits until they are done.
pub(crate) struct Inflight {
    counter: Arc<Counter>,
    birthplace: Birthplace,
}

/// What a call does when too many operations are under way.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// It waits.
    Wait(Wait<'a>),
    /// It returns, and its operation begins when there is room.
    Later,
}

/// Counts an operation as under way until it is dropped.
pub(crate) struct UnderWay(Arc<Counter>);

struct Counter {
    max: usize,
    count: AtomicUsize,
    /// How many wait for room. Changed only under the lock of `queue`.
    waiting: AtomicUsize,
    queue: Mutex<VecDeque<Entrant>>,
    /// Whether somebody waits until nothing is under way.
    ending: AtomicBool,
    idle: Condvar,
}

/// One who waits for room, in the order in which they came.
enum Entrant {
    Thread(Arc<Ticket>),
    Operation(Arc<Desk>, Job),
}

impl Inflight {
    pub(crate) fn at_most(max: usize) -> Result<Self> {
        if max == 0 {
            return Err(Error::invalid(
                "max_inflight_ops is 0, so no operation could ever begin: choose at least 1",
            ));
        }
        Ok(Self {
            counter: Arc::new(Counter {
                max,
                count: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
                queue: Mutex::default(),
                ending: AtomicBool::new(false),
                idle: Condvar::new(),
            }),
            birthplace: Birthplace::here(),
        })
    }

    /// Operations that were asked for and are not done, without those that wait.
    pub(crate) fn count(&self) -> Result<usize> {
        self.birthplace.check()?;
        Ok(self.counter.count.load(Ordering::SeqCst))
    }

    /// Hands the job that `make` makes to `desk`, at once or as `entry` says. The job counts until
    /// it drops what it was made with.
    pub(crate) fn submit<T>(
        &self,
        desk: &Arc<Desk>,
        entry: Entry<'_>,
        make: impl FnOnce(UnderWay) -> (Job, T),
    ) -> Result<T> {
        self.birthplace.check()?;
        let counted = match entry {
            Entry::Wait(wait) => self.counter.enter(wait).map(|()| true)?,
            Entry::Later => self.counter.enter_at_once(),
        };
        let (job, response) = make(UnderWay(Arc::clone(&self.counter)));
        match counted {
            true => desk.submit(job)?,
            false => self.counter.enter_later(desk, job),
        }
        Ok(response)
    }
}

impl Counter {
    fn enter(&self, wait: Wait<'_>) -> Result<()> {
        if self.enter_at_once() {
            return Ok(());
        }
        let deadline = wait.begin();
        if deadline.is_past() {
            return Err(too_many());
        }
        let ticket = Ticket::for_a_thread();
        self.join(Entrant::Thread(Arc::clone(&ticket)));
        match ticket.wait(&deadline) {
            Ok(true) => Ok(()),
            called => {
                self.leave(&ticket);
                Err(called.err().unwrap_or_else(too_many))
            }
        }
    }

    fn enter_at_once(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0 && self.count_one()
    }

    /// Has a job counted and handed in when there is room.
    fn enter_later(&self, desk: &Arc<Desk>, job: Job) {
        self.join(Entrant::Operation(Arc::clone(desk), job));
    }

    fn count_one(&self) -> bool {
        let one_more = |count| (count < self.max).then(|| count + 1);
        self.count
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
            .is_ok()
    }

    fn join(&self, entrant: Entrant) {
        let mut queue = self.queue.lock();
        queue.push_back(entrant);
        self.waiting.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        self.admit();
    }

    /// Leaves the queue, or the room that was given meanwhile.
    fn leave(&self, ticket: &Arc<Ticket>) {
        let mut queue = self.queue.lock();
        let before = queue.len();
        queue
            .retain(|other| !matches!(other, Entrant::Thread(other) if Arc::ptr_eq(other, ticket)));
        self.waiting.store(queue.len(), Ordering::SeqCst);
        let was_called = queue.len() == before;
        drop(queue);
        if was_called {
            self.end();
        }
    }

    fn end(&self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        // One who begins to wait looks for room after this, or is seen here. Each side writes one of
        // `count` and `waiting` and then reads the other; only in one order of all (`SeqCst`) can they
        // not both miss what the other wrote, which would leave a caller waiting beside free room.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.admit();
        }
        if self.ending.load(Ordering::SeqCst) && self.count.load(Ordering::SeqCst) == 0 {
            drop(self.queue.lock());
            self.idle.notify_all();
        }
    }

    /// Lets those in front begin as far as there is room. Handed in under the lock, operations
    /// keep their order.
    fn admit(&self) {
        let mut refused = Vec::new();
        let mut queue = self.queue.lock();
        while !queue.is_empty() && self.count_one() {
            match queue.pop_front() {
                Some(Entrant::Thread(ticket)) => ticket.call(),
                Some(Entrant::Operation(desk, job)) => refused.extend(desk.submit_late(job)),
                None => {}
            }
        }
        self.waiting.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        // Each ends, and may let others begin.
        refused.into_iter().for_each(Job::run_last);
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::Full,
        "Too many operations are under way: let some finish first",
    )
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        if self.birthplace.is_here() {
            self.counter.ending.store(true, Ordering::SeqCst);
            let mut queue = self.counter.queue.lock();
            while self.counter.count.load(Ordering::SeqCst) > 0 || !queue.is_empty() {
                self.counter.idle.wait(&mut queue);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Worker;

    fn begin(inflight: &Inflight, wait: Wait<'_>) -> Result<()> {
        inflight.counter.enter(wait)
    }

    #[test]
    fn room_goes_to_those_who_wait_before_those_who_come() {
        let inflight = Inflight::at_most(1).unwrap();
        begin(&inflight, Wait::NEVER).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| begin(&inflight, Wait::FOREVER));
            while inflight.counter.waiting.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            inflight.counter.end();
            let error = begin(&inflight, Wait::NEVER).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Full);
            waiting.join().unwrap().unwrap();
        });
        assert_eq!(inflight.count().unwrap(), 1);
        inflight.counter.end();
    }

    #[test]
    fn one_who_gives_up_leaves_the_room_to_others() {
        let inflight = Inflight::at_most(1).unwrap();
        begin(&inflight, Wait::NEVER).unwrap();
        begin(&inflight, Wait::NEVER).unwrap_err();
        let shortly = std::time::Duration::from_millis(1);
        begin(&inflight, shortly.into()).unwrap_err();
        inflight.counter.end();
        begin(&inflight, Wait::NEVER).unwrap();
        inflight.counter.end();
    }

    #[test]
    fn an_operation_that_need_not_begin_at_once_waits_in_the_same_queue() {
        let worker = Worker::new(|| Ok(()));
        let inflight = Inflight::at_most(1).unwrap();
        begin(&inflight, Wait::NEVER).unwrap();
        let (sender, order) = std::sync::mpsc::channel();
        for n in 0..3 {
            let sender = sender.clone();
            let make = |under_way| {
                let operation = move || {
                    sender.send(n).unwrap();
                    drop(under_way);
                };
                (Job::Do(Box::new(operation)), ())
            };
            inflight.submit(worker.desk(), Entry::Later, make).unwrap();
            assert_eq!(inflight.count().unwrap(), 1);
        }
        assert!(begin(&inflight, Wait::NEVER).is_err());
        worker.start().unwrap();
        inflight.counter.end();
        assert!(order.iter().take(3).eq(0..3));
        worker.finish();
        assert_eq!(inflight.count().unwrap(), 0);
    }

    #[test]
    fn what_is_refused_does_not_count() {
        let worker = Worker::new(|| Ok(()));
        worker.finish();
        let inflight = Inflight::at_most(1).unwrap();
        for _ in 0..3 {
            let make = |under_way| (Job::Do(Box::new(move || drop(under_way))), ());
            let entry = Entry::Wait(Wait::NEVER);
            let error = inflight.submit(worker.desk(), entry, make).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closed);
        }
        assert_eq!(inflight.count().unwrap(), 0);
    }
}
