//! The MPMC queue behind a worker.

use std::sync::Arc;
use std::time::Duration;

use super::Response;
use super::inflight::Inflight;
use crate::blocking;
use crate::error::Result;
use crate::log::wait::Wait;
use crate::mpmc::Next;
use crate::options::{Durability, StartPosition};

/// The nonblocking face of a [`blocking::MpmcQueue`].
///
/// Operations are done one after another, in the order of the calls. While `max_inflight_ops` of
/// them are under way, the next call waits for room.
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
pub struct MpmcQueue {
    inflight: Arc<Inflight>,
    queue: blocking::MpmcQueue,
}

impl MpmcQueue {
    /// Opens or makes the queue in the directory `path`, as [`blocking::MpmcQueue::new`] does.
    pub fn new(
        path: impl AsRef<std::path::Path>,
        ttl: Duration,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        let inflight = Inflight::at_most(max_inflight_ops)?;
        Ok(Self {
            queue: blocking::MpmcQueue::new(path, ttl)?,
            inflight: Arc::new(inflight),
        })
    }

    pub(crate) fn over(queue: blocking::MpmcQueue, max_inflight_ops: usize) -> Result<Self> {
        Ok(Self {
            queue,
            inflight: Arc::new(Inflight::at_most(max_inflight_ops)?),
        })
    }

    /// Has `operation` done on the queue by the worker; waits as long as `wait` says when too many
    /// are under way.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&blocking::MpmcQueue) -> Result<T> + Send + 'static,
        wait: Wait<'_>,
    ) -> Result<Response<T>> {
        let queue = self.queue.clone();
        let operation = move || {
            let result = operation(&queue);
            drop(queue);
            result
        };
        self.inflight.submit(self.queue.worker(), operation, wait)
    }

    /// Adds items at the end: all of them, or none.
    pub fn add(&self, items: Vec<Vec<u8>>) -> Result<Response<()>> {
        self.submit(move |queue| queue.add(&items), Wait::FOREVER)
    }

    /// Reads up to `max` items under `label`, and moves the label behind them.
    pub fn next(&self, label: &str, start: StartPosition, max: u64) -> Result<Response<Next>> {
        let label = label.to_owned();
        self.submit(move |queue| queue.next(&label, start, max), Wait::FOREVER)
    }

    /// Like [`add`](Self::add), answered when the items are so durable.
    pub fn add_with(&self, items: Vec<Vec<u8>>, durability: Durability) -> Result<Response<()>> {
        self.submit(
            move |queue| queue.add_with(&items, durability),
            Wait::FOREVER,
        )
    }

    /// Like [`next`](Self::next), answered when the move of the label is so durable.
    pub fn next_with(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        durability: Durability,
    ) -> Result<Response<Next>> {
        let label = label.to_owned();
        self.submit(
            move |queue| queue.next_with(&label, start, max, durability),
            Wait::FOREVER,
        )
    }

    /// Makes everything asked for before the call survive a power cut.
    pub fn flush(&self) -> Result<Response<()>> {
        self.submit(|queue| queue.flush(), Wait::FOREVER)
    }

    /// The labels, in alphabetical order.
    pub fn labels(&self) -> Result<Response<Vec<String>>> {
        self.submit(|queue| queue.labels(), Wait::FOREVER)
    }

    /// Forgets a label and its place; false when there is no such label.
    pub fn remove_label(&self, label: &str) -> Result<Response<bool>> {
        let label = label.to_owned();
        self.submit(move |queue| queue.remove_label(&label), Wait::FOREVER)
    }

    /// Number of live items.
    pub fn len(&self) -> Result<Response<u64>> {
        self.submit(|queue| queue.len(), Wait::FOREVER)
    }

    /// Bytes of all live items.
    pub fn payload_size(&self) -> Result<Response<u64>> {
        self.submit(|queue| queue.payload_size(), Wait::FOREVER)
    }

    /// Bytes that the queue takes on the file system.
    pub fn disk_size(&self) -> Result<Response<u64>> {
        self.submit(|queue| queue.disk_size(), Wait::FOREVER)
    }

    /// Operations that were asked for and are not done.
    pub fn inflight_ops(&self) -> Result<usize> {
        self.inflight.count()
    }

    /// The blocking face of the same open queue.
    pub fn blocking(&self) -> blocking::MpmcQueue {
        self.queue.clone()
    }

    /// Lets the operations under way finish, syncs and closes.
    pub fn close(&self) -> Result<()> {
        self.queue.close()
    }
}
