//! Knowing, without a system call, that this process is a forked child.
//!
//! RocksDB does not survive `fork`: its threads are gone in the child while its locks and file
//! descriptors are shared with the parent. A queue that is used in a child it was not opened in
//! would damage the parent's files, so every operation asks its [`Birthplace`] first.
//!
//! A child can open queues of its own if nobody in the parent used RocksDB, or what all queues of a
//! process share, at the moment of the fork ([`Use`]): no lock of theirs is held then. It gets
//! threads of its own. Otherwise a lock may be held by a thread that the child does not have, and
//! opening fails.
//!
//! A child that leaves through `exit` also runs RocksDB's static destructor, which broadcasts on
//! condition variables and joins threads. The waiters and the threads do not exist in the child,
//! and a lock may have been held at the moment of the fork, so that can hang.
//! [`guard_exit`] puts a handler in front of that destructor which ends such a child at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// The last process that used RocksDB, of this one and those that it was forked from, plus one; 0 as
/// long as none has.
static ENGINE: AtomicU64 = AtomicU64::new(0);

/// How many use what the queues of this process share.
static USES: AtomicU64 = AtomicU64::new(0);

/// Whether a parent was using that when this process, or one between, was forked.
static IS_CUT_OFF: AtomicBool = AtomicBool::new(false);

/// Somebody uses RocksDB, or what all queues of a process share. Begins before the first lock of
/// them is taken, and ends after the last one was released.
#[derive(Debug)]
pub(crate) struct Use(());

impl Use {
    pub(crate) fn begin() -> Self {
        platform::watch();
        USES.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// Goes on after this: somebody takes it over later.
    pub(crate) fn leave(self) {
        std::mem::forget(self);
    }

    /// Takes over what was left.
    pub(crate) fn taken_over() -> Self {
        Self(())
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        USES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether what the queues of a process share is in order here: always, but in a child that was
/// forked while its parent used it.
pub fn is_sound() -> bool {
    !IS_CUT_OFF.load(Ordering::Relaxed)
}

/// A number that this process does not share with those that it was forked from.
pub(crate) fn process() -> u64 {
    platform::process()
}

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthplace(u64);

impl Birthplace {
    /// This process.
    pub fn here() -> Self {
        platform::watch();
        Self(platform::process())
    }

    #[inline]
    /// Whether this is still the process, and not a forked child of it.
    pub fn is_here(&self) -> bool {
        platform::process() == self.0
    }

    /// Fails in a child that was forked after this was made.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.is_here() {
            return Ok(());
        }
        Err(forked(
            "This queue was opened before the process was forked, and a forked child cannot use it",
        ))
    }
}

/// Claims RocksDB for this process. Fails in a child whose parent was using it at the fork: new
/// queues would wait for threads and locks that nobody holds any more.
pub(crate) fn claim_engine() -> Result<()> {
    let here = Birthplace::here();
    if !is_sound() {
        return Err(forked(
            "This process was forked while a queue was open in its parent, and no queue can be \
             opened in such a child",
        ));
    }
    ENGINE.store(here.0.saturating_add(1), Ordering::Release);
    Ok(())
}

/// Makes the normal exit of a forked child skip RocksDB's static destructor. To be called after
/// that destructor was registered, that is, after the first use of RocksDB's environment: exit
/// handlers run in the reverse order of their registration.
pub(crate) fn guard_exit() {
    platform::guard_exit();
}

/// Whether this process is a child of the one that had used RocksDB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn orphaned() -> bool {
    let owner = ENGINE.load(Ordering::Acquire);
    owner != 0 && owner != platform::process() + 1
}

fn forked(what: &str) -> Error {
    Error::new(
        ErrorKind::Forked,
        format!(
            "{what}: close all queues before the fork and open them after it, in the child \
             (gunicorn: in post_fork, not while --preload imports the application; uvicorn: in \
             the application's lifespan; Celery: in worker_process_init, or with -P threads), or \
             start children with multiprocessing's method \"spawn\" or \"forkserver\""
        ),
    )
}

#[cfg(unix)]
mod platform {
    use std::sync::Once;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// How many forks lie between this process and the first one.
    static FORKS: AtomicU64 = AtomicU64::new(0);
    static WATCH: Once = Once::new();

    #[inline]
    pub(super) fn process() -> u64 {
        FORKS.load(Ordering::Relaxed)
    }

    pub(super) fn watch() {
        WATCH.call_once(|| {
            // SAFETY: the handler is a function that lives as long as the process and only
            // touches atomics, which is allowed between fork and exec.
            unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        });
    }

    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
        // No thread of the parent can be seen at work without its having been counted first: while
        // memory is copied a thread that writes to a copied page waits.
        if super::USES.load(Ordering::SeqCst) > 0 {
            super::IS_CUT_OFF.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn guard_exit() {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        gnu::guard_exit();
    }

    /// `on_exit` hands the exit status to its handler, which `atexit` does not; only glibc has it.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    mod gnu {
        use std::ffi::{c_int, c_void};
        use std::ptr;
        use std::sync::Once;

        static GUARD: Once = Once::new();

        unsafe extern "C" {
            fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
        }

        pub(super) fn guard_exit() {
            GUARD.call_once(|| {
                // SAFETY: the handler lives as long as the process and ignores its argument.
                unsafe { on_exit(leave, ptr::null_mut()) };
            });
        }

        extern "C" fn leave(status: c_int, _argument: *mut c_void) {
            if super::super::orphaned() {
                // SAFETY: a null stream means all of them; neither call touches memory of ours.
                unsafe {
                    libc::fflush(ptr::null_mut());
                    libc::_exit(status);
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod platform {
    pub(super) fn process() -> u64 {
        u64::from(std::process::id())
    }

    pub(super) fn watch() {}

    pub(super) fn guard_exit() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_here_is_here() {
        let birthplace = Birthplace::here();
        assert!(birthplace.is_here());
        assert!(birthplace.check().is_ok());
    }

    #[test]
    fn another_process_is_told_to_spawn() {
        let elsewhere = Birthplace(u64::MAX);
        let error = elsewhere.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forked);
        assert!(error.to_string().contains("spawn"));
    }

    #[cfg(unix)]
    #[test]
    fn a_child_knows_that_it_was_forked() {
        let birthplace = Birthplace::here();
        // SAFETY: the child only reads an atomic and leaves without running destructors.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(birthplace.is_here()));
            }
            let mut status = 0;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert!(libc::WIFEXITED(status));
        assert_eq!(libc::WEXITSTATUS(status), 0);
        assert!(birthplace.is_here());
    }
}
