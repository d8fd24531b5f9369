//! What is open in this process, for those who have lost hold of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Handle;
use super::opened;
use crate::error::Result;
use crate::store::rocks::Kind;

/// The two kinds of queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueKind {
    /// A [`PersistentQueueWithCapacity`](super::PersistentQueueWithCapacity).
    Persistent,
    /// An [`MpmcQueue`](super::MpmcQueue).
    Mpmc,
}

impl fmt::Display for QueueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Persistent => "persistent",
            Self::Mpmc => "mpmc",
        })
    }
}

/// A queue that is open in this process: one for each time that it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQueue {
    path: PathBuf,
    kind: QueueKind,
    opened_at: String,
}

impl OpenQueue {
    fn of(handle: &Arc<Handle>) -> Self {
        Self {
            path: handle.path().to_owned(),
            kind: match handle.kind() {
                Kind::Fifo => QueueKind::Persistent,
                Kind::Mpmc => QueueKind::Mpmc,
            },
            opened_at: handle.origin().to_string(),
        }
    }

    /// The directory of the queue, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which kind of queue it is.
    pub fn kind(&self) -> QueueKind {
        self.kind
    }

    /// The file and line that opened it.
    pub fn opened_at(&self) -> &str {
        &self.opened_at
    }
}

/// The queues that are open in this process, in the order of their directories.
///
/// ```standalone_crate
/// use rocksq::blocking::{self, PersistentQueueWithCapacity};
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10)?;
/// let [open] = &blocking::open_queues()[..] else { panic!() };
/// assert_eq!(open.path(), queue.path());
/// blocking::close_all()?;
/// assert!(queue.is_closed() && blocking::open_queues().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_queues() -> Vec<OpenQueue> {
    opened::openings().iter().map(OpenQueue::of).collect()
}

/// Closes every queue that is open in this process, whoever has it.
///
/// # Errors
///
/// What the first failed with that could not be closed in order. All are closed all the same.
pub fn close_all() -> Result<()> {
    let openings = opened::openings();
    let closed: Vec<_> = openings.iter().map(|handle| handle.close()).collect();
    closed.into_iter().collect()
}
