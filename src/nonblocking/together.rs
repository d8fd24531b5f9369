//! Operations of a kind that lie in the tray one behind another: the worker does them together, so
//! that they share a write, and a sync. Each has an outcome of its own.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::blocking::Site;
use crate::error::Result;
use crate::log::attempt::{Tried, Turn};
use crate::log::commit::Committed;
use crate::log::read::{Claim, Taken};
use crate::log::together::{Addition, Request};
use crate::options::Durability;
use crate::worker::{Job, Joint};

/// So many are done together at most: the first waits for the last.
const MOST: usize = 512;
/// Pushes that are done together have no more payload, unless a single one has.
const MOST_PAYLOAD: u64 = 1 << 20;

/// Adds items, without waiting for room.
pub(crate) trait Append: Send {
    fn site(&self) -> &Arc<Site>;

    /// False when it was cancelled.
    fn begin(&self) -> bool;

    fn items(&self) -> Vec<&[u8]>;

    fn level(&self) -> Durability;

    fn end(self: Box<Self>, result: Result<()>);
}

/// Takes items, without waiting for any.
pub(crate) trait Take: Send {
    fn site(&self) -> &Arc<Site>;

    /// False when it was cancelled.
    fn begin(&self) -> bool;

    fn label(&self) -> &Arc<str>;

    fn request(&self) -> Request;

    fn end(self: Box<Self>, result: Result<Taken>);
}

/// Pushes that are done together.
pub(crate) struct Appends {
    all: Vec<Box<dyn Append>>,
    payload: u64,
}

impl Appends {
    fn new(first: Box<dyn Append>) -> Self {
        let payload = payload(&*first);
        Self {
            all: vec![first],
            payload,
        }
    }

    fn has_room(&self) -> bool {
        self.all.len() < MOST && self.payload < MOST_PAYLOAD
    }

    /// Adds `next` if `group` is of pushes, and has room for it; gives it back otherwise.
    pub(crate) fn join<A: Append + Joint + 'static>(
        next: Box<A>,
        group: &mut dyn Any,
    ) -> Option<Box<dyn Joint>> {
        let Some(appends) = group.downcast_mut::<Self>().filter(|all| all.has_room()) else {
            return Some(next);
        };
        appends.payload = appends.payload.saturating_add(payload(&*next));
        appends.all.push(next);
        None
    }
}

/// Has those in front of `jobs` that go with `group` join it.
fn gather(group: &mut dyn Any, jobs: &mut VecDeque<Job>) {
    while let Some(next) = jobs.pop_front() {
        let refused = match next {
            Job::Together(next) => next.join(group).map(Job::Together),
            other => Some(other),
        };
        if let Some(refused) = refused {
            jobs.push_front(refused);
            return;
        }
    }
}

/// Does `first`, and those in front of `jobs` that go with it.
pub(crate) fn append(first: Box<dyn Append>, jobs: &mut VecDeque<Job>) {
    let site = &Arc::clone(first.site());
    let mut appends = Appends::new(first);
    gather(&mut appends, jobs);
    let mut appends = appends.all;
    appends.retain(|append| append.begin());
    for late in appends.extract_if(.., |append| append.site().check_open().is_err()) {
        let closed = late.site().check_open();
        late.end(closed);
    }
    let additions: Vec<_> = appends.iter().map(|append| addition(&**append)).collect();
    let levels: Vec<_> = additions.iter().map(|addition| addition.level).collect();
    let committed = site.log().append_all(&additions);
    drop(additions);
    let settled = settle(site, committed.into_iter().zip(levels), |committed| {
        *committed
    });
    for (append, result) in appends.into_iter().zip(settled) {
        append.end(site.with(|_| result.map(drop)));
    }
}

fn payload(append: &dyn Append) -> u64 {
    let sizes = append.items().into_iter().map(|item| item.len() as u64);
    sizes.fold(0, u64::saturating_add)
}

