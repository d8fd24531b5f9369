//! Where a log keeps its records: a small ordered, transactional store.
//!
//! The log knows only the traits of this file. [`rocks`] implements them on RocksDB and is the only
//! module that names it; [`memory`] implements them in memory for tests, so that they run
//! without compiling RocksDB.

use std::fmt;
use std::path::PathBuf;

use crate::error::Result;

#[cfg(any(feature = "rocksdb", feature = "fuzzing"))]
pub(crate) mod files;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(feature = "rocksdb")]
pub(crate) mod rocks;

/// The two families of small records; chunks live in a family of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Records {
    /// What the log knows about itself.
    System,
    /// A cursor for each label.
    Reader,
}

/// Changes that a store makes together or not at all.
pub(crate) trait Batch: Send {
    /// Stores the chunk whose first item is at `position`; its bytes are `parts` one after another.
    fn put_chunk(&mut self, position: u64, parts: &[&[u8]]) -> Result<()>;
    fn put(&mut self, records: Records, key: &[u8], value: &[u8]);
    fn delete(&mut self, records: Records, key: &[u8]);
}

/// What a store has written, in bytes, and how often that has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// To the log.
    pub log: u64,
    /// To tables, from memory.
    pub tables: u64,
    /// To tables, from other tables.
    pub rewritten: u64,
    /// Writes, syncs and background work that have failed.
    pub errors: u64,
}

/// What a visitor of chunks wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    Next,
    Stop,
}

/// When a store is asked to give space back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The queue is in use: what is not worth the effort now is left for later.
    Busy,
    /// The queue is idle or empty, so that this is the time.
    Resting,
    /// Memory is short: what is in memory goes to tables, however little it is.
    Short,
}

/// A chunk visitor: called with the position of the chunk's first item and the chunk's bytes.
pub(crate) type Visitor<'a> = dyn FnMut(u64, &[u8]) -> Result<Visit> + 'a;

/// A queue of another format, to be taken over into a store.
pub(crate) trait Source {
    /// The labels and where they stand.
    fn labels(&self) -> Vec<Place>;

    /// Visits all items in the order of the queue. What the visitor fails with ends the visit.
    fn visit_items(&mut self, visitor: &mut RunVisitor<'_>) -> Result<()>;
}

/// A visitor of runs: items that were added at the same time, and that time in microseconds since
/// 1970 if it is known.
pub(crate) type RunVisitor<'a> = dyn FnMut(&[&[u8]], Option<i64>) -> Result<()> + 'a;

/// Where a label stands in a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub label: String,
    /// How many of the source's items the label has behind it.
    pub items_before: u64,
    /// Whether the label is still to be told that it has lost items.
    pub lost: bool,
}

/// What [`migrate`](crate::migrate()) has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// Items that are in the queue now; its TTL may hide some of them at once.
    pub items: u64,
    /// Labels that are in the queue now.
    pub labels: u64,
    /// Items that had expired and were not taken over.
    pub left_out: u64,
    /// Labels whose place was of a numbering that rocksq 0.3.0 had lost. They begin at the oldest
    /// item.
    pub moved_labels: u64,
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (items, labels) = (self.items, self.labels);
        write!(f, "{items} items, {labels} labels; ")?;
        let (left_out, moved) = (self.left_out, self.moved_labels);
        write!(
            f,
            "{left_out} items had expired, {moved} labels begin at the oldest item"
        )
    }
}

/// The place of a store on its file system, by which a copy is told from what it was made of. Taken
/// from a file that a copy makes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// Where the file system says when the file was made: nanoseconds since 1970; otherwise 0.
    pub born: u64,
    pub inode: u64,
}

impl Home {
    /// Whether both are one place. Some file systems number their files anew each time that they are
    /// mounted, and some do not say when a file was made.
    pub(crate) fn is(self, other: Self) -> bool {
        if self.born != 0 && other.born != 0 {
            self.born == other.born
        } else {
            self.inode == other.inode
        }
    }
}

