//! Iterating over queues: looking at what is there, taking it, and reading it batch by batch.

use std::collections::VecDeque;

use crate::error::{ErrorKind, Result};
use crate::log::items::Items;
use crate::log::read::Batch;

/// Items read ahead by an iterator that takes nothing.
const BROWSED_AT_ONCE: u64 = 64;

/// Looks up to so many items further from a position on, and says where they end.
type Browse<'q> = Box<dyn FnMut(u64, u64) -> Result<(Items, u64)> + Send + 'q>;

/// The live items of a queue from the oldest on, without taking them.
///
/// Items that are pushed meanwhile are seen, items that are taken meanwhile may be.
pub struct Iter<'q> {
    browse: Browse<'q>,
    position: u64,
    found: VecDeque<Vec<u8>>,
}

impl<'q> Iter<'q> {
    pub(crate) fn new(browse: impl FnMut(u64, u64) -> Result<(Items, u64)> + Send + 'q) -> Self {
        Self {
            browse: Box::new(browse),
            position: 0,
            found: VecDeque::new(),
        }
    }
}

impl Iterator for Iter<'_> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.found.is_empty() {
            match (self.browse)(self.position, BROWSED_AT_ONCE) {
                Ok((items, position)) => {
                    self.found.extend(items.to_vecs());
                    self.position = position;
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.found.pop_front().map(Ok)
    }
}

/// Takes the next item, waiting for one.
type TakeOne<'q> = Box<dyn FnMut() -> Result<Items> + Send + 'q>;

/// Takes item after item, waiting for each, until the queue is closed.
pub struct Consume<'q>(TakeOne<'q>);

impl<'q> Consume<'q> {
    pub(crate) fn new(take_one: impl FnMut() -> Result<Items> + Send + 'q) -> Self {
        Self(Box::new(take_one))
    }
}

impl Iterator for Consume<'_> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.0)() {
            Ok(items) => items.iter().next().map(|item| Ok(item.to_vec())),
            Err(error) if error.kind() == ErrorKind::Closed => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Reads the next batch, waiting for one.
type Read<'q> = Box<dyn FnMut() -> Result<Batch> + 'q>;

/// Reads batch after batch, without taking them.
///
/// It ends when the queue is closed, and when nothing came as long as it was to wait. A batch that
/// was not committed is read again.
pub struct Batches<'q>(Read<'q>);

impl<'q> Batches<'q> {
    pub(crate) fn new(read: impl FnMut() -> Result<Batch> + 'q) -> Self {
        Self(Box::new(read))
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        match (self.0)() {
            Ok(batch) if batch.items().is_empty() => None,
            Err(error) if error.kind() == ErrorKind::Closed => None,
            batch => Some(batch),
        }
    }
}
