//! Time, as the log counts it.

use std::time::{Duration, Instant, SystemTime};

/// Where time comes from. Tests bring their own.
pub(crate) trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970, as the machine believes.
    fn wall(&self) -> i64;

    /// Time since some fixed moment; never steps.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock(Instant);

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> i64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, micros)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The log's own time: at open the later of the wall clock and the last stored time, from then on
/// what has passed on the monotonic clock. A step of the wall clock while the log is open changes
/// nothing; a step back between two opens stops time until then, so nothing expired revives.
pub(crate) struct LogTime {
    clock: Box<dyn Clock>,
    base: i64,
    opened: Duration,
}

impl LogTime {
    pub(crate) fn starting_after(stored: i64, clock: Box<dyn Clock>) -> Self {
        Self {
            base: stored.max(clock.wall()),
            opened: clock.monotonic(),
            clock,
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let elapsed = self.clock.monotonic().saturating_sub(self.opened);
        self.base.saturating_add(micros(elapsed))
    }
}

/// A duration in microseconds, as log time counts them.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod manual {
    use super::{Clock, micros};
    use crate::primitives::Mutex;
    use std::sync::Arc;
    use std::time::Duration;

    /// A clock that moves when it is told to.
    #[derive(Clone, Debug)]
    pub(crate) struct ManualClock(Arc<Mutex<(i64, Duration)>>);

    impl ManualClock {
        pub(crate) fn at(wall: i64) -> Self {
            Self(Arc::new(Mutex::new((wall, Duration::ZERO))))
        }

        pub(crate) fn advance(&self, by: Duration) {
            let mut now = self.0.lock();
            now.0 += micros(by);
            now.1 += by;
        }

        /// Sets the wall clock alone, as an administrator or NTP does.
        pub(crate) fn step_wall(&self, to: i64) {
            self.0.lock().0 = to;
        }
    }

    impl Clock for ManualClock {
        fn wall(&self) -> i64 {
            self.0.lock().0
        }

        fn monotonic(&self) -> Duration {
            self.0.lock().1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::manual::ManualClock;
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_changes_nothing_while_open() {
        let clock = ManualClock::at(1_000);
        let time = LogTime::starting_after(0, Box::new(clock.clone()));
        clock.step_wall(5);
        clock.advance(Duration::from_micros(7));
        assert_eq!(time.now(), 1_007);
    }

    #[test]
    fn time_goes_on_from_the_stored_time_when_the_wall_clock_was_set_back() {
        let time = LogTime::starting_after(9_000, Box::new(ManualClock::at(1_000)));
        assert_eq!(time.now(), 9_000);
    }
}
