//! The answer to an operation that is under way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::events::{Event, Level};
use crate::fork::Birthplace;
use crate::log::unclaimed::Unclaimed;
use crate::wait::Wait;
use crate::worker::{Desk, Patient};

/// The answer to an operation of a nonblocking queue, once it is there.
///
/// It can be waited for by a thread ([`get`](Self::get)) and by a task (it is a [`Future`], bound to
/// no runtime). Whoever gets the answer claims it; asking again gives the same again.
///
/// What changes the queue at the end, `push` and `add`, is done whether the response is kept or not;
/// when it fails and nobody asks, a warning tells of it.
/// What takes or reads is given up when the last clone of its response is dropped unclaimed, or is
/// [cancelled](Self::cancel): the items that it had taken are given back, and the next consumer gets
/// them before any others. Closing the queue does the same; claiming fails with `Closed` then. A
/// process that dies loses what was taken and not claimed; use `read` and `commit` for what must
/// not be lost.
///
/// In a forked child it is answered with `Forked` at once, since the worker is not there.
///
/// ```
/// use rocksq::nonblocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10, 100)?;
/// queue.push(vec![b"a".to_vec(), b"b".to_vec()])?;
/// drop(queue.pop(1)?);
/// let popped = pollster::block_on(queue.pop(2)?)?;
/// assert_eq!(popped, [b"a", b"b"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Response<T> {
    answer: Arc<Answer<T>>,
    /// Tells the clones of a response apart.
    id: usize,
}

struct Answer<T> {
    birthplace: Birthplace,
    stage: AtomicU8,
    /// There once the stage is `DONE`.
    outcome: OnceLock<Outcome<T>>,
    effect: Effect,
    responses: AtomicUsize,
    /// Whether somebody was told that it failed.
    heard: AtomicBool,
    ids: AtomicUsize,
    waiting: Mutex<Waiting>,
    ready: Condvar,
    desk: Arc<Desk>,
}

/// Those to be told when the answer is there, and the operation to be told when it is cancelled.
#[derive(Default)]
struct Waiting {
    wakers: Vec<(usize, Waker)>,
    operation: Option<Arc<dyn Patient>>,
}

/// The result of an operation, and the items that have to be claimed with it.
pub(crate) struct Outcome<T> {
    pub result: Result<T>,
    pub unclaimed: Option<Arc<Unclaimed>>,
}

/// What an operation does, as far as it matters to one who gives it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It can be given up at any time until its outcome was claimed.
    Takes,
    /// It is done even when nobody asks for the answer, and cannot be given up once it has begun.
    Changes,
}

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const CANCELLED: u8 = 3;

/// A look at the answer for one who neither claims it nor gives it up.
pub struct Watch<T>(std::sync::Weak<Answer<T>>);

impl<T> Watch<T> {
    /// Looks at the answer, if it is there.
    pub fn look<R>(&self, look: impl FnOnce(&Result<T>) -> R) -> Option<R> {
        self.0.upgrade()?.look(look)
    }
}

/// The worker's end of a response. Dropped without an answer, it answers that the queue is closed.
pub(crate) struct Responder<T>(Arc<Answer<T>>);

pub(crate) fn response<T>(effect: Effect, desk: &Arc<Desk>) -> (Responder<T>, Response<T>) {
    let answer = Arc::new(Answer {
        birthplace: Birthplace::here(),
        stage: AtomicU8::new(QUEUED),
        outcome: OnceLock::new(),
        effect,
        responses: AtomicUsize::new(1),
        heard: AtomicBool::new(false),
        ids: AtomicUsize::new(1),
        waiting: Mutex::default(),
        ready: Condvar::new(),
        desk: Arc::clone(desk),
    });
    (Responder(Arc::clone(&answer)), Response { answer, id: 0 })
}

impl<T> Responder<T> {
    /// Begins the operation; false when it was cancelled.
    pub(crate) fn begin(&self) -> bool {
        self.0.step(QUEUED, RUNNING)
    }

    /// Leaves the operation to be tried again; false when it was cancelled.
    pub(crate) fn pause(&self) -> bool {
        self.0.step(RUNNING, QUEUED)
    }

    /// Has `operation` told when it is cancelled.
    pub(crate) fn tell(&self, operation: Arc<dyn Patient>) {
        self.0.waiting.lock().operation = Some(operation);
    }

