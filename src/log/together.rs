//! Operations that one caller has at the same time: done one behind another, and written together.
//!
//! Each is done or fails by itself, as if it had come alone; they share the write and the sync.

use std::sync::Arc;

use super::Log;
use super::attempt::{Tried, Turn};
use super::commit::Committed;
use super::read::{Batch, Claim, Taken};
use crate::error::{ErrorKind, Result};
use crate::options::{Durability, StartPosition};
use crate::store::Store;

/// No more is read for takes that are done together: the first waits for the last.
const MOST_READ: u64 = 1 << 20;

/// Items to be added.
pub(crate) struct Addition<'a> {
    pub items: Vec<&'a [u8]>,
    pub level: Durability,
}

/// Items to be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub start: StartPosition,
    pub max: u64,
    pub level: Durability,
}

impl<S: Store> Log<S> {
    /// The last tries of [`append`](Self::append), which are still to be settled.
    pub(crate) fn append_all(&self, additions: &[Addition<'_>]) -> Vec<Result<Option<Committed>>> {
        self.wait_for_memory();
        let mut operations = Vec::with_capacity(additions.len());
        let mut results = Vec::with_capacity(additions.len());
        for addition in additions {
            let prepared = self.prepare_append(&addition.items, Turn::Last);
            results.push(prepared.map(|operation| {
                let operation = operation?;
                operations.push((operation, addition.level));
                Some(())
            }));
        }
        let mut committed = self.submit_all(operations).into_iter();
        let outcome = |prepared: Result<Option<()>>| match prepared? {
            Some(()) => committed.next().transpose(),
            None => Ok(None),
        };
        let mut outcomes: Vec<_> = results.into_iter().map(outcome).collect();
        self.append_again(additions, &mut outcomes);
        let counted = outcomes.into_iter().zip(additions);
        counted
            .map(|(outcome, addition)| self.counted(addition.items.len(), outcome))
            .collect()
    }

    /// Those that found no room on the disk are tried again, if there can be some, and if none of
    /// those behind them was quicker.
    fn append_again(&self, additions: &[Addition<'_>], outcomes: &mut [Result<Option<Committed>>]) {
        let is_full = |outcome: &Result<Option<Committed>>| match outcome {
            Err(error) => error.kind() == ErrorKind::DiskFull,
            Ok(_) => false,
        };
        let done = outcomes.iter().rev().take_while(|outcome| is_full(outcome));
        let first = outcomes.len().saturating_sub(done.count());
        if first == outcomes.len() || outcomes.iter().take(first).any(is_full) || !self.makes_room()
        {
            return;
        }
        let again = outcomes.iter_mut().zip(additions).skip(first);
        for (outcome, addition) in again {
            let tried = self.append_here(&addition.items, addition.level, Turn::Last);
            *outcome = tried.map(|tried| match tried {
                Tried::Done(committed) => committed,
                Tried::Lacking(_) => None, // not the answer to a last try
            });
        }
    }

    /// The last tries of [`take`](Self::take) under one label, to be claimed later and still to be
    /// settled. It may do less than what was asked for: the rest is to be done alone, after
    /// [`give_back`](Self::give_back).
    pub(crate) fn take_all(
        &self,
        label: &Arc<str>,
        requests: &[Request],
    ) -> Result<Vec<Result<Taken>>> {
        self.check_usable()?;
        let gate = self.gate(label);
        let _only_consumer = gate.as_ref().map(|gate| gate.lock());
        let batches = self.read_all(label, requests)?;
        let (mut operations, mut unclaimed) = (Vec::new(), Vec::new());
        for (batch, request) in batches.iter().zip(requests) {
            let items = batch.unclaimed(Claim::Later);
            if batch.moves() {
                operations.push((batch.operation(items.clone()), request.level));
            }
            unclaimed.push(items);
        }
        let mut committed = self.submit_all(operations).into_iter();
        let mut taken = Vec::with_capacity(batches.len());
        let mut others_were_quicker = false;
        for (batch, unclaimed) in batches.into_iter().zip(unclaimed) {
            let committed = match batch.moves() {
                true => committed.next().transpose(),
                false => Ok(None),
            };
            match committed {
                Err(error) if error.kind() == ErrorKind::Conflict => others_were_quicker = true,
                // If they have moved the cursor to where this began, it was taken all the same, though
                // what comes first is still to be done.
                committed if others_were_quicker => {
                    if let (Ok(Some(_)), Some(items)) = (committed, unclaimed) {
                        items.give_up();
                    }
                }
                committed => taken.push(committed.map(|done| batch.taken(done, unclaimed))),
            }
        }
        Ok(taken)
    }

    /// Reads for one request after another, each from where the one before it ends; as far as that
    /// works and is not too much.
    fn read_all(&self, label: &Arc<str>, requests: &[Request]) -> Result<Vec<Batch>> {
        let mut seen = self.look(label)?;
        let mut batches = Vec::with_capacity(requests.len());
        let mut bytes = 0u64;
        for request in requests {
            let Ok(batch) = self.read_seen(&seen, label, request.start, request.max) else {
                break;
            };
            if batch.moves() {
                seen.move_to(batch.after());
            }
            let items = batch.items().iter().map(|item| item.len() as u64);
            bytes = items.fold(bytes, u64::saturating_add);
            batches.push(batch);
            if bytes >= MOST_READ {
                break;
            }
        }
        Ok(batches)
    }

    /// Waits until all of these are as durable as their levels say. They share a sync.
    pub(crate) fn settle_all(
        &self,
        committed: impl Iterator<Item = (Option<Committed>, Durability)>,
    ) -> Vec<Result<()>> {
        let mut synced: Option<(Committed, Result<()>)> = None;
        let mut settle = |(committed, level)| match (committed, &synced) {
            (Some(committed), Some((other, result)))
                if level == Durability::Synced && committed == *other =>
            {
                result.clone()
            }
            (Some(committed), _) if level == Durability::Synced => {
                let result = self.settle(Some(committed), level);
                synced = Some((committed, result.clone()));
                result
            }
            _ => Ok(()),
        };
        committed.map(&mut settle).collect()
    }
}
