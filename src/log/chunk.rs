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

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::Few;
use super::bounds::Amount;
use super::cursor::Mark;
use super::tail::{self, MAX_KEPT_PAYLOAD};
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

/// The bytes of a new chunk.
#[derive(Debug)]
pub(crate) enum Bytes<'a> {
    /// All but the items, which still lie where the caller has them.
    Borrowed(Box<Borrowed<'a>>),
    /// In one piece.
    Owned(Vec<u8>),
}

/// Header and ends, and the items that belong behind them.
#[derive(Debug)]
pub(crate) struct Borrowed<'a> {
    head: Vec<u8>,
    items: Few<&'a [u8]>,
}

/// Items on their way into the log. Its header is blank until it has a place there.
#[derive(Debug)]
pub(crate) struct NewChunk<'a> {
    pub items: u32,
    pub payload: u64,
    bytes: Bytes<'a>,
}

impl<'a> NewChunk<'a> {
    /// A chunk of `items`, which together have `payload` bytes and are within the limits of a chunk.
    ///
    /// What will be kept in memory is copied at once, so that the store gets it in one piece.
    fn new(items: Few<&'a [u8]>, payload: usize) -> Self {
        let kept = payload as u64 <= MAX_KEPT_PAYLOAD;
        let ends = items.len().saturating_mul(END_LEN);
        let room = if kept { payload } else { 0 };
        let mut bytes = Vec::with_capacity(HEADER_LEN.saturating_add(ends).saturating_add(room));
        bytes.extend_from_slice(&[0; HEADER_LEN]);
        let mut end = 0u32;
        for item in &items {
            end = end.saturating_add(item.len() as u32);
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        let count = items.len() as u32;
        let bytes = match kept {
            true => {
                items.iter().for_each(|item| bytes.extend_from_slice(item));
                Bytes::Owned(bytes)
            }
            false => Bytes::Borrowed(Box::new(Borrowed { head: bytes, items })),
        };
        Self {
            items: count,
            payload: end.into(),
            bytes,
        }
    }

    /// Memory that it will take.
    pub(crate) fn cost(&self) -> u64 {
        tail::cost_of(self.payload, self.items)
    }

    /// The same chunk in memory of its own, so that another thread may write it.
    pub(crate) fn into_owned(self) -> NewChunk<'static> {
        NewChunk {
            items: self.items,
            payload: self.payload,
            bytes: Bytes::Owned(self.into_bytes()),
        }
    }

    /// Fills in its header.
    pub(crate) fn begin_with(&mut self, header: &Header) {
        let bytes = match &mut self.bytes {
            Bytes::Borrowed(borrowed) => &mut borrowed.head,
            Bytes::Owned(bytes) => bytes,
        };
        header.write_to(bytes);
    }

    /// Payload bytes of its first `items` items.
    pub(crate) fn bytes_of(&self, items: u32) -> u64 {
        let bytes = match &self.bytes {
            Bytes::Borrowed(borrowed) => &borrowed.head,
            Bytes::Owned(bytes) => bytes,
        };
        items.checked_sub(1).map_or(0, |last| end_of(bytes, last)) as u64
    }

    /// Its bytes, piece by piece.
    pub(crate) fn parts(&self) -> SmallVec<[&[u8]; 2]> {
        match &self.bytes {
            Bytes::Borrowed(borrowed) => [&borrowed.head[..]]
                .into_iter()
                .chain(borrowed.items.iter().copied())
                .collect(),
            Bytes::Owned(bytes) => smallvec![&bytes[..]],
        }
    }

    /// Its bytes in one piece.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self.bytes {
            Bytes::Owned(bytes) => bytes,
            Bytes::Borrowed(borrowed) => {
                let Borrowed { mut head, items } = *borrowed;
                head.reserve_exact(self.payload as usize);
                items.iter().for_each(|item| head.extend_from_slice(item));
                head
            }
        }
    }
}

