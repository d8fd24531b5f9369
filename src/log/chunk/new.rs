//! Chunks on their way into the log: cut from what is pushed.

use smallvec::{SmallVec, smallvec};

use super::{END_LEN, Header, MAX_CHUNK_ITEMS, MAX_CHUNK_PAYLOAD, MAX_ITEM_LEN, Unit};
use crate::error::{Error, Result};
use crate::log::Few;
use crate::log::bounds::Amount;
use crate::log::tail::{self, MAX_KEPT_PAYLOAD};

/// The bytes of a new chunk.
#[derive(Debug)]
pub(super) enum Bytes<'a> {
    /// All but the items, which still lie where the caller has them.
    Borrowed(Box<Borrowed<'a>>),
    /// In one piece.
    Owned(Vec<u8>),
}

/// Header and ends, and the items that belong behind them.
#[derive(Debug)]
pub(super) struct Borrowed<'a> {
    head: Vec<u8>,
    items: Few<&'a [u8]>,
}

/// Items on their way into the log. Its header is blank until it has a place there.
#[derive(Debug)]
pub(crate) struct NewChunk<'a> {
    pub items: u32,
    pub payload: u64,
    /// What it was pushed with.
    pub unit: Unit,
    pub(super) bytes: Bytes<'a>,
}

impl<'a> NewChunk<'a> {
    /// A chunk of `items`, which together have `payload` bytes and are within the limits of a chunk.
    /// They belong to `unit`.
    ///
    /// What will be kept in memory is copied at once, so that the store gets it in one piece.
    fn new(items: Few<&'a [u8]>, payload: usize, unit: Unit) -> Self {
        let header = unit.header_len();
        let kept = payload as u64 <= MAX_KEPT_PAYLOAD;
        let ends = items.len().saturating_mul(END_LEN);
        let room = if kept { payload } else { 0 };
        let mut bytes = Vec::with_capacity(header.saturating_add(ends).saturating_add(room));
        bytes.resize(header, 0);
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
            unit,
            bytes,
        }
    }

    /// Memory that it will take.
    pub(crate) fn cost(&self) -> u64 {
        tail::cost_of(self.payload, self.items)
    }

    /// The same chunk in memory of its own, so that another thread may write it.
    pub(crate) fn into_owned(mut self) -> Result<NewChunk<'static>> {
        if let Bytes::Borrowed(borrowed) = &mut self.bytes {
            let head = &mut borrowed.head;
            head.try_reserve_exact(self.payload as usize)
                .map_err(|_| Error::out_of_memory("copy the items"))?;
        }
        Ok(NewChunk {
            items: self.items,
            payload: self.payload,
            unit: self.unit,
            bytes: Bytes::Owned(self.into_bytes()),
        })
    }

    /// Fills in its header.
    pub(crate) fn begin_with(&mut self, header: &Header) {
        let bytes = match &mut self.bytes {
            Bytes::Borrowed(borrowed) => &mut borrowed.head,
            Bytes::Owned(bytes) => bytes,
        };
        header.write_to(bytes);
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
    let mut chunks = cut_into(items, |rest| Unit::Push { rest: rest.into() })?;
    count_rest(&mut chunks);
    Ok(chunks)
}

/// The same for items of which it is not known how they were pushed.
pub(crate) fn cut_apart<T: AsRef<[u8]>>(items: &[T]) -> Result<Few<NewChunk<'_>>> {
    cut_into(items, |_| Unit::Item)
}

/// Cuts items into chunks. `unit` tells what those of a chunk belong to, from the number of those behind it.
fn cut_into<T: AsRef<[u8]>>(items: &[T], unit: impl Fn(u64) -> Unit) -> Result<Few<NewChunk<'_>>> {
    let mut chunks = Few::new();
    let mut open: Few<&[u8]> = Few::with_capacity(items.len().min(MAX_CHUNK_ITEMS));
    let mut payload = 0usize;
    for (index, item) in items.iter().enumerate() {
        let item = item.as_ref();
        check_len(index, item.len())?;
        let grown = payload.saturating_add(item.len());
        if !open.is_empty() && (grown > MAX_CHUNK_PAYLOAD || open.len() == MAX_CHUNK_ITEMS) {
            let unit = unit(items.len().saturating_sub(index) as u64);
            chunks.push(NewChunk::new(std::mem::take(&mut open), payload, unit));
            payload = item.len();
        } else {
            payload = grown;
        }
        open.push(item);
    }
    if !open.is_empty() {
        chunks.push(NewChunk::new(open, payload, unit(0)));
    }
    Ok(chunks)
}

/// Notes on each chunk how many bytes of its push come behind it.
fn count_rest(chunks: &mut [NewChunk<'_>]) {
    let mut behind = 0u64;
    for chunk in chunks.iter_mut().rev() {
        if let Unit::Push { rest } = &mut chunk.unit {
            rest.bytes = behind;
        }
        behind = behind.saturating_add(chunk.payload);
    }
}

fn check_len(index: usize, len: usize) -> Result<()> {
    if len > MAX_ITEM_LEN {
        return Err(Error::invalid(format!(
            "Item {index} has {len} bytes; an item can have at most {MAX_ITEM_LEN}"
        )));
    }
    Ok(())
}

/// How much `items` are, from their sizes alone. Fails when one is too large to be stored.
pub(crate) fn measure<T: AsRef<[u8]>>(items: &[T]) -> Result<Amount> {
    let mut bytes = 0u64;
    for (index, item) in items.iter().enumerate() {
        let len = item.as_ref().len();
        check_len(index, len)?;
        bytes = bytes.saturating_add(len as u64);
    }
    Ok(Amount {
        items: items.len() as u64,
        bytes,
    })
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
