//! The same as those of `parking_lot` and `std`, with a scheduler of shuttle's that decides at each who
//! goes on. Nothing but its choices happens by chance, so a seed repeats a run.
//!
//! Time does not pass: a moment has come or not as the scheduler chooses each time it is asked, so
//! that a deadline may come before, between or after all steps of the others.

#![allow(clippy::unwrap_used, reason = "for tests alone")]

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use shuttle::rand::Rng;
pub(crate) use shuttle::sync::atomic;
pub(crate) use shuttle::thread::yield_now;
use shuttle::{rand, sync};

#[derive(Debug, Default)]
pub(crate) struct Mutex<T: ?Sized>(sync::Mutex<T>);

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    of: &'a Mutex<T>,
    /// None while it is unlocked for a moment.
    held: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            of: self,
            held: Some(self.0.lock().unwrap()),
        }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.0.try_lock().ok()?;
        Some(MutexGuard {
            of: self,
            held: Some(held),
        })
    }
}

impl<T> MutexGuard<'_, T> {
    pub(crate) fn unlocked<U>(guard: &mut Self, does: impl FnOnce() -> U) -> U {
        guard.held = None;
        let done = does();
        guard.held = Some(guard.of.0.lock().unwrap());
        done
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().unwrap()
    }
}

/// Tells nothing: who waits looks again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitTimeoutResult;

#[derive(Debug, Default)]
pub(crate) struct Condvar(sync::Condvar);

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.held.take().unwrap();
        guard.held = Some(self.0.wait(held).unwrap());
    }

    /// Returns at some time, called or not, as a wait may that has an end.
    pub(crate) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        _moment: Instant,
    ) -> WaitTimeoutResult {
        MutexGuard::unlocked(guard, yield_now);
        WaitTimeoutResult
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Whether it is `moment`, or later: sooner or later it is.
pub(crate) fn has_come(_moment: Instant) -> bool {
    rand::thread_rng().gen_bool(0.25)
}
