//! The commit stage: operations that arrive together share one write.
//!
//! The first to arrive leads: it writes its own operation at once. Those who come meanwhile line
//! up; the leader's successor is one of them and writes them all in one batch, in their order.
//! An operation is checked against what the ones before it will have done, so the order of the
//! line is the order of positions, and nothing is visible before the store has it.
//!
//! A leader's items go from the caller's memory straight into the store's batch. One who lines up
//! copies its items first, so that no thread ever reads another's borrowed memory; it would be
//! waiting for the running write at that time anyway.
//!
//! Leader and followers are as in RocksDB's own write thread (`db/write_thread.h` of
//! <https://github.com/facebook/rocksdb>).

use std::sync::Arc;

use smallvec::smallvec;

mod at_once;
mod dropping;
mod group;
mod line;
mod plan;

pub(crate) use self::line::CommitLine;
use self::line::{GROUP_PAYLOAD, Lead, Outcome, Stage};
use super::bounds::Amount;
use super::buffer::MAX_BUFFERED;
use super::chunk::{self, NewChunk};
use super::cursor::Cursor;
use super::unclaimed::Unclaimed;
use super::{Few, Log};
use crate::error::{Error, ErrorKind, Result};
use crate::options::Durability;
use crate::store::Store;

/// Something to be done in commit order.
#[derive(Debug)]
pub(crate) enum Operation<'a> {
    /// Adds items at the end; `called` when the caller was called out of the producers' line.
    Append {
        chunks: Few<NewChunk<'a>>,
        called: bool,
    },
    /// Moves a cursor, if it still is where it was; `before` is `None` for a new label.
    Move {
        label: Arc<str>,
        /// That of the positions.
        epoch: u32,
        before: Option<Cursor>,
        after: Cursor,
        /// How many are taken by that.
        items: u64,
        /// The items in between, if they can be given back.
        unclaimed: Option<Arc<Unclaimed>>,
    },
    /// Gives items back to the cursors that were moved behind them.
    GiveBack { returned: Vec<Arc<Unclaimed>> },
    /// Forgets a label.
    Remove { label: Arc<str> },
    /// Changes nothing; what was done before it is written when it is done.
    Flush,
    /// Lets nothing be done after it.
    Close,
}

/// An operation that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The store's generation that has it, or will when the buffer is written.
    pub generation: u64,
}

impl Operation<'_> {
    /// The same in memory of its own, so that another thread may do it.
    fn into_owned(self) -> Result<Operation<'static>> {
        Ok(match self {
            Self::Append { chunks, called } => Operation::Append {
                chunks: chunks
                    .into_iter()
                    .map(NewChunk::into_owned)
                    .collect::<Result<_>>()?,
                called,
            },
            Self::Move {
                label,
                epoch,
                before,
                after,
                items,
                unclaimed,
            } => Operation::Move {
                label,
                epoch,
                before,
                after,
                items,
                unclaimed,
            },
            Self::GiveBack { returned } => Operation::GiveBack { returned },
            Self::Remove { label } => Operation::Remove { label },
            Self::Flush => Operation::Flush,
            Self::Close => Operation::Close,
        })
    }

    /// What it adds.
    pub(super) fn amount(&self) -> Amount {
        match self {
            Self::Append { chunks, .. } => chunk::amount(chunks),
            _ => Amount::default(),
        }
    }

    fn payload(&self) -> u64 {
        self.amount().bytes
    }

    /// Memory that it would take in the buffer.
    fn cost(&self) -> u64 {
        match self {
            Self::Append { chunks, .. } => chunks.iter().map(NewChunk::cost).sum(),
            _ => 0,
        }
    }

    /// Whether it goes to the buffer, at `level`.
    fn is_buffered(&self, level: Durability) -> bool {
        if level != Durability::Buffered {
            return false;
        }
        match self {
            Self::Append { .. } => self.cost() <= MAX_BUFFERED,
            Self::Move { .. } | Self::Remove { .. } => true,
            Self::GiveBack { .. } | Self::Flush | Self::Close => false,
        }
    }
}

