//! Operations on the way: what is asked for, tried by the worker, and answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::inflight::{Entry, Inflight, UnderWay};
use super::response::{Effect, Responder, Response, response};
use crate::blocking::{Handle, Site};
use crate::error::Result;
use crate::log::Log;
use crate::log::attempt::{Place, Tried, Turn};
use crate::log::commit::Committed;
use crate::log::unclaimed::Unclaimed;
use crate::log::wait::Ring;
use crate::options::Durability;
use crate::store::rocks::RocksStore;
use crate::wait::Wait;
use crate::worker::{Desk, Job, Patient};

/// What an operation gives: a value, and the items in it that have to be claimed.
pub(crate) struct Got<T> {
    pub value: T,
    pub unclaimed: Option<Arc<Unclaimed>>,
    /// What is still to be settled.
    pub committed: Option<Committed>,
}

impl<T> From<T> for Got<T> {
    fn from(value: T) -> Self {
        Self {
            value,
            unclaimed: None,
            committed: None,
        }
    }
}

/// How an operation is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whether it takes or changes something.
    pub effect: Effect,
    /// What the call does when too many operations are under way.
    pub entry: Entry<'a>,
    /// How long the operation waits for items or room.
    pub wait: Wait<'static>,
    /// How durable it is when it is answered.
    pub level: Durability,
}

impl<'a> Asked<'a> {
    /// For an operation that does not wait.
    pub const fn new(effect: Effect, entry: Entry<'a>) -> Self {
        Self {
            effect,
            entry,
            wait: Wait::NEVER,
            level: Durability::Written,
        }
    }
}

impl Asked<'_> {
    /// Whether it may wait for items or room.
    pub(super) fn waits(&self) -> bool {
        !self.wait.begin().is_past()
    }

    /// For an operation that does not wait, from a thread that does.
    pub(super) const fn now(effect: Effect) -> Self {
        Self {
            effect,
            entry: Entry::Wait(Wait::FOREVER),
            wait: Wait::NEVER,
            level: Durability::Written,
        }
    }

    /// The same at another level.
    pub const fn at(self, level: Durability) -> Self {
        Self { level, ..self }
    }

    /// The same for an operation that waits.
    pub const fn waiting(self, wait: Wait<'static>) -> Self {
        Self { wait, ..self }
    }
}

/// Has the worker of `handle` try `attempt`, as often as `asked` says.
pub(super) fn submit<T: Send + Sync + 'static>(
    handle: &Handle,
    inflight: &Inflight,
    asked: Asked<'_>,
    mut attempt: impl FnMut(&Log<RocksStore>, Turn) -> Result<Tried<Got<T>>> + Send + 'static,
) -> Result<Response<T>> {
    handle.check_open()?;
    let desk = handle.worker().desk();
    if !desk.is_started() {
        handle.worker().start()?;
    }
    let deadline = asked.wait.begin();
    let submitted = inflight.submit(desk, asked.entry, |under_way| {
        let (responder, response) = response(asked.effect, desk);
        let (site, level) = (Arc::clone(handle.site()), asked.level);
        let job = if deadline.is_past() {
            Job::Do(Box::new(move || {
                if responder.begin() {
                    let tried = match site.check_open() {
                        Ok(()) => site.with(|log| attempt(log, Turn::Last)),
                        Err(closed) => Err(closed),
                    };
                    answer(responder, &site, level, tried, || drop(under_way));
                }
            }))
        } else {
            let work = Work {
                responder,
                level,
                attempt: Box::new(attempt),
                place: None,
                under_way: Some(under_way),
            };
            Job::Try(Waiting::begin(deadline.moment(), desk, site, work))
        };
        (job, response)
    });
    submitted.map_err(|error| handle.site().name(error))
}

/// Has the worker of `handle` do `operation`, once, together with others of its kind.
pub(super) fn submit_together<T: Send + Sync + 'static>(
    handle: &Handle,
    inflight: &Inflight,
    asked: Asked<'_>,
    make: impl FnOnce(Client<T>) -> Job,
) -> Result<Response<T>> {
    handle.check_open()?;
    let desk = handle.worker().desk();
    if !desk.is_started() {
        handle.worker().start()?;
    }
    let submitted = inflight.submit(desk, asked.entry, |under_way| {
        let (responder, response) = response(asked.effect, desk);
        let client = Client {
            responder,
            site: Arc::clone(handle.site()),
            under_way,
        };
        (make(client), response)
    });
    submitted.map_err(|error| handle.site().name(error))
}

/// Whom an operation is done for, and where.
pub(super) struct Client<T> {
    pub responder: Responder<T>,
    pub site: Arc<Site>,
    under_way: UnderWay,
}

impl<T> Client<T> {
    pub(super) fn answer(self, result: Result<T>, unclaimed: Option<Arc<Unclaimed>>) {
        drop(self.under_way);
        self.responder.answer(result, unclaimed);
    }
}

