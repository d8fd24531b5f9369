//! The changes in a record of RocksDB's log.
//!
//! ```text
//! change   tag u8, [family varint32,] key, [value]
//! key, value, bound   length varint32, bytes
//! ```

use super::varint::Bytes;

/// Behind the sequence and the count of a record.
const FIRST: usize = 12;

/// A change of a family, which is named by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    Put {
        family: u32,
        key: &'a [u8],
        value: &'a [u8],
    },
    Delete {
        family: u32,
        key: &'a [u8],
    },
    /// Something that a queue's log has no need of, or that only forgets what was taken.
    Other,
}

/// The changes of a record, in order. Ends early at what it cannot read.
pub(crate) fn of(record: &[u8]) -> impl Iterator<Item = Change<'_>> {
    let mut rest = Bytes(record.get(FIRST..).unwrap_or_default());
    std::iter::from_fn(move || change(&mut rest))
}

/// The next change; the tags are RocksDB's `ValueType`, for a family with a number or for the
/// default one.
fn change<'a>(bytes: &mut Bytes<'a>) -> Option<Change<'a>> {
    match bytes.byte()? {
        0x05 => {
            let family = family(bytes)?;
            put(family, bytes)
        }
        0x01 => put(0, bytes),
        0x04 | 0x08 => {
            let family = family(bytes)?;
            delete(family, bytes)
        }
        0x00 | 0x07 => delete(0, bytes),
        0x0e => {
            family(bytes)?;
            skip(2, bytes)
        }
        0x0f => skip(2, bytes),
        0x03 => skip(1, bytes),
        0x0d => Some(Change::Other),
        _ => None,
    }
}

fn family(bytes: &mut Bytes<'_>) -> Option<u32> {
    u32::try_from(bytes.number()?).ok()
}

fn put<'a>(family: u32, bytes: &mut Bytes<'a>) -> Option<Change<'a>> {
    Some(Change::Put {
        family,
        key: bytes.slice()?,
        value: bytes.slice()?,
    })
}

fn delete<'a>(family: u32, bytes: &mut Bytes<'a>) -> Option<Change<'a>> {
    Some(Change::Delete {
        family,
        key: bytes.slice()?,
    })
}

fn skip<'a>(slices: usize, bytes: &mut Bytes<'a>) -> Option<Change<'a>> {
    for _ in 0..slices {
        bytes.slice()?;
    }
    Some(Change::Other)
}