/// Cuts the items of one push into chunks. Fails when an item is too large to be stored.
pub(crate) fn cut<T: AsRef<[u8]>>(items: &[T]) -> Result<Few<NewChunk<'_>>> {
    let mut chunks = Few::new();
    let mut open: Few<&[u8]> = Few::with_capacity(items.len().min(MAX_CHUNK_ITEMS));
    let mut payload = 0usize;
    for (index, item) in items.iter().enumerate() {
        let item = item.as_ref();
        if item.len() > MAX_ITEM_LEN {
            return Err(Error::invalid(format!(
                "Item {index} has {} bytes; an item can have at most {MAX_ITEM_LEN}",
                item.len()
            )));
        }
        let grown = payload.saturating_add(item.len());
        if !open.is_empty() && (grown > MAX_CHUNK_PAYLOAD || open.len() == MAX_CHUNK_ITEMS) {
            chunks.push(NewChunk::new(std::mem::take(&mut open), payload));
            payload = item.len();
        } else {
            payload = grown;
        }
        open.push(item);
    }
    if !open.is_empty() {
        chunks.push(NewChunk::new(open, payload));
    }
    Ok(chunks)
}

/// How much is in the chunks of one push.
pub(crate) fn amount(chunks: &[NewChunk<'_>]) -> Amount {
    let amount = |chunk: &NewChunk<'_>| Amount {
        items: chunk.items.into(),
        bytes: chunk.payload,
    };
    chunks
        .iter()
        .map(amount)
        .fold(Amount::default(), Amount::plus)
}

/// A chunk of the log in memory, checked when it was made: every item is within its body.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Position of its first item.
    pub first: u64,
    pub header: Header,
    /// As it is stored: the header, where the items end, the items.
    bytes: Vec<u8>,
}

impl Chunk {
    /// Checks the bytes of a stored chunk.
    pub(crate) fn decode(first: u64, bytes: &[u8]) -> Result<Self> {
        let (header, body) = Header::decode(bytes)?;
        let mut bytes = Vec::with_capacity(HEADER_LEN.saturating_add(body.len()));
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(body);
        let chunk = Self {
            first,
            header,
            bytes,
        };
        chunk.check()?;
        Ok(chunk)
    }

    /// The chunk that was just written with this header.
    pub(crate) fn written(first: u64, header: Header, chunk: NewChunk<'_>) -> Self {
        Self {
            first,
            header,
            bytes: chunk.into_bytes(),
        }
    }

    fn check(&self) -> Result<()> {
        let payload = self
            .bytes
            .len()
            .checked_sub(self.payload_start())
            .ok_or_else(|| damaged("it is shorter than its items"))?;
        let mut before = 0;
        for index in 0..self.header.items {
            let end = self.end_of(index);
            if end < before || end > payload {
                return Err(damaged("its items lie outside of it"));
            }
            before = end;
        }
        if before != payload || self.first.checked_add(self.header.items.into()).is_none() {
            return Err(damaged("it is longer than its items"));
        }
        Ok(())
    }

