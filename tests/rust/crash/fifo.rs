//! What a FIFO queue may hold after a crash.

use std::collections::{BTreeMap, HashMap, HashSet};

use rocksq::{Durability, Wait};

use super::Check;
use super::fates::{Durable, Fates, maybe_taken, taken};
use crate::kill::calls::{Call, History, Outcome, What};
use crate::kill::child::Task;
use crate::kill::fifo::is_sum_of_some;
use crate::kill::items::{ItemId, PushId};
use crate::kill::observed::{Observed, Positions, assert_in_order};

/// What is on the device: it was seen, and the queue was closed.
#[derive(Default)]
pub struct Fifo {
    first: u64,
    items: Vec<ItemId>,
}

impl Check for Fifo {
    fn check(&mut self, history: &History, task: &Task, survives: Durability) {
        let queue = task.open_fifo().unwrap();
        let first = queue.read(1, Wait::NEVER).unwrap().first();
        let observed = Observed::new(queue.iter(), task.sizes);
        assert_eq!(queue.len().unwrap(), observed.items.len() as u64);
        assert_eq!(queue.payload_size().unwrap(), observed.bytes);
        Session::new(self, &observed.items, history, survives).compare(first);
        queue.close().unwrap();
        *self = Self {
            first,
            items: observed.items,
        };
    }
}

/// One process, from what was there when it began to what it left.
struct Session<'c> {
    before: &'c Fifo,
    after: &'c [ItemId],
    calls: &'c [Call],
    pushes: BTreeMap<PushId, (&'c Call, u8)>,
    takers: HashMap<ItemId, &'c Call>,
    /// What is left.
    left: HashSet<ItemId>,
    /// What was there when it began.
    old: HashSet<ItemId>,
    /// Items that may have been taken by calls of which nothing is known.
    maybe_taken: u64,
    durable: Durable<'c>,
}

impl<'c> Session<'c> {
    fn new(
        before: &'c Fifo,
        after: &'c [ItemId],
        history: &'c History,
        survives: Durability,
    ) -> Self {
        let calls = &history.calls;
        let pushes = calls.iter().filter_map(|call| match call.what {
            What::Push { id, count, .. } if !call.has_failed() => Some((id, (call, count))),
            _ => None,
        });
        let mut takers = HashMap::new();
        for call in calls {
            for &item in taken(call).unwrap_or_default() {
                let twice = takers.insert(item, call).is_some();
                assert!(!twice, "{item:?} was delivered twice");
            }
        }
        Self {
            before,
            after,
            calls,
            pushes: pushes.collect(),
            takers,
            left: after.iter().copied().collect(),
            old: before.items.iter().copied().collect(),
            maybe_taken: calls.iter().map(maybe_taken).sum(),
            durable: Durable::of(history, survives),
        }
    }

    fn compare(&self, first: u64) {
        self.assert_known();
        self.assert_positions(first);
        self.assert_old_first();
        self.assert_in_order();
        let fates = self.fates();
        fates.assert_prefix(&self.durable);
        self.assert_nothing_lost();
        self.assert_end(first, &fates);
        self.assert_front(first, &fates);
    }

    fn assert_known(&self) {
        for item in self.after.iter().chain(self.takers.keys()) {
            let push = self.pushes.get(&item.push);
            let known = self.old.contains(item) || push.is_some_and(|push| item.index < push.1);
            let push = |call: &&Call| matches!(call.what, What::Push { id, .. } if id == item.push);
            let push = self.calls.iter().find(push);
            let taker = self.takers.get(item);
            assert!(
                known,
                "{item:?} is gone, or was never pushed: {push:?}, taken by {taker:?}"
            );
        }
    }

    fn assert_positions(&self, first: u64) {
        let mut positions = Positions::default();
        positions.learn(self.before.first, &self.before.items);
        for call in self.calls {
            if let Some(Outcome::Batch { first, items }) = &call.outcome {
                positions.learn(*first, items);
            }
        }
        positions.learn(first, self.after);
    }

    /// What is left is the end of what was there, and then what was pushed.
    fn assert_old_first(&self) {
        let is_old = |item: &&ItemId| self.old.contains(*item);
        let kept = self.after.iter().take_while(is_old).count();
        let gone = self.before.items.len() - kept;
        assert_eq!(self.before.items[gone..], self.after[..kept]);
    }

    fn assert_in_order(&self) {
        let mut seen = HashSet::new();
        let new = self.after.iter().filter(|item| seen.insert(item.push));
        let calls: Vec<_> = new
            .filter_map(|item| self.pushes.get(&item.push))
            .map(|(call, _)| *call)
            .collect();
        assert_in_order("pushes", calls.into_iter());
        for items in self.by_thread().values() {
            let takes: Vec<_> = items
                .iter()
                .filter_map(|item| self.takers.get(item).copied())
                .collect();
            assert_in_order("pops", takes.into_iter());
            let front = items.partition_point(|item| !self.left.contains(item));
            let rest = items[front..].iter().map(|item| self.left.contains(item));
            // The last of them may be lost.
            let rest: Vec<_> = rest.skip_while(|left| *left).collect();
            assert!(!rest.contains(&true), "an item is missing between others");
        }
    }

