//! The end of the log in memory, so that a consumer who keeps up never reads the store.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunk::Chunk;

/// Memory for the tail of one log. What does not fit is read from the store.
const LIMIT: u64 = 1 << 20;
/// What a chunk costs beside its payload.
const OVERHEAD: u64 = 128;
/// Larger chunks are not kept: copying them would cost more than reading them back.
pub(crate) const MAX_KEPT_PAYLOAD: u64 = LIMIT / 4;

/// The newest chunks, without a gap between them.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    chunks: VecDeque<Arc<Chunk>>,
    cost: u64,
}

impl Tail {
    /// Adds the chunk that was just written at the end of the log.
    pub(crate) fn push(&mut self, chunk: Arc<Chunk>) {
        self.cost = self.cost.saturating_add(cost(&chunk));
        self.chunks.push_back(chunk);
        while self.cost > LIMIT && self.drop_oldest() {}
    }

    /// Forgets the chunks below `floor`.
    pub(crate) fn release(&mut self, floor: u64) {
        while self.chunks.front().is_some_and(|c| c.next() <= floor) && self.drop_oldest() {}
    }

    /// Forgets everything: the next chunk does not follow on the last one kept.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The chunk that holds `position`, if it is kept.
    pub(crate) fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        find(&self.chunks, position)
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.chunks.pop_front();
        self.cost = self.cost.saturating_sub(oldest.as_deref().map_or(0, cost));
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

/// Memory that a kept chunk takes.
pub(crate) fn cost(chunk: &Chunk) -> u64 {
    cost_of(chunk.payload(), chunk.header.items)
}

pub(crate) fn cost_of(payload: u64, items: u32) -> u64 {
    let ends = u64::from(items).saturating_mul(4);
    payload.saturating_add(ends).saturating_add(OVERHEAD)
}
