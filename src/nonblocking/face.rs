//! What the nonblocking faces of both queues have in common.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use super::closing;
use super::inflight::Inflight;
use super::operation::{self, Asked, Client, Got};
use super::response::Response;
use super::together::{self, Append, Appends, Take, Takes};
use crate::blocking::{Handle, Site};
use crate::error::Result;
use crate::log::Log;
use crate::log::attempt::{Tried, Turn};
use crate::log::fill::{Fill, Watermark};
use crate::log::items::Items;
use crate::log::read::{Batch, Claim, Taken};
use crate::log::together::Request;
use crate::options::{Durability, StartPosition};
use crate::store::rocks::RocksStore;
use crate::worker::{Job, Joint};

/// A queue of either kind.
pub trait Open: Clone + Send + 'static {
    /// The open queue.
    fn handle(&self) -> &Handle;

    /// How durable calls are that do not say otherwise.
    fn durability(&self) -> Durability;
}

/// Items that an operation holds until it is done.
pub trait Payload: Send + 'static {
    /// The items, in their order.
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
pub struct Face<Q> {
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
    pub fn level(&self, chosen: Option<Durability>) -> Durability {
        chosen.unwrap_or(self.queue.durability())
    }

    pub(super) fn inflight_ops(&self) -> Result<usize> {
        self.inflight.count()
    }

    /// Closes the queue in a thread of its own.
    pub fn close_in_background<T: Send + Sync + 'static>(
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

    fn together<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        make: impl FnOnce(Client<T>) -> Job,
    ) -> Result<Response<T>> {
        operation::submit_together(self.queue.handle(), &self.inflight, asked, make)
    }

    /// Does something that never waits.
    pub fn ask<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        operation: impl Fn(Asking<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Response<T>> {
        self.once(asked, move |log| operation(Asking(log)))
    }

    pub(super) fn once<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        operation: impl Fn(&Log<RocksStore>) -> Result<T> + Send + 'static,
    ) -> Result<Response<T>> {
        self.attempt(asked, move |log, _| Ok(Tried::Done(operation(log)?.into())))
    }

    /// Fails when `items` can never be added. Reads none of their bytes.
    pub fn check_sizes<I: AsRef<[u8]>>(&self, items: &[I]) -> Result<()> {
        let handle = self.queue.handle();
        handle.with(|log| log.counted(items.len(), log.check_sizes(items)))
    }

    /// Adds items.
    pub fn append<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        items: impl Payload,
        make: fn(()) -> T,
    ) -> Result<Response<T>> {
        let level = asked.level;
        if !asked.waits() {
            return self.together(asked, |client| {
                Job::Together(Box::new(Appending {
                    client,
                    items,
                    level,
                    make,
                }))
            });
        }
        self.attempt(asked, move |log, turn| {
            let tried = log.try_append(&items.items(), level, turn)?;
            Ok(tried.map(|committed| Got {
                committed,
                ..make(()).into()
            }))
        })
    }

    /// Takes items, which are claimed with the response.
    pub fn take<T: Send + Sync + 'static>(
        &self,
        asked: Asked<'_>,
        label: Arc<str>,
        start: StartPosition,
        max: u64,
        make: fn(Taken) -> T,
    ) -> Result<Response<T>> {
        let (level, claim) = (asked.level, Claim::Later);
        if !asked.waits() {
            let request = Request { start, max, level };
            return self.together(asked, |client| {
                Job::Together(Box::new(Taking {
                    client,
                    label,
                    request,
                    make,
                }))
            });
        }
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
    pub fn wait_below<T: Send + Sync + 'static>(
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
    pub fn read<T: Send + Sync + 'static>(
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

/// What can be asked of either kind of queue without waiting.
pub struct Asking<'q>(&'q Log<RocksStore>);

impl Asking<'_> {
    /// Takes the items of a batch.
    pub fn commit(&self, batch: &Batch, level: Durability) -> Result<()> {
        self.0.commit(batch, level)
    }

    /// The next items of a label, which stay.
    pub fn peek(&self, label: &Arc<str>, start: StartPosition, max: u64) -> Result<Items> {
        self.0.peek(label, start, max)
    }

    /// The labels in use.
    pub fn labels(&self) -> Result<Vec<String>> {
        self.0.labels()
    }

    /// Removes a label. Returns whether it was there.
    pub fn remove_label(&self, label: &Arc<str>, level: Durability) -> Result<bool> {
        self.0.remove_label(label, level)
    }

    /// Items in the queue.
    pub fn len(&self) -> Result<u64> {
        Ok(self.0.size()?.0)
    }

    /// Whether no item is in the queue.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Bytes of all items in the queue.
    pub fn payload_size(&self) -> Result<u64> {
        Ok(self.0.size()?.1)
    }

    /// Bytes that the queue takes on the file system.
    pub fn disk_size(&self) -> Result<u64> {
        self.0.disk_size()
    }

    /// Makes all before it survive a power cut.
    pub fn flush(&self) -> Result<()> {
        self.0.flush()
    }
}

/// A push that does not wait.
struct Appending<T, P> {
    client: Client<T>,
    items: P,
    level: Durability,
    make: fn(()) -> T,
}

impl<T: Send + Sync + 'static, P: Payload> Append for Appending<T, P> {
    fn site(&self) -> &Arc<Site> {
        &self.client.site
    }

    fn begin(&self) -> bool {
        self.client.responder.begin()
    }

    fn items(&self) -> Vec<&[u8]> {
        self.items.items()
    }

    fn level(&self) -> Durability {
        self.level
    }

    fn end(self: Box<Self>, result: Result<()>) {
        self.client.answer(result.map(self.make), None);
    }
}

impl<T: Send + Sync + 'static, P: Payload> Joint for Appending<T, P> {
    fn run(self: Box<Self>, following: &mut VecDeque<Job>) -> Result<()> {
        together::append(self, following);
        Ok(())
    }

    fn join(self: Box<Self>, group: &mut dyn Any) -> Option<Box<dyn Joint>> {
        Appends::join(self, group)
    }
}

/// A pop or a next that does not wait.
struct Taking<T> {
    client: Client<T>,
    label: Arc<str>,
    request: Request,
    make: fn(Taken) -> T,
}

impl<T: Send + Sync + 'static> Take for Taking<T> {
    fn site(&self) -> &Arc<Site> {
        &self.client.site
    }

    fn begin(&self) -> bool {
        self.client.responder.begin()
    }

    fn label(&self) -> &Arc<str> {
        &self.label
    }

    fn request(&self) -> Request {
        self.request
    }

    fn end(self: Box<Self>, result: Result<Taken>) {
        match result {
            Ok(mut taken) => {
                let unclaimed = taken.unclaimed.take();
                self.client.answer(Ok((self.make)(taken)), unclaimed);
            }
            Err(error) => self.client.answer(Err(error), None),
        }
    }
}

impl<T: Send + Sync + 'static> Joint for Taking<T> {
    fn run(self: Box<Self>, following: &mut VecDeque<Job>) -> Result<()> {
        together::take(self, following)
    }

    fn join(self: Box<Self>, group: &mut dyn Any) -> Option<Box<dyn Joint>> {
        Takes::join(self, group)
    }
}
