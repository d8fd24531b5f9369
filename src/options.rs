//! What a user can choose when opening or reading a queue.

use std::time::Duration;

use crate::wait::Wait;

/// What must have happened to an operation before its call returns.
///
/// A level delays the return of its own call and nothing else: everybody sees what was done as
/// soon as it is in the queue. Whatever the level, a crash leaves the history up to some moment,
/// without a gap and without half a call; the level says how far back that moment can lie.
///
/// ```
/// use rocksq::{Durability, QueueOptions};
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let mut options = QueueOptions::default();
/// options.durability = Durability::Buffered;
/// let queue = PersistentQueueWithCapacity::open(dir.path().join("queue"), options)?;
/// queue.push(&[b"cheap"])?;
/// queue.push_with(&[b"precious"], Durability::Synced)?; // and what came before it
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// It is in this process's memory. Written at the latest after a second, when 1 MiB has
    /// gathered, before anything at a higher level, by `flush` and by `close`. The death of the
    /// process loses what was not written yet.
    Buffered,
    /// The operating system has it: it survives the death of the process, `kill -9` included. A
    /// power cut may lose the last seconds.
    #[default]
    Written,
    /// The device has it: it survives a power cut.
    Synced,
}

/// What one call does otherwise than usual.
///
/// A [`Wait`] or a [`Durability`] alone will do where options are asked for.
///
/// ```
/// use std::time::Duration;
/// use rocksq::{CallOptions, Durability};
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
/// queue.push_with(&[b"item"], Durability::Synced)?;
/// let patient = CallOptions::new()
///     .wait(Duration::from_millis(5).into())
///     .durability(Durability::Synced);
/// assert_eq!(queue.pop_with(1, patient)?, [b"item"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CallOptions<'a> {
    wait: Wait<'a>,
    durability: Option<Durability>,
}

impl<'a> CallOptions<'a> {
    /// Never waits, at the queue's own durability.
    pub fn new() -> Self {
        Self {
            wait: Wait::NEVER,
            durability: None,
        }
    }

    /// Waits for items, or for room, as long as `wait` says.
    pub fn wait(self, wait: Wait<'a>) -> Self {
        Self { wait, ..self }
    }

    /// Returns when what was done is so durable; `None` for as durable as the queue is usually.
    pub fn durability(self, durability: impl Into<Option<Durability>>) -> Self {
        Self {
            durability: durability.into(),
            ..self
        }
    }

    /// The wait, and the durability on a queue with `usual` durability.
    pub(crate) fn resolve(self, usual: Durability) -> (Wait<'a>, Durability) {
        (self.wait, self.durability.unwrap_or(usual))
    }
}

impl Default for CallOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> From<Wait<'a>> for CallOptions<'a> {
    fn from(wait: Wait<'a>) -> Self {
        Self::new().wait(wait)
    }
}

impl From<Durability> for CallOptions<'_> {
    fn from(durability: Durability) -> Self {
        Self::new().durability(durability)
    }
}

/// Where a label that is new begins to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartPosition {
    /// At the oldest live item.
    #[default]
    Oldest,
    /// At the last item that is already in the queue, not after it.
    Newest,
}

/// What becomes of a push that does not fit into a bounded queue.
///
/// ```
/// use rocksq::{OnFull, QueueOptions};
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let mut options = QueueOptions::default();
/// options.max_bytes = Some(8);
/// options.on_full = OnFull::DropOldest;
/// let queue = PersistentQueueWithCapacity::open(dir.path().join("queue"), options)?;
/// for item in ["one", "two", "three"] {
///     queue.push(&[item])?;
/// }
/// assert_eq!(queue.pop(9)?, ["two", "three"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFull {
    /// It waits for room if it may, and fails with `Full` otherwise.
    #[default]
    Error,
    /// The oldest pushes make room for it: as many as it takes, in the same step. What was pushed in
    /// one call is dropped as a whole, or what is left of it. It never waits.
    DropOldest,
}

/// How to open a [`PersistentQueueWithCapacity`](crate::blocking::PersistentQueueWithCapacity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueOptions {
    /// Items that the queue can hold at once. Reopening with less drops nothing.
    pub max_elements: u64,
    /// Bytes of items that the queue can hold at once; `None` for any number. Reopening with less
    /// drops nothing.
    pub max_bytes: Option<u64>,
    /// What becomes of a push that does not fit.
    pub on_full: OnFull,
    /// How durable what a call does is when it returns, unless the call says otherwise.
    pub durability: Durability,
    /// How long to wait for another holder of the path to close it; `None` for as long as it takes.
    pub open_timeout: Option<Duration>,
}

impl Default for QueueOptions {
    /// A thousand million items of any size, level Written; fails at once when the path is held.
    fn default() -> Self {
        Self {
            max_elements: 1_000_000_000,
            max_bytes: None,
            on_full: OnFull::Error,
            durability: Durability::Written,
            open_timeout: Some(Duration::ZERO),
        }
    }
}

/// How to open an [`MpmcQueue`](crate::mpmc::MpmcQueue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MpmcOptions {
    /// How long an item lives; `None` for ever.
    pub ttl: Option<Duration>,
    /// Live items that the queue can hold at once; `None` for any number. Reopening with less drops
    /// nothing.
    pub max_elements: Option<u64>,
    /// Bytes of live items that the queue can hold at once; `None` for any number. Reopening with
    /// less drops nothing.
    pub max_bytes: Option<u64>,
    /// What becomes of items that do not fit.
    pub on_full: OnFull,
    /// How durable what a call does is when it returns, unless the call says otherwise.
    pub durability: Durability,
    /// How long to wait for another holder of the path to close it; `None` for as long as it takes.
    pub open_timeout: Option<Duration>,
}

impl Default for MpmcOptions {
    /// Any number of items, which never expire, level Written; fails at once when the path is held.
    fn default() -> Self {
        Self {
            ttl: None,
            max_elements: None,
            max_bytes: None,
            on_full: OnFull::Error,
            durability: Durability::Written,
            open_timeout: Some(Duration::ZERO),
        }
    }
}
