//! The persistent queue behind a worker.

use std::sync::Arc;

use super::Response;
use super::inflight::Inflight;
use crate::blocking;
use crate::error::Result;
use crate::log::items::Items;
use crate::log::wait::Wait;
use crate::options::Durability;

/// The nonblocking face of a [`blocking::PersistentQueueWithCapacity`].
///
/// Operations are done one after another, in the order of the calls. While `max_inflight_ops` of
/// them are under way, the next call waits for room.
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
pub struct PersistentQueueWithCapacity {
    inflight: Arc<Inflight>,
    queue: blocking::PersistentQueueWithCapacity,
}

impl PersistentQueueWithCapacity {
    /// Opens or makes the queue in the directory `path`, as
    /// [`blocking::PersistentQueueWithCapacity::new`] does.
    pub fn new(
        path: impl AsRef<std::path::Path>,
        max_elements: u64,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        let inflight = Inflight::at_most(max_inflight_ops)?;
        Ok(Self {
            queue: blocking::PersistentQueueWithCapacity::new(path, max_elements)?,
            inflight: Arc::new(inflight),
        })
    }

    pub(crate) fn over(
        queue: blocking::PersistentQueueWithCapacity,
        max_inflight_ops: usize,
    ) -> Result<Self> {
        Ok(Self {
            queue,
            inflight: Arc::new(Inflight::at_most(max_inflight_ops)?),
        })
    }

    /// Has `operation` done on the queue by the worker; waits as long as `wait` says when too many
    /// are under way.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&blocking::PersistentQueueWithCapacity) -> Result<T> + Send + 'static,
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

    /// Adds items at the end: all of them, or none. The response tells whether they fitted.
    pub fn push(&self, items: Vec<Vec<u8>>) -> Result<Response<()>> {
        self.submit(move |queue| queue.push(&items), Wait::FOREVER)
    }

    /// Takes up to `max` items, oldest first.
    pub fn pop(&self, max: u64) -> Result<Response<Items>> {
        self.submit(move |queue| queue.pop(max), Wait::FOREVER)
    }

    /// Like [`push`](Self::push), answered when the items are so durable.
    pub fn push_with(&self, items: Vec<Vec<u8>>, durability: Durability) -> Result<Response<()>> {
        self.submit(
            move |queue| queue.push_with(&items, durability),
            Wait::FOREVER,
        )
    }

    /// Like [`pop`](Self::pop), answered when the taking is so durable.
    pub fn pop_with(&self, max: u64, durability: Durability) -> Result<Response<Items>> {
        self.submit(move |queue| queue.pop_with(max, durability), Wait::FOREVER)
    }

    /// Makes everything asked for before the call survive a power cut.
    pub fn flush(&self) -> Result<Response<()>> {
        self.submit(|queue| queue.flush(), Wait::FOREVER)
    }

    /// Number of items in the queue.
    pub fn len(&self) -> Result<Response<u64>> {
        self.submit(|queue| queue.len(), Wait::FOREVER)
    }

    /// Bytes of all items in the queue.
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
    pub fn blocking(&self) -> blocking::PersistentQueueWithCapacity {
        self.queue.clone()
    }

    /// Lets the operations under way finish, syncs and closes.
    pub fn close(&self) -> Result<()> {
        self.queue.close()
    }
}
