//! Where the labels of an old queue stand.
//!
//! Counters that expired make the numbering begin at 0 again while labels still have indexes of the
//! old one. Such a label is ahead of everything, or it claims to have read items that were added
//! after the last one it read.

use super::census::Census;
use super::format::{Reader, before, distance, is_before};
use super::old::OldQueue;
use crate::error::Result;
use crate::store::Place;

/// Seconds that the two times of one write may differ by.
const SLACK: u64 = 10;

/// The labels of a queue, and how many of them do not stand where their record says.
pub(super) fn find(old: &OldQueue, census: &Census) -> Result<(Vec<Place>, u64)> {
    let mut places = Vec::new();
    let mut moved = 0u64;
    old.scan_labels(&mut |label, reader| {
        let renumbered = is_renumbered(old, census, &reader)?;
        moved = moved.saturating_add(renumbered.into());
        places.push(place(label, census, &reader, renumbered));
        Ok(())
    })?;
    Ok((places, moved))
}

fn place(label: String, census: &Census, reader: &Reader, renumbered: bool) -> Place {
    let passed = distance(census.first, reader.index);
    let is_behind = passed > census.items;
    let has_read_all = reader.end_timestamp.is_some();
    let nothing_lost = renumbered && has_read_all && census.first == 0;
    Place {
        label,
        items_before: if is_behind || renumbered { 0 } else { passed },
        lost: reader.expired || ((is_behind || renumbered) && !nothing_lost),
    }
}

/// Whether the index of a label is one of an older numbering.
fn is_renumbered(old: &OldQueue, census: &Census, reader: &Reader) -> Result<bool> {
    let passed = distance(census.first, reader.index);
    if passed > census.items {
        return Ok(!is_before(reader.index, census.first));
    }
    let (Some(until), 1..) = (reader.read_all_until(), passed) else {
        return Ok(false);
    };
    let last_read = old.time_of(before(reader.index, 1))?;
    Ok(last_read.is_some_and(|time| time.abs_diff(until) > SLACK))
}
