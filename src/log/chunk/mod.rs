//! The chunk: the record that holds the items pushed together, and its bytes.
//!
//! ```text
//! offset  size  field (integers little-endian)
//!      0     1  version of this layout: 1
//!      1     1  payload codec: 0, the items as they are
//!      2     2  flags; a reader refuses bits 0 to 7 that it does not know, and skips bits 8 to 15;
//!              bit 8: the items were not pushed together, as far as is known
//!      4     2  header length; a reader skips header bytes that it does not know
//!      6     2  zero
//!      8     4  epoch of the log when the chunk was written
//!     12     4  number of items, at least 1
//!     16     8  push time, microseconds since 1970, never less than the chunk before
//!     24     8  payload bytes of all items before this chunk since the queue was made
//!     32     8  items of the same push in the chunks behind this one
//!     40     8  their payload bytes
//!     48        (end of the header as written now)
//!   then  4 × items  where each item ends, counted from the start of the payload
//!   then             the items, one after another
//! ```
//!
//! The header ends at 32 where no chunk of the same push comes behind: nearly always.
//!
//! Ends instead of lengths, so that any item is found without adding up the ones before it.
//! Where a push ends is said from each chunk on, so that it is found without reading the others,
//! and stays right when chunks before are gone or all of them move.

mod new;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use new::{NewChunk, amount, cut, cut_apart, measure};
pub(crate) use stored::Chunk;

use super::bounds::Amount;
use super::cursor::Mark;
use crate::error::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const CODEC_RAW: u8 = 0;
const FLAGS_TO_KNOW: u16 = 0x00ff;
/// The items were not pushed together.
const FLAG_APART: u16 = 1 << 8;
const HEADER_LEN: usize = 32;
/// Of a chunk with others of its push behind it.
const LONG_HEADER_LEN: usize = 48;
const END_LEN: usize = 4;

/// A chunk holds at most this much payload, unless a single item is larger.
pub(crate) const MAX_CHUNK_PAYLOAD: usize = 1 << 20;
/// A chunk holds at most this many items.
pub(crate) const MAX_CHUNK_ITEMS: usize = 1 << 16;
/// The largest item: RocksDB's limit for a value, less what the header needs.
pub(crate) const MAX_ITEM_LEN: usize = (u32::MAX as usize) - 4096;

/// What a chunk says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub epoch: u32,
    pub items: u32,
    /// Push time in microseconds since 1970.
    pub time: i64,
    /// Payload bytes of all items before this chunk.
    pub bytes_before: u64,
    pub unit: Unit,
}

/// Which items belong together, since they were pushed as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Those of the chunk, and `rest` in the chunks behind it.
    Push { rest: Amount },
    /// None, as far as is known.
    Item,
}

impl Unit {
    /// A push that ends with its chunk.
    pub(crate) const LAST: Self = Self::Push {
        rest: Amount { items: 0, bytes: 0 },
    };

    /// What belongs to the chunk and lies behind it.
    pub(crate) fn rest(self) -> Amount {
        match self {
            Self::Push { rest } => rest,
            Self::Item => Amount::default(),
        }
    }

    fn flags(self) -> u16 {
        match self {
            Self::Push { .. } => 0,
            Self::Item => FLAG_APART,
        }
    }

    fn header_len(self) -> usize {
        match self.rest().items {
            0 => HEADER_LEN,
            _ => LONG_HEADER_LEN,
        }
    }

    /// As `flags` and the header bytes behind the fixed ones tell.
    fn decode(flags: u16, more: &[u8]) -> Result<Self> {
        if flags & FLAG_APART != 0 {
            return Ok(Self::Item);
        }
        let Some((more, _)) = more.split_first_chunk::<{ LONG_HEADER_LEN - HEADER_LEN }>() else {
            return Ok(Self::LAST);
        };
        let mut fields = Fields(more);
        let rest = Amount {
            items: u64::from_le_bytes(fields.take()),
            bytes: u64::from_le_bytes(fields.take()),
        };
        match rest.items == 0 && rest.bytes > 0 {
            true => Err(damaged("its header contradicts itself")),
            false => Ok(Self::Push { rest }),
        }
    }
}

