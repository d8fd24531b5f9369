//! The end of the log in memory, so that a consumer who keeps up never reads the store.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunk::Chunk;
use crate::memory::{self, Kept};

/// Memory for the tail of one log, as long as there is enough of it. What does not fit is read from
/// the store.
const LIMIT: u64 = 1 << 20;
/// A smaller tail is not worth being forgotten.
const LITTLE: u64 = 64 << 10;
/// What a chunk costs beside its payload.
const OVERHEAD: u64 = 128;
/// Larger chunks are not kept: copying them would cost more than reading them back.
pub(crate) const MAX_KEPT_PAYLOAD: u64 = LIMIT / 4;

/// The newest chunks, without a gap between them.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    chunks: VecDeque<Arc<Chunk>>,
    cost: Kept,
    /// Where it ended when it was last looked at.
    end_at_last_look: u64,
}

impl Tail {
    /// Adds the chunk that was just written at the end of the log.
    pub(crate) fn push(&mut self, chunk: Arc<Chunk>) {
        self.cost.grow(cost(&chunk));
        self.chunks.push_back(chunk);
        while self.is_too_large() && self.drop_oldest() {}
    }

    /// Forgets the chunks below `floor`.
    pub(crate) fn release(&mut self, floor: u64) {
        while self.chunks.front().is_some_and(|c| c.next() <= floor) && self.drop_oldest() {}
    }

    /// Forgets everything: the next chunk does not follow on the last one kept.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether it is large enough to be forgotten when it is not used.
    pub(crate) fn is_large(&self) -> bool {
        self.cost.bytes() > LITTLE
    }

    /// Forgets a large tail if nothing was added since the last call; says whether one is left.
    pub(crate) fn release_unused(&mut self) -> bool {
        let end = self.chunks.back().map_or(0, |last| last.next());
        if self.is_large() && std::mem::replace(&mut self.end_at_last_look, end) == end {
            self.clear();
        }
        self.is_large()
    }

    /// The chunk that holds `position`, if it is kept.
    pub(crate) fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        find(&self.chunks, position)
    }

    /// The chunks from `position` on and before `until`, if it is kept.
    pub(crate) fn run(&self, position: u64, until: u64) -> VecDeque<Arc<Chunk>> {
        run(&self.chunks, position, until)
    }

    fn is_too_large(&self) -> bool {
        let cost = self.cost.bytes();
        cost > memory::allowance(cost, LIMIT)
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.chunks.pop_front();
        self.cost.shrink(oldest.as_deref().map_or(0, cost));
        oldest.is_some()
    }
}

/// The chunk that holds `position` among neighbours.
pub(crate) fn find(chunks: &VecDeque<Arc<Chunk>>, position: u64) -> Option<Arc<Chunk>> {
    let first = chunks.front()?;
    if position < first.next() {
        return (first.first <= position).then(|| Arc::clone(first));
    }
    let index = chunks.partition_point(|chunk| chunk.next() <= position);
    chunks.get(index).map(Arc::clone)
}

/// The chunks from `position` on and before `until`, if the one that holds `position` is there.
pub(crate) fn run(
    chunks: &VecDeque<Arc<Chunk>>,
    position: u64,
    until: u64,
) -> VecDeque<Arc<Chunk>> {
    if chunks.front().is_none_or(|first| position < first.first) {
        return VecDeque::new();
    }
    let first = chunks.partition_point(|chunk| chunk.next() <= position);
    let run = chunks.range(first..);
    run.take_while(|chunk| chunk.first < until)
        .cloned()
        .collect()
}

/// Memory that a kept chunk takes.
pub(crate) fn cost(chunk: &Chunk) -> u64 {
    cost_of(chunk.payload(), chunk.header.items)
}

pub(crate) fn cost_of(payload: u64, items: u32) -> u64 {
    let ends = u64::from(items).saturating_mul(4);
    payload.saturating_add(ends).saturating_add(OVERHEAD)
}
