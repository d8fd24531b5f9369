//! What was read ahead of a backlog, in stretches of up to some hundred kilobytes, which stay in memory
//! until they are used up: the shorter, the more readers there are at different places. Nothing in the
//! store is pinned between two reads, and a stretch costs one seek.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunk::Chunk;
use super::tail;
use crate::memory::{self, Allocator, Kept};
use crate::primitives::Mutex;
use crate::primitives::atomic::{AtomicBool, AtomicU64, Ordering};

/// Memory for the stretches of one log, unless they are few or have one chunk each: that is read as a whole.
const LIMIT: u64 = 1 << 20;
/// A stretch ends with the chunk that makes it a share of that, or uses up what may be kept. So many
/// share it at the least, and so many at the most: twice as many whenever a stretch had to go before
/// it was used up, one less whenever one was.
const FEW_READERS: u64 = 4;
const MANY_READERS: u64 = 64;

/// Stretches of the log that were read ahead, the most recently used last.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead {
    stretches: Mutex<VecDeque<Stretch>>,
    used: AtomicBool,
    /// How many labels seem to read at different places. Changed under the lock.
    readers: AtomicU64,
}

/// Chunks without a gap between them.
#[derive(Debug)]
struct Stretch {
    chunks: VecDeque<Arc<Chunk>>,
    cost: Kept,
    /// Whether a reader has come to its end.
    is_used_up: bool,
}

impl Stretch {
    fn new(chunks: VecDeque<Arc<Chunk>>) -> Self {
        let cost = chunks.iter().map(|chunk| tail::cost(chunk)).sum();
        Self {
            chunks,
            cost: Kept::new(cost),
            is_used_up: false,
        }
    }

    fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        tail::find(&self.chunks, position)
    }

    /// Position after its last item.
    fn next(&self) -> u64 {
        self.chunks.back().map_or(0, |last| last.next())
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        Allocator::note_released(self.cost.bytes());
    }
}

impl ReadAhead {
    pub(super) fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        let mut stretches = self.stretches.lock();
        let find = |(index, stretch): (usize, &Stretch)| Some((index, stretch.find(position)?));
        let (index, chunk) = stretches.iter().enumerate().rev().find_map(find)?;
        if let Some(stretch) = stretches.remove(index) {
            stretches.push_back(stretch);
        }
        self.used.store(true, Ordering::Relaxed);
        Some(chunk)
    }

    /// The same, for a look that does not count as a use.
    pub(super) fn glimpse(&self, position: u64) -> Option<Arc<Chunk>> {
        let stretches = self.stretches.lock();
        stretches.iter().find_map(|stretch| stretch.find(position))
    }

    /// How much is to be read ahead for one who comes to `position`.
    pub(super) fn share(&self, position: u64) -> u64 {
        let mut stretches = self.stretches.lock();
        let mut left = stretches
            .iter_mut()
            .filter(|stretch| !stretch.is_used_up && stretch.next() == position);
        let left = left.next().map(|stretch| stretch.is_used_up = true);
        let readers = self.readers.load(Ordering::Relaxed);
        let readers = readers.saturating_sub(left.is_some().into());
        let readers = readers.clamp(FEW_READERS, MANY_READERS);
        self.readers.store(readers, Ordering::Relaxed);
        memory::allowance(0, LIMIT.checked_div(readers).unwrap_or(LIMIT))
    }

    /// Keeps a stretch in the place of what is used up, or else of the least recently used, as far
    /// as memory allows.
    pub(super) fn insert(&self, stretch: VecDeque<Arc<Chunk>>) {
        let mut stretches = self.stretches.lock();
        stretches.push_back(Stretch::new(stretch));
        while is_much(&stretches) {
            let used_up = stretches.iter().position(|stretch| stretch.is_used_up);
            if used_up.is_none() {
                if is_least(&stretches) {
                    break;
                }
                let readers = self.readers.load(Ordering::Relaxed).saturating_mul(2);
                self.readers.store(readers, Ordering::Relaxed);
            }
            stretches.remove(used_up.unwrap_or(0));
        }
    }

    /// Forgets chunks below `floor`.
    pub(crate) fn release(&self, floor: u64) {
        let mut stretches = self.stretches.lock();
        stretches.retain(|stretch| stretch.next() > floor);
    }

    /// Forgets everything unless it was used since the last call; says whether anything is left.
    pub(crate) fn release_unused(&self) -> bool {
        let mut stretches = self.stretches.lock();
        if !self.used.swap(false, Ordering::Relaxed) {
            stretches.clear();
        }
        !stretches.is_empty()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.stretches.lock().clear();
    }
}

/// Whether there is more than [`LIMIT`], so that what is used up has to go.
fn is_much(stretches: &VecDeque<Stretch>) -> bool {
    let are_few = stretches.len() as u64 <= FEW_READERS;
    (cost(stretches) > LIMIT && !are_few) || !is_allowed(stretches)
}

/// Whether each of as many readers as may be has no more than the chunk that it is at.
fn is_least(stretches: &VecDeque<Stretch>) -> bool {
    let is_least = stretches.iter().all(|stretch| stretch.chunks.len() == 1);
    is_least && stretches.len() as u64 <= MANY_READERS && is_allowed(stretches)
}

fn is_allowed(stretches: &VecDeque<Stretch>) -> bool {
    let cost = cost(stretches);
    cost <= memory::allowance(cost, u64::MAX)
}

fn cost(stretches: &VecDeque<Stretch>) -> u64 {
    stretches.iter().map(|stretch| stretch.cost.bytes()).sum()
}
