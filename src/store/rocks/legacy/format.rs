//! What rocksq 0.3.0 stores, byte by byte.
//!
//! ```text
//! FIFO, family `default`
//!     index               item
//!     u64::MAX            index of the next item to be pushed
//!     u64::MAX - 1        index of the next item to be popped
//!     u64::MAX - 2        payload bytes of all items
//! MPMC, family `data`
//!     index               item, time
//! MPMC, family `system`
//!     u64::MAX            index of the oldest item when expiry was last noticed, time
//!     u64::MAX - 1        index of the next item to be added, time
//!     u64::MAX - 2        when the last item was added, nanoseconds since 1970, time
//! MPMC, family `reader`
//!     label               bincode of {index: u64, end_timestamp: Option<u64>, expired: bool}, time
//! ```
//!
//! Keys are little-endian u64, so RocksDB's order is not the queue's. Values in families of an MPMC
//! queue end in a time, the second since 1970 of their write as a little-endian u32, which RocksDB
//! compares with the TTL whenever it compacts; so counters and labels expire too.
//!
//! Indexes form a ring: [`RING`] of them, then 0 again.

use bincode::Decode;

/// Indexes are below this.
pub(crate) const RING: u64 = u64::MAX - 100;

/// The counter of the index after the newest item.
pub(super) const WRITE: u64 = u64::MAX - 1;
/// Of a FIFO queue: the other counters. The one for the next push comes first there.
pub(super) const FIFO_WRITE: u64 = u64::MAX;
pub(super) const FIFO_READ: u64 = u64::MAX - 1;
pub(super) const FIFO_BYTES: u64 = u64::MAX - 2;

/// The least time that RocksDB takes for one.
const MIN_TIME: u32 = 1_368_146_402;

/// How many steps lead from index `from` to index `to`.
pub(crate) fn distance(from: u64, to: u64) -> u64 {
    match to.checked_sub(from) {
        Some(steps) => steps,
        None => RING.saturating_sub(from).saturating_add(to),
    }
}

/// The index `steps` after `from`; both are below [`RING`].
pub(crate) fn after(from: u64, steps: u64) -> u64 {
    let left = RING.saturating_sub(from);
    steps
        .checked_sub(left)
        .unwrap_or_else(|| from.saturating_add(steps))
}

/// The index `steps` before `from`.
pub(crate) fn before(from: u64, steps: u64) -> u64 {
    after(from, RING.saturating_sub(steps))
}

/// Whether `a` comes before `b`, going the shorter way round.
pub(super) fn is_before(a: u64, b: u64) -> bool {
    let steps = distance(a, b);
    steps != 0 && steps < RING / 2
}

pub(super) fn key(index: u64) -> [u8; 8] {
    index.to_le_bytes()
}

/// The number in a key or in a counter.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// A value of an MPMC queue without its time, and the time in seconds since 1970.
pub(crate) fn split_time(value: &[u8]) -> Option<(&[u8], u32)> {
    let (value, time) = value.split_last_chunk()?;
    let time = u32::from_le_bytes(*time);
    (time >= MIN_TIME).then_some((value, time))
}

/// How far a label has read.
#[derive(Clone, Debug, Decode, PartialEq, Eq)]
#[cfg_attr(test, derive(bincode::Encode))]
pub(crate) struct Reader {
    /// Index of the next item to be read.
    pub index: u64,
    /// When the newest item was added, in nanoseconds since 1970, if the label had read it.
    pub end_timestamp: Option<u64>,
    /// Whether unread items were lost to the TTL since the last read.
    pub expired: bool,
}

impl Reader {
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let config = bincode::config::standard().with_limit::<64>();
        let (reader, _) = bincode::decode_from_slice::<Self, _>(bytes, config).ok()?;
        Some(reader)
    }

    /// The second in which the newest item was added, if the label had read it.
    pub(super) fn read_all_until(&self) -> Option<u64> {
        self.end_timestamp
            .map(|nanoseconds| nanoseconds / 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_form_a_ring() {
        assert_eq!(distance(3, 10), 7);
        assert_eq!(distance(RING - 2, 3), 5);
        assert_eq!(after(RING - 2, 5), 3);
        assert_eq!(after(RING - 2, 2), 0);
        assert_eq!(after(3, 4), 7);
        assert_eq!(before(3, 5), RING - 2);
        assert_eq!(before(7, 4), 3);
        assert!(is_before(RING - 1, 2) && is_before(2, 3));
        assert!(!is_before(2, RING - 1) && !is_before(3, 3));
    }

    #[test]
    fn a_value_ends_in_its_time() {
        let value = [b"item".as_slice(), &1_700_000_000u32.to_le_bytes()].concat();
        assert_eq!(
            split_time(&value),
            Some((b"item".as_slice(), 1_700_000_000))
        );
        assert_eq!(split_time(b"abc"), None);
        assert_eq!(split_time(b"item\x01\x00\x00\x00"), None);
    }

    #[test]
    fn a_label_record_is_read_as_it_was_written() {
        // Index 300, not at the end, expired: as rocksq 0.3.0 wrote it.
        let reader = Reader::decode(&[251, 44, 1, 0, 1]).unwrap();
        let expected = Reader {
            index: 300,
            end_timestamp: None,
            expired: true,
        };
        assert_eq!(reader, expected);
        assert_eq!(Reader::decode(&[251, 44]), None);
    }
}
