//! What must not be under way when the interpreter ends.
//!
//! The end takes down threads wherever they are. RocksDB's own statics go too, so nobody may be
//! opening a queue then; and a thread that calls Python from Rust would be ended across Rust, which
//! aborts the process.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// What takes longer does not hold up the exit.
const PATIENCE: Duration = Duration::from_secs(1);

/// A gate that is shut at the exit.
pub(super) struct Gate {
    seen: Mutex<Seen>,
    left: Condvar,
}

struct Seen {
    inside: usize,
    shut: bool,
}

/// As long as it is there, somebody is inside.
pub(super) struct Inside<'g>(&'g Gate);

impl Gate {
    pub(super) const fn new() -> Self {
        Self {
            seen: Mutex::new(Seen {
                inside: 0,
                shut: false,
            }),
            left: Condvar::new(),
        }
    }

    /// Goes in, unless it is too late for that.
    pub(super) fn enter(&self) -> Option<Inside<'_>> {
        let mut seen = self.seen.lock();
        if seen.shut {
            return None;
        }
        seen.inside = seen.inside.saturating_add(1);
        Some(Inside(self))
    }

    /// Lets nobody in any more, and waits for those who are inside.
    pub(super) fn shut(&self) {
        let end = Instant::now().checked_add(PATIENCE);
        let mut seen = self.seen.lock();
        seen.shut = true;
        while seen.inside > 0
            && let Some(end) = end
            && !self.left.wait_until(&mut seen, end).timed_out()
        {}
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut seen = self.0.seen.lock();
        seen.inside = seen.inside.saturating_sub(1);
        self.0.left.notify_all();
    }
}
