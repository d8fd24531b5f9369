//! The items of an old queue, in the order of the queue.
//!
//! They are read in windows: some consecutive indexes, fetched in RocksDB's order, which makes
//! neighbours in a table neighbours in time, and then visited in their own. A window is bounded in
//! memory.

use super::Report;
use super::census::Census;
use super::format::{self, after};
use super::labels;
use super::old::OldQueue;
use crate::error::Result;
use crate::store::{Migrated, Place, RunVisitor, Source};

/// Payload that a window should hold, and may at most: then its indexes are halved.
const WINDOW_BYTES: u64 = 16 << 20;
const MAX_WINDOW_BYTES: usize = 32 << 20;
/// The most items of a window.
const WINDOW_ITEMS: u64 = 1 << 18;
/// Stepping over so many rows costs what a seek costs.
const STEPS: usize = 16;

const MICROS: i64 = 1_000_000;

pub(super) struct OldItems<'q, 'r> {
    old: &'q OldQueue,
    census: Census,
    labels: Vec<Place>,
    moved_labels: u64,
    report: &'q mut Report<'r>,
}

impl<'q, 'r> OldItems<'q, 'r> {
    /// Finds out what is there: reads everything once.
    pub(super) fn find(old: &'q OldQueue, report: &'q mut Report<'r>) -> Result<Self> {
        let census = Census::take(old, report)?;
        let (labels, moved_labels) = labels::find(old, &census)?;
        Ok(Self {
            old,
            census,
            labels,
            moved_labels,
            report,
        })
    }

    /// At most this much payload.
    pub(super) fn bytes(&self) -> u64 {
        self.census.bytes
    }

    /// What a conversion of all of it amounts to.
    pub(super) fn outcome(&self) -> Migrated {
        Migrated {
            items: self.census.items,
            labels: self.labels.len() as u64,
            left_out: self.census.left_out,
            moved_labels: self.moved_labels,
        }
    }

    /// How many items of average size make a window.
    fn usual_width(&self) -> u64 {
        let all = self.census.items.saturating_add(self.census.left_out);
        let average = self.census.bytes / all.max(1);
        (WINDOW_BYTES / average.max(1)).clamp(1, WINDOW_ITEMS)
    }
}

impl Source for OldItems<'_, '_> {
    fn labels(&self) -> Vec<Place> {
        self.labels.clone()
    }

    fn visit_items(&mut self, visitor: &mut RunVisitor<'_>) -> Result<()> {
        let items = self.census.items;
        let usual = self.usual_width();
        let (mut done, mut width) = (0u64, usual);
        while done < items {
            let wanted = width.min(items.saturating_sub(done));
            let first = after(self.census.first, done);
            let Some(window) = Window::read(self.old, first, wanted)? else {
                width = wanted / 2;
                continue;
            };
            window.visit(visitor)?;
            done = done.saturating_add(wanted);
            width = wanted.saturating_mul(2).min(usual);
            (self.report)(done, items)?;
        }
        Ok(())
    }
}

/// Consecutive items in memory.
struct Window {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

/// Where an item lies in the bytes of its window, and when it was added.
#[derive(Clone, Copy, Debug, Default)]
struct Item {
    start: usize,
    end: usize,
    time: Option<u32>,
}

impl Window {
    /// The `count` items from index `first` on; `None` if they are more than one and too much.
    fn read(old: &OldQueue, first: u64, count: u64) -> Result<Option<Self>> {
        let mut keys: Vec<([u8; 8], usize)> = (0..count)
            .map(|step| (format::key(after(first, step)), step as usize))
            .collect();
        keys.sort_unstable();
        let mut window = Self {
            bytes: Vec::new(),
            items: vec![Item::default(); count as usize],
        };
        let mut rows = old.rows()?;
        for (key, place) in keys {
            go_to(&mut rows, &key);
            let Some((_, value)) = rows.item().filter(|(found, _)| *found == key) else {
                rows.status().map_err(|status| old.failure(&status))?;
                return Err(old.damaged("an item is missing"));
            };
            let (item, time) = old.split(value)?;
            window.keep(place, item, time);
            if window.bytes.len() > MAX_WINDOW_BYTES && count > 1 {
                return Ok(None);
            }
        }
        Ok(Some(window))
    }

    fn keep(&mut self, place: usize, item: &[u8], time: Option<u32>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(item);
        let end = self.bytes.len();
        if let Some(slot) = self.items.get_mut(place) {
            *slot = Item { start, end, time };
        }
    }

    /// Visits the items in runs that were added in the same second.
    fn visit(&self, visitor: &mut RunVisitor<'_>) -> Result<()> {
        for run in self.items.chunk_by(|a, b| a.time == b.time) {
            let items: Vec<&[u8]> = run
                .iter()
                .map(|item| self.bytes.get(item.start..item.end).unwrap_or_default())
                .collect();
            let time = run.first().and_then(|item| item.time).map(end_of_second);
            visitor(&items, time)?;
        }
        Ok(())
    }
}

/// An item may have been added at the end of its second, and must not expire before its time.
fn end_of_second(second: u32) -> i64 {
    i64::from(second)
        .saturating_add(1)
        .saturating_mul(MICROS)
        .saturating_sub(1)
}

fn go_to(rows: &mut rust_rocksdb::DBRawIterator<'_>, key: &[u8]) {
    for _ in 0..STEPS {
        match rows.key() {
            Some(found) if found < key => rows.next(),
            Some(found) if found == key => return,
            _ => break,
        }
    }
    if rows.key() != Some(key) {
        rows.seek(key);
    }
}
