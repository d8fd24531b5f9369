//! What a FIFO queue may hold after a kill.

use std::collections::{BTreeMap, HashMap, HashSet};

use rocksq::Wait;
use rocksq::blocking::PersistentQueueWithCapacity;

use super::Check;
use super::calls::{Call, History, Outcome, What};
use super::child::Task;
use super::items::{ItemId, PushId};
use super::observed::{Bookmark, Observed, Positions, Pushes, assert_in_order};

#[derive(Default)]
pub struct Fifo {
    read: Bookmark,
    pushes: Pushes,
    positions: Positions,
    /// Items that an acknowledged call took.
    taken: HashMap<ItemId, Call>,
    /// Items that an unacknowledged call must have taken.
    vanished: HashSet<ItemId>,
    /// Items of pushes that were never seen, but count in the positions.
    unseen: u64,
    /// How many items each unacknowledged call may have taken since it was last looked.
    maybe_taken: Vec<u64>,
}

impl Check for Fifo {
    fn check(&mut self, history: &History, task: &Task) {
        for call in self.read.news(history) {
            self.absorb(call);
        }
        let queue = PersistentQueueWithCapacity::new(&task.path, task.capacity()).unwrap();
        let first = queue.read(1, Wait::NEVER).unwrap().first();
        let observed = Observed::new(queue.iter(), task.sizes);
        assert_eq!(queue.len().unwrap(), observed.items.len() as u64);
        assert_eq!(queue.payload_size().unwrap(), observed.bytes);
        assert!(queue.len().unwrap() <= task.capacity());
        self.compare(first, &observed);
        let peeked = queue.peek(u64::MAX).unwrap();
        assert_eq!(
            Observed::new(peeked.to_vecs().into_iter().map(Ok), task.sizes).items,
            observed.items
        );
        queue.close().unwrap();
    }
}

impl Fifo {
    fn absorb(&mut self, call: &Call) {
        self.pushes.absorb(call);
        match (&call.what, &call.outcome) {
            (What::Pop { .. }, Some(Outcome::Items(items)))
            | (What::Commit { items, .. }, Some(Outcome::Done)) => self.take(items, call),
            (What::Read, Some(Outcome::Batch { first, items })) => {
                self.positions.learn(*first, items);
            }
            (What::Pop { max }, None) => self.maybe_taken.push(*max),
            (What::Commit { items, .. }, None) => self.maybe_taken.push(items.len() as u64),
            _ => {}
        }
    }

    fn take(&mut self, items: &[ItemId], call: &Call) {
        for &item in items {
            let twice = self.taken.insert(item, call.clone()).is_some();
            assert!(
                !twice && !self.vanished.contains(&item),
                "{item:?} was delivered twice"
            );
        }
    }

    fn compare(&mut self, first: u64, observed: &Observed) {
        self.pushes.assert_explain(observed);
        self.positions.learn(first, &observed.items);
        for &item in &observed.items {
            let again = self.taken.contains_key(&item) || self.vanished.contains(&item);
            assert!(!again, "{item:?} was taken and is there again");
        }
        for (&item, call) in &self.taken {
            let push = &self.pushes.seen(item).call;
            assert!(
                !call.is_before(push),
                "{item:?} was taken before it was pushed"
            );
        }
        self.account(first, observed);
        self.assert_taken_in_order(observed);
    }

    /// Finds what must have been taken by calls that were not acknowledged.
    fn account(&mut self, first: u64, observed: &Observed) {
        let left: HashSet<_> = observed.items.iter().copied().collect();
        let (mut happened, mut missing, mut unseen) = (0, Vec::new(), Vec::new());
        for (id, push) in self.pushes.iter() {
            let items = (0..push.count).map(|index| ItemId { push: id, index });
            let (seen, not_seen): (Vec<_>, Vec<_>) = items.partition(|item| {
                left.contains(item) || self.taken.contains_key(item) || self.vanished.contains(item)
            });
            if seen.is_empty() && !push.acknowledged {
                unseen.push((id, u64::from(push.count)));
            } else {
                happened += u64::from(push.count);
                missing.extend(not_seen);
            }
        }
        // Every push that ever happened counts in the position of the end.
        let end = first + left.len() as u64;
        let rest = end.checked_sub(happened + self.unseen);
        let rest =
            rest.unwrap_or_else(|| panic!("the log has {end} items, {happened} were pushed"));
        let counts: Vec<_> = unseen.iter().map(|(_, count)| *count).collect();
        assert!(
            is_sum_of_some(rest, &counts),
            "{rest} items in the log of which nothing is known, {counts:?} may have been pushed"
        );
        let may_be_taken: u64 = self.maybe_taken.drain(..).sum();
        assert!(
            missing.len() as u64 + rest <= may_be_taken,
            "{} items are lost, {may_be_taken} may have been taken: {missing:?}",
            missing.len()
        );
        self.unseen += rest;
        self.vanished.extend(missing);
        self.pushes.forget(unseen.into_iter().map(|(id, _)| id));
    }

    /// What was taken is the front of the queue, and went in the order of the queue.
    fn assert_taken_in_order(&self, observed: &Observed) {
        let left: HashSet<_> = observed.items.iter().copied().collect();
        let mut by_thread: BTreeMap<(u16, u8), Vec<(PushId, u8)>> = BTreeMap::new();
        for (id, push) in self.pushes.iter() {
            let thread = by_thread.entry((id.session, id.thread)).or_default();
            thread.push((id, push.count));
        }
        for pushes in by_thread.values() {
            let items = pushes
                .iter()
                .flat_map(|&(push, count)| (0..count).map(move |index| ItemId { push, index }));
            let items: Vec<_> = items.collect();
            let front = items.partition_point(|item| !left.contains(item));
            let all_left = items[front..].iter().all(|item| left.contains(item));
            assert!(all_left, "an item was taken although one before it is left");
            let takes: Vec<_> = items
                .iter()
                .filter_map(|item| self.taken.get(item))
                .collect();
            assert_in_order("pops", takes.into_iter());
        }
        let boundary = observed.items.first().map(|item| item.push);
        let whole = observed.pushes().filter(|id| Some(*id) != boundary);
        let earliest_left = whole
            .map(|id| self.pushes.seen(ItemId { push: id, index: 0 }).call.end)
            .min();
        let gone = self
            .taken
            .keys()
            .chain(&self.vanished)
            .filter(|item| Some(item.push) != boundary);
        let latest_gone = gone.map(|&item| self.pushes.seen(item).call.begin).max();
        if let (Some(left), Some(gone)) = (earliest_left, latest_gone) {
            assert!(
                gone <= left,
                "an item was taken although an earlier push is left"
            );
        }
    }
}

/// Whether some of the numbers add up to the sum.
pub fn is_sum_of_some(sum: u64, numbers: &[u64]) -> bool {
    let mut sums = HashSet::from([0]);
    for number in numbers {
        let larger: Vec<_> = sums.iter().map(|sum| sum + number).collect();
        sums.extend(larger);
    }
    sums.contains(&sum)
}
