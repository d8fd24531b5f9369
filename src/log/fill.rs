//! How full a log is, and those who wait for that to change.

use std::sync::Arc;

use super::Log;
use super::attempt::{Lack, Tried, Turn};
use super::bounds::Amount;
use super::wait::{Ring, Ticket};
use crate::error::{Error, Result};
use crate::store::Store;
use crate::wait::Wait;

/// How full a queue is: so many items, or so many bytes of items, whichever comes first.
///
/// ```
/// use rocksq::{Wait, Watermark};
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 1_000)?;
/// queue.push(&[b"a", b"b"])?;
/// let mark = Watermark::elements(2).or_bytes(1 << 20);
/// assert!(!queue.wait_below(mark, Wait::NEVER)?);
/// queue.pop(1)?;
/// assert!(queue.wait_below(mark, Wait::FOREVER)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark(Amount);

impl Watermark {
    /// So many items.
    pub const fn elements(items: u64) -> Self {
        Self(Amount {
            items,
            ..Amount::UNBOUNDED
        })
    }

    /// So many bytes of items.
    pub const fn bytes(bytes: u64) -> Self {
        Self(Amount {
            bytes,
            ..Amount::UNBOUNDED
        })
    }

    /// The same, or so many bytes of items.
    pub const fn or_bytes(self, bytes: u64) -> Self {
        Self(Amount { bytes, ..self.0 })
    }

    /// Fails for a mark that no queue can be below.
    pub(crate) fn check(self) -> Result<()> {
        match self.0.items == 0 || self.0.bytes == 0 {
            true => Err(Error::invalid(
                "A queue never holds fewer than 0 items or bytes: a watermark is at least 1, which is \
                 below 1 when the queue is empty",
            )),
            false => Ok(()),
        }
    }

    /// Fails for a low mark that a queue can be below while it reaches the `high` one: that would come
    /// to pass over and over.
    pub(crate) fn check_not_above(self, high: Self) -> Result<()> {
        match self.0.fits(high.0) {
            true => Ok(()),
            false => Err(Error::invalid(
                "The low watermark is above the high one: choose at most as many items, and at most as \
                 many bytes, as the high one has",
            )),
        }
    }

    fn is_above(self, present: Amount) -> bool {
        present.items < self.0.items && present.bytes < self.0.bytes
    }
}

/// What somebody waits for a queue to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Below(Watermark),
    /// Not below.
    Reaches(Watermark),
}

impl Fill {
    pub(crate) fn is_so(self, present: Amount) -> bool {
        match self {
            Self::Below(mark) => mark.is_above(present),
            Self::Reaches(mark) => !mark.is_above(present),
        }
    }
}

/// Those who wait for a log to be filled otherwise. They take nothing from each other, so all whom
/// it concerns are called.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Vec<(Fill, Arc<Ticket>)>);

impl Watchers {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn join(&mut self, fill: Fill, told: Option<Arc<dyn Ring>>) -> Arc<Ticket> {
        let ticket = Ticket::alone(told);
        self.0.push((fill, Arc::clone(&ticket)));
        ticket
    }

    /// Waits again: it was called, and things have changed since.
    pub(super) fn rejoin(&mut self, fill: Fill, ticket: &Arc<Ticket>) {
        if ticket.recall() {
            self.0.push((fill, Arc::clone(ticket)));
        }
    }

    pub(super) fn leave(&mut self, ticket: &Arc<Ticket>) {
        self.0.retain(|(_, other)| !Arc::ptr_eq(other, ticket));
    }

    pub(super) fn call(&mut self, present: Amount) {
        self.0.retain(|(fill, ticket)| {
            let is_so = fill.is_so(present);
            if is_so {
                ticket.call();
            }
            !is_so
        });
    }

    pub(super) fn call_all(&mut self) {
        self.0.drain(..).for_each(|(_, ticket)| ticket.call());
    }
}

impl<S: Store> Log<S> {
    /// Waits until the log is filled so, as long as `wait` says; tells whether it came to that.
    pub(crate) fn wait_until(&self, fill: Fill, wait: Wait<'_>) -> Result<bool> {
        self.persist(wait, |turn| self.try_until(fill, turn))
    }

    /// One try of [`wait_until`](Self::wait_until).
    pub(crate) fn try_until(&self, fill: Fill, turn: Turn) -> Result<Tried<bool>> {
        self.check_usable()?;
        let (_, state) = self.live()?;
        let is_so = fill.is_so(state.present());
        drop(state);
        match is_so || turn == Turn::Last {
            true => Ok(Tried::Done(is_so)),
            false => Ok(Tried::Lacking(Lack::Fill(fill))),
        }
    }
}
