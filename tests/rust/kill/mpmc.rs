//! What an MPMC queue may hold after a kill, and where its labels may be.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::Wait;
use rocksq::mpmc::MpmcQueue;

use super::Check;
use super::calls::{Call, History, Outcome, What};
use super::child::{FLEETING, Kind, OWN, SHARED, TTL, Task, since_1970};
use super::items::ItemId;
use super::observed::{Bookmark, Observed, Positions, Pushes, assert_in_order};

/// Clocks are read at two places.
pub const TOLERANCE: Duration = Duration::from_millis(20);

#[derive(Default)]
pub struct Mpmc {
    read: Bookmark,
    pushes: Pushes,
    positions: Positions,
    labels: BTreeMap<String, Label>,
    fleeting: Fleeting,
    /// Where the log ended.
    end: u64,
}

/// A label that is never removed.
#[derive(Default)]
struct Label {
    /// What acknowledged calls have read.
    runs: Vec<(Vec<ItemId>, Call)>,
    delivered: HashSet<ItemId>,
    /// Positions that unacknowledged calls must have read.
    skipped: HashSet<u64>,
    maybe_read: Vec<u64>,
}

impl Check for Mpmc {
    fn check(&mut self, history: &History, task: &Task) {
        for call in self.read.news(history) {
            self.absorb(call);
        }
        let queue = MpmcQueue::new(&task.path, task.kind.ttl()).unwrap();
        if task.kind == Kind::MpmcWithTtl {
            self.check_expiring(&queue, task);
        } else {
            self.check_lasting(&queue, task);
        }
        queue.close().unwrap();
    }
}

impl Mpmc {
    fn absorb(&mut self, call: &Call) {
        self.pushes.absorb(call);
        self.fleeting.calls.push(call.clone());
        if let (What::Read, Some(Outcome::Batch { first, items })) = (&call.what, &call.outcome) {
            self.positions.learn(*first, items);
        }
        let (What::Next { label, .. } | What::Commit { label, .. }) = &call.what else {
            return;
        };
        if label == FLEETING {
            return;
        }
        let label = self.labels.entry(label.clone()).or_default();
        match (&call.what, &call.outcome) {
            (What::Next { .. }, Some(Outcome::Items(items)))
            | (What::Commit { items, .. }, Some(Outcome::Done)) => label.deliver(items, call),
            (What::Next { max, .. }, None) => label.maybe_read.push(*max),
            (What::Commit { items, .. }, None) => label.maybe_read.push(items.len() as u64),
            _ => {}
        }
    }

    fn check_lasting(&mut self, queue: &MpmcQueue, task: &Task) {
        let observed = Observed::new(queue.iter(), task.sizes);
        assert_eq!(queue.len().unwrap(), observed.items.len() as u64);
        assert_eq!(queue.payload_size().unwrap(), observed.bytes);
        self.pushes.assert_explain(&observed);
        self.positions.learn(0, &observed.items);
        assert!(observed.items.len() as u64 >= self.end, "the end went back");
        self.end = observed.items.len() as u64;
        let missing: Vec<_> = self
            .pushes
            .iter()
            .filter(|(id, _)| !observed.counts.contains_key(id))
            .collect();
        for (id, push) in &missing {
            assert!(!push.acknowledged, "{id:?} is lost");
        }
        let missing: Vec<_> = missing.into_iter().map(|(id, _)| id).collect();
        self.pushes.forget(missing);

        let known = queue.labels().unwrap();
        for name in [OWN, SHARED] {
            let place = place(queue, name);
            if !known.iter().any(|known| known == name) {
                assert_eq!(place, 0);
            }
            let rest = queue.peek(name, Oldest, u64::MAX).unwrap();
            assert_eq!(rest.len() as u64, self.end - place);
            let label = self.labels.entry(name.to_owned()).or_default();
            label.assert_at(name, place, &self.positions);
        }
        let fleeting = known.iter().any(|known| known == FLEETING);
        self.fleeting
            .assert_at(fleeting.then(|| place(queue, FLEETING)), &self.positions);
    }

    /// Items go from the front as they grow old; otherwise the same holds, as far as it can be seen.
    fn check_expiring(&mut self, queue: &MpmcQueue, task: &Task) {
        let first = place(queue, "a label that does not exist");
        let batch = queue
            .read("another", Oldest, u64::MAX, Wait::NEVER)
            .unwrap();
        let items = batch.items().to_vecs().into_iter().map(Ok);
        let observed = Observed::new(items, task.sizes);
        let now = since_1970();
        self.pushes.assert_explain(&observed);
        self.positions.learn(batch.first(), &observed.items);
        assert!(
            batch.first() >= first && batch.next() >= self.end,
            "the end went back"
        );
        self.end = batch.next();
        let missing: Vec<_> = self
            .pushes
            .iter()
            .filter(|(id, _)| !observed.counts.contains_key(id))
            .collect();
        for (id, push) in &missing {
            let is_young = now + TOLERANCE < push.at + TTL;
            assert!(
                !push.acknowledged || !is_young,
                "{id:?} is lost before its time"
            );
        }
        for name in [OWN, SHARED] {
            let place = place(queue, name);
            if let Some(label) = self.labels.get(name) {
                let behind = |item: &ItemId| self.positions.of(*item).is_none_or(|at| at < place);
                assert!(
                    label.delivered.iter().all(behind),
                    "{name} went back to {place}"
                );
            }
        }
    }
}

