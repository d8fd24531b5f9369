//! What threads meet at: locks, bells, atomics, and time to wait until.
//!
//! The log, and the store in memory under it, take these from here and from nowhere else. So its tests
//! can put others in their place, under which a scheduler decides who goes on at each of them:
//! with `--cfg shuttle` they are those of [`explored`].

#[cfg(not(all(test, shuttle)))]
mod native {
    pub(crate) use std::sync::atomic;
    pub(crate) use std::thread::yield_now;
    use std::time::Instant;

    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

    /// Whether it is `moment`, or later.
    pub(crate) fn has_come(moment: Instant) -> bool {
        moment <= Instant::now()
    }
}
#[cfg(not(all(test, shuttle)))]
pub(crate) use native::*;

#[cfg(all(test, shuttle))]
mod explored;
#[cfg(all(test, shuttle))]
pub(crate) use explored::*;
