//! The lines in which callers wait.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::bounds::Amount;
use crate::error::Result;
use crate::primitives::{Condvar, Mutex};
use crate::wait::Deadline;

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
    use crate::error::ErrorKind;
    use crate::wait::Wait;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

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
