//! The chunk: the record that holds the items pushed together, and its bytes.
//!
//! ```text
//! offset  size  field (integers little-endian)
//!      0     1  version of this layout: 1
//!      1     1  payload codec: 0, the items as they are
//!      2     2  flags; a reader refuses bits 0 to 7 that it does not know, and skips bits 8 to 15
//!      4     2  header length; a reader skips header bytes that it does not know
//!      6     2  zero
//!      8     4  epoch of the log when the chunk was written
//!     12     4  number of items, at least 1
//!     16     8  push time, microseconds since 1970, never less than the chunk before
//!     24     8  payload bytes of all items before this chunk since the queue was made
//!     32        (end of the header as written now)
//!   then  4 × items  where each item ends, counted from the start of the payload
//!   then             the items, one after another
//! ```
//!
//! Ends instead of lengths, so that any item is found without adding up the ones before it.

mod new;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use new::{NewChunk, amount, cut};
pub(crate) use stored::Chunk;

use super::cursor::Mark;
use crate::error::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const CODEC_RAW: u8 = 0;
const FLAGS_TO_KNOW: u16 = 0x00ff;
const HEADER_LEN: usize = 32;
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
}

impl Header {
    fn encode(&self) -> [u8; HEADER_LEN] {
        let layout = u64::from(u16::from_le_bytes([VERSION, CODEC_RAW]));
        let words = [
            layout | (HEADER_LEN as u64) << 32,
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

    /// Puts the header in the place of the one that `bytes` begin with.
    fn write_to(&self, bytes: &mut [u8]) {
        if let Some(place) = bytes.first_chunk_mut() {
            *place = self.encode();
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
        };
        if header.items == 0 || header_len < HEADER_LEN {
            return Err(damaged("its header contradicts itself"));
        }
        let body = bytes
            .get(header_len..)
            .ok_or_else(|| damaged("it is shorter than its header"))?;
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

/// Where an item ends, counted from the start of the payload, according to the bytes of a chunk.
fn end_of(bytes: &[u8], index: u32) -> usize {
    let at = (index as usize).saturating_mul(END_LEN);
    bytes
        .get(HEADER_LEN.saturating_add(at)..)
        .and_then(|ends| ends.first_chunk::<END_LEN>())
        .map_or(0, |end| u32::from_le_bytes(*end) as usize)
}
