//! Giving freed memory back to the operating system.
//!
//! The C library keeps what is freed, in an arena for each few threads, and reuses it for the same
//! threads only. Where several threads push, that would come to many times what is in use.
//! Handing it back costs a walk over what is free, and page faults later. So it is done when
//! the process has grown by more than it should have, and when the queues have come to rest.
//!
//! The rest of the process grows and shrinks too. What it takes is estimated as the least that was
//! ever there beside what is known of the queues.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{KEPT, in_stores, room, taken_by_open_queues};

/// Not worth handing back.
const LITTLE: u64 = 1 << 20;

/// What was freed since memory was last handed back, and how much of that was looked at.
static RELEASED: AtomicU64 = AtomicU64::new(0);
static LOOKED_AT: AtomicU64 = AtomicU64::new(0);
/// What the process has beside its queues; `None` as long as that is unknown.
static OTHERS: Mutex<Option<u64>> = Mutex::new(None);

/// The allocator of this process.
pub(crate) struct Allocator;

impl Allocator {
    /// To be called when the first queue is opened.
    pub(crate) fn begin() {
        Self::look();
    }

    /// Notes that the queues have freed memory.
    pub(crate) fn note_released(bytes: u64) {
        RELEASED.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether there is something to be handed back.
    pub(crate) fn has_slack() -> bool {
        RELEASED.load(Ordering::Relaxed) >= LITTLE
    }

    /// Whether [`check`](Self::check) should be called soon: so much was freed that it is worth a look
    /// at what the process has.
    pub(crate) fn is_due() -> bool {
        let released = RELEASED.load(Ordering::Relaxed);
        released.wrapping_sub(LOOKED_AT.load(Ordering::Relaxed)) >= room() / 16
    }

    /// Hands memory back if the process has too much. To be called when some was freed.
    pub(crate) fn check() {
        LOOKED_AT.store(RELEASED.load(Ordering::Relaxed), Ordering::Relaxed);
        if Self::look() > tolerated() {
            Self::trim();
        }
    }

    /// Hands memory back. To be called when the queues have come to rest.
    pub(crate) fn trim() {
        RELEASED.store(0, Ordering::Relaxed);
        LOOKED_AT.store(0, Ordering::Relaxed);
        system::trim();
        let others = system::resident().saturating_sub(in_use());
        *OTHERS.lock() = Some(others);
    }

    /// Bytes that the process has beyond what is not of the queues.
    fn look() -> u64 {
        let resident = system::resident();
        let mut others = OTHERS.lock();
        let now = resident.saturating_sub(in_use());
        let least = others.map_or(now, |least| least.min(now));
        *others = Some(least);
        resident.saturating_sub(least)
    }
}

/// How much the queues and what the allocator keeps for them may come to.
fn tolerated() -> u64 {
    let usual = taken_by_open_queues().saturating_add(room() / 2);
    usual.max(in_use().saturating_add(room() / 8))
}

/// What is known of the queues.
fn in_use() -> u64 {
    in_stores()
        .saturating_add(KEPT.load(Ordering::Relaxed))
        .saturating_add(taken_by_open_queues())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod system {
    pub(super) fn trim() {
        // SAFETY: the call has no preconditions.
        unsafe { libc::malloc_trim(0) };
    }

    /// Bytes of memory that belong to this process and to no file; 0 if that is not to be had.
    pub(super) fn resident() -> u64 {
        let read = std::fs::read_to_string("/proc/self/statm");
        read.ok().and_then(|text| pages(&text)).unwrap_or(0) * page()
    }

    fn pages(statm: &str) -> Option<u64> {
        let mut words = statm.split(' ').skip(1);
        let resident: u64 = words.next()?.parse().ok()?;
        let shared: u64 = words.next()?.parse().ok()?;
        resident.checked_sub(shared)
    }

    fn page() -> u64 {
        // SAFETY: the call has no preconditions.
        let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        bytes.try_into().unwrap_or(0)
    }
}

/// Elsewhere it is left to the C library.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod system {
    pub(super) fn trim() {}

    pub(super) fn resident() -> u64 {
        0
    }
}