    /// Answers. What was taken for one who has cancelled meanwhile is given back.
    pub(crate) fn answer(self, result: Result<T>, unclaimed: Option<Arc<Unclaimed>>) {
        let given_up = unclaimed.clone();
        let outcome = Outcome { result, unclaimed };
        let answered = self.0.outcome.set(outcome).is_ok() && self.0.step(RUNNING, DONE);
        if let Some(items) = given_up
            && !answered
            && items.give_up()
        {
            self.0.desk.give_back_soon();
        }
        self.0.tell_everybody();
        self.0.tell_if_unheard();
    }
}

impl<T> Drop for Responder<T> {
    fn drop(&mut self) {
        if !self.0.is_over() && self.0.birthplace.is_here() {
            let closed = Outcome {
                result: Err(Error::closed()),
                unclaimed: None,
            };
            if self.0.outcome.set(closed).is_ok() {
                let _ = self.0.step(QUEUED, DONE) || self.0.step(RUNNING, DONE);
            }
            self.0.tell_everybody();
            self.0.tell_if_unheard();
        }
    }
}

impl<T> Answer<T> {
    fn step(&self, from: u8, to: u8) -> bool {
        self.stage
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::Acquire)
            .is_ok()
    }

    /// Tells of a change that failed when its last response is gone and nobody has asked. The last
    /// response and the answer may go at the same time: the later one sees that the other is gone.
    fn tell_if_unheard(&self) {
        if let Some(Outcome {
            result: Err(error), ..
        }) = self.outcome.get()
            && self.effect == Effect::Changes
            && self.responses.load(Ordering::SeqCst) == 0
            && self.stage.load(Ordering::SeqCst) == DONE
            && !self.heard.swap(true, Ordering::AcqRel)
        {
            let event = Event::at(Level::Warn);
            let event = match error.path() {
                Some(path) => event.about(path),
                None => event,
            };
            event.post(format_args!(
                "an operation has failed, and its response was dropped before anybody asked: {error}"
            ));
        }
    }

    /// Somebody is told of the answer.
    fn hear(&self) {
        self.heard.store(true, Ordering::Release);
    }

    fn stage(&self) -> u8 {
        self.stage.load(Ordering::Acquire)
    }

    fn look<R>(&self, look: impl FnOnce(&Result<T>) -> R) -> Option<R> {
        if !self.birthplace.is_here() || self.stage() != DONE {
            return None;
        }
        self.outcome.get().map(|outcome| look(&outcome.result))
    }

    fn is_over(&self) -> bool {
        matches!(self.stage(), DONE | CANCELLED)
    }

    fn tell_everybody(&self) {
        let told = std::mem::take(&mut *self.waiting.lock());
        self.ready.notify_all();
        // Outside the lock: whatever a waker does, it may ask this response.
        told.wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn cancel(&self) -> bool {
        loop {
            match self.stage() {
                CANCELLED => return true,
                DONE => return self.cancel_unclaimed(),
                RUNNING if self.effect == Effect::Changes => return false,
                stage if self.step(stage, CANCELLED) => break,
                _ => {}
            }
        }
        let operation = self.waiting.lock().operation.take();
        if let Some(operation) = operation {
            self.desk.try_again(operation);
        }
        self.tell_everybody();
        true
    }

    fn cancel_unclaimed(&self) -> bool {
        let outcome = self.outcome.get();
        let items = outcome.and_then(|outcome| outcome.unclaimed.as_ref());
        let given_up = items.is_some_and(|items| items.give_up());
        if given_up {
            self.stage.store(CANCELLED, Ordering::Release);
            self.desk.give_back_soon();
        }
        given_up
    }
}

impl<T: Clone> Answer<T> {
    /// The answer, claimed, if it is there.
    fn claim(&self) -> Option<Result<T>> {
        match (self.stage(), self.outcome.get()) {
            (DONE, Some(outcome)) => Some(match (&outcome.unclaimed, &outcome.result) {
                (Some(items), result) => items.claim().and_then(|()| result.clone()),
                (None, Ok(value)) => Ok(value.clone()),
                (None, Err(error)) => {
                    self.hear();
                    Err(error.clone())
                }
            }),
            (CANCELLED, _) => Some(Err(Error::cancelled())),
            _ => None,
        }
    }
}

impl<T> Response<T> {
    /// Whether the answer is there; does not claim it. In a forked child it is always there: an
    /// error.
    pub fn is_ready(&self) -> bool {
        !self.answer.birthplace.is_here() || self.answer.is_over()
    }

