//! Waiting: how long a caller is willing to, and the lines in which callers stand.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bounds::Amount;
use crate::error::{Error, ErrorKind, Result};
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{self, Condvar, Mutex, MutexGuard};

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

/// Callers who wait for the same thing, served in the order in which they came.
///
/// What they wait for is counted: items to take, or room for items and bytes. A caller who is
/// called has what it needs set aside until it leaves the line, so that one item calls one caller.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// By the order in which they came, so that one of many can leave at little cost.
    waiting: BTreeMap<u64, Arc<Ticket>>,
    arrivals: u64,
    set_aside: Amount,
}

/// Something to be told that its ticket was called, in place of a thread that sleeps on it.
pub(crate) trait Ring: Send + Sync {
    /// Told under the lock that guards the line: it must neither wait nor come back to that lock.
    fn ring(self: Arc<Self>);
}

/// A place in a line.
pub(crate) struct Ticket {
    arrival: u64,
    need: Amount,
    called: Mutex<bool>,
    bell: Condvar,
    told: Option<Arc<dyn Ring>>,
}

impl Ticket {
    fn new(arrival: u64, need: Amount, told: Option<Arc<dyn Ring>>) -> Arc<Self> {
        Arc::new(Self {
            arrival,
            need,
            called: Mutex::new(false),
            bell: Condvar::new(),
            told,
        })
    }

    /// For a line that is gone: its owner looks again at once.
    pub(crate) fn already_called(need: Amount, told: Option<Arc<dyn Ring>>) -> Arc<Self> {
        let ticket = Self::new(0, need, told);
        ticket.call();
        ticket
    }

    /// For one who waits elsewhere than in a [`Line`].
    pub(super) fn alone(told: Option<Arc<dyn Ring>>) -> Arc<Self> {
        Self::new(0, 1.into(), told)
    }

    /// Takes a call back; false when it was not called.
    pub(super) fn recall(&self) -> bool {
        std::mem::take(&mut *self.called.lock())
    }

    /// For a thread that waits elsewhere than in a [`Line`].
    pub(crate) fn for_a_thread() -> Arc<Self> {
        Self::alone(None)
    }

    /// Waits to be called; false when the deadline came first.
    pub(crate) fn wait(&self, deadline: &Deadline<'_>) -> Result<bool> {
        let mut called = self.called.lock();
        while !*called {
            if deadline.is_past() {
                return Ok(false);
            }
            deadline.wait(&self.bell, &mut called)?;
        }
        Ok(true)
    }

    pub(crate) fn call(&self) {
        *self.called.lock() = true;
        self.bell.notify_one();
        if let Some(told) = &self.told {
            Arc::clone(told).ring();
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("arrival", &self.arrival)
            .field("need", &self.need)
            .field("called", &self.called)
            .finish_non_exhaustive()
    }
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.set_aside.is_nothing()
    }

    /// A place at the end of the line for a caller who needs `need`, and who is `told` when
    /// it is called if it does not sleep until then.
    pub(crate) fn join(
        &mut self,
        need: impl Into<Amount>,
        told: Option<Arc<dyn Ring>>,
    ) -> Arc<Ticket> {
        let ticket = Ticket::new(self.arrivals, need.into(), told);
        self.arrivals = self.arrivals.saturating_add(1);
        self.waiting.insert(ticket.arrival, Arc::clone(&ticket));
        ticket
    }

    /// Back to its place in the line: it was called, but somebody else was quicker.
    pub(crate) fn rejoin(&mut self, ticket: &Arc<Ticket>) {
        if ticket.recall() {
            self.set_aside = self.set_aside.minus(ticket.need);
            self.waiting.insert(ticket.arrival, Arc::clone(ticket));
        }
    }

    /// Leaves the line, served or not.
    pub(crate) fn leave(&mut self, ticket: &Arc<Ticket>) {
        if *ticket.called.lock() {
            self.set_aside = self.set_aside.minus(ticket.need);
        } else {
            self.waiting.remove(&ticket.arrival);
        }
    }

    /// Calls those in front for whom there is enough, now that so much is there in all.
    pub(crate) fn call(&mut self, there: impl Into<Amount>) {
        let there = there.into();
        while let Some(first) = self.waiting.first_entry()
            && first.get().need.fits(there.minus(self.set_aside))
        {
            let ticket = first.remove();
            self.set_aside = self.set_aside.plus(ticket.need);
            ticket.call();
        }
    }

    /// Calls everybody, whatever is there.
    pub(crate) fn call_all(&mut self) {
        for ticket in std::mem::take(&mut self.waiting).into_values() {
            self.set_aside = self.set_aside.plus(ticket.need);
            ticket.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn is_called(ticket: &Ticket) -> bool {
        ticket.wait(&Wait::NEVER.begin()).unwrap()
    }

    #[test]
    fn a_line_calls_as_many_as_there_are_units() {
        let mut line = Line::default();
        let tickets = [line.join(1, None), line.join(1, None), line.join(1, None)];
        line.call(2);
        assert_eq!(
            tickets.each_ref().map(|t| is_called(t)),
            [true, true, false]
        );
    }

    #[test]
    fn units_set_aside_for_one_call_nobody_else() {
        let mut line = Line::default();
        let tickets = [line.join(1, None), line.join(1, None)];
        line.call(1);
        line.call(1);
        assert!(!is_called(&tickets[1]));
        line.call(2);
        assert!(is_called(&tickets[1]));
    }

    #[test]
    fn one_that_leaves_passes_its_call_on() {
        let mut line = Line::default();
        let tickets = [line.join(1, None), line.join(1, None)];
        line.call(1);
        line.leave(&tickets[0]);
        line.call(1);
        assert!(is_called(&tickets[1]));
    }

    #[test]
    fn one_that_needs_much_holds_its_place() {
        let mut line = Line::default();
        let tickets = [line.join(5, None), line.join(1, None)];
        line.call(3);
        assert!(!is_called(&tickets[0]) && !is_called(&tickets[1]));
        line.call(6);
        assert!(is_called(&tickets[0]) && is_called(&tickets[1]));
    }

    #[test]
    fn one_that_was_called_in_vain_is_the_next_to_be_called() {
        let mut line = Line::default();
        let tickets = [line.join(1, None), line.join(1, None)];
        line.call(1);
        line.rejoin(&tickets[0]);
        line.call(1);
        assert_eq!(tickets.each_ref().map(|t| is_called(t)), [true, false]);
    }

    #[test]
    fn those_who_were_called_in_vain_keep_their_order() {
        let mut line = Line::default();
        let tickets = [line.join(1, None), line.join(1, None)];
        line.call(2);
        tickets.iter().for_each(|ticket| line.rejoin(ticket));
        line.call(1);
        assert_eq!(tickets.each_ref().map(|t| is_called(t)), [true, false]);
    }

    #[test]
    fn one_who_does_not_sleep_is_told_when_it_is_called() {
        struct Count(AtomicUsize);
        impl Ring for Count {
            fn ring(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut line = Line::default();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let ticket = line.join(1, Some(count.clone()));
        line.call(0);
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        line.call(1);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        line.leave(&ticket);
        assert!(line.is_empty());
    }

    #[test]
    fn a_wait_can_be_interrupted() {
        let mut line = Line::default();
        let ticket = line.join(1, None);
        let wait = Wait::FOREVER.interruptible(Duration::from_micros(1), &|| true);
        let error = ticket.wait(&wait.begin()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
}
