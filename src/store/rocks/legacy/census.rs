//! Which items an old queue holds.
//!
//! The counters of an MPMC queue expire with its items, and its start counter jumps over live items,
//! so what counts is the items themselves. Nothing but the TTL removes one, and it removes older
//! items before newer ones, but only when RocksDB happens to compact the table that holds them. So
//! what lies before a gap has expired, and the queue is what comes after the last gap.
//!
//! A FIFO queue has no TTL: its items must be those that its counters say.

use super::Report;
use super::format::{FIFO_READ, FIFO_WRITE, RING, WRITE, after, before, distance, is_before};
use super::old::OldQueue;
use crate::error::Result;
use crate::store::rocks::kind::Kind;

/// The most indexes that one scan looks for gaps in; each takes a byte of memory.
const STRETCH: u64 = 1 << 23;

/// How often a scan reports, in items.
const REPORT_AFTER: u64 = 1 << 18;

/// The items of a queue: those from index `first` on, without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Census {
    pub first: u64,
    pub items: u64,
    /// Items before the last gap.
    pub left_out: u64,
    /// Payload bytes of all of them.
    pub bytes: u64,
}

impl Census {
    /// Reads everything in `old`, which finds all damage that checksums can find.
    pub(super) fn take(old: &OldQueue, report: &mut Report<'_>) -> Result<Self> {
        let found = Found::by_scan(old, report)?;
        match old.kind() {
            Kind::Fifo => Self::by_counters(old, &found),
            Kind::Mpmc => Self::by_gaps(old, &found),
        }
    }

    fn by_counters(old: &OldQueue, found: &Found) -> Result<Self> {
        let read = old.counter(FIFO_READ)?.unwrap_or_default();
        let write = old.counter(FIFO_WRITE)?.unwrap_or_default();
        if read >= RING || write >= RING {
            return Err(old.damaged("a counter is out of range"));
        }
        let expected = distance(read, write);
        let starts_there = found.ends().is_none_or(|(first, _)| first == read);
        if found.items != expected || !starts_there {
            let why = format!(
                "its counters speak of {expected} items, and {} are there",
                found.items
            );
            return Err(old.damaged(&why));
        }
        Ok(Self {
            first: read,
            items: expected,
            left_out: 0,
            bytes: found.bytes,
        })
    }

    fn by_gaps(old: &OldQueue, found: &Found) -> Result<Self> {
        let counter = old.counter(WRITE)?.filter(|end| *end < RING);
        let end = match found.ends() {
            None => counter.unwrap_or_default(),
            Some((_, last)) => {
                let behind = after(last, 1);
                counter
                    .filter(|end| is_before(behind, *end))
                    .unwrap_or(behind)
            }
        };
        let items = match found.ends() {
            None => 0,
            Some((first, _)) if distance(first, end) == found.items => found.items,
            Some(_) => {
                old.check_logs_are_whole()?;
                after_last_gap(old, end, found.items)?
            }
        };
        Ok(Self {
            first: before(end, items),
            items,
            left_out: found.items.saturating_sub(items),
            bytes: found.bytes,
        })
    }
}

/// How many items lie between the last gap and `end`; there are at most `most`.
fn after_last_gap(old: &OldQueue, end: u64, most: u64) -> Result<u64> {
    let mut items = 0u64;
    loop {
        let stretch = most.saturating_sub(items).saturating_add(1).min(STRETCH);
        let mut there = vec![false; stretch as usize];
        old.scan_items(&mut |index, _| {
            let back = distance(index, end).wrapping_sub(1).wrapping_sub(items);
            if let Some(slot) = usize::try_from(back)
                .ok()
                .and_then(|back| there.get_mut(back))
            {
                *slot = true;
            }
            Ok(())
        })?;
        match there.iter().position(|there| !there) {
            Some(run) => return Ok(items.saturating_add(run as u64)),
            None => items = items.saturating_add(stretch),
        }
    }
}

/// What a scan in RocksDB's order finds.
#[derive(Debug, Default)]
struct Found {
    items: u64,
    bytes: u64,
    /// Least and greatest index in each half of the ring.
    low: Option<(u64, u64)>,
    high: Option<(u64, u64)>,
}

impl Found {
    fn by_scan(old: &OldQueue, report: &mut Report<'_>) -> Result<Self> {
        let mut found = Self::default();
        old.scan_items(&mut |index, bytes| {
            found.count(index, bytes);
            if found.items.is_multiple_of(REPORT_AFTER) {
                report(0, found.items)?;
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn count(&mut self, index: u64, bytes: u64) {
        self.items = self.items.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let half = if index < RING / 2 {
            &mut self.low
        } else {
            &mut self.high
        };
        let (least, greatest) = half.unwrap_or((index, index));
        *half = Some((least.min(index), greatest.max(index)));
    }

    /// The oldest and the newest index. The largest stretch without items separates them.
    fn ends(&self) -> Option<(u64, u64)> {
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                let wrapped = distance(low.1, high.0) > distance(high.1, low.0);
                Some(if wrapped {
                    (high.0, low.1)
                } else {
                    (low.0, high.1)
                })
            }
            (low, high) => low.or(high),
        }
    }
}
