//! How long a caller is willing to wait.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{self, Condvar, MutexGuard};

/// How long an operation may wait for items, or for room.
///
/// ```
/// use std::time::Duration;
/// use rocksq::Wait;
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("q"), 10)?;
/// assert!(queue.pop_wait(1, Wait::NEVER)?.is_empty());
/// assert!(queue.pop_wait(1, Duration::from_millis(5).into())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    limit: Limit,
    interrupt: Option<Interrupt<'a>>,
    /// Set when whoever waits is gone.
    gone: Option<&'a AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    For(Duration),
    Forever,
}

#[derive(Clone, Copy)]
struct Interrupt<'a> {
    every: Duration,
    asked: &'a dyn Fn() -> bool,
}

impl<'a> Wait<'a> {
    /// Not at all.
    pub const NEVER: Wait<'static> = Wait {
        limit: Limit::For(Duration::ZERO),
        interrupt: None,
        gone: None,
    };

    /// As long as it takes. Closing the queue ends the wait.
    pub const FOREVER: Wait<'static> = Wait {
        limit: Limit::Forever,
        interrupt: None,
        gone: None,
    };

    /// The same wait, given up with [`ErrorKind::Interrupted`] once `asked`, which is called about
    /// every `every` while waiting, returns true. Nothing is taken or lost by that.
    pub fn interruptible(self, every: Duration, asked: &'a dyn Fn() -> bool) -> Wait<'a> {
        Wait {
            interrupt: Some(Interrupt { every, asked }),
            ..self
        }
    }

    /// The same without an interrupt, made each time that it is asked for: one that threads can share.
    pub(crate) fn uninterrupted(self) -> impl Fn() -> Wait<'static> + Send {
        let limit = self.limit;
        move || Wait {
            limit,
            interrupt: None,
            gone: None,
        }
    }

    /// The same wait, given up with [`ErrorKind::Closed`] once `gone` is set and the lines are called.
    pub(crate) fn unless(self, gone: &'a AtomicBool) -> Self {
        Self {
            gone: Some(gone),
            ..self
        }
    }

    /// When this wait, begun now, ends.
    pub(crate) fn begin(self) -> Deadline<'a> {
        let until = match self.limit {
            Limit::For(Duration::ZERO) => Until::Past,
            Limit::For(limit) => Instant::now()
                .checked_add(limit)
                .map_or(Until::Never, Until::Moment),
            Limit::Forever => Until::Never,
        };
        Deadline {
            until,
            interrupt: self.interrupt,
            gone: self.gone,
        }
    }
}

impl From<Duration> for Wait<'_> {
    fn from(limit: Duration) -> Self {
        Self {
            limit: Limit::For(limit),
            interrupt: None,
            gone: None,
        }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.limit.fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Past,
    Moment(Instant),
    Never,
}

/// When a wait ends.
pub(crate) struct Deadline<'a> {
    until: Until,
    interrupt: Option<Interrupt<'a>>,
    gone: Option<&'a AtomicBool>,
}

impl Deadline<'_> {
    pub(crate) fn is_past(&self) -> bool {
        match self.until {
            Until::Past => true,
            Until::Moment(moment) => primitives::has_come(moment),
            Until::Never => false,
        }
    }

    /// Fails when whoever waits is gone. To be asked behind the lock under which the lines are called.
    pub(crate) fn check(&self) -> Result<()> {
        match self.gone.is_some_and(|gone| gone.load(Ordering::Acquire)) {
            true => Err(Error::closed()),
            false => Ok(()),
        }
    }

    /// The moment of the deadline; `None` when it has passed already or never comes.
    pub(crate) fn moment(&self) -> Option<Instant> {
        match self.until {
            Until::Moment(moment) => Some(moment),
            Until::Past | Until::Never => None,
        }
    }

    /// Waits on `bell` until it rings or it is time to look again: at the deadline, or to ask
    /// whether the caller wants to be interrupted.
    pub(crate) fn wait<T>(&self, bell: &Condvar, guard: &mut MutexGuard<'_, T>) -> Result<()> {
        let poll = self.interrupt.map(|interrupt| {
            let now = Instant::now();
            now.checked_add(interrupt.every).unwrap_or(now)
        });
        let look_again = match (self.until, poll) {
            (Until::Moment(end), Some(poll)) => Some(end.min(poll)),
            (Until::Moment(end), None) => Some(end),
            (_, poll) => poll,
        };
        match look_again {
            Some(moment) => _ = bell.wait_until(guard, moment),
            None => bell.wait(guard),
        }
        match self.interrupt {
            Some(interrupt) if MutexGuard::unlocked(guard, || (interrupt.asked)()) => Err(
                Error::new(ErrorKind::Interrupted, "The wait was interrupted"),
            ),
            _ => Ok(()),
        }
    }
}