impl<S: Store> Log<S> {
    /// Does `operation` in commit order. When it returns, everybody sees the result, and the
    /// operating system has it unless `level` is Buffered.
    pub(crate) fn submit(&self, operation: Operation<'_>, level: Durability) -> Result<Committed> {
        let buffered = operation.is_buffered(level);
        if let Some(_lead) = self.commits.try_lead() {
            let mut results = self.do_group(smallvec![operation], buffered);
            return results.pop().unwrap_or_else(|| Err(Error::closed()));
        }
        let (lead, outcome) = self.commits.line_up(operation.into_owned()?, buffered);
        self.wait_in_line(lead, &outcome)
    }

    /// Does operations, one behind another, as [`submit`](Self::submit) does one. Those that come
    /// together are written together, as far as they fit into a group.
    pub(crate) fn submit_all(
        &self,
        operations: Vec<(Operation<'_>, Durability)>,
    ) -> Vec<Result<Committed>> {
        if let Some(_lead) = self.commits.try_lead() {
            return self.do_groups(operations);
        }
        let line_up = |(operation, level): (Operation<'_>, Durability)| {
            let buffered = operation.is_buffered(level);
            Ok(self.commits.line_up(operation.into_owned()?, buffered))
        };
        // In their order they are done, so the lead of one comes after the outcomes before it.
        let lined_up: Vec<_> = operations.into_iter().map(line_up).collect();
        let outcomes = lined_up.into_iter();
        outcomes
            .map(|lined_up| {
                let (lead, outcome) = lined_up?;
                self.wait_in_line(lead, &outcome)
            })
            .collect()
    }

    /// For the leader.
    fn do_groups(&self, operations: Vec<(Operation<'_>, Durability)>) -> Vec<Result<Committed>> {
        let mut results = Vec::with_capacity(operations.len());
        let mut group = Few::new();
        let (mut payload, mut buffers) = (0u64, false);
        for (operation, level) in operations {
            let buffered = operation.is_buffered(level);
            if !group.is_empty() && (payload >= GROUP_PAYLOAD || buffered != buffers) {
                results.extend(self.do_group(std::mem::take(&mut group), buffers));
                payload = 0;
            }
            payload = payload.saturating_add(operation.payload());
            buffers = buffered;
            group.push(operation);
        }
        if !group.is_empty() {
            results.extend(self.do_group(group, buffers));
        }
        results
    }

    /// Waits for the outcome, leading when it is the turn of that.
    fn wait_in_line<'l>(
        &'l self,
        mut lead: Option<Lead<'l>>,
        outcome: &Outcome,
    ) -> Result<Committed> {
        loop {
            if lead.is_none() {
                match outcome.wait() {
                    Some(result) => return result,
                    None => lead = Some(self.commits.succeed()),
                }
            }
            if let Some(lead) = lead.take() {
                self.lead_group(lead);
            }
        }
    }

    /// Does one group, lets the next lead, and then tells the members: to wake them takes time.
    fn lead_group(&self, lead: Lead<'_>) {
        let (group, buffered) = lead.group();
        let (operations, outcomes): (Few<_>, Few<_>) = group
            .into_iter()
            .map(|follower| (follower.operation, follower.outcome))
            .unzip();
        let results = self.do_group(operations, buffered);
        drop(lead);
        for (outcome, result) in outcomes.iter().zip(results) {
            outcome.set(Stage::Done(result));
        }
    }
}

pub(crate) fn conflict() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "Failed to commit the batch: another consumer has moved the cursor since it was read; \
         read again",
    )
}

/// The text is that of rocksq 0.3.0: programs match it.
pub(crate) fn full() -> Error {
    Error::new(ErrorKind::Full, "Failed to push item: Queue is full")
}

/// More than the queue may ever hold.
pub(crate) fn never_fits(amount: Amount) -> Error {
    full().advise(format!(
        "It is more than the queue can ever hold (items: {}, bytes: {}), so waiting does not help: push \
         fewer at a time, or open the queue with more max_elements or max_bytes.",
        amount.items, amount.bytes
    ))
}

/// Nothing will make room.
pub(crate) fn stays_full(error: Error) -> Error {
    error.advise(
        "Nothing leaves a queue without a TTL by itself, so waiting does not help: open it with a TTL, \
         with more max_elements or max_bytes, or with on_full=OnFull.DropOldest.",
    )
}