/// Answers with what a last try gave, which lacks nothing, once that is as durable as it should
/// be. Before that comes what `ends` with the operation.
fn answer<T>(
    responder: Responder<T>,
    site: &Site,
    level: Durability,
    tried: Result<Tried<Got<T>>>,
    ends: impl FnOnce(),
) {
    let settled = match tried {
        Ok(Tried::Done(got)) => Ok(settle(site, level, got)),
        Ok(Tried::Lacking(_)) => return ends(),
        Err(error) => Err(error),
    };
    ends();
    match settled {
        Ok((result, unclaimed)) => responder.answer(result, unclaimed),
        Err(error) => responder.answer(Err(error), None),
    }
}

/// Waits until what was done is as durable as it should be. Items that were taken, and cannot be
/// answered with, are given up.
fn settle<T>(site: &Site, level: Durability, got: Got<T>) -> (Result<T>, Option<Arc<Unclaimed>>) {
    match site.with(|log| log.settle(got.committed, level)) {
        Ok(()) => (Ok(got.value), got.unclaimed),
        Err(error) => {
            if let Some(items) = got.unclaimed {
                items.give_up();
            }
            (Err(error), None)
        }
    }
}

type Attempt<T> = Box<dyn FnMut(&Log<RocksStore>, Turn) -> Result<Tried<Got<T>>> + Send>;

/// An operation that waits for items or room without a thread. Between two tries nothing but its
/// place in the log's line keeps it alive.
struct Waiting<T> {
    deadline: Option<Instant>,
    desk: Arc<Desk>,
    site: Arc<Site>,
    /// Whether it lies in the worker's tray.
    handed_in: AtomicBool,
    /// Gone when it is over.
    work: Mutex<Option<Work<T>>>,
}

struct Work<T> {
    responder: Responder<T>,
    level: Durability,
    attempt: Attempt<T>,
    place: Option<Place>,
    /// Until it waits, it counts as under way.
    under_way: Option<UnderWay>,
}

impl<T: Send + Sync + 'static> Waiting<T> {
    fn begin(
        deadline: Option<Instant>,
        desk: &Arc<Desk>,
        site: Arc<Site>,
        work: Work<T>,
    ) -> Arc<Self> {
        let waiting = Arc::new(Self {
            deadline,
            desk: Arc::clone(desk),
            site,
            handed_in: AtomicBool::new(true),
            work: Mutex::default(),
        });
        work.responder.tell(waiting.clone());
        *waiting.work.lock() = Some(work);
        waiting
    }

    /// Tries; the work when it is over, with its outcome unless it was cancelled.
    fn try_once(self: &Arc<Self>, work: &mut Work<T>, last: bool) -> Progress<T> {
        if !work.responder.begin() {
            return Progress::Cancelled;
        }
        if let Err(closed) = self.site.check_open() {
            return self.end(work, closed);
        }
        let told: Arc<dyn Ring> = self.clone();
        let (place, attempt) = (&mut work.place, &mut work.attempt);
        let tried = self
            .site
            .with(|log| log.try_in_line(place, &told, last, |turn| attempt(log, turn)));
        work.under_way = None;
        if let (Ok(None), Err(closed)) = (&tried, self.site.check_open()) {
            // Closed before it stood in the line, it was not called.
            return self.end(work, closed);
        }
        match tried {
            Ok(None) if work.responder.pause() => Progress::Waits,
            Ok(None) => Progress::Cancelled,
            Ok(Some(got)) => Progress::Over(Ok(Tried::Done(got))),
            Err(error) => Progress::Over(Err(error)),
        }
    }
}

impl<T: Send + Sync + 'static> Waiting<T> {
    /// Waits no longer: its opening of the queue was closed.
    fn end(&self, work: &mut Work<T>, closed: crate::Error) -> Progress<T> {
        self.site.log().leave(&mut work.place);
        work.under_way = None;
        Progress::Over(Err(closed))
    }
}

enum Progress<T> {
    Waits,
    Cancelled,
    Over(Result<Tried<Got<T>>>),
}

impl<T: Send + Sync + 'static> Patient for Waiting<T> {
    fn attempt(self: Arc<Self>, last: bool) -> bool {
        self.handed_in.store(false, Ordering::Release);
        let mut current = self.work.lock();
        let Some(mut work) = current.take() else {
            return true;
        };
        match self.try_once(&mut work, last) {
            Progress::Waits => {
                *current = Some(work);
                return false;
            }
            Progress::Cancelled => {
                self.site.log().leave(&mut work.place);
            }
            Progress::Over(tried) => answer(work.responder, &self.site, work.level, tried, || ()),
        }
        true
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl<T: Send + Sync + 'static> Ring for Waiting<T> {
    fn ring(self: Arc<Self>) {
        if !self.handed_in.swap(true, Ordering::AcqRel) {
            let desk = Arc::clone(&self.desk);
            desk.try_again(self);
        }
    }
}
