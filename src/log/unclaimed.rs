//! Items that were taken for somebody who has not come for them yet.
//!
//! A nonblocking caller's items are taken while it does something else. Until it claims them they
//! can be given back: the cursor then owes them again, and the next consumer gets them before
//! anything else. What may come back is not trimmed.

use std::collections::HashSet;
use std::sync::Arc;

use super::Log;
use super::commit::Operation;
use super::cursor::Run;
use crate::error::{Error, Result};
use crate::options::Durability;
use crate::primitives::atomic::{AtomicU8, Ordering};
use crate::store::Store;

/// Items taken and not claimed.
#[derive(Debug)]
pub(crate) struct Unclaimed {
    label: Arc<str>,
    /// That of the positions.
    epoch: u32,
    runs: Vec<Run>,
    fate: AtomicU8,
}

/// Nobody has decided yet.
const OPEN: u8 = 0;
/// They belong to the caller for good.
const CLAIMED: u8 = 1;
/// The caller has given them up.
const GIVEN_UP: u8 = 2;
/// The log is closing and has taken them back.
const RECALLED: u8 = 3;

impl Unclaimed {
    pub(super) fn new(label: Arc<str>, epoch: u32, runs: Vec<Run>) -> Arc<Self> {
        Arc::new(Self {
            label,
            epoch,
            runs,
            fate: AtomicU8::new(OPEN),
        })
    }

    pub(super) fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Takes the items for good; fails when the queue has them again. Claiming again changes
    /// nothing.
    pub(crate) fn claim(&self) -> Result<()> {
        match self.decide(CLAIMED) {
            CLAIMED => Ok(()),
            GIVEN_UP => Err(Error::cancelled()),
            _ => Err(Error::closed()),
        }
    }

    /// Lets the queue have the items again, once [`Log::give_back`] is called; false when they
    /// were claimed.
    pub(crate) fn give_up(&self) -> bool {
        self.decide(GIVEN_UP) != CLAIMED
    }

    /// Decides on `fate`, unless it was decided otherwise before; returns what it is to be.
    fn decide(&self, fate: u8) -> u8 {
        match self
            .fate
            .compare_exchange(OPEN, fate, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => fate,
            Err(decided) => decided,
        }
    }

    /// How many they are.
    pub(super) fn items(&self) -> u64 {
        self.runs.iter().map(Run::items).sum()
    }

    fn fate(&self) -> u8 {
        self.fate.load(Ordering::Acquire)
    }

    /// The lowest position among the items.
    fn first(&self) -> u64 {
        self.runs
            .iter()
            .map(|run| run.first.position)
            .min()
            .unwrap_or(u64::MAX)
    }
}

/// What is unclaimed in a log. Claiming touches no lock, so what was claimed stays listed for a
/// while.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Arc<Unclaimed>>,
    clean_at: usize,
}

impl Ledger {
    pub(super) fn add(&mut self, unclaimed: Arc<Unclaimed>) {
        if self.entries.len() >= self.clean_at {
            self.clean();
            self.clean_at = self.entries.len().saturating_mul(2).max(64);
        }
        self.entries.push(unclaimed);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn clean(&mut self) {
        self.entries.retain(|entry| entry.fate() != CLAIMED);
    }

    /// Nothing from this position on may be trimmed.
    pub(super) fn floor(&mut self) -> u64 {
        self.clean();
        let firsts = self.entries.iter().map(|entry| entry.first());
        firsts.min().unwrap_or(u64::MAX)
    }

    fn returned(&self) -> Vec<Arc<Unclaimed>> {
        let returned = self.entries.iter();
        returned
            .filter(|entry| matches!(entry.fate(), GIVEN_UP | RECALLED))
            .cloned()
            .collect()
    }

    /// Strikes off what was given back.
    pub(super) fn strike(&mut self, returned: &[Arc<Unclaimed>]) {
        let returned: HashSet<_> = returned.iter().map(Arc::as_ptr).collect();
        if !returned.is_empty() {
            self.entries
                .retain(|entry| !returned.contains(&Arc::as_ptr(entry)));
        }
    }

    /// What is there now is of another epoch.
    pub(super) fn forget_all(&mut self) {
        self.entries.clear();
    }

    /// A label is gone, and nothing can be given back to it.
    pub(super) fn forget_label(&mut self, label: &str) {
        self.entries.retain(|entry| *entry.label != *label);
    }
}

impl<S: Store> Log<S> {
    /// Gives back, in front and durably, what was given up. When it fails it is to be tried again.
    pub(crate) fn give_back(&self) -> Result<()> {
        let returned = self.state.lock().unclaimed.returned();
        if returned.is_empty() {
            return Ok(());
        }
        self.submit(Operation::GiveBack { returned }, Durability::Written)
            .map(drop)
    }

    /// Gives back everything that is unclaimed.
    pub(super) fn give_back_all(&self) -> Result<()> {
        for entry in &self.state.lock().unclaimed.entries {
            entry.decide(RECALLED);
        }
        self.give_back()
    }
}
