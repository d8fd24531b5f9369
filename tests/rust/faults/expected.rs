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

/// The numbers of the items in a queue.
type Numbers = VecDeque<u32>;

#[derive(Clone, Debug)]
pub struct Expected {
    /// The queue holds one of these.
    now: BTreeSet<Numbers>,
    /// What it may have held since it was last certain to be written, if that is noted.
    since_written: Option<BTreeSet<Numbers>>,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            now: BTreeSet::from([Numbers::new()]),
            since_written: None,
        }
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
            let fits = |queue: &Numbers| queue.iter().take(max).eq(&items);
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

    /// Nothing is in memory alone. What comes behind it is noted from now on.
    pub fn written(&mut self) {
        self.since_written = Some(self.now.clone());
    }

    /// What was in memory alone is gone.
    pub fn lost_the_buffer(&mut self) {
        self.now.extend(self.since_written.take().unwrap());
    }

    fn keep(&mut self, fits: impl Fn(&Numbers) -> bool, seen: &[u32]) {
        let before = self.now.clone();
        self.now.retain(fits);
        assert!(!self.now.is_empty(), "{seen:?} came, expected: {before:?}");
    }

    fn changed(&mut self, outcome: &Result<()>, change: impl Fn(&mut Numbers)) {
        let mut after = self.now.clone();
        match outcome.as_ref().map_err(|error| error.kind()) {
            Ok(()) => after.clear(),
            Err(ErrorKind::OutcomeUnknown) => {}
            Err(_) => return,
        }
        for mut queue in std::mem::take(&mut self.now) {
            change(&mut queue);
            after.insert(queue);
        }
        if let Some(since_written) = &mut self.since_written {
            since_written.extend(after.iter().cloned());
        }
        self.now = after;
    }
}
