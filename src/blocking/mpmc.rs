//! The MPMC queue: a log of items that live for a time, read under labels.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::origin::Origin;
use super::terms::Terms;
use super::watch::{self, Watch};
use super::{Batches, Consume, Handle, Iter};
use crate::error::{Error, Result};
use crate::log::bounds::{Amount, Bounds};
use crate::log::fill::{Fill, Watermark};
use crate::log::items::Items;
use crate::log::read::{Batch, Taken};
use crate::log::stats::{LabelStats, Stats};
use crate::log::{Log, Retention};
use crate::maintenance::Recovery;
use crate::options::{CallOptions, Durability, MpmcOptions, OnFull, StartPosition};
use crate::store::rocks::Kind;
use crate::wait::Wait;

/// The longest TTL: what a day-counting human would call for ever, and what the stored times hold.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A durable log of items for many producers and many consumers, in a directory.
///
/// Items live for a TTL. Every consumer reads under a label, which keeps its own place; each label
/// sees every item once. All methods take `&self` and may be called from any number of threads.
/// Clones are faces of the same open queue, which is closed by [`close`](Self::close) or when the
/// last of them is dropped.
///
/// What survives a crash once a method has returned is a matter of [`Durability`]: by default the
/// death of the process, and a power cut after [`flush`](Self::flush) or [`close`](Self::close).
///
/// ```
/// use std::time::Duration;
/// use rocksq::mpmc::{MpmcQueue, StartPosition};
///
/// let dir = tempfile::tempdir()?;
/// let queue = MpmcQueue::new(dir.path().join("queue"), Duration::from_secs(60))?;
/// queue.add(&[b"first", b"other"])?;
/// let next = queue.next("audit", StartPosition::Oldest, 10)?;
/// assert_eq!(next.items, [b"first", b"other"]);
/// assert!(!next.expired);
/// assert_eq!(queue.next("late", StartPosition::Newest, 10)?.items, [b"other"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("consumer group", "subscribe"))]
#[derive(Clone)]
pub struct MpmcQueue {
    handle: Arc<Handle>,
    ttl: Option<Duration>,
    max_elements: Option<u64>,
    max_bytes: Option<u64>,
    on_full: OnFull,
    durability: Durability,
}

/// What [`MpmcQueue::next`] has read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Next {
    /// The items, oldest first.
    pub items: Items,
    /// Whether items that the label had not read were lost since its last read, to the TTL or to
    /// make room.
    pub expired: bool,
}

impl From<Taken> for Next {
    fn from(taken: Taken) -> Self {
        Self {
            items: taken.items,
            expired: taken.expired,
        }
    }
}

impl MpmcQueue {
    /// Opens the queue in the directory `path`, or makes it and its parents, with items that live
    /// for `ttl`; zero for items that never expire. A queue of rocksq 0.3.0 is converted first, see
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
    pub fn new(path: impl AsRef<Path>, ttl: Duration) -> Result<Self> {
        let options = MpmcOptions {
            ttl: Some(ttl).filter(|ttl| !ttl.is_zero()),
            ..MpmcOptions::default()
        };
        Self::open_at(path.as_ref(), options, Origin::of_caller())
    }

    /// Opens the queue in the directory `path`, or makes it there. Errors as for
    /// [`new`](Self::new).
    #[track_caller]
    pub fn open(path: impl AsRef<Path>, options: MpmcOptions) -> Result<Self> {
        Self::open_at(path.as_ref(), options, Origin::of_caller())
    }

    pub(crate) fn open_at(path: &Path, options: MpmcOptions, origin: Origin) -> Result<Self> {
        let ttl = options.ttl.map(|ttl| ttl.min(MAX_TTL));
        let MpmcOptions {
            max_elements,
            max_bytes,
            on_full,
            ..
        } = options;
        let terms = Terms {
            kind: Kind::Mpmc,
            retention: Retention::Young { ttl },
            bounds: Bounds::new(max_elements, max_bytes, on_full),
        };
        let handle = Handle::open(path, terms, options.open_timeout, origin)?;
        Ok(Self {
            handle,
            ttl: options.ttl,
            max_elements,
            max_bytes,
            on_full,
            durability: options.durability,
        })
    }

    /// Adds items at the end: all of them, or none. Once this returns they are as durable as the
    /// queue's [`durability`](Self::durability) says.
    ///
    /// # Errors
    ///
    /// `Full` when the queue is bounded and they do not fit now; nothing has changed then.
    pub fn add<T: AsRef<[u8]>>(&self, items: &[T]) -> Result<()> {
        self.add_with(items, CallOptions::new())
    }