impl Header {
    /// Its bytes, but for those that tell what lies behind the chunk.
    fn encode(&self) -> [u8; HEADER_LEN] {
        let layout = u64::from(u16::from_le_bytes([VERSION, CODEC_RAW]));
        let flags = u64::from(self.unit.flags());
        let words = [
            layout | flags << 16 | (self.len() as u64) << 32,
            u64::from(self.epoch) | u64::from(self.items) << 32,
            self.time.cast_unsigned(),
            self.bytes_before,
        ];
        let mut bytes = [0; HEADER_LEN];
        for (to, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    fn len(&self) -> usize {
        self.unit.header_len()
    }

    /// Puts the header in the place of the one that `bytes` begin with, which is as long.
    fn write_to(&self, bytes: &mut [u8]) {
        let Some((fixed, more)) = bytes.split_first_chunk_mut() else {
            return;
        };
        *fixed = self.encode();
        let rest = self.unit.rest();
        if rest.items > 0 {
            let words = [rest.items, rest.bytes];
            for (to, word) in more.as_chunks_mut().0.iter_mut().zip(words) {
                *to = word.to_le_bytes();
            }
        }
    }

    /// Where the chunk begins whose first item is at `position`.
    pub(crate) fn start(&self, position: u64) -> Mark {
        Mark {
            position,
            bytes: self.bytes_before,
        }
    }

    /// Where it ends, if it has `body_len` bytes behind its header.
    pub(crate) fn end(&self, position: u64, body_len: usize) -> Mark {
        let ends = (self.items as usize).saturating_mul(END_LEN);
        let payload = body_len.saturating_sub(ends) as u64;
        Mark {
            position: position.saturating_add(self.items.into()),
            bytes: self.bytes_before.saturating_add(payload),
        }
    }

    /// Where the push ends that it is part of.
    pub(crate) fn end_of_push(&self, end: Mark) -> Mark {
        let rest = self.unit.rest();
        Mark {
            position: end.position.saturating_add(rest.items),
            bytes: end.bytes.saturating_add(rest.bytes),
        }
    }

    /// The header at the start of a stored chunk, and the bytes behind it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let (fixed, _) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or_else(|| damaged("it is shorter than its header"))?;
        let mut fields = Fields(fixed);
        let [version, codec] = fields.take();
        let flags = u16::from_le_bytes(fields.take());
        check_readable(version, codec, flags)?;
        let header_len = usize::from(u16::from_le_bytes(fields.take()));
        let _reserved: [u8; 2] = fields.take();
        let header = Self {
            epoch: u32::from_le_bytes(fields.take()),
            items: u32::from_le_bytes(fields.take()),
            time: i64::from_le_bytes(fields.take()),
            bytes_before: u64::from_le_bytes(fields.take()),
            unit: Unit::LAST,
        };
        if header.items == 0 || header_len < HEADER_LEN {
            return Err(damaged("its header contradicts itself"));
        }
        let (head, body) = bytes
            .split_at_checked(header_len)
            .ok_or_else(|| damaged("it is shorter than its header"))?;
        let more = head.get(HEADER_LEN..).unwrap_or_default();
        let unit = Unit::decode(flags, more)?;
        let header = Self { unit, ..header };
        Ok((header, body))
    }
}

/// Hands out the fixed-size fields of a header one after another.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }
}

fn check_readable(version: u8, codec: u8, flags: u16) -> Result<()> {
    let unknown = |what: &str, value: u16| {
        Err(Error::new(
            ErrorKind::UnsupportedFormat,
            format!(
                "A chunk of the queue has {what} {value}, which this version of rocksq cannot \
                 read: use the version that wrote it, or a newer one"
            ),
        ))
    };
    if version != VERSION {
        unknown("layout", version.into())
    } else if codec != CODEC_RAW {
        unknown("payload codec", codec.into())
    } else if flags & FLAGS_TO_KNOW != 0 {
        unknown("flags", flags)
    } else {
        Ok(())
    }
}

fn damaged(why: &str) -> Error {
    Error::corrupt(format!("A chunk of the queue is damaged: {why}"))
}

/// Where an item ends, counted from the start of the payload, according to the bytes of a chunk with
/// a header of that length.
fn end_of(bytes: &[u8], header_len: usize, index: u32) -> usize {
    let at = (index as usize).saturating_mul(END_LEN);
    bytes
        .get(header_len.saturating_add(at)..)
        .and_then(|ends| ends.first_chunk::<END_LEN>())
        .map_or(0, |end| u32::from_le_bytes(*end) as usize)
}
