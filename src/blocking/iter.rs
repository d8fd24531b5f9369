//! Iterating over queues: looking at what is there, and taking it.

use std::collections::VecDeque;

use crate::error::{ErrorKind, Result};
use crate::log::items::Items;

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
