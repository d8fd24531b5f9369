//! What an MPMC queue may hold after a crash, and where its labels may be.

use std::collections::{BTreeMap, HashMap, HashSet};

use rocksq::StartPosition::Oldest;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, Wait};

use super::Check;
use super::fates::{Durable, Fates, maybe_taken, taken};
use crate::kill::calls::{Call, History, Outcome, What};
use crate::kill::child::{FLEETING, Kind, OWN, SHARED, TTL, Task, since_1970};
use crate::kill::items::ItemId;
use crate::kill::mpmc::{TOLERANCE, place};
use crate::kill::observed::{Observed, Positions, assert_in_order};

/// What is on the device: it was seen, and the queue was closed.
#[derive(Default)]
pub struct Mpmc {
    /// Position of the first item.
    first: u64,
    items: Vec<ItemId>,
    /// Where the labels are that exist.
    places: BTreeMap<String, u64>,
}

impl Mpmc {
    fn look(queue: &MpmcQueue, task: &Task) -> Self {
        let places = queue.labels().unwrap().into_iter().map(|label| {
            let place = place(queue, &label);
            (label, place)
        });
        let places = places.collect();
        let all = queue
            .read("nobody's", Oldest, u64::MAX, Wait::NEVER)
            .unwrap();
        let items = all.items().to_vecs().into_iter().map(Ok);
        let observed = Observed::new(items, task.sizes);
        if task.kind == Kind::Mpmc {
            assert_eq!(queue.len().unwrap(), observed.items.len() as u64);
            assert_eq!(queue.payload_size().unwrap(), observed.bytes);
        }
        Self {
            first: all.first(),
            items: observed.items,
            places,
        }
    }

    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    fn place(&self, label: &str) -> u64 {
        self.places.get(label).copied().unwrap_or(0)
    }
}

impl Check for Mpmc {
    fn check(&mut self, history: &History, task: &Task, survives: Durability) {
        let now = since_1970();
        let queue = task.open_mpmc().unwrap();
        let after = Self::look(&queue, task);
        queue.close().unwrap();
        let expires = task.kind == Kind::MpmcWithTtl;
        let session = Session::new(self, &after, history, survives);
        session.assert_one_run();
        session.assert_positions();
        let mut fates = Fates::default();
        session.judge_pushes(&mut fates, |pushed| {
            !expires || now + TOLERANCE < pushed + TTL
        });
        for label in [OWN, SHARED] {
            session.judge_label(label, expires, &mut fates);
        }
        fates.assert_prefix(&session.durable);
        if !expires {
            session.assert_fleeting(&fates);
        }
        *self = after;
    }
}

/// One process, from what was there when it began to what it left.
struct Session<'c> {
    before: &'c Mpmc,
    after: &'c Mpmc,
    calls: &'c [Call],
    durable: Durable<'c>,
    /// Where the items are that are there.
    positions: HashMap<ItemId, u64>,
}

impl<'c> Session<'c> {
    fn new(before: &'c Mpmc, after: &'c Mpmc, history: &'c History, survives: Durability) -> Self {
        let positions = (after.first..).zip(&after.items);
        Self {
            before,
            after,
            calls: &history.calls,
            durable: Durable::of(history, survives),
            positions: positions.map(|(at, item)| (*item, at)).collect(),
        }
    }

    /// What was there is there, except what expired; behind it is what was pushed, in order.
    fn assert_one_run(&self) {
        let (before, after) = (self.before, self.after);
        assert!(after.end() >= before.end(), "the end went back");
        assert!(after.first >= before.first, "the front went back");
        let expired = (after.first - before.first) as usize;
        let old = before.items.get(expired..).unwrap_or_default();
        assert_eq!(old, &after.items[..old.len()]);
        let mut seen = HashSet::new();
        let new = after.items[old.len()..]
            .iter()
            .filter(|item| seen.insert(item.push));
        let calls: Vec<_> = new.map(|item| self.push_of(*item)).collect();
        assert_in_order("pushes", calls.into_iter());
    }