/// Where a label would go on reading.
pub fn place(queue: &MpmcQueue, label: &str) -> u64 {
    queue.read(label, Oldest, 1, Wait::NEVER).unwrap().first()
}

impl Label {
    fn deliver(&mut self, items: &[ItemId], call: &Call) {
        for &item in items {
            assert!(self.delivered.insert(item), "{item:?} was delivered twice");
        }
        if !items.is_empty() {
            self.runs.push((items.to_vec(), call.clone()));
        }
    }

    /// What acknowledged calls have read is in the order of the log and behind the place; the
    /// rest behind it was read by unacknowledged calls.
    fn assert_at(&mut self, name: &str, place: u64, positions: &Positions) {
        let mut runs: Vec<_> = self
            .runs
            .iter()
            .map(|(items, call)| (run(items, positions), call))
            .collect();
        runs.sort_by_key(|(first, _)| *first);
        assert_in_order("reads of a label", runs.iter().map(|(_, call)| *call));
        let read: HashSet<_> = self
            .delivered
            .iter()
            .map(|item| positions.of(*item).unwrap())
            .collect();
        assert!(
            read.iter().all(|at| *at < place),
            "{name} went back to {place}"
        );
        let gaps: Vec<_> = (0..place)
            .filter(|at| !read.contains(at) && !self.skipped.contains(at))
            .collect();
        let breaks = gaps
            .windows(2)
            .filter(|pair| pair[0] + 1 != pair[1])
            .count();
        let may_be_read: u64 = self.maybe_read.iter().sum();
        assert!(
            gaps.len() as u64 <= may_be_read && (gaps.is_empty() || breaks < self.maybe_read.len()),
            "{name} at {place} has skipped {gaps:?}, may have read {:?}",
            self.maybe_read
        );
        self.skipped.extend(gaps);
        self.maybe_read.clear();
    }
}

/// The position of the first of neighbours.
fn run(items: &[ItemId], positions: &Positions) -> u64 {
    let at: Vec<_> = items
        .iter()
        .map(|item| positions.of(*item).unwrap())
        .collect();
    assert!(
        at.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "not neighbours: {at:?}"
    );
    at[0]
}

/// A label of one thread, which removes it now and then: its calls are done one after another.
#[derive(Default)]
struct Fleeting {
    calls: Vec<Call>,
    places: Places,
}

/// Where it may be: `None` when it does not exist.
struct Places(HashSet<Option<u64>>);

impl Default for Places {
    fn default() -> Self {
        Self(HashSet::from([None]))
    }
}

impl Places {
    /// A call has read `count` items from `first` on.
    fn read(&mut self, first: u64, count: u64) {
        let begins: HashSet<_> = self.0.iter().map(|place| place.unwrap_or(0)).collect();
        assert!(
            begins.contains(&first),
            "read from {first}, may have been at {begins:?}"
        );
        self.0 = HashSet::from([Some(first + count)]);
    }

    /// A call may have read up to `max` items, or not have happened.
    fn may_have_read(&mut self, max: u64) {
        let places: Vec<_> = self.0.iter().map(|place| place.unwrap_or(0)).collect();
        for place in places {
            self.0.extend((place..=place + max).map(Some));
        }
    }
}

impl Fleeting {
    fn assert_at(&mut self, place: Option<u64>, positions: &Positions) {
        for call in std::mem::take(&mut self.calls) {
            self.follow(&call, positions);
        }
        let known = &self.places.0;
        assert!(known.contains(&place), "at {place:?}, may be at {known:?}");
        self.places.0 = HashSet::from([place]);
    }

    fn follow(&mut self, call: &Call, positions: &Positions) {
        let (What::Next { label, .. } | What::Commit { label, .. } | What::Remove { label }) =
            &call.what
        else {
            return;
        };
        if label != FLEETING {
            return;
        }
        match (&call.what, &call.outcome) {
            (What::Next { .. }, Some(Outcome::Items(items))) if items.is_empty() => {
                let places = self.places.0.drain();
                self.places.0 = places.map(|place| Some(place.unwrap_or(0))).collect();
            }
            (What::Next { .. }, Some(Outcome::Items(items))) => {
                self.places.read(run(items, positions), items.len() as u64);
            }
            (What::Commit { first, items, .. }, Some(Outcome::Done)) => {
                self.places.read(*first, items.len() as u64);
            }
            (What::Next { max, .. }, None) => self.places.may_have_read(*max),
            // A wait under a new label makes the label first.
            (What::Next { .. }, Some(Outcome::Failed(_))) => self.places.may_have_read(0),
            (What::Commit { items, .. }, None) => self.places.may_have_read(items.len() as u64),
            (What::Remove { .. }, Some(Outcome::Removed(known))) => {
                assert!(self.places.0.iter().any(|place| place.is_some() == *known));
                self.places.0 = HashSet::from([None]);
            }
            (What::Remove { .. }, None) => {
                self.places.0.insert(None);
            }
            _ => {}
        }
    }
}
