//! What has become of the calls of a process that was killed, or whose machine lost power.
//!
//! Calls take effect one after another, and what is left are the first so many of them. Which order that
//! was is known as far as calls were over before others began.

use rocksq::Durability;

use crate::kill::calls::{Call, History, Outcome, What};
use crate::kill::items::ItemId;

/// Which calls must have survived.
pub struct Durable<'c> {
    /// The level from which on calls survive by themselves.
    level: Durability,
    /// What was told after this line does not count.
    struck: u64,
    /// The last call that made what was over before it survive, too.
    latest: Option<&'c Call>,
}

impl<'c> Durable<'c> {
    /// A sync that is under way when the file system is shut down may return without an error
    /// although it has lost its transaction: only what had returned before counts. Power that is
    /// really cut lets nothing return.
    pub fn of(history: &'c History, level: Durability) -> Self {
        let mut durable = Self {
            level,
            struck: history.struck,
            latest: None,
        };
        let flushes = history.calls.iter().filter(|call| durable.flushes(call));
        durable.latest = flushes.max_by_key(|call| call.begin);
        durable
    }

    fn flushes(&self, call: &Call) -> bool {
        let flush = matches!(call.what, What::Flush | What::Close | What::Open);
        let high = call.level >= self.level && changes(call);
        let done = flush && call.outcome == Some(Outcome::Done) || high;
        done && call.end <= self.struck
    }

    pub fn covers(&self, call: &Call) -> bool {
        let covered = self.latest.is_some_and(|latest| call.is_before(latest));
        changes(call) && (covered || self.flushes(call))
    }
}

/// Whether a call is known to have changed the queue.
fn changes(call: &Call) -> bool {
    match &call.outcome {
        Some(Outcome::Done) if matches!(call.what, What::Push { .. }) => true,
        Some(Outcome::Removed(known)) => *known,
        _ => taken(call).is_some(),
    }
}

/// Calls of which it is certain that they have survived, or that they have not.
#[derive(Default)]
pub struct Fates<'c> {
    pub done: Vec<&'c Call>,
    pub undone: Vec<&'c Call>,
}

impl Fates<'_> {
    /// Nothing that was over before something that is there is missing.
    pub fn assert_prefix(&self, durable: &Durable<'_>) {
        if let Some(lost) = self.undone.iter().find(|call| durable.covers(call)) {
            panic!(
                "{lost:?} is lost, although {:?} came after it",
                durable.latest
            );
        }
        let earliest = self.undone.iter().min_by_key(|call| call.end);
        let latest = self.done.iter().max_by_key(|call| call.begin);
        if let (Some(lost), Some(kept)) = (earliest, latest) {
            assert!(!lost.is_before(kept), "{lost:?} is lost, and not {kept:?}");
        }
    }
}

/// Whether a call is known to have taken these items, which are not none.
pub fn taken(call: &Call) -> Option<&[ItemId]> {
    match (&call.what, &call.outcome) {
        (What::Pop { .. } | What::Next { .. }, Some(Outcome::Items(items)))
        | (What::Commit { items, .. }, Some(Outcome::Done)) => {
            Some(items.as_slice()).filter(|items| !items.is_empty())
        }
        _ => None,
    }
}

/// How many items a call may have taken of which nothing is known.
pub fn maybe_taken(call: &Call) -> u64 {
    match &call.what {
        _ if !call.is_unknown() => 0,
        What::Pop { max } | What::Next { max, .. } => *max,
        What::Commit { items, .. } => items.len() as u64,
        _ => 0,
    }
}
