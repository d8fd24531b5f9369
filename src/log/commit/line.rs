//! Who leads, and who waits behind.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Committed, Operation};
use crate::error::Result;
use crate::primitives::{Condvar, Mutex};

/// A group takes no further operation once it has this much payload.
pub(super) const GROUP_PAYLOAD: u64 = 1 << 20;

/// The line of operations before the store.
#[derive(Debug, Default)]
pub(crate) struct CommitLine {
    line: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    led: bool,
    operations: VecDeque<Follower>,
}

/// An operation of somebody who waits for its outcome.
#[derive(Debug)]
pub(super) struct Follower {
    pub operation: Operation<'static>,
    /// Whether it goes to the buffer.
    pub buffered: bool,
    pub outcome: Arc<Outcome>,
}

#[derive(Debug, Default)]
pub(super) struct Outcome {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) enum Stage {
    #[default]
    Waiting,
    Leading,
    Done(Result<Committed>),
}

impl Outcome {
    pub(super) fn set(&self, stage: Stage) {
        *self.stage.lock() = stage;
        self.changed.notify_one();
    }

    /// Waits until the operation is done, or until its owner is to lead: then `None`.
    pub(super) fn wait(&self) -> Option<Result<Committed>> {
        let mut stage = self.stage.lock();
        loop {
            match std::mem::take(&mut *stage) {
                Stage::Waiting => self.changed.wait(&mut stage),
                Stage::Leading => return None,
                Stage::Done(result) => return Some(result),
            }
        }
    }
}

impl CommitLine {
    /// The lead, for one whom the last leader has made its successor.
    pub(super) fn succeed(&self) -> Lead<'_> {
        Lead(self)
    }

    /// Takes the lead if nobody has it.
    pub(super) fn try_lead(&self) -> Option<Lead<'_>> {
        let mut line = self.line.lock();
        (!std::mem::replace(&mut line.led, true)).then(|| Lead(self))
    }

    /// Lines up behind a leader, or takes the lead when there is none any more.
    pub(super) fn line_up(
        &self,
        operation: Operation<'static>,
        buffered: bool,
    ) -> (Option<Lead<'_>>, Arc<Outcome>) {
        let outcome = Arc::new(Outcome::default());
        let mut line = self.line.lock();
        line.operations.push_back(Follower {
            operation,
            buffered,
            outcome: Arc::clone(&outcome),
        });
        let lead = (!std::mem::replace(&mut line.led, true)).then(|| Lead(self));
        (lead, outcome)
    }
}

/// The lead of a commit line; dropping it makes the next in line the leader.
pub(super) struct Lead<'a>(&'a CommitLine);

impl Lead<'_> {
    /// The operations that have lined up, as many as fit in one group: one that goes to the store,
    /// or one that goes to the buffer, so that neither fails for the other's sake.
    pub(super) fn group(&self) -> (Vec<Follower>, bool) {
        let mut line = self.0.line.lock();
        let mut payload = 0u64;
        let mut group = Vec::new();
        let buffered = line.operations.front().is_some_and(|first| first.buffered);
        while payload < GROUP_PAYLOAD
            && line
                .operations
                .front()
                .is_some_and(|next| next.buffered == buffered)
            && let Some(follower) = line.operations.pop_front()
        {
            payload = payload.saturating_add(follower.operation.payload());
            group.push(follower);
        }
        (group, buffered)
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line.lock();
        match line.operations.front() {
            Some(next) => next.outcome.set(Stage::Leading),
            None => line.led = false,
        }
    }
}
