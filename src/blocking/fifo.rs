//! The persistent queue: first in, first out, bounded.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::origin::Origin;
use super::terms::Terms;
use super::watch::{self, Watch};
use super::{Batches, Consume, Handle, Iter};
use crate::error::Result;
use crate::log::bounds::{Amount, Bounds};
use crate::log::fill::{Fill, Watermark};
use crate::log::items::Items;
use crate::log::read::Batch;
use crate::log::state::ONLY_LABEL;
use crate::log::stats::Stats;
use crate::log::{Log, Retention};
use crate::maintenance::Recovery;
use crate::options::{CallOptions, Durability, OnFull, QueueOptions, StartPosition};
use crate::store::rocks::Kind;
use crate::wait::Wait;

/// A durable first-in-first-out queue in a directory, bounded by items and bytes.
///
/// Every item goes to one consumer, in the order of the pushes. All methods take `&self` and may be
/// called from any number of threads. Clones are faces of the same open queue, which is closed by
/// [`close`](Self::close) or when the last of them is dropped.
///
/// What survives a crash once a method has returned is a matter of [`Durability`]: by default the
/// death of the process, and a power cut after [`flush`](Self::flush) or [`close`](Self::close).
///
/// ```
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 1_000)?;
/// queue.push(&[b"first", b"other"])?;
/// assert_eq!(queue.pop(1)?, [b"first"]);
/// assert_eq!(queue.len()?, 1);
/// queue.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("fifo"))]
#[derive(Clone)]
pub struct PersistentQueueWithCapacity {
    handle: Arc<Handle>,
    max_elements: u64,
    max_bytes: Option<u64>,
    on_full: OnFull,
    durability: Durability,
    label: Arc<str>,
}

impl PersistentQueueWithCapacity {
    /// Opens the queue in the directory `path`, or makes it and its parents, for at most
    /// `max_elements` items. A queue of rocksq 0.3.0 is converted first, see
    /// [`migrate`](crate::migrate()).
    ///
    /// A queue that is open in this process already is shared, if its options are the same but for
    /// the durability: each opening is closed by itself, and the last one closes the queue.
    ///
    /// # Errors
    ///
    /// `Busy` when the path is open in another process, or here with other options; `WrongKind`,
    /// `UnsupportedFormat` or `Path` when it cannot be a queue of this kind, and then nothing on
    /// disk has changed.
    #[track_caller]
    pub fn new(path: impl AsRef<Path>, max_elements: u64) -> Result<Self> {
        let options = QueueOptions {
            max_elements,
            ..QueueOptions::default()
        };
        Self::open_at(path.as_ref(), options, Origin::of_caller())
    }

    /// Opens the queue in the directory `path`, or makes it there. Errors as for
    /// [`new`](Self::new).
    #[track_caller]
    pub fn open(path: impl AsRef<Path>, options: QueueOptions) -> Result<Self> {
        Self::open_at(path.as_ref(), options, Origin::of_caller())
    }

    pub(crate) fn open_at(path: &Path, options: QueueOptions, origin: Origin) -> Result<Self> {
        let QueueOptions {
            max_elements,
            max_bytes,
            on_full,
            ..
        } = options;
        let terms = Terms {
            kind: Kind::Fifo,
            retention: Retention::Unread,
            bounds: Bounds::new(Some(max_elements), max_bytes, on_full),
        };
        let handle = Handle::open(path, terms, options.open_timeout, origin)?;
        Ok(Self {
            handle,
            max_elements,
            max_bytes,
            on_full,
            durability: options.durability,
            label: ONLY_LABEL.into(),
        })
    }

    /// Adds items at the end: all of them, or none. Once this returns they are as durable as the
    /// queue's [`durability`](Self::durability) says.
    ///
    /// # Errors
    ///
    /// `Full` when they do not fit now; nothing has changed then. With [`OnFull::DropOldest`] that
    /// is when they alone are more than the queue can hold.
    pub fn push<T: AsRef<[u8]>>(&self, items: &[T]) -> Result<()> {
        self.push_with(items, CallOptions::new())
    }

    /// Like [`push`](Self::push), waiting for room as long as `wait` says. Waiting producers are
    /// served in the order in which they came. What is more than the queue can hold fails at once.
    pub fn push_wait<T: AsRef<[u8]>>(&self, items: &[T], wait: Wait<'_>) -> Result<()> {
        self.push_with(items, wait)
    }

