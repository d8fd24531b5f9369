//! The MPMC queue behind a worker.

use std::time::Duration;

use super::face::{Face, Open};
use super::operation::Asked;
use super::response::Effect::{Changes, Takes};
use super::{Batches, Consume, Response};
use crate::blocking::{self, Handle, Origin, checked};
use crate::error::Result;
use crate::log::Log;
use crate::log::fill::Watermark;
use crate::log::items::Items;
use crate::log::read::Batch;
use crate::log::stats::{LabelStats, Stats};
use crate::mpmc::Next;
use crate::options::{CallOptions, Durability, MpmcOptions, StartPosition};
use crate::wait::Wait;

/// The nonblocking face of a [`blocking::MpmcQueue`].
///
/// Operations are done one after another, in the order of the calls; those that wait for items or
/// room let others pass. While `max_inflight_ops` of them are under way, the next call waits; those
/// that wait for items or room do not count.
///
/// ```
/// use std::time::Duration;
/// use rocksq::StartPosition;
/// use rocksq::nonblocking::MpmcQueue;
///
/// let dir = tempfile::tempdir()?;
/// let queue = MpmcQueue::new(dir.path().join("queue"), Duration::from_secs(60), 100)?;
/// queue.add(vec![b"item".to_vec()])?.get()?;
/// let next = queue.next("label", StartPosition::Oldest, 1)?.get()?;
/// assert_eq!(next.items, [b"item"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MpmcQueue(Face<blocking::MpmcQueue>);

impl Open for blocking::MpmcQueue {
    fn handle(&self) -> &Handle {
        self.handle()
    }

    fn durability(&self) -> Durability {
        self.durability()
    }
}

impl blocking::MpmcQueue {
    /// The nonblocking face of the same open queue, with at most `max_inflight_ops` operations
    /// under way.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when `max_inflight_ops` is 0.
    pub fn nonblocking(&self, max_inflight_ops: usize) -> Result<MpmcQueue> {
        self.handle().site().with(Log::check_usable)?;
        MpmcQueue::over(self.clone(), max_inflight_ops)
    }
}

impl MpmcQueue {
    /// Opens or makes the queue in the directory `path`, as [`blocking::MpmcQueue::new`] does.
    #[track_caller]
    pub fn new(
        path: impl AsRef<std::path::Path>,
        ttl: Duration,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        let options = MpmcOptions {
            ttl: Some(ttl).filter(|ttl| !ttl.is_zero()),
            ..MpmcOptions::default()
        };
        let origin = Origin::of_caller();
        Face::over(max_inflight_ops, || {
            blocking::MpmcQueue::open_at(path.as_ref(), options, origin)
        })
        .map(Self)
    }

    pub(crate) fn over(queue: blocking::MpmcQueue, max_inflight_ops: usize) -> Result<Self> {
        Face::over(max_inflight_ops, || Ok(queue)).map(Self)
    }

    /// Adds items at the end: all of them, or none.
    pub fn add(&self, items: Vec<Vec<u8>>) -> Result<Response<()>> {
        self.add_with(items, CallOptions::new())
    }

    /// Like [`add`](Self::add), as `options` say: a [`Wait`] for room, a [`Durability`], or
    /// [`CallOptions`] with both. Answered when the items are so durable.
    pub fn add_with(
        &self,
        items: Vec<Vec<u8>>,
        options: impl Into<CallOptions<'static>>,
    ) -> Result<Response<()>> {
        let (wait, level) = options.into().resolve(self.0.level(None));
        let asked = Asked::now(Changes).waiting(wait).at(level);
        self.0.append(asked, items, |done| done)
    }

    /// Reads up to `max` items under `label`, and moves the label behind them. Dropped or cancelled
    /// unclaimed, the response gives them back.
    pub fn next(&self, label: &str, start: StartPosition, max: u64) -> Result<Response<Next>> {
        self.next_with(label, start, max, CallOptions::new())
    }

    /// Like [`next`](Self::next), waiting for the first item as long as `wait` says. Only an
    /// interrupt of `wait` is not looked at: cancel the response instead.
    pub fn next_wait(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'static>,
    ) -> Result<Response<Next>> {
        self.next_with(label, start, max, wait)
    }

    /// Like [`next`](Self::next), as `options` say. Answered when the move of the label is so
    /// durable.
    pub fn next_with(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        options: impl Into<CallOptions<'static>>,
    ) -> Result<Response<Next>> {
        let (wait, level) = options.into().resolve(self.0.level(None));
        let asked = Asked::now(Takes).waiting(wait).at(level);
        self.0.take(asked, checked(label)?, start, max, Next::from)
    }

    /// Reads up to `max` items under `label` without moving it, waiting for the first one as long
    /// as `wait` says. [`commit`](Self::commit) moves it.
    pub fn read(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'static>,
    ) -> Result<Response<Batch>> {
        let asked = Asked::now(Takes).waiting(wait);
        self.0
            .read(asked, checked(label)?, start, max, |batch| batch)
    }

    /// Moves the label of a batch behind its items; answers `Conflict` when another consumer has
    /// moved it since.
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

    /// Reads batch after batch of up to `max` items under `label`, waiting for each as long as `wait`
    /// says, until the queue is closed or nothing came. [`commit`](Self::commit) moves the label
    /// behind one; one that was not committed is read again.
    pub fn batches(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'static>,
    ) -> Batches {
        let (queue, label) = (self.clone(), label.to_owned());
        let wait = wait.uninterrupted();
        Batches::new(move || queue.read(&label, start, max, wait()))
    }

    /// The next items of `label`, up to `max`, without moving or making it.
    pub fn peek(&self, label: &str, start: StartPosition, max: u64) -> Result<Response<Items>> {
        let label = checked(label)?;
        self.0
            .once(Asked::now(Takes), move |log| log.peek(&label, start, max))
    }

    /// Reads item after item under `label`, waiting for each, until the queue is closed.
    pub fn consume(&self, label: &str, start: StartPosition) -> Consume<Next> {
        let (queue, label) = (self.clone(), label.to_owned());
        Consume::new(move || queue.next_wait(&label, start, 1, Wait::FOREVER))
    }

    /// The labels, in alphabetical order.
    pub fn labels(&self) -> Result<Response<Vec<String>>> {
        self.0.once(Asked::now(Takes), Log::labels)
    }

    /// Forgets a label and its place; false when there is no such label.
    pub fn remove_label(&self, label: &str) -> Result<Response<bool>> {
        let (label, level) = (label.into(), self.0.level(None));
        self.0.once(Asked::now(Changes), move |log| {
            log.remove_label(&label, level)
        })
    }

    /// Number of live items.
    pub fn len(&self) -> Result<Response<u64>> {
        self.0.once(Asked::now(Takes), |log| Ok(log.size()?.0))
    }

    /// Whether there is no live item.
    pub fn is_empty(&self) -> Result<Response<bool>> {
        self.0.once(Asked::now(Takes), |log| Ok(log.size()?.0 == 0))
    }

    /// Bytes of all live items.
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

    /// How much each label has still to read, in alphabetical order: now, whatever is under way.
    pub fn label_stats(&self) -> Result<Vec<LabelStats>> {
        self.0.queue().label_stats()
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
    pub fn blocking(&self) -> blocking::MpmcQueue {
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
    pub fn face(&self) -> &Face<blocking::MpmcQueue> {
        &self.0
    }
}
