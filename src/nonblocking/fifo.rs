//! The persistent queue behind a worker.

use std::sync::Arc;

use super::face::{Face, Open};
use super::operation::Asked;
use super::response::Effect::{self, Changes, Takes};
use super::{Batches, Consume, Response};
use crate::blocking::{self, Handle, Origin};
use crate::error::Result;
use crate::log::Log;
use crate::log::fill::Watermark;
use crate::log::items::Items;
use crate::log::read::Batch;
use crate::log::state::ONLY_LABEL;
use crate::log::stats::Stats;
use crate::options::StartPosition::Oldest;
use crate::options::{CallOptions, Durability, QueueOptions};
use crate::wait::Wait;

/// The nonblocking face of a [`blocking::PersistentQueueWithCapacity`].
///
/// Operations are done one after another, in the order of the calls; those that wait for items or
/// room let others pass. While `max_inflight_ops` of them are under way, the next call waits; those
/// that wait for items or room do not count.
///
/// ```
/// use rocksq::nonblocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10, 100)?;
/// let pushed = queue.push(vec![b"item".to_vec()])?;
/// let popped = queue.pop(1)?;
/// pushed.get()?;
/// assert_eq!(popped.get()?, [b"item"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PersistentQueueWithCapacity(Face<blocking::PersistentQueueWithCapacity>);

impl Open for blocking::PersistentQueueWithCapacity {
    fn handle(&self) -> &Handle {
        self.handle()
    }

    fn durability(&self) -> Durability {
        self.durability()
    }
}

impl blocking::PersistentQueueWithCapacity {
    /// The nonblocking face of the same open queue, with at most `max_inflight_ops` operations
    /// under way.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when `max_inflight_ops` is 0.
    pub fn nonblocking(&self, max_inflight_ops: usize) -> Result<PersistentQueueWithCapacity> {
        self.handle().site().with(Log::check_usable)?;
        PersistentQueueWithCapacity::over(self.clone(), max_inflight_ops)
    }
}

impl PersistentQueueWithCapacity {
    /// Opens or makes the queue in the directory `path`, as
    /// [`blocking::PersistentQueueWithCapacity::new`] does.
    #[track_caller]
    pub fn new(
        path: impl AsRef<std::path::Path>,
        max_elements: u64,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        let options = QueueOptions {
            max_elements,
            ..QueueOptions::default()
        };
        let origin = Origin::of_caller();
        Face::over(max_inflight_ops, || {
            blocking::PersistentQueueWithCapacity::open_at(path.as_ref(), options, origin)
        })
        .map(Self)
    }

    pub(crate) fn over(
        queue: blocking::PersistentQueueWithCapacity,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        Face::over(max_inflight_ops, || Ok(queue)).map(Self)
    }

