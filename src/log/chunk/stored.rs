//! Chunks of the log in memory: as they were written, or read back.

use std::ops::Range;

use super::{END_LEN, Header, NewChunk, Unit, damaged, end_of};
use crate::error::Result;
use crate::log::cursor::Mark;
use crate::memory;

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
        let len = header.len().saturating_add(body.len());
        let mut bytes = memory::bytes_of(len, "read a chunk")?;
        bytes.resize(header.len(), 0);
        header.write_to(&mut bytes);
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

    /// The same items as part of a push that ends at `end`.
    pub(crate) fn of_push_up_to(&self, end: Mark) -> Self {
        let rest = end.since(self.end());
        let header = Header {
            unit: Unit::Push { rest },
            ..self.header
        };
        let mut bytes = vec![0; header.len()];
        header.write_to(&mut bytes);
        bytes.extend_from_slice(self.bytes.get(self.header.len()..).unwrap_or_default());
        Self {
            first: self.first,
            header,
            bytes,
        }
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> Mark {
        self.header.start(self.first)
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> Mark {
        let body_len = self.bytes.len().saturating_sub(self.header.len());
        self.header.end(self.first, body_len)
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
        self.header.len().saturating_add(ends)
    }

    fn end_of(&self, index: u32) -> usize {
        end_of(&self.bytes, self.header.len(), index)
    }
}