    fn push_of(&self, item: ItemId) -> &'c Call {
        let pushes = |call: &&Call| match call.what {
            What::Push { id, count, .. } => id == item.push && item.index < count,
            _ => false,
        };
        let push = self.calls.iter().find(pushes);
        let push = push.unwrap_or_else(|| panic!("{item:?} is gone, or was never pushed"));
        assert!(!push.has_failed(), "{item:?} is of a push that failed");
        push
    }

    fn assert_positions(&self) {
        let mut positions = Positions::default();
        positions.learn(self.before.first, &self.before.items);
        for call in self.calls {
            if let Some(Outcome::Batch { first, items }) = &call.outcome {
                positions.learn(*first, items);
            }
        }
        positions.learn(self.after.first, &self.after.items);
    }

    /// Only a push that is too young to have expired must be there.
    fn judge_pushes(&self, fates: &mut Fates<'c>, is_young: impl Fn(std::time::Duration) -> bool) {
        let there: HashSet<_> = self.after.items.iter().map(|item| item.push).collect();
        for call in self.calls {
            match call.what {
                What::Push { id, .. } if there.contains(&id) => fates.done.push(call),
                What::Push { at, .. }
                    if !call.is_unknown() && !call.has_failed() && is_young(at) =>
                {
                    fates.undone.push(call);
                }
                _ => {}
            }
        }
    }

    /// What a label has read is in front of its place, and in front of it is nothing else, except
    /// what it may have read without saying so.
    fn judge_label(&self, label: &str, expires: bool, fates: &mut Fates<'c>) {
        let place = self.after.place(label);
        let known = self.after.places.contains_key(label);
        assert!(place >= self.before.place(label), "{label} went back");
        assert!(place <= self.after.end(), "{label} is behind the end");
        let (mut delivered, mut read) = (HashSet::new(), HashSet::new());
        let mut runs = Vec::new();
        for (items, call) in self.takes(label) {
            let twice = items.iter().find(|item| !delivered.insert(**item));
            assert!(twice.is_none(), "{twice:?} was delivered twice");
            match self.run(items, expires) {
                Run::At(first) => {
                    let next = first + items.len() as u64;
                    assert!(next <= place || place <= first, "half undone: {call:?}");
                    assert!(first >= self.before.place(label), "read again: {call:?}");
                    runs.push((first, call));
                    if next <= place && known {
                        read.extend(first..next);
                        fates.done.push(call);
                    } else {
                        fates.undone.push(call);
                    }
                }
                Run::Lost => fates.undone.push(call),
                Run::Expired => {}
            }
        }
        runs.sort_by_key(|(first, _)| *first);
        assert_in_order("reads of a label", runs.iter().map(|(_, call)| *call));
        if !expires {
            let skipped = (self.before.place(label)..place).filter(|at| !read.contains(at));
            self.assert_may_have_read(label, &skipped.collect::<Vec<_>>());
        }
    }

    /// What calls under a label are known to have taken.
    fn takes<'s>(&'s self, label: &'s str) -> impl Iterator<Item = (&'c [ItemId], &'c Call)> + 's {
        let is_under = move |call: &&Call| label_of(call) == Some(label);
        let calls = self.calls.iter().filter(is_under);
        calls.filter_map(|call| Some((taken(call)?, call)))
    }

    fn run(&self, items: &[ItemId], expires: bool) -> Run {
        let at: Vec<_> = items.iter().map(|item| self.positions.get(item)).collect();
        match (at.first(), at.last()) {
            (Some(&Some(&first)), Some(Some(_))) => {
                let fits = (first..)
                    .zip(&at)
                    .all(|(expected, at)| *at == Some(&expected));
                assert!(fits, "not neighbours: {at:?}");
                Run::At(first)
            }
            _ if expires => Run::Expired,
            (_, Some(None)) => Run::Lost,
            _ => panic!("read what is not there, and then what is: {items:?}"),
        }
    }

    fn assert_may_have_read(&self, label: &str, skipped: &[u64]) {
        let unknown = self
            .calls
            .iter()
            .filter(|call| label_of(call) == Some(label))
            .map(maybe_taken);
        let unknown: Vec<_> = unknown.filter(|count| *count > 0).collect();
        let breaks = skipped
            .windows(2)
            .filter(|pair| pair[0] + 1 != pair[1])
            .count();
        let fits = skipped.len() as u64 <= unknown.iter().sum()
            && (skipped.is_empty() || breaks < unknown.len());
        assert!(
            fits,
            "{label} has skipped {skipped:?}, may have read {unknown:?}"
        );
    }

    /// The label of one thread is where it was after one of that thread's calls: not before one
    /// that is durable or that others have outlived, and not after one that is lost.
    fn assert_fleeting(&self, fates: &Fates<'_>) {
        let mut places = HashSet::from([self.before.places.get(FLEETING).copied()]);
        let found = self.after.places.get(FLEETING).copied();
        let earliest_lost = fates.undone.iter().map(|call| call.end).min();
        let latest_kept = fates.done.iter().map(|call| call.begin).max();
        let (mut possible, mut all) = (places.contains(&found), vec![places.clone()]);
        for call in self.calls {
            let waits = matches!(call.what, What::Next { .. });
            if label_of(call) != Some(FLEETING) || call.has_failed() && !waits {
                continue;
            }
            let too_late = earliest_lost.is_some_and(|lost| lost < call.begin);
            if too_late && !call.is_unknown() && !call.has_failed() {
                break;
            }
            let must = self.durable.covers(call) || latest_kept.is_some_and(|kept| call.end < kept);
            // A label that is new is made before anybody waits under it.
            let made: HashSet<_> = places.iter().map(|place| place.or(Some(0))).collect();
            let is_made = made.contains(&found) && !matches!(call.what, What::Remove { .. });
            places = step(&places, call);
            possible = (possible || is_made) && !must || places.contains(&found);
            all.push(places.clone());
        }
        assert!(possible, "{FLEETING} is at {found:?}, was at {all:?}");
    }
}

/// Where a label may be after a call.
fn step(places: &HashSet<Option<u64>>, call: &Call) -> HashSet<Option<u64>> {
    let places = places.iter();
    let mut after: HashSet<_> = match (&call.what, taken(call)) {
        (What::Remove { .. }, _) => HashSet::from([None]),
        (_, Some(items)) => places
            .clone()
            .map(|place| Some(place.unwrap_or(0) + items.len() as u64))
            .collect(),
        _ => {
            let most = maybe_taken(call);
            let from = places.clone().map(|place| place.unwrap_or(0));
            from.flat_map(|from| (from..=from + most).map(Some))
                .collect()
        }
    };
    if call.is_unknown() || call.has_failed() {
        after.extend(places);
    }
    after
}

enum Run {
    At(u64),
    /// At least its last item is not there.
    Lost,
    /// Nobody knows.
    Expired,
}

fn label_of(call: &Call) -> Option<&str> {
    match &call.what {
        What::Next { label, .. } | What::Commit { label, .. } | What::Remove { label } => {
            Some(label)
        }
        _ => None,
    }
}