    /// How `options` want something done.
    fn asked<'a>(&self, effect: Effect, options: impl Into<CallOptions<'static>>) -> Asked<'a> {
        let (wait, level) = options.into().resolve(self.0.level(None));
        Asked::now(effect).waiting(wait).at(level)
    }

    /// Adds items at the end: all of them, or none. The response tells whether they fitted.
    pub fn push(&self, items: Vec<Vec<u8>>) -> Result<Response<()>> {
        self.push_with(items, CallOptions::new())
    }

    /// Like [`push`](Self::push), waiting for room as long as `wait` says. Only an interrupt of
    /// `wait` is not looked at: cancel the response instead.
    pub fn push_wait(&self, items: Vec<Vec<u8>>, wait: Wait<'static>) -> Result<Response<()>> {
        self.push_with(items, wait)
    }

    /// Like [`push`](Self::push), as `options` say: a [`Wait`], a [`Durability`], or
    /// [`CallOptions`] with both. Answered when the items are so durable.
    pub fn push_with(
        &self,
        items: Vec<Vec<u8>>,
        options: impl Into<CallOptions<'static>>,
    ) -> Result<Response<()>> {
        self.0
            .append(self.asked(Changes, options), items, |done| done)
    }

    /// Takes up to `max` items, oldest first. Dropped or cancelled unclaimed, the response gives
    /// them back.
    pub fn pop(&self, max: u64) -> Result<Response<Items>> {
        self.pop_with(max, CallOptions::new())
    }

    /// Like [`pop`](Self::pop), waiting for the first item as long as `wait` says.
    ///
    /// ```
    /// use rocksq::Wait;
    /// use rocksq::nonblocking::PersistentQueueWithCapacity;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10, 100)?;
    /// let popped = queue.pop_wait(1, Wait::FOREVER)?;
    /// queue.push(vec![b"item".to_vec()])?;
    /// assert_eq!(pollster::block_on(popped)?, [b"item"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pop_wait(&self, max: u64, wait: Wait<'static>) -> Result<Response<Items>> {
        self.pop_with(max, wait)
    }

    /// Like [`pop`](Self::pop), as `options` say. Answered when the taking is so durable.
    pub fn pop_with(
        &self,
        max: u64,
        options: impl Into<CallOptions<'static>>,
    ) -> Result<Response<Items>> {
        let (label, asked) = (ONLY_LABEL.into(), self.asked(Takes, options));
        self.0.take(asked, label, Oldest, max, |taken| taken.items)
    }

    /// Reads up to `max` items without taking them, waiting for the first one as long as `wait`
    /// says. [`commit`](Self::commit) takes them.
    pub fn read(&self, max: u64, wait: Wait<'static>) -> Result<Response<Batch>> {
        let asked = Asked::now(Takes).waiting(wait);
        self.0
            .read(asked, ONLY_LABEL.into(), Oldest, max, |batch| batch)
    }

    /// Takes the items of a batch; answers `Conflict` when another consumer has taken items since.
    pub fn commit(&self, batch: &Batch) -> Result<Response<()>> {
        self.commit_with(batch, self.0.level(None))
    }

    /// Like [`commit`](Self::commit), at a [`Durability`] of its own.
    pub fn commit_with(&self, batch: &Batch, durability: Durability) -> Result<Response<()>> {
        let batch = batch.clone();
        self.0.once(Asked::now(Changes), move |log| {
            log.commit(&batch, durability)
        })
    }

    /// Reads batch after batch of up to `max` items, waiting for each as long as `wait` says, until
    /// the queue is closed or nothing came. [`commit`](Self::commit) takes the items of one; one
    /// that was not committed is read again.
    pub fn batches(&self, max: u64, wait: Wait<'static>) -> Batches {
        let (queue, wait) = (self.clone(), wait.uninterrupted());
        Batches::new(move || queue.read(max, wait()))
    }

    /// The next items, up to `max`, which stay in the queue.
    pub fn peek(&self, max: u64) -> Result<Response<Items>> {
        let label = Arc::from(ONLY_LABEL);
        self.0
            .once(Asked::now(Takes), move |log| log.peek(&label, Oldest, max))
    }

    /// Takes item after item, waiting for each, until the queue is closed.
    pub fn consume(&self) -> Consume {
        let queue = self.clone();
        Consume::new(move || queue.pop_wait(1, Wait::FOREVER))
    }

    /// Number of items in the queue.
    pub fn len(&self) -> Result<Response<u64>> {
        self.0.once(Asked::now(Takes), |log| Ok(log.size()?.0))
    }

    /// Whether there is no item in the queue.
    pub fn is_empty(&self) -> Result<Response<bool>> {
        self.0.once(Asked::now(Takes), |log| Ok(log.size()?.0 == 0))
    }

    /// Bytes of all items in the queue.
    pub fn payload_size(&self) -> Result<Response<u64>> {
        self.0.once(Asked::now(Takes), |log| Ok(log.size()?.1))
    }

    /// Bytes that the queue takes on the file system.
    pub fn disk_size(&self) -> Result<Response<u64>> {
        self.0.once(Asked::now(Takes), Log::disk_size)
    }

    /// Waits until the queue is filled less than `mark`, as long as `wait` says; answers whether it
    /// came to that. A producer that is ahead can slow down so before the queue is full.
    pub fn wait_below(&self, mark: Watermark, wait: Wait<'static>) -> Result<Response<bool>> {
        self.0
            .wait_below(Asked::now(Takes).waiting(wait), mark, |so| so)
    }

    /// What is in the queue, and what has happened to it since it was opened: now, whatever is
    /// under way.
    pub fn stats(&self) -> Result<Stats> {
        self.0.queue().stats()
    }

    /// Makes everything asked for before the call survive a power cut.
    pub fn flush(&self) -> Result<Response<()>> {
        self.0.once(Asked::now(Changes), Log::flush)
    }

    /// Operations that were asked for and are not done, without those that wait for items or room.
    pub fn inflight_ops(&self) -> Result<usize> {
        self.0.inflight_ops()
    }

    /// The blocking face of the same open queue.
    pub fn blocking(&self) -> blocking::PersistentQueueWithCapacity {
        self.0.queue().clone()
    }

    /// Lets the operations under way finish, ends those that wait with `Closed`, gives back what
    /// was taken and not claimed, syncs and closes.
    pub fn close(&self) -> Result<()> {
        self.0.queue().close()
    }

    /// Like [`close`](Self::close), in a thread of its own. The response is answered when the queue
    /// is closed.
    pub fn close_in_background(&self) -> Result<Response<()>> {
        self.0.close_in_background(|done| done)
    }

    #[doc(hidden)]
    pub fn face(&self) -> &Face<blocking::PersistentQueueWithCapacity> {
        &self.0
    }
}