    /// The same items at another place.
    pub(crate) fn moved_to(&self, start: Mark, epoch: u32) -> Self {
        let header = Header {
            epoch,
            bytes_before: start.bytes,
            ..self.header
        };
        let mut bytes = self.bytes.clone();
        header.write_to(&mut bytes);
        Self {
            first: start.position,
            header,
            bytes,
        }
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> Mark {
        Mark {
            position: self.first,
            bytes: self.header.bytes_before,
        }
    }

    /// As it is stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Position after its last item.
    pub(crate) fn next(&self) -> u64 {
        self.first.saturating_add(self.header.items.into())
    }

    /// Bytes of all its items.
    pub(crate) fn payload(&self) -> u64 {
        self.bytes.len().saturating_sub(self.payload_start()) as u64
    }

    /// Payload bytes before `position` since the queue was made.
    pub(crate) fn bytes_before(&self, position: u64) -> u64 {
        let within = match position.checked_sub(self.first) {
            None | Some(0) => 0,
            Some(items) if items >= u64::from(self.header.items) => self.payload(),
            Some(items) => self.end_of((items as u32).saturating_sub(1)) as u64,
        };
        self.header.bytes_before.saturating_add(within)
    }

    /// The item at `position`; empty when the chunk does not hold that position.
    pub(crate) fn item(&self, position: u64) -> &[u8] {
        let Some(index) = position.checked_sub(self.first) else {
            return &[];
        };
        if index >= u64::from(self.header.items) {
            return &[];
        }
        let range = self.item_range(index as u32);
        self.bytes.get(range).unwrap_or_default()
    }

    fn item_range(&self, index: u32) -> Range<usize> {
        let payload = self.payload_start();
        let start = index.checked_sub(1).map_or(0, |before| self.end_of(before));
        payload.saturating_add(start)..payload.saturating_add(self.end_of(index))
    }

    fn payload_start(&self) -> usize {
        let ends = (self.header.items as usize).saturating_mul(END_LEN);
        HEADER_LEN.saturating_add(ends)
    }

    fn end_of(&self, index: u32) -> usize {
        end_of(&self.bytes, index)
    }
}

/// Where an item ends, counted from the start of the payload, according to the bytes of a chunk.
fn end_of(bytes: &[u8], index: u32) -> usize {
    let at = (index as usize).saturating_mul(END_LEN);
    bytes
        .get(HEADER_LEN.saturating_add(at)..)
        .and_then(|ends| ends.first_chunk::<END_LEN>())
        .map_or(0, |end| u32::from_le_bytes(*end) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(items: &[&[u8]]) -> Vec<u8> {
        let mut chunk = cut(items).unwrap().remove(0);
        chunk.begin_with(&Header {
            epoch: 3,
            items: chunk.items,
            time: 1_700_000_000_000_000,
            bytes_before: 77,
        });
        chunk.parts().concat()
    }

    #[test]
    fn a_chunk_gives_back_its_items() {
        let chunk = Chunk::decode(10, &stored(&[b"one", b"", b"three"])).unwrap();
        let items: Vec<_> = (10..13).map(|position| chunk.item(position)).collect();
        assert_eq!(items, [b"one".as_slice(), b"", b"three"]);
        assert_eq!(chunk.next(), 13);
        assert_eq!(chunk.item(9), b"");
        assert_eq!(chunk.item(13), b"");
    }

    #[test]
    fn a_chunk_counts_the_bytes_before_each_position() {
        let chunk = Chunk::decode(10, &stored(&[b"one", b"", b"three"])).unwrap();
        let before: Vec<_> = (9..15).map(|at| chunk.bytes_before(at)).collect();
        assert_eq!(before, [77, 77, 80, 80, 85, 85]);
    }

    #[test]
    fn a_reader_skips_header_bytes_that_it_does_not_know() {
        let mut bytes = stored(&[b"item"]);
        bytes.splice(HEADER_LEN..HEADER_LEN, [9; 8]);
        bytes[4] += 8;
        let chunk = Chunk::decode(0, &bytes).unwrap();
        assert_eq!(chunk.item(0), b"item");
    }

    #[test]
    fn a_reader_refuses_what_it_must_know() {
        for (offset, value) in [(0, 2), (1, 1), (2, 1)] {
            let mut bytes = stored(&[b"item"]);
            bytes[offset] = value;
            let error = Chunk::decode(0, &bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
        }
    }

    #[test]
    fn a_reader_skips_flags_that_it_need_not_know() {
        let mut bytes = stored(&[b"item"]);
        bytes[3] = 0xff;
        assert!(Chunk::decode(0, &bytes).is_ok());
    }

    #[test]
    fn cut_bytes_are_damaged_and_never_panic() {
        let bytes = stored(&[b"one", b"", b"three"]);
        for len in 0..bytes.len() {
            let error = Chunk::decode(0, &bytes[..len]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {len}");
        }
    }

    #[test]
    fn a_large_push_is_cut_at_the_payload_limit_and_a_larger_item_stays_whole() {
        let big = vec![0; MAX_CHUNK_PAYLOAD + 1];
        let half = vec![0; MAX_CHUNK_PAYLOAD / 2];
        let items = [&half, &half, &half, &big, &half];
        let counts: Vec<_> = cut(&items).unwrap().iter().map(|c| c.items).collect();
        assert_eq!(counts, [2, 1, 1, 1]);
    }

    #[test]
    fn a_push_of_many_small_items_is_cut_at_the_item_limit() {
        let items = vec![b""; MAX_CHUNK_ITEMS + 1];
        let counts: Vec<_> = cut(&items).unwrap().iter().map(|c| c.items).collect();
        assert_eq!(counts, [MAX_CHUNK_ITEMS as u32, 1]);
    }

    #[test]
    fn an_owned_chunk_has_the_same_bytes() {
        let half = vec![7; MAX_CHUNK_PAYLOAD / 2];
        let items = [half.as_slice(), b"two"];
        let borrowed = cut(&items).unwrap().remove(0);
        assert!(matches!(borrowed.bytes, Bytes::Borrowed(_)));
        let parts = borrowed.parts().concat();
        assert_eq!(borrowed.into_owned().parts().concat(), parts);
    }
}
