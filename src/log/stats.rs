//! What can be seen of a log from outside: how much is in it, and what has happened to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Log;
use super::bounds::Amount;
use super::fetch::ChunkInfo;
use super::state::State;
use crate::error::{Error, ErrorKind, Result};
use crate::primitives::Mutex;
use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::store::Store;

/// What is in a queue and what has happened to it since it was opened.
///
/// What is in it and how many items came and went belong to one moment.
///
/// ```
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
/// queue.push(&[b"first", b"other"])?;
/// queue.pop(1)?;
/// let stats = queue.stats()?;
/// assert_eq!((stats.items, stats.payload_bytes), (1, 5));
/// assert_eq!((stats.pushed_items, stats.popped_items), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Items in the queue.
    pub items: u64,
    /// Their bytes.
    pub payload_bytes: u64,
    /// Bytes that the queue takes on the file system, at most a second ago.
    pub disk_bytes: u64,
    /// How long ago the oldest item was pushed; `None` when the queue is empty, or when that cannot
    /// be read now.
    pub oldest_age: Option<Duration>,
    /// Items pushed since the queue was opened.
    pub pushed_items: u64,
    /// Items taken since then; of an MPMC queue, read under labels, once for each.
    pub popped_items: u64,
    /// Those of them that were given back since nobody came for them. They count again when they are
    /// taken again.
    pub returned_items: u64,
    /// Items dropped since then to make room for others.
    pub dropped_items: u64,
    /// Items lost to the TTL since then, as far as was noticed.
    pub expired_items: u64,
    /// Items since then that were to be pushed and are not in the queue: they did not fit, or could
    /// not be written.
    pub rejected_items: u64,
    /// Bytes written to RocksDB's log since then.
    pub log_bytes: u64,
    /// Bytes written to its tables since then.
    pub table_bytes: u64,
    /// Writes, syncs and background work that have failed since then.
    pub errors: u64,
}

/// How much a label of an MPMC queue has still to read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelStats {
    /// The label.
    pub label: String,
    /// Live items that it has not read.
    pub items: u64,
    /// Their bytes.
    pub payload_bytes: u64,
}

/// What came and went since the log was opened, in items.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub pushed: u64,
    pub popped: u64,
    pub returned: u64,
    pub dropped: u64,
    pub expired: u64,
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            pushed: self.pushed.saturating_add(other.pushed),
            popped: self.popped.saturating_add(other.popped),
            returned: self.returned.saturating_add(other.returned),
            dropped: self.dropped.saturating_add(other.dropped),
            expired: self.expired.saturating_add(other.expired),
        }
    }
}

/// What is remembered between two looks, since looking costs a read; and what is counted elsewhere
/// than in commit order.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// When the disk was measured, and what it showed.
    disk: Mutex<Option<(Instant, u64)>>,
    /// The chunk of the oldest item.
    oldest: Mutex<Option<ChunkInfo>>,
    /// Items of pushes that have failed.
    rejected: AtomicU64,
}

/// A measure of the disk is good for so long.
const DISK_FOR: Duration = Duration::from_secs(1);

impl<S: Store> Log<S> {
    /// What is in the log, and what has happened to it.
    pub(crate) fn stats(&self) -> Result<Stats> {
        self.check_usable()?;
        let (present, counts, oldest) = {
            let (_, state) = self.live()?;
            (state.present(), state.counts, state.oldest())
        };
        let traffic = self.store.traffic();
        Ok(Stats {
            items: present.items,
            payload_bytes: present.bytes,
            disk_bytes: self.disk_lately(),
            oldest_age: oldest.and_then(|position| self.age_of(position)),
            pushed_items: counts.pushed,
            popped_items: counts.popped,
            returned_items: counts.returned,
            dropped_items: counts.dropped,
            expired_items: counts.expired,
            rejected_items: self.seen.rejected.load(Ordering::Relaxed),
            log_bytes: traffic.log,
            table_bytes: traffic.tables.saturating_add(traffic.rewritten),
            errors: traffic.errors,
        })
    }

    /// Counts the items of a push that has failed, and goes on with its result.
    pub(crate) fn counted<T>(&self, items: usize, pushed: Result<T>) -> Result<T> {
        use ErrorKind::{Corrupt, DiskFull, Full, Io};
        pushed.inspect_err(|error| {
            if matches!(error.kind(), Full | DiskFull | Io | Corrupt) {
                let items = items as u64;
                self.seen.rejected.fetch_add(items, Ordering::Relaxed);
            }
        })
    }

    /// How much each label has still to read, in alphabetical order.
    pub(crate) fn label_stats(&self) -> Result<Vec<LabelStats>> {
        self.check_usable()?;
        let (_, state) = self.live()?;
        let of_label = |(label, lag): (&Arc<str>, Amount)| LabelStats {
            label: label.to_string(),
            items: lag.items,
            payload_bytes: lag.bytes,
        };
        let mut stats: Vec<_> = state.lags().map(of_label).collect();
        drop(state);
        stats.sort_unstable_by(|a, b| a.label.cmp(&b.label));
        Ok(stats)
    }

    /// How much is in the log, if that can be told at once.
    #[cfg_attr(not(feature = "rocksdb"), allow(dead_code))]
    pub(crate) fn glance(&self) -> Option<Result<Amount>> {
        if let Err(error) = self.check_usable() {
            return Some(Err(error));
        }
        let state = self.state.try_lock()?;
        Some(match state.closed {
            true => Err(Error::closed()),
            false => Ok(state.present()),
        })
    }

    /// Bytes on disk, at most a second ago.
    fn disk_lately(&self) -> u64 {
        let mut disk = self.seen.disk.lock();
        let last = disk.map_or(0, |(_, bytes)| bytes);
        if disk.is_none_or(|(measured, _)| measured.elapsed() >= DISK_FOR) {
            *disk = Some((Instant::now(), self.store.disk_size().unwrap_or(last)));
        }
        disk.map_or(0, |(_, bytes)| bytes)
    }

    /// How long ago the item at `position` was pushed.
    fn age_of(&self, position: u64) -> Option<Duration> {
        let mut oldest = self.seen.oldest.lock();
        let known = oldest.filter(|chunk| chunk.holds(position));
        let chunk = match known {
            Some(chunk) => chunk,
            None => self.chunk_info(position).ok()?,
        };
        *oldest = Some(chunk);
        let age = self.time.now().saturating_sub(chunk.time);
        Some(Duration::from_micros(age.max(0) as u64))
    }
}

impl State {
    /// Position of the oldest item in the queue.
    fn oldest(&self) -> Option<u64> {
        let cursor = self.retention.first(self, self.live);
        (self.present().items > 0).then(|| cursor.first())
    }

    /// Labels, and what they have still to read.
    fn lags(&self) -> impl Iterator<Item = (&Arc<str>, Amount)> {
        self.labels.iter().map(|(name, label)| {
            let mut cursor = label.cursor.clone();
            cursor.skip_to(self.live);
            (name, cursor.remaining(self.end).into())
        })
    }
}