    /// Like [`push`](Self::push), as `options` say: a [`Wait`], a [`Durability`], or
    /// [`CallOptions`] with both.
    ///
    /// # Errors
    ///
    /// `OutcomeUnknown` when the items are in the queue but could not be synced as was asked.
    pub fn push_with<'a, T: AsRef<[u8]>>(
        &self,
        items: &[T],
        options: impl Into<CallOptions<'a>>,
    ) -> Result<()> {
        let (wait, level) = options.into().resolve(self.durability);
        self.handle
            .waiting(wait, |log, wait| log.append(items, wait, level))
    }

    /// Like [`push_with`](Self::push_with), without waiting for anything whatever; `None` when it
    /// would, or has more than `most` bytes, and then nothing has changed.
    #[doc(hidden)]
    pub fn push_at_once<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        durability: Option<Durability>,
        most: u64,
    ) -> Result<Option<()>> {
        let level = durability.unwrap_or(self.durability);
        self.handle
            .with(|log| log.append_at_once(items, level, most))
    }

    /// Takes up to `max` items, oldest first; none when the queue is empty.
    pub fn pop(&self, max: u64) -> Result<Items> {
        self.pop_with(max, CallOptions::new())
    }

    /// Like [`pop`](Self::pop), waiting for the first item as long as `wait` says.
    pub fn pop_wait(&self, max: u64, wait: Wait<'_>) -> Result<Items> {
        self.pop_with(max, wait)
    }

    /// Like [`pop`](Self::pop), as `options` say. At [`Durability::Synced`] it returns when it is
    /// certain that the items, and those before them, do not come again.
    ///
    /// # Errors
    ///
    /// `OutcomeUnknown` when the items were taken but that could not be synced as was asked; they
    /// come again after a power cut, or never. [`read`](Self::read) and [`commit`](Self::commit)
    /// leave nothing to chance.
    pub fn pop_with<'a>(&self, max: u64, options: impl Into<CallOptions<'a>>) -> Result<Items> {
        let (wait, level) = options.into().resolve(self.durability);
        let taken = self.handle.waiting(wait, |log, wait| {
            log.take(&self.label, StartPosition::Oldest, max, wait, level)
        })?;
        Ok(taken.items)
    }

    /// Like [`pop_with`](Self::pop_with), without waiting for anything whatever; `None` when it
    /// would, and then nothing has changed.
    #[doc(hidden)]
    pub fn pop_at_once(&self, max: u64, durability: Option<Durability>) -> Result<Option<Items>> {
        let level = durability.unwrap_or(self.durability);
        let taken = self
            .handle
            .with(|log| log.take_at_once(&self.label, max, level))?;
        Ok(taken.map(|taken| taken.items))
    }

    /// Reads up to `max` items without taking them, waiting for the first one as long as `wait`
    /// says. A program that dies before it commits the batch reads the same items again.
    ///
    /// ```
    /// use rocksq::{ErrorKind, Wait};
    /// use rocksq::blocking::PersistentQueueWithCapacity;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
    /// queue.push(&[b"a", b"b", b"c"])?;
    /// let batch = queue.read(2, Wait::NEVER)?;
    /// assert_eq!((batch.first(), batch.next()), (0, 2));
    /// queue.commit(&batch)?;
    /// assert_eq!(queue.commit(&batch).unwrap_err().kind(), ErrorKind::Conflict);
    /// assert_eq!(queue.pop(9)?, [b"c"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(&self, max: u64, wait: Wait<'_>) -> Result<Batch> {
        self.handle.waiting(wait, |log, wait| {
            log.read(&self.label, StartPosition::Oldest, max, wait)
        })
    }

    /// Takes the items of a batch. They stay taken, as durably as the queue's
    /// [`durability`](Self::durability) says.
    ///
    /// # Errors
    ///
    /// `Conflict` when another consumer has taken items since the batch was read.
    #[doc(alias("ack", "offset"))]
    pub fn commit(&self, batch: &Batch) -> Result<()> {
        self.commit_with(batch, self.durability)
    }

    /// Like [`commit`](Self::commit), at a [`Durability`] of its own.
    pub fn commit_with(&self, batch: &Batch, durability: Durability) -> Result<()> {
        self.handle.with(|log| log.commit(batch, durability))
    }

    /// Reads batch after batch of up to `max` items, waiting for each as long as `wait` says, until
    /// the queue is closed or nothing came. [`commit`](Self::commit) takes the items of one; one
    /// that was not committed is read again.
    ///
    /// ```
    /// use rocksq::Wait;
    /// use rocksq::blocking::PersistentQueueWithCapacity;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
    /// queue.push(&[b"a", b"b", b"c"])?;
    /// let mut handled = 0;
    /// for batch in queue.batches(2, Wait::NEVER) {
    ///     let batch = batch?;
    ///     handled += batch.items().len(); // what must not be lost
    ///     queue.commit(&batch)?;
    /// }
    /// assert_eq!((handled, queue.len()?), (3, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn batches<'q>(&'q self, max: u64, wait: Wait<'q>) -> Batches<'q> {
        Batches::new(move || self.read(max, wait))
    }

    /// The next items, up to `max`, which stay in the queue.
    pub fn peek(&self, max: u64) -> Result<Items> {
        self.handle
            .with(|log| log.peek(&self.label, StartPosition::Oldest, max))
    }

    /// The items in the queue from the oldest on, which stay in it.
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(|position, max| self.browse(position, max))
    }

    /// Takes item after item, waiting for each, until the queue is closed.
    pub fn consume(&self) -> Consume<'_> {
        Consume::new(|| self.pop_wait(1, Wait::FOREVER))
    }

    /// Number of items in the queue.
    pub fn len(&self) -> Result<u64> {
        Ok(self.handle.with(Log::size)?.0)
    }

    /// Whether there is no item in the queue.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Bytes of all items in the queue.
    pub fn payload_size(&self) -> Result<u64> {
        Ok(self.handle.with(Log::size)?.1)
    }

    /// Waits until the queue is filled less than `mark`, as long as `wait` says; tells whether it
    /// came to that. A producer that is ahead can slow down so before the queue is full.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a mark of 0, below which nothing is.
    pub fn wait_below(&self, mark: Watermark, wait: Wait<'_>) -> Result<bool> {
        self.handle.waiting(wait, |log, wait| {
            mark.check()?;
            log.wait_until(Fill::Below(mark), wait)
        })
    }

    /// Has `callback` told `true` when the queue is filled up to `high`, and `false` when it is
    /// below `low` after that, and so on. That begins at once, if the queue is filled up to `high`
    /// now.
    ///
    /// It is called by a thread of its own, so it may take its time and use the queue; what comes
    /// and goes meanwhile is not told.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a mark of 0, below which nothing is, and for a low mark above the high
    /// one, in items or in bytes.
    pub fn watch(
        &self,
        high: Watermark,
        low: Watermark,
        callback: impl FnMut(bool) + Send + 'static,
    ) -> Result<Watch> {
        watch::watch(self.handle.site(), high, low, callback)
    }

    /// What is in the queue, and what has happened to it since it was opened.
    pub fn stats(&self) -> Result<Stats> {
        self.handle.with(Log::stats)
    }

    /// Bytes that the queue takes on the file system.
    pub fn disk_size(&self) -> Result<u64> {
        self.handle.with(Log::disk_size)
    }

    /// Makes everything done before the call survive a power cut.
    pub fn flush(&self) -> Result<()> {
        self.handle.with(Log::flush)
    }

    /// Copies the queue, as it is at some moment during the call, into the new directory `to`, while
    /// others use it. The copy survives a power cut once this returns; it shares files with the
    /// queue where the file system has hard links.
    ///
    /// Open the copy like any queue. Its first opening begins a new epoch.
    ///
    /// # Errors
    ///
    /// `Path` when something is at `to`, or its parent directory does not exist; `DiskFull`.
    ///
    /// ```
    /// use rocksq::blocking::PersistentQueueWithCapacity;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
    /// queue.push(&[b"kept"])?;
    /// queue.backup(dir.path().join("copy"))?;
    /// let copy = PersistentQueueWithCapacity::new(dir.path().join("copy"), 10)?;
    /// assert_eq!(copy.pop(1)?, [b"kept"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<()> {
        self.handle.back_up(to.as_ref())
    }

    /// What was lost to a damaged log when the queue was opened, or when it last had to open itself
    /// anew after an error; `None` when nothing was.
    pub fn recovery(&self) -> Option<Recovery> {
        self.handle.recovery()
    }

    /// Lets running operations finish, ends every wait with `Closed`, syncs and closes. The path
    /// can be opened again at once. Closing twice does nothing. Others who have opened the same
    /// queue keep it open.
    pub fn close(&self) -> Result<()> {
        self.handle.close()
    }

    /// Whether the queue was closed.
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The number of items that the queue can hold at once.
    pub fn max_elements(&self) -> u64 {
        self.max_elements
    }

    /// The bytes of items that the queue can hold at once; `None` for any number.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// What becomes of a push that does not fit.
    pub fn on_full(&self) -> OnFull {
        self.on_full
    }

    /// How durable what a call does is when it returns, unless the call says otherwise.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// The full path of the directory of the queue.
    pub fn path(&self) -> &Path {
        self.handle.path()
    }

    /// The open queue, whose worker all nonblocking faces share.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// How much is in the queue, if that can be told at once, without looking for what has expired.
    #[doc(hidden)]
    pub fn glance(&self) -> Option<Result<Amount>> {
        self.handle.glance()
    }

    #[doc(hidden)]
    pub fn browse(&self, position: u64, max: u64) -> Result<(Items, u64)> {
        self.handle.with(|log| log.browse(position, max))
    }
}

impl fmt::Debug for PersistentQueueWithCapacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersistentQueueWithCapacity")
            .field("path", &self.path())
            .field("max_elements", &self.max_elements)
            .finish_non_exhaustive()
    }
}