fn addition(append: &dyn Append) -> Addition<'_> {
    Addition {
        items: append.items(),
        level: append.level(),
    }
}

/// Does `first`, and those in front of `jobs` that go with it. When it fails, there is something left to be
/// given back.
pub(crate) fn take(first: Box<dyn Take>, jobs: &mut VecDeque<Job>) -> Result<()> {
    let site = &Arc::clone(first.site());
    let label = Arc::clone(first.label());
    let mut takes = Takes {
        label: Arc::clone(&label),
        all: vec![first],
    };
    gather(&mut takes, jobs);
    let mut takes = takes.all;
    takes.retain(|take| take.begin());
    for late in takes.extract_if(.., |take| take.site().check_open().is_err()) {
        let closed = late.site().check_open();
        late.end(closed.map(|()| Taken::default()));
    }
    let requests: Vec<_> = takes.iter().map(|take| take.request()).collect();
    let mut taken = match requests.len() {
        0 | 1 => Vec::new(),
        // What fails for one is found by each for itself.
        _ => site.log().take_all(&label, &requests).unwrap_or_default(),
    };
    let given_back = match requests.len() {
        2.. if taken.len() < requests.len() => site.log().give_back(),
        _ => Ok(()),
    };
    // What others were quicker with, or could not be read, comes one by one.
    let rest = requests.iter().skip(taken.len());
    taken.extend(rest.map(|request| take_alone(site, &label, *request)));
    let levels = requests.iter().map(|request| request.level);
    let settled = settle(site, taken.into_iter().zip(levels), |taken| taken.committed);
    for (take, result) in takes.into_iter().zip(settled) {
        take.end(site.with(|_| result));
    }
    given_back
}

/// Takes of one label that are done together.
pub(crate) struct Takes {
    label: Arc<str>,
    all: Vec<Box<dyn Take>>,
}

impl Takes {
    /// Adds `next` if `group` is of takes of its label, and has room for it; gives it back
    /// otherwise.
    pub(crate) fn join<T: Take + Joint + 'static>(
        next: Box<T>,
        group: &mut dyn Any,
    ) -> Option<Box<dyn Joint>> {
        let fits = |takes: &&mut Self| takes.all.len() < MOST && takes.label == *next.label();
        let Some(takes) = group.downcast_mut::<Self>().filter(fits) else {
            return Some(next);
        };
        takes.all.push(next);
        None
    }
}

fn take_alone(site: &Site, label: &Arc<str>, request: Request) -> Result<Taken> {
    let Request { start, max, level } = request;
    let turn = Turn::Last;
    match site
        .log()
        .try_take(label, start, max, level, Claim::Later, turn)?
    {
        Tried::Done(taken) => Ok(taken),
        // A last try lacks nothing.
        Tried::Lacking(_) => Ok(Taken::default()),
    }
}

/// Waits until what was done is as durable as it should be, for all of them together. Items that
/// were taken, and cannot be answered with, are given up.
fn settle<T: Unsettled>(
    site: &Site,
    done: impl Iterator<Item = (Result<T>, Durability)>,
    committed: impl Fn(&T) -> Option<Committed>,
) -> Vec<Result<T>> {
    let done: Vec<_> = done.collect();
    let commits = done.iter().map(|(result, level)| {
        let committed = result.as_ref().ok().and_then(&committed);
        (committed, *level)
    });
    let settled = site.log().settle_all(commits);
    let both = done.into_iter().zip(settled);
    both.map(|((result, _), settled)| match (result, settled) {
        (Ok(done), Err(error)) => {
            done.give_up();
            Err(error)
        }
        (result, _) => result,
    })
    .collect()
}

/// Something that was done, and may not be settled.
trait Unsettled {
    fn give_up(self);
}

impl Unsettled for Option<Committed> {
    fn give_up(self) {}
}

impl Unsettled for Taken {
    fn give_up(self) {
        if let Some(items) = self.unclaimed {
            items.give_up();
        }
    }
}
