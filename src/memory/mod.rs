//! How much memory the queues of a process hold together.
//!
//! All open queues share one budget, which is for what they keep from one call to the next: what
//! RocksDB has in memory and not in tables yet, the newest items, what was read ahead, caches.
//! What a call carries comes on top for as long as it lasts, once or twice. 128 MiB is the default,
//! and a queue works with 16 MiB, if its calls are small.
//!
//! Each open queue takes some of it by being open: 0.4 MiB, and up to 0.6 MiB with a backlog. What is
//! left is used by those that are at work, and the one that holds the most gives first. A push waits
//! for that when the rest of the budget is used up, as it waits for a disk that is too slow for it.
//!
//! ```
//! use rocksq::memory;
//!
//! memory::set_budget(32 << 20)?;
//! assert_eq!(memory::budget(), 32 << 20);
//! # Ok::<(), rocksq::Error>(())
//! ```

mod allocator;
mod probe;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

pub(crate) use self::allocator::Allocator;
#[doc(hidden)]
pub use self::probe::bytes_of;
#[cfg(feature = "rocksdb")]
pub(crate) use self::probe::probe;
use crate::error::{Error, Result};

/// The budget of a process that has not set another one, in bytes.
pub const DEFAULT: u64 = 128 << 20;

/// The smallest budget, in bytes.
pub const MINIMUM: u64 = 16 << 20;

/// What an open queue takes by being open.
const EACH: u64 = 640 << 10;

static BUDGET: AtomicU64 = AtomicU64::new(DEFAULT);
static OPEN: AtomicU64 = AtomicU64::new(0);
static KEPT: AtomicU64 = AtomicU64::new(0);
/// What [`room`] returns, for calls that cannot afford to work it out.
static ROOM: AtomicU64 = AtomicU64::new(DEFAULT);

static GAUGE: OnceLock<Gauge> = OnceLock::new();

/// What the budget knows of the stores of this process, which are above it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge {
    /// Bytes that they have in memory and not in tables yet.
    pub in_memory: fn() -> u64,
    /// Sets how many bytes of what they have read from tables they may keep, and forgets what they
    /// have kept.
    pub set_cache: fn(u64),
}

impl Gauge {
    /// Lets the budget know of the stores. To be called before the first of them asks for its
    /// [`cache`]; later calls do nothing.
    pub(crate) fn register(self) {
        _ = GAUGE.set(self);
        fence(Ordering::SeqCst);
    }
}

/// Bytes that stores have in memory and not in tables yet.
fn in_stores() -> u64 {
    GAUGE.get().map_or(0, |gauge| (gauge.in_memory)())
}

/// The budget of this process, in bytes.
pub fn budget() -> u64 {
    BUDGET.load(Ordering::Relaxed)
}

/// Sets the budget of this process, in bytes, for the queues that are open and those to come.
///
/// A smaller one is kept to within a second or two of the next operations, and nothing is lost by
/// it. A smaller budget makes for more and smaller files where a backlog gathers, and lets pushes
/// wait sooner for a slow disk. What was cached of files is forgotten each time.
///
/// # Errors
///
/// `InvalidArgument` for less than [`MINIMUM`]; nothing is changed then.
pub fn set_budget(bytes: u64) -> Result<()> {
    if bytes < MINIMUM {
        return Err(Error::invalid(format!(
            "A memory budget of {bytes} bytes is too small: the queues of a process need at least \
             {MINIMUM} bytes ({} MiB)",
            MINIMUM >> 20
        )));
    }
    BUDGET.store(bytes, Ordering::Relaxed);
    share_out();
    // Either this sees a gauge that is being registered, or its store sees the new budget.
    fence(Ordering::SeqCst);
    if let Some(gauge) = GAUGE.get() {
        (gauge.set_cache)(cache());
    }
    Ok(())
}

/// Works out what is left of the budget for the queues that are at work.
fn share_out() {
    let room = budget().saturating_sub(taken_by_open_queues());
    ROOM.store(room, Ordering::Relaxed);
}

/// What is left of the budget for the queues that are at work.
fn room() -> u64 {
    ROOM.load(Ordering::Relaxed)
}

/// Many queues leave a quarter to those at work all the same.
fn taken_by_open_queues() -> u64 {
    let open = OPEN.load(Ordering::Relaxed);
    open.saturating_mul(EACH).min(budget() / 4 * 3)
}

/// Bytes for a cache of what was read from tables.
pub(crate) fn cache() -> u64 {
    budget() / 16
}

/// Whether some of what stores have in memory should be moved to tables.
pub(crate) fn is_short() -> bool {
    in_stores() > room() / 8 * 3
}

/// Whether so much is in memory that what adds to it must wait.
pub(crate) fn is_used_up() -> bool {
    in_stores() > room() / 16 * 7
}

/// How much of something that takes `own` bytes may be kept, of `limit` at the most: what the others
/// have left, or an equal share if that is more.
pub(crate) fn allowance(own: u64, limit: u64) -> u64 {
    let most = room() / 4;
    let kept = KEPT.load(Ordering::Relaxed);
    if kept.saturating_add(limit) <= most.saturating_add(own) {
        return limit;
    }
    let left = own.saturating_add(most).saturating_sub(kept);
    let share = most / OPEN.load(Ordering::Relaxed).max(1) / 2;
    left.max(share).min(limit)
}

/// Bytes that something keeps in memory, counted for the process.
#[derive(Debug, Default)]
pub(crate) struct Kept(u64);

impl Kept {
    pub(crate) fn new(bytes: u64) -> Self {
        KEPT.fetch_add(bytes, Ordering::Relaxed);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0
    }

    pub(crate) fn grow(&mut self, by: u64) {
        KEPT.fetch_add(by, Ordering::Relaxed);
        self.0 = self.0.saturating_add(by);
    }

    pub(crate) fn shrink(&mut self, by: u64) {
        let by = by.min(self.0);
        KEPT.fetch_sub(by, Ordering::Relaxed);
        self.0 = self.0.saturating_sub(by);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shrink(self.0);
    }
}

/// An open queue, which has a share in the budget.
#[derive(Debug, Default)]
pub(crate) struct Share {
    ended: AtomicBool,
}

impl Share {
    pub(crate) fn new() -> Self {
        if OPEN.fetch_add(1, Ordering::Relaxed) == 0 {
            Allocator::begin();
        }
        share_out();
        Self::default()
    }

    pub(crate) fn end(&self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            OPEN.fetch_sub(1, Ordering::Relaxed);
            share_out();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_budget_that_is_too_small_is_refused_with_the_smallest_one() {
        let error = set_budget(MINIMUM - 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("at least 16777216 bytes"));
        assert_eq!(budget(), DEFAULT);
    }

    #[test]
    fn what_is_kept_is_shared_when_it_is_much() {
        let _open: Vec<_> = (0..16).map(|_| Share::new()).collect();
        assert_eq!(allowance(0, MIB), MIB);
        let others = Kept::new(room() / 4 - MIB);
        assert_eq!(allowance(0, 2 * MIB), MIB);
        let own = Kept::new(MIB / 2);
        assert_eq!(allowance(own.bytes(), 2 * MIB), MIB);
        let share = room() / 4 / 16 / 2;
        let too_much = Kept::new(others.bytes());
        assert_eq!(allowance(0, 2 * MIB), share);
        drop(too_much);
        assert_eq!(allowance(own.bytes(), 2 * MIB), MIB);
    }

    #[test]
    fn queues_that_do_nothing_leave_some_room() {
        let _open: Vec<_> = (0..10_000).map(|_| Share::new()).collect();
        assert_eq!(room(), DEFAULT / 4);
    }
}
