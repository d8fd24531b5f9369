//! Threads of our own, and those that RocksDB starts.
//!
//! They take no signals: the program decides which of its threads does, and a signal that it blocks
//! must not be delivered to one that it does not know. Signals that a fault of the thread itself
//! raises are not blocked, since the process would end without a word.

use std::io;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that takes no signals. The system may refuse it.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let _masked = signals::Masked::here();
    Builder::new().name(name.to_owned()).spawn(work)
}

/// Does `start`, which starts up to `count` threads and cannot tell when the system refuses one.
/// Fails beforehand when that many are not to be had now. The threads take no signals.
pub(crate) fn starting<T>(count: usize, start: impl FnOnce() -> T) -> io::Result<T> {
    let _masked = signals::Masked::here();
    check_for(count)?;
    Ok(start())
}

/// Starts `count` threads that live side by side until all of them have begun.
fn check_for(count: usize) -> io::Result<()> {
    let mut begun = Vec::with_capacity(count);
    let outcome = (0..count).try_for_each(|_| {
        let (go_on, end) = channel::<()>();
        let thread = spawn("rocksq-check", move || {
            let _ = end.recv();
        })?;
        begun.push((go_on, thread));
        Ok(())
    });
    for (go_on, thread) in begun {
        drop(go_on);
        // It does nothing that could panic.
        drop(thread.join());
    }
    outcome
}

#[cfg(unix)]
mod signals {
    use std::mem::MaybeUninit;
    use std::ptr;

    /// Those that a fault of the thread itself raises.
    const FAULTS: [libc::c_int; 5] = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGABRT,
    ];

    /// Signals are blocked in this thread, and in threads that it starts, until this is dropped.
    pub(super) struct Masked(libc::sigset_t);

    impl Masked {
        pub(super) fn here() -> Self {
            let mut all = MaybeUninit::<libc::sigset_t>::uninit();
            let mut before = MaybeUninit::<libc::sigset_t>::uninit();
            // SAFETY: the sets are filled in before they are read, and all signals are valid ones.
            unsafe {
                libc::sigfillset(all.as_mut_ptr());
                for fault in FAULTS {
                    libc::sigdelset(all.as_mut_ptr(), fault);
                }
                libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
                Self(before.assume_init())
            }
        }
    }

    impl Drop for Masked {
        fn drop(&mut self) {
            // SAFETY: the set is the one that was in force before.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
        }
    }
}

#[cfg(not(unix))]
mod signals {
    pub(super) struct Masked;

    impl Masked {
        pub(super) fn here() -> Self {
            Self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_are_to_be_had_are_started() {
        assert_eq!(starting(3, || 7).unwrap(), 7);
    }

    /// Whether the calling thread blocks `signal`.
    #[cfg(unix)]
    fn blocks(signal: libc::c_int) -> bool {
        // SAFETY: zero is a valid set, which the call fills in; nothing is changed.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut set);
            libc::sigismember(&raw const set, signal) == 1
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_thread_takes_no_signals_but_those_of_its_own_faults() {
        let (sender, seen) = channel();
        let work = move || {
            sender
                .send([libc::SIGTERM, libc::SIGSEGV].map(blocks))
                .unwrap()
        };
        spawn("test", work).unwrap().join().unwrap();
        assert_eq!(seen.recv().unwrap(), [true, false]);
    }

    #[cfg(unix)]
    #[test]
    fn the_thread_that_starts_another_takes_signals_as_before() {
        let before = blocks(libc::SIGTERM);
        spawn("test", || ()).unwrap().join().unwrap();
        starting(1, || ()).unwrap();
        assert_eq!(blocks(libc::SIGTERM), before);
    }
}