    /// Gives the operation up, if it is not too late: before it has begun, while it waits, and for
    /// one that takes or reads until its answer was claimed. Then it has changed nothing, items
    /// that were taken are given back, and asking for the answer fails with `Cancelled`. Returns
    /// whether it is given up.
    pub fn cancel(&self) -> bool {
        self.answer.birthplace.is_here() && self.answer.cancel()
    }

    /// Whether the operation was given up.
    pub fn is_cancelled(&self) -> bool {
        self.answer.stage() == CANCELLED
    }

    /// Whether the operation is being done now, as opposed to waiting for its turn, for items or
    /// for room.
    pub fn is_running(&self) -> bool {
        self.answer.stage() == RUNNING
    }

    /// Looks at the answer, if it is there, without claiming it.
    #[doc(hidden)]
    pub fn look<R>(&self, look: impl FnOnce(&Result<T>) -> R) -> Option<R> {
        self.answer.look(look)
    }

    #[doc(hidden)]
    pub fn watch(&self) -> Watch<T> {
        Watch(Arc::downgrade(&self.answer))
    }

    /// What the operation has failed with, if it has; does not claim the answer.
    #[doc(hidden)]
    pub fn failure(&self) -> Option<Error> {
        let failure = self.look(|answer| answer.as_ref().err().cloned()).flatten();
        failure.inspect(|_| self.answer.hear())
    }

    /// Whether dropping it may give something up.
    #[doc(hidden)]
    pub fn can_be_given_up(&self) -> bool {
        self.answer.effect == Effect::Takes
    }

    /// Has `waker` woken once the answer is there; false when it is there already.
    #[doc(hidden)]
    pub fn wake_when_ready(&self, waker: &Waker) -> bool {
        let mut waiting = self.answer.waiting.lock();
        if self.answer.is_over() {
            return false;
        }
        match waiting.wakers.iter_mut().find(|(id, _)| *id == self.id) {
            Some((_, own)) => own.clone_from(waker),
            None => waiting.wakers.push((self.id, waker.clone())),
        }
        true
    }

    /// Forgets the waker.
    #[doc(hidden)]
    pub fn do_not_wake(&self) {
        let mut waiting = self.answer.waiting.lock();
        waiting.wakers.retain(|(id, _)| *id != self.id);
    }
}

impl<T: Clone> Response<T> {
    /// Claims the answer, if it is there.
    pub fn try_get(&self) -> Option<Result<T>> {
        match self.answer.birthplace.check() {
            Ok(()) => self.answer.claim(),
            Err(error) => Some(Err(error)),
        }
    }

    /// Waits for the answer and claims it. Asking again gives the same again.
    pub fn get(&self) -> Result<T> {
        match self.get_wait(Wait::FOREVER)? {
            Some(answer) => answer,
            None => self.get(),
        }
    }

    /// Claims the answer, if it comes as long as `wait` says. The outer error is that of the wait,
    /// which cancels nothing.
    pub fn get_wait(&self, wait: Wait<'_>) -> Result<Option<Result<T>>> {
        self.wait(wait)?;
        Ok(self.answer.claim())
    }

    /// Waits until the answer is there, as long as `wait` says.
    #[doc(hidden)]
    pub fn wait(&self, wait: Wait<'_>) -> Result<()> {
        self.answer.birthplace.check()?;
        if self.answer.is_over() {
            return Ok(());
        }
        let deadline = wait.begin();
        let mut waiting = self.answer.waiting.lock();
        while !self.answer.is_over() && !deadline.is_past() {
            deadline.wait(&self.answer.ready, &mut waiting)?;
        }
        Ok(())
    }
}

impl<T: Clone> Future for Response<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if !self.is_ready() && self.wake_when_ready(context.waker()) {
            return Poll::Pending;
        }
        match self.try_get() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

impl<T> Clone for Response<T> {
    fn clone(&self) -> Self {
        self.answer.responses.fetch_add(1, Ordering::Relaxed);
        Self {
            answer: Arc::clone(&self.answer),
            id: self.answer.ids.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl<T> Drop for Response<T> {
    fn drop(&mut self) {
        if !self.answer.birthplace.is_here() {
            return;
        }
        if self.answer.responses.fetch_sub(1, Ordering::SeqCst) > 1 {
            if !self.answer.is_over() {
                self.do_not_wake();
            }
        } else if self.answer.effect == Effect::Takes {
            self.answer.cancel();
        } else {
            self.answer.tell_if_unheard();
        }
    }
}

impl<T> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.answer.stage() {
            QUEUED => "queued",
            RUNNING => "running",
            DONE => "done",
            _ => "cancelled",
        };
        f.debug_struct("Response").field("state", &state).finish()
    }
}
