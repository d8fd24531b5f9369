//! What a queue may hold when the fate of some calls is unknown.

use std::collections::{BTreeSet, VecDeque};

use rocksq::{ErrorKind, Items, Result};

/// Items of so many bytes, told apart by a number.
pub fn item(number: u32, len: usize) -> Vec<u8> {
    let mut item = vec![number as u8; len.max(4)];
    item[..4].copy_from_slice(&number.to_le_bytes());
    item
}

fn number(item: &[u8]) -> u32 {
    let number = u32::from_le_bytes(item[..4].try_into().unwrap());
    assert!(
        item[4..].iter().all(|byte| *byte == number as u8),
        "damaged"
    );
    number
}

/// The numbers of the items that the queue may hold: one of these.
#[derive(Clone, Debug)]
pub struct Expected(BTreeSet<VecDeque<u32>>);

impl Default for Expected {
    fn default() -> Self {
        Self(BTreeSet::from([VecDeque::new()]))
    }
}

impl Expected {
    pub fn pushed(&mut self, numbers: &[u32], outcome: &Result<()>) {
        self.changed(outcome, |queue| queue.extend(numbers));
    }

    /// Up to `max` items were taken from the front.
    pub fn popped(&mut self, max: usize, outcome: &Result<Items>) {
        if let Ok(items) = outcome {
            let items: Vec<_> = items.iter().map(number).collect();
            let fits = |queue: &VecDeque<u32>| queue.iter().take(max).eq(&items);
            self.keep(fits, &items);
        }
        let outcome = outcome.as_ref().map(drop).map_err(Clone::clone);
        self.changed(&outcome, |queue| drop(queue.drain(..max.min(queue.len()))));
    }

    /// All items that the queue holds.
    pub fn seen(&mut self, items: &Items) {
        let items: Vec<_> = items.iter().map(number).collect();
        self.keep(|queue| queue.iter().eq(&items), &items);
    }

    fn keep(&mut self, fits: impl Fn(&VecDeque<u32>) -> bool, seen: &[u32]) {
        let before = self.0.clone();
        self.0.retain(fits);
        assert!(!self.0.is_empty(), "{seen:?} came, expected: {before:?}");
    }

    fn changed(&mut self, outcome: &Result<()>, change: impl Fn(&mut VecDeque<u32>)) {
        let mut after: BTreeSet<_> = self.0.iter().cloned().collect();
        match outcome.as_ref().map_err(|error| error.kind()) {
            Ok(()) => after.clear(),
            Err(ErrorKind::OutcomeUnknown) => {}
            Err(_) => return,
        }
        for mut queue in std::mem::take(&mut self.0) {
            change(&mut queue);
            after.insert(queue);
        }
        self.0 = after;
    }
}