    /// The items of each thread's pushes, in its order.
    fn by_thread(&self) -> BTreeMap<u8, Vec<ItemId>> {
        let mut items: BTreeMap<u8, Vec<_>> = BTreeMap::new();
        for (&push, &(_, count)) in &self.pushes {
            let thread = items.entry(push.thread).or_default();
            thread.extend((0..count).map(|index| ItemId { push, index }));
        }
        items
    }

    fn fates(&self) -> Fates<'c> {
        let mut fates = Fates::default();
        let mut there: HashSet<PushId> = self.left.iter().map(|item| item.push).collect();
        for call in self.calls {
            if let Some(items) = taken(call) {
                self.judge_take(call, items, &mut there, &mut fates);
            }
        }
        for (id, &(call, _)) in &self.pushes {
            if there.contains(id) || self.durable.covers(call) {
                fates.done.push(call);
            } else if !call.is_unknown() && self.untaken(*id).count() as u64 > self.maybe_taken {
                fates.undone.push(call);
            }
        }
        fates
    }

    fn judge_take(
        &self,
        call: &'c Call,
        items: &[ItemId],
        there: &mut HashSet<PushId>,
        fates: &mut Fates<'c>,
    ) {
        let left = items.iter().take_while(|item| self.left.contains(item));
        let (left, rest) = items.split_at(left.count());
        // The end of what was taken may be lost, and only then is some of it not left.
        let is_there = |item: &&ItemId| there.contains(&item.push) || self.old.contains(*item);
        let kept = rest.iter().find(is_there);
        assert!(left.is_empty() || kept.is_none(), "half undone: {call:?}");
        let was_there = |item: &ItemId| self.old.contains(item) || there.contains(&item.push);
        if !left.is_empty() {
            fates.undone.push(call);
        } else if self.durable.covers(call) || items.iter().any(was_there) {
            there.extend(items.iter().map(|item| item.push));
            fates.done.push(call);
        }
    }

    /// Items of a push that are not left and that nobody is known to have taken.
    fn untaken(&self, push: PushId) -> impl Iterator<Item = ItemId> {
        let count = self.pushes[&push].1;
        let items = (0..count).map(move |index| ItemId { push, index });
        items.filter(|item| self.is_missing(item))
    }

    fn is_missing(&self, item: &ItemId) -> bool {
        !self.left.contains(item) && !self.takers.contains_key(item)
    }

    fn assert_nothing_lost(&self) {
        let durable = self
            .pushes
            .iter()
            .filter(|(_, (call, _))| self.durable.covers(call));
        let missing: Vec<_> = durable
            .flat_map(|(&id, _)| self.untaken(id))
            .chain(
                self.before
                    .items
                    .iter()
                    .copied()
                    .filter(|item| self.is_missing(item)),
            )
            .collect();
        assert!(
            missing.len() as u64 <= self.maybe_taken,
            "{} items are lost, {} may have been taken: {missing:?}",
            missing.len(),
            self.maybe_taken
        );
    }

    /// The end of the log counts every push that is there, and no other.
    fn assert_end(&self, first: u64, fates: &Fates<'_>) {
        let begin = self.before.first + self.before.items.len() as u64;
        let end = first + self.after.len() as u64;
        let pushed = end.checked_sub(begin).expect("the end went back");
        let is = |calls: &[&Call], call: &Call| calls.iter().any(|other| other.begin == call.begin);
        let counts = self.pushes.values();
        let (sure, open): (Vec<_>, Vec<_>) = counts
            .filter(|(call, _)| !is(&fates.undone, call))
            .partition(|(call, _)| is(&fates.done, call));
        let sum: u64 = sure.iter().map(|(_, count)| u64::from(*count)).sum();
        let open: Vec<_> = open.iter().map(|(_, count)| u64::from(*count)).collect();
        let rest = pushed.checked_sub(sum);
        assert!(
            rest.is_some_and(|rest| is_sum_of_some(rest, &open)),
            "{pushed} items came to the log, {sum} for certain, and of {open:?} some"
        );
    }

    /// The front of the queue counts every item that was taken, and no other.
    fn assert_front(&self, first: u64, fates: &Fates<'_>) {
        let count = |calls: &mut dyn Iterator<Item = &Call>| -> u64 {
            calls
                .filter_map(taken)
                .map(|items| items.len() as u64)
                .sum()
        };
        let moved = first
            .checked_sub(self.before.first)
            .expect("the front went back");
        let sure = count(&mut fates.done.iter().copied());
        let all = count(&mut self.calls.iter());
        let most = all - count(&mut fates.undone.iter().copied()) + self.maybe_taken;
        assert!(
            (sure..=most).contains(&moved),
            "{moved} items were taken, at least {sure}, at most {most}"
        );
    }
}
