//! What the nonblocking faces of both queues have in common.

use std::sync::Arc;

use super::closing;
use super::inflight::Inflight;
use super::operation::{self, Asked, Got};
use super::response::Response;
use crate::blocking::Handle;
use crate::error::Result;
use crate::log::Log;
use crate::log::attempt::{Tried, Turn};
use crate::log::fill::{Fill, Watermark};
use crate::log::read::{Batch, Claim, Taken};
use crate::options::{Durability, StartPosition};
use crate::store::rocks::RocksStore;

/// A queue of either kind.
pub(crate) trait Open: Clone + Send + 'static {
    fn handle(&self) -> &Handle;

    /// How durable calls are that do not say otherwise.
    fn durability(&self) -> Durability;
}

/// Items that an operation holds until it is done.
pub(crate) trait Payload: Send + 'static {
    fn items(&self) -> Vec<&[u8]>;
}

impl Payload for Vec<Vec<u8>> {
    fn items(&self) -> Vec<&[u8]> {
        self.iter().map(Vec::as_slice).collect()
    }
}

/// A nonblocking face. The last of its clones to go waits for the operations under way, and only
/// then lets go of the queue.
#[derive(Clone)]
pub(crate) struct Face<Q> {
    inflight: Arc<Inflight>,
    queue: Q,
}

impl<Q: Open> Face<Q> {
    /// Opens a queue that may have at most `max_inflight_ops` operations under way; opens nothing
    /// when that is 0.
    pub(super) fn over(max_inflight_ops: usize, open: impl FnOnce() -> Result<Q>) -> Result<Self> {
        let inflight = Arc::new(Inflight::at_most(max_inflight_ops)?);
        Ok(Self {
            inflight,
            queue: open()?,
        })
    }

    pub(super) fn queue(&self) -> &Q {
        &self.queue
    }

    /// How durable a call is that may have `chosen` for itself.
    pub(crate) fn level(&self, chosen: Option<Durability>) -> Durability {
        chosen.unwrap_or(self.queue.durability())
    }

    pub(super) fn inflight_ops(&self) -> Result<usize> {
        self.inflight.count()
    }

    /// Closes the queue in a thread of its own.
    pub(crate) fn close_in_background<T: Send + Sync + 'static>(
        &self,
        make: fn(()) -> T,
    ) -> Result<Response<T>> {
        closing::in_background(self.queue.clone(), make)
    }

    fn attempt<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        attempt: impl FnMut(&Log<RocksStore>, Turn) -> Result<Tried<Got<T>>> + Send + 'static,
    ) -> Result<Response<T>> {
        operation::submit(self.queue.handle(), &self.inflight, asked, attempt)
    }

    /// Does something that never waits.
    pub(crate) fn once<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        operation: impl Fn(&Log<RocksStore>) -> Result<T> + Send + 'static,
    ) -> Result<Response<T>> {
        self.attempt(asked, move |log, _| Ok(Tried::Done(operation(log)?.into())))
    }

    /// Adds items.
    pub(crate) fn append<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        items: impl Payload,
        make: fn(()) -> T,
    ) -> Result<Response<T>> {
        let level = asked.level;
        self.attempt(asked, move |log, turn| {
            let tried = log.try_append(&items.items(), level, turn)?;
            Ok(tried.map(|committed| Got {
                committed,
                ..make(()).into()
            }))
        })
    }

    /// Takes items, which are claimed with the response.
    pub(crate) fn take<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        label: Arc<str>,
        start: StartPosition,
        max: u64,
        make: fn(Taken) -> T,
    ) -> Result<Response<T>> {
        let (level, claim) = (asked.level, Claim::Later);
        self.attempt(asked, move |log, turn| {
            let tried = log.try_take(&label, start, max, level, claim, turn)?;
            Ok(tried.map(|mut taken| Got {
                unclaimed: taken.unclaimed.take(),
                committed: taken.committed.take(),
                value: make(taken),
            }))
        })
    }

    /// Waits for the queue to be filled less.
    pub(crate) fn wait_below<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        mark: Watermark,
        make: fn(bool) -> T,
    ) -> Result<Response<T>> {
        mark.check()?;
        self.attempt(asked, move |log, turn| {
            let tried = log.try_until(Fill::Below(mark), turn)?;
            Ok(tried.map(|is_so| make(is_so).into()))
        })
    }

    /// Reads items, which stay.
    pub(crate) fn read<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        label: Arc<str>,
        start: StartPosition,
        max: u64,
        make: fn(Batch) -> T,
    ) -> Result<Response<T>> {
        self.attempt(asked, move |log, turn| {
            let tried = log.try_read(&label, start, max, turn)?;
            Ok(tried.map(|batch| make(batch).into()))
        })
    }
}