    /// Like [`add`](Self::add), as `options` say: a [`Wait`] for room, a [`Durability`], or
    /// [`CallOptions`] with both. Items that expire make room, in time, and nothing else does: what
    /// the labels have read stays for labels to come. Without a TTL no wait is worth it, and what
    /// does not fit fails at once.
    ///
    /// # Errors
    ///
    /// `OutcomeUnknown` when the items are in the queue but could not be synced as was asked.
    pub fn add_with<'a, T: AsRef<[u8]>>(
        &self,
        items: &[T],
        options: impl Into<CallOptions<'a>>,
    ) -> Result<()> {
        let (wait, level) = options.into().resolve(self.durability);
        self.handle
            .waiting(wait, |log, wait| log.append(items, wait, level))
    }

    /// Like [`add_with`](Self::add_with), without waiting for anything whatever; `None` when it
    /// would, or has more than `most` bytes, and then nothing has changed.
    #[doc(hidden)]
    pub fn add_at_once<T: AsRef<[u8]>>(
        &self,
        items: &[T],
        durability: Option<Durability>,
        most: u64,
    ) -> Result<Option<()>> {
        let level = durability.unwrap_or(self.durability);
        self.handle
            .with(|log| log.append_at_once(items, level, most))
    }

    /// Like [`next_with`](Self::next_with), without waiting for anything whatever; `None` when it
    /// would, and then nothing has changed.
    #[doc(hidden)]
    pub fn next_at_once(
        &self,
        label: &str,
        max: u64,
        durability: Option<Durability>,
    ) -> Result<Option<Next>> {
        let level = durability.unwrap_or(self.durability);
        let taken = self
            .handle
            .with(|log| log.take_at_once(&checked(label)?, max, level))?;
        Ok(taken.map(Next::from))
    }

    /// Reads up to `max` items under `label`, and moves the label behind them. A label that is new
    /// begins where `start` says.
    pub fn next(&self, label: &str, start: StartPosition, max: u64) -> Result<Next> {
        self.next_with(label, start, max, CallOptions::new())
    }

    /// Like [`next`](Self::next), waiting for the first item as long as `wait` says. A label that is
    /// new is made before the wait, and stays if that is given up or fails.
    pub fn next_wait(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
    ) -> Result<Next> {
        self.next_with(label, start, max, wait)
    }

    /// Like [`next`](Self::next), as `options` say: a [`Wait`], a [`Durability`], or
    /// [`CallOptions`] with both.
    ///
    /// # Errors
    ///
    /// `OutcomeUnknown` when the label was moved but that could not be synced as was asked.
    pub fn next_with<'a>(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        options: impl Into<CallOptions<'a>>,
    ) -> Result<Next> {
        let (wait, level) = options.into().resolve(self.durability);
        let taken = self.handle.waiting(wait, |log, wait| {
            log.take(&checked(label)?, start, max, wait, level)
        })?;
        Ok(taken.into())
    }

    /// Reads up to `max` items under `label` without moving it, waiting for the first one as long
    /// as `wait` says. A program that dies before it commits the batch reads the same items again.
    pub fn read(
        &self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'_>,
    ) -> Result<Batch> {
        self.handle.waiting(wait, |log, wait| {
            log.read(&checked(label)?, start, max, wait)
        })
    }

    /// Moves the label of a batch behind its items, as durably as the queue's
    /// [`durability`](Self::durability) says.
    ///
    /// # Errors
    ///
    /// `Conflict` when another consumer has moved the label since the batch was read.
    #[doc(alias("ack", "offset"))]
    pub fn commit(&self, batch: &Batch) -> Result<()> {
        self.commit_with(batch, self.durability)
    }

    /// Like [`commit`](Self::commit), at a [`Durability`] of its own.
    pub fn commit_with(&self, batch: &Batch, durability: Durability) -> Result<()> {
        self.handle.with(|log| log.commit(batch, durability))
    }

    /// Reads batch after batch of up to `max` items under `label`, waiting for each as long as `wait`
    /// says, until the queue is closed or nothing came. [`commit`](Self::commit) moves the label
    /// behind one; one that was not committed is read again.
    pub fn batches<'q>(
        &'q self,
        label: &str,
        start: StartPosition,
        max: u64,
        wait: Wait<'q>,
    ) -> Batches<'q> {
        let label = label.to_owned();
        Batches::new(move || self.read(&label, start, max, wait))
    }

    /// The next items of `label`, up to `max`, without moving or making it.
    pub fn peek(&self, label: &str, start: StartPosition, max: u64) -> Result<Items> {
        self.handle
            .with(|log| log.peek(&checked(label)?, start, max))
    }

    /// The live items from the oldest on, wherever the labels are.
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(|position, max| self.browse(position, max))
    }

    /// Reads item after item under `label`, waiting for each, until the queue is closed.
    pub fn consume<'q>(&'q self, label: &str, start: StartPosition) -> Consume<'q> {
        let label = label.to_owned();
        Consume::new(move || Ok(self.next_wait(&label, start, 1, Wait::FOREVER)?.items))
    }

    /// The labels, in alphabetical order.
    pub fn labels(&self) -> Result<Vec<String>> {
        self.handle.with(Log::labels)
    }

    /// Forgets a label and its place; false when there is no such label.
    pub fn remove_label(&self, label: &str) -> Result<bool> {
        self.handle
            .with(|log| log.remove_label(&label.into(), self.durability))
    }

    /// How much each label has still to read, in alphabetical order. As many steps as there are
    /// labels.
    pub fn label_stats(&self) -> Result<Vec<LabelStats>> {
        self.handle.with(Log::label_stats)
    }

    /// Number of live items.
    pub fn len(&self) -> Result<u64> {
        Ok(self.handle.with(Log::size)?.0)
    }

    /// Whether there is no live item.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Bytes of all live items.
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

    /// How long an item lives; `None` for ever.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The live items that the queue can hold at once; `None` for any number.
    pub fn max_elements(&self) -> Option<u64> {
        self.max_elements
    }

    /// The bytes of live items that the queue can hold at once; `None` for any number.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// What becomes of items that do not fit.
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

impl fmt::Debug for MpmcQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpmcQueue")
            .field("path", &self.path())
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

/// The largest label, in bytes: it is part of a record that every read writes.
const MAX_LABEL_LEN: usize = 64 << 10;

/// The label, unless it is too long.
pub fn checked(label: &str) -> Result<Arc<str>> {
    if label.len() > MAX_LABEL_LEN {
        return Err(Error::invalid(format!(
            "The label has {} bytes; a label can have at most {MAX_LABEL_LEN}",
            label.len()
        )));
    }
    Ok(label.into())
}
