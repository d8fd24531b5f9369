//! What a user can choose when opening or reading a queue.

use std::time::Duration;

/// Where a label that is new begins to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartPosition {
    /// At the oldest live item.
    #[default]
    Oldest,
    /// At the last item that is already in the queue, not after it.
    Newest,
}

/// How to open a [`PersistentQueueWithCapacity`](crate::blocking::PersistentQueueWithCapacity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueOptions {
    /// Items that the queue can hold at once. Reopening with less drops nothing.
    pub max_elements: u64,
    /// How long to wait for another holder of the path to close it; `None` for as long as it takes.
    pub open_timeout: Option<Duration>,
}

impl Default for QueueOptions {
    /// A thousand million items; fails at once when the path is held.
    fn default() -> Self {
        Self {
            max_elements: 1_000_000_000,
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
    /// How long to wait for another holder of the path to close it; `None` for as long as it takes.
    pub open_timeout: Option<Duration>,
}

impl Default for MpmcOptions {
    /// Items never expire; fails at once when the path is held.
    fn default() -> Self {
        Self {
            ttl: None,
            open_timeout: Some(Duration::ZERO),
        }
    }
}
