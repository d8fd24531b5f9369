//! Which levels Python's loggers want, as far as is known without asking them.
//!
//! They are asked when a queue is opened or closed and whenever something is handed over. What they
//! did not want then, and is not frequent, is noted all the same when that was more than a
//! [while](STALE) ago, and they are asked again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tracing::Level;

use super::logger;

/// What was found out is trusted for so long.
const STALE: Duration = Duration::from_secs(1);

/// The loggers that events go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logger {
    Queue,
    /// RocksDB's own lines. It is asked for the lower ones, or not, when a queue is opened.
    Engine,
}

impl Logger {
    pub(super) const ALL: [Self; 2] = [Self::Queue, Self::Engine];

    /// The logger for a target of `tracing`, if it is ours.
    pub(super) fn of(target: &str) -> Option<Self> {
        match target {
            "rocksq" => Some(Self::Queue),
            "rocksq::rocksdb" => Some(Self::Engine),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Queue => "rocksq",
            Self::Engine => "rocksq.rocksdb",
        }
    }

    fn least(self) -> &'static AtomicU8 {
        static QUEUE: AtomicU8 = AtomicU8::new(0);
        static ENGINE: AtomicU8 = AtomicU8::new(0);
        match self {
            Self::Queue => &QUEUE,
            Self::Engine => &ENGINE,
        }
    }

    /// Whether an event of this level is worth a note.
    pub(super) fn wants(self, level: &Level) -> bool {
        number(level) >= self.least().load(Ordering::Relaxed) || (self == Self::Queue && is_stale())
    }
}

/// Python's number for `tracing`'s WARN.
pub(super) const WARNING: u8 = 30;

/// The level's number in Python.
pub(super) fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => WARNING,
        Level::INFO => 20,
        Level::DEBUG => 10,
        _ => 5,
    }
}

/// Asks the loggers what they want.
pub(super) fn look(py: Python<'_>) -> PyResult<()> {
    for one in Logger::ALL {
        let logger = logger(py, one)?;
        let mut least = u8::MAX;
        for level in [40, 30, 20, 10, 5] {
            if !logger.call_method1("isEnabledFor", (level,))?.is_truthy()? {
                break;
            }
            least = level;
        }
        one.least().store(least, Ordering::Relaxed);
    }
    LOOKED.store(now(), Ordering::Relaxed);
    Ok(())
}

/// When the loggers were asked, in milliseconds of [`now`].
static LOOKED: AtomicU64 = AtomicU64::new(0);

fn is_stale() -> bool {
    let since = now().saturating_sub(LOOKED.load(Ordering::Relaxed));
    Duration::from_millis(since) > STALE
}

fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
}
