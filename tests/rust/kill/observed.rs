//! What is found in a queue after a kill, and what holds of it whatever the kind of queue.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use rocksq::Result;

use super::calls::{Call, History, What, find_disorder};
use super::items::{ItemId, PushId, Sizes};

/// The items that a queue holds, in its order, and their bytes together.
pub struct Observed {
    pub items: Vec<ItemId>,
    pub counts: HashMap<PushId, u8>,
    pub bytes: u64,
}

impl Observed {
    pub fn new(items: impl Iterator<Item = Result<Vec<u8>>>, sizes: Sizes) -> Self {
        let mut observed = Self {
            items: Vec::new(),
            counts: HashMap::new(),
            bytes: 0,
        };
        for item in items {
            let item = item.unwrap();
            let (id, count) = ItemId::parse(&item, sizes);
            observed.bytes += item.len() as u64;
            observed.counts.insert(id.push, count);
            observed.items.push(id);
        }
        observed.assert_whole();
        observed
    }

    /// Pushes are whole and each is there once; the first may have lost items at its front.
    fn assert_whole(&self) {
        for pair in self.items.windows(2) {
            let (one, next) = (pair[0], pair[1]);
            let goes_on = one.index + 1 < self.counts[&one.push];
            let fits = match goes_on {
                true => next.push == one.push && next.index == one.index + 1,
                false => next.push != one.push && next.is_first(),
            };
            assert!(fits, "{next:?} follows {one:?}");
        }
        if let Some(last) = self.items.last() {
            assert_eq!(
                last.index + 1,
                self.counts[&last.push],
                "the last push is not whole"
            );
        }
        assert_eq!(
            self.pushes().count(),
            self.counts.len(),
            "a push is there twice"
        );
    }

    /// The pushes in the order of the queue.
    pub fn pushes(&self) -> impl DoubleEndedIterator<Item = PushId> {
        let mut previous = None;
        let changes = |item: &ItemId| previous.replace(item.push) != Some(item.push);
        let pushes: Vec<_> = self.items.iter().copied().filter(changes).collect();
        pushes.into_iter().map(|item| item.push)
    }
}

/// The pushes that may have happened.
#[derive(Default)]
pub struct Pushes {
    known: BTreeMap<PushId, Push>,
    /// Those that failed, or were not acknowledged and not seen when it was looked: they must
    /// never be seen again.
    gone: HashSet<PushId>,
}

pub struct Push {
    pub call: Call,
    pub count: u8,
    pub at: Duration,
    pub acknowledged: bool,
}

impl Pushes {
    pub fn absorb(&mut self, call: &Call) {
        let What::Push { id, count, at } = call.what else {
            return;
        };
        if call.has_failed() {
            self.gone.insert(id);
            return;
        }
        let push = Push {
            call: call.clone(),
            count,
            at,
            acknowledged: call.outcome.is_some(),
        };
        self.known.insert(id, push);
    }

    pub fn iter(&self) -> impl Iterator<Item = (PushId, &Push)> {
        self.known.iter().map(|(&id, push)| (id, push))
    }

    /// The push of an item that was seen, which has therefore happened.
    pub fn seen(&self, item: ItemId) -> &Push {
        assert!(
            !self.gone.contains(&item.push),
            "{item:?} is of a push that has not happened"
        );
        let push = self.known.get(&item.push);
        let push = push.unwrap_or_else(|| panic!("{item:?} was never pushed"));
        assert!(
            item.index < push.count,
            "{item:?} of a push with {} items",
            push.count
        );
        push
    }

    pub fn forget(&mut self, ids: impl IntoIterator<Item = PushId>) {
        for id in ids {
            self.known.remove(&id);
            self.gone.insert(id);
        }
    }

    /// Every item found was pushed, and the order is one that the calls allow.
    pub fn assert_explain(&self, observed: &Observed) {
        for (id, count) in &observed.counts {
            let push = self.seen(ItemId {
                push: *id,
                index: 0,
            });
            assert_eq!(push.count, *count, "{id:?}");
        }
        let calls: Vec<_> = observed.pushes().map(|id| &self.known[&id].call).collect();
        assert_in_order("pushes", calls.into_iter());
    }
}

pub fn assert_in_order<'c>(what: &str, calls: impl DoubleEndedIterator<Item = &'c Call>) {
    if let Some((ahead, behind)) = find_disorder(calls) {
        panic!("{what} out of order: {ahead:?} is ahead of {behind:?}");
    }
}

/// Which item is at which position: that never changes.
#[derive(Default)]
pub struct Positions {
    items: HashMap<u64, ItemId>,
    positions: HashMap<ItemId, u64>,
}

impl Positions {
    pub fn learn(&mut self, first: u64, items: &[ItemId]) {
        for (position, &item) in (first..).zip(items) {
            let known = *self.items.entry(position).or_insert(item);
            assert_eq!(known, item, "another item at position {position}");
            let known = *self.positions.entry(item).or_insert(position);
            assert_eq!(known, position, "another position of {item:?}");
        }
    }

    pub fn of(&self, item: ItemId) -> Option<u64> {
        self.positions.get(&item).copied()
    }
}

/// The calls that have come since it was last looked.
#[derive(Default)]
pub struct Bookmark(usize);

impl Bookmark {
    pub fn news<'h>(&mut self, history: &'h History) -> &'h [Call] {
        let news = &history.calls[self.0..];
        self.0 = history.calls.len();
        news
    }
}