/// What an opening could not bring back from a damaged log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Batches that were whole and lay behind damage.
    pub records: u64,
    /// Bytes of the log from the damage on.
    pub bytes: u64,
    /// Position and first [`HEAD`](Self::HEAD) bytes of the last chunk among those batches.
    pub last_chunk: Option<(u64, Vec<u8>)>,
    /// The directory to which the damaged log was moved.
    pub kept: PathBuf,
    /// Where the log ends without them, once it was [found](Store::found) again.
    pub end: Option<u64>,
}

impl Dropped {
    pub(crate) const HEAD: usize = 64;
}

/// An ordered store with atomic batches. Every method may be called from any thread.
pub(crate) trait Store: Send + Sync + 'static {
    type Batch: Batch;

    /// An empty batch with room for about `bytes`.
    fn batch(&self, bytes: usize) -> Self::Batch;

    /// Applies the batch, all or nothing. When it returns, the operating system has the batch: it
    /// survives `kill -9`, and a power cut only after [`sync`](Self::sync).
    ///
    /// After an error nothing of the batch is visible; `OutcomeUnknown` says that the next open
    /// may show it. While the store is stopped by an earlier error, fails without trying.
    fn write(&self, batch: Self::Batch) -> Result<()>;

    /// Makes a store that an error has stopped work again, if the cause is gone, with a new
    /// [`generation`](Self::generation) if it had to reopen. Cheap when nothing is wrong; the log
    /// calls it before it decides what to write.
    fn recover(&self) -> Result<()>;

    /// Whether a small write that adds so many bytes would wait for nothing now: no sync, no repair,
    /// no flush that begins or that it might have to begin, and no room that has to be looked for.
    /// A flush that is under way holds no writer up.
    fn is_quiet(&self, bytes: u64) -> bool;

    /// Makes everything written before the call survive a power cut. Holds up no writer.
    fn sync(&self) -> Result<()>;

    /// Grows each time the store reopened itself: what was read from an older generation may not
    /// be there any more.
    fn generation(&self) -> u64;

    /// Its place on the file system; `None` where that cannot be told.
    fn home(&self) -> Option<Home>;

    /// Told where the log ends that was found in it, after it was opened and after it has reopened
    /// itself.
    fn found(&self, end: u64);

    /// What could not be brought back from a damaged log, the last time that something could not.
    fn dropped(&self) -> Option<Dropped>;

    fn get(&self, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// All records whose key begins with `prefix`, in the order of their keys.
    fn scan(&self, records: Records, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;

    /// Visits chunks in order, beginning with the last one that starts at or before `position`
    /// (if there is none at or above `floor`, with the first one after it), until the visitor
    /// stops. No chunk that starts below `floor` is touched.
    /// The visitor must not call the store.
    fn visit_chunks(&self, floor: u64, position: u64, visitor: &mut Visitor<'_>) -> Result<()>;

    /// Applies `batch` like [`write`](Self::write), then forgets the chunks that start below
    /// `floor`, giving back disk space and memory in bulk, as much as suits the occasion. Returns
    /// whether a later call could give back more. Slow: housekeeping calls it.
    fn reclaim(&self, batch: Self::Batch, floor: u64, occasion: Occasion) -> Result<bool>;

    /// Bytes written since the store last moved them from its log into tables; past
    /// [`reclaim_after`](Self::reclaim_after) a call of [`reclaim`](Self::reclaim) is due.
    fn unreclaimed(&self) -> u64;

    /// Bytes that it has in memory and not in tables yet, about. Waits for nothing.
    fn in_memory(&self) -> u64;

    /// How many bytes to write, or to take, before a call of [`reclaim`](Self::reclaim) is due.
    fn reclaim_after(&self) -> u64;

    /// Bytes allocated on disk.
    fn disk_size(&self) -> Result<u64>;

    /// What it has written since it was opened, whether or not it has reopened itself since.
    fn traffic(&self) -> Traffic;

    /// Syncs and closes. Waits for running operations; later ones fail with `Closed`.
    fn close(&self) -> Result<()>;

    /// Waits for space that a [`reclaim`](Self::reclaim) gives back and that is on its way.
    fn settle(&self);

    /// Gives everything that it keeps the time of now, as far as it can.
    fn refresh(&self);

    /// Fails when what was written will not be found again: somebody has removed it.
    fn check_there(&self) -> Result<()>;

    /// The log could not be opened: closes a store that this opening has made, and takes it away.
    fn abandon(&self);
}
