//! Operations that may have to wait: they are tried, and tried again when they are called.
//!
//! A thread that waits sleeps in the line ([`Log::persist`]). What waits without a thread has
//! something told when it is its turn, and tries again then ([`Log::try_in_line`]). Both stand in
//! the same lines.

use std::sync::Arc;

use super::Log;
use super::bounds::Amount;
use super::cursor::Cursor;
use super::fill::Fill;
use super::state::{LineOf, State};
use super::wait::{Ring, Ticket};
use crate::error::Result;
use crate::primitives::MutexGuard;
use crate::store::Store;
use crate::wait::{Deadline, Wait};

/// Which try of an operation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The caller stands in no line.
    First,
    /// The caller was called, or may have been.
    Called,
    /// The caller will not wait any more: what is there now is the outcome, or an error.
    Last,
}

/// What a try gave.
#[derive(Debug)]
pub(crate) enum Tried<T> {
    Done(T),
    /// Nothing, and it is worth waiting. Not the answer to a last try.
    Lacking(Lack),
}

impl<T> Tried<T> {
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Tried<U> {
        match self {
            Self::Done(outcome) => Tried::Done(make(outcome)),
            Self::Lacking(lack) => Tried::Lacking(lack),
        }
    }
}

/// What an operation lacks.
#[derive(Debug)]
pub(crate) enum Lack {
    /// Room for so much.
    Room(Amount),
    /// For the log to be filled so.
    Fill(Fill),
    /// Items under a label behind `end`, where the log ended when `cursor` was looked at.
    Items {
        label: Arc<str>,
        end: u64,
        cursor: Cursor,
    },
}

impl Lack {
    fn line(&self) -> LineOf {
        match self {
            Self::Room(_) => LineOf::Producers,
            Self::Items { label, .. } => LineOf::Label(Arc::clone(label)),
            Self::Fill(fill) => LineOf::Watchers(*fill),
        }
    }

    fn need(&self) -> Amount {
        match self {
            Self::Room(amount) => *amount,
            Self::Items { .. } | Self::Fill(_) => 1.into(),
        }
    }

    /// Whether nothing has changed since that makes another try worth it.
    fn persists(&self, state: &State) -> bool {
        match self {
            Self::Room(amount) => !amount.fits(state.room()) || !state.producers.is_empty(),
            Self::Fill(fill) => !fill.is_so(state.present()),
            Self::Items { label, end, cursor } => {
                state.end.position == *end && state.cursor(label) == Some(cursor)
            }
        }
    }
}

/// A place in one of the lines.
pub(crate) struct Place {
    line: LineOf,
    ticket: Arc<Ticket>,
}

/// A place in a line that is left when this is dropped, so that nobody waits behind one who is
/// gone.
struct Held<'l, S: Store> {
    log: &'l Log<S>,
    place: Option<Place>,
}

impl<S: Store> Drop for Held<'_, S> {
    fn drop(&mut self) {
        self.log.leave(&mut self.place);
    }
}

impl<S: Store> Log<S> {
    /// Tries until there is an outcome, sleeping in a line in between as long as `wait` says.
    pub(super) fn persist<T>(
        &self,
        wait: Wait<'_>,
        mut attempt: impl FnMut(Turn) -> Result<Tried<T>>,
    ) -> Result<T> {
        let deadline = wait.begin();
        let mut held = Held {
            log: self,
            place: None,
        };
        let mut turn = match deadline.is_past() {
            true => Turn::Last,
            false => Turn::First,
        };
        loop {
            match attempt(turn)? {
                Tried::Done(outcome) => return Ok(outcome),
                Tried::Lacking(lack) => turn = self.sleep(&lack, &deadline, &mut held.place)?,
            }
        }
    }

    /// Tries once more for a caller without a thread. In vain, it keeps or takes its place in the
    /// line, `told` is told when it is worth trying again, and there is no outcome yet. With an
    /// outcome, and with the `last` try, it leaves the line.
    pub(crate) fn try_in_line<T>(
        &self,
        place: &mut Option<Place>,
        told: &Arc<dyn Ring>,
        last: bool,
        mut attempt: impl FnMut(Turn) -> Result<Tried<T>>,
    ) -> Result<Option<T>> {
        loop {
            let turn = match place {
                _ if last => Turn::Last,
                Some(_) => Turn::Called,
                None => Turn::First,
            };
            let outcome = match attempt(turn) {
                Ok(Tried::Done(outcome)) => Ok(Some(outcome)),
                Err(error) => Err(error),
                Ok(Tried::Lacking(lack)) => match self.line_up(&lack, place, Some(told)) {
                    Ok(true) => return Ok(None),
                    Ok(false) => continue,
                    Err(error) => Err(error),
                },
            };
            self.leave(place);
            return outcome;
        }
    }

    /// Leaves the line, if `place` is in one; those behind may go on.
    pub(crate) fn leave(&self, place: &mut Option<Place>) {
        let Some(place) = place.take() else {
            return;
        };
        let mut state = self.state.lock();
        state.waiting = state.waiting.saturating_sub(1);
        state.leave(&place.line, &place.ticket);
        state.call_line(&place.line);
    }

    /// Calls everybody who waits, whatever there is: some may be gone.
    pub(crate) fn call_everybody(&self) {
        self.state.lock().call_everybody();
    }

    /// Sleeps in the line until called; says which try is next.
    fn sleep(
        &self,
        lack: &Lack,
        deadline: &Deadline<'_>,
        place: &mut Option<Place>,
    ) -> Result<Turn> {
        let called = match (self.line_up(lack, place, None)?, &*place) {
            (true, Some(place)) => {
                deadline.check()?;
                place.ticket.wait(deadline)?
            }
            _ => true,
        };
        deadline.check()?;
        Ok(match place {
            _ if !called => Turn::Last,
            Some(_) => Turn::Called,
            None => Turn::First,
        })
    }

    /// Stands in the line for what is lacking; false when there is no need to. One who was called
    /// in vain is the next to be called.
    fn line_up(
        &self,
        lack: &Lack,
        place: &mut Option<Place>,
        told: Option<&Arc<dyn Ring>>,
    ) -> Result<bool> {
        let mut state = self.open_state()?;
        if let Some(place) = place {
            state.rejoin(&place.line, &place.ticket);
        }
        if !lack.persists(&state) {
            return Ok(false);
        }
        if place.is_none() {
            *place = Some(join(&mut state, lack, told));
        }
        state.call_waiters();
        drop(state);
        if matches!(lack, Lack::Room(_) | Lack::Fill(_)) {
            self.watch_expiry();
        }
        Ok(true)
    }
}

fn join(state: &mut MutexGuard<'_, State>, lack: &Lack, told: Option<&Arc<dyn Ring>>) -> Place {
    let (line, told) = (lack.line(), told.cloned());
    state.waiting = state.waiting.saturating_add(1);
    let ticket = state.join(&line, lack.need(), told);
    Place { line, ticket }
}
