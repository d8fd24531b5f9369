//! What was read ahead of a backlog, in stretches that stay in memory until they are used up: the
//! shorter, the more readers there are at different places, down to the chunk that each is at. Nothing
//! in the store is pinned between two reads, and a stretch costs one seek.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunk::Chunk;
use super::tail;
use crate::memory::{self, Allocator, Kept};
use crate::primitives::Mutex;

/// Memory for the stretches of one log. Few may have more, and so may as many as there can be when they
/// are as short as can be: chunks are read as a whole.
const LIMIT: u64 = 1 << 20;
/// A stretch ends with the chunk that makes it a share of that, or uses up what may be kept. So many
/// share it at the least, and so many at the most: twice as many whenever a stretch had to go before
/// it was used up, one less whenever one was.
const FEW_READERS: u64 = 4;
const MANY_READERS: u64 = 64;

/// What one log has read ahead.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead(Mutex<Stretches>);

/// Stretches of the log, the most recently used last.
#[derive(Debug, Default)]
struct Stretches {
    list: VecDeque<Stretch>,
    /// How many labels seem to read at different places.
    readers: u64,
    /// How often everything was forgotten.
    round: Round,
}

/// The time from when everything was forgotten until it is again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round(u64);

/// Chunks without a gap between them.
#[derive(Debug)]
struct Stretch {
    /// Position of its first item.
    first: u64,
    /// Position after its last item.
    next: u64,
    chunks: VecDeque<Arc<Chunk>>,
    cost: Kept,
    /// Whether a reader has come to its end.
    is_used_up: bool,
    /// Whether it was used since it was last looked at.
    is_used: bool,
}

impl ReadAhead {
    pub(super) fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        let mut stretches = self.0.lock();
        tail::find(&stretches.use_at(position)?.chunks, position)
    }

    /// Chunks from `position` on and before `until`, as far as they are in one stretch.
    pub(super) fn run(&self, position: u64, until: u64) -> VecDeque<Arc<Chunk>> {
        let mut stretches = self.0.lock();
        let used = stretches.use_at(position);
        used.map_or_else(VecDeque::new, |stretch| {
            tail::run(&stretch.chunks, position, until)
        })
    }

    /// Like [`find`](Self::find), for a look that does not count as a use.
    pub(super) fn glimpse(&self, position: u64) -> Option<Arc<Chunk>> {
        let list = &self.0.lock().list;
        let stretch = list.iter().find(|stretch| stretch.holds(position))?;
        tail::find(&stretch.chunks, position)
    }

    /// How much is to be read ahead for one who comes to `position`, and the round in which to keep it.
    pub(super) fn share(&self, position: u64) -> (u64, Round) {
        let mut stretches = self.0.lock();
        let mut left = stretches
            .list
            .iter_mut()
            .filter(|stretch| !stretch.is_used_up && stretch.next == position);
        let left = left.next().map(|stretch| stretch.is_used_up = true);
        let readers = stretches.readers.saturating_sub(left.is_some().into());
        stretches.readers = readers.clamp(FEW_READERS, MANY_READERS);
        let share = LIMIT.checked_div(stretches.readers).unwrap_or(LIMIT);
        (memory::allowance(0, share), stretches.round)
    }

    /// Keeps a stretch as far as memory allows: in the place of what is used up, or else of one that
    /// could be shorter, or else of the least recently used. Does nothing when everything was forgotten
    /// since the `round` in which it was read: the store may hold something else now.
    pub(super) fn insert(&self, chunks: VecDeque<Arc<Chunk>>, round: Round) {
        let stretch = Stretch::new(chunks);
        // Given back to the allocator after the lock, which is made last.
        let mut gone = Vec::new();
        let mut stretches = self.0.lock();
        let first = stretch.first;
        let is_there = stretches.list.iter().any(|kept| kept.first == first);
        if is_there || stretches.round != round {
            return;
        }
        stretches.list.push_back(stretch);
        while stretches.are_much()
            && let Some(dispensable) = stretches.dispensable()
        {
            gone.extend(stretches.list.remove(dispensable));
        }
    }

    /// Forgets chunks below `floor`.
    pub(crate) fn release(&self, floor: u64) {
        let list = &mut self.0.lock().list;
        list.retain(|stretch| stretch.next > floor);
    }

    /// Forgets what was not used since the last call, and what memory no longer allows; says whether
    /// anything is left.
    pub(crate) fn release_unused(&self) -> bool {
        let mut stretches = self.0.lock();
        let is_used = |stretch: &mut Stretch| std::mem::take(&mut stretch.is_used);
        stretches.list.retain_mut(is_used);
        while !stretches.are_allowed() && stretches.list.pop_front().is_some() {}
        !stretches.list.is_empty()
    }

    /// Forgets everything, and what is being read meanwhile.
    pub(crate) fn clear(&self) {
        let mut stretches = self.0.lock();
        stretches.list.clear();
        stretches.round.0 = stretches.round.0.wrapping_add(1);
    }
}

impl Stretches {
    /// The stretch that holds `position`, which is then the most recently used.
    fn use_at(&mut self, position: u64) -> Option<&Stretch> {
        let list = &mut self.list;
        let index = list.iter().rposition(|stretch| stretch.holds(position))?;
        if index.saturating_add(1) < list.len()
            && let Some(stretch) = list.remove(index)
        {
            list.push_back(stretch);
        }
        let stretch = list.back_mut()?;
        stretch.is_used = true;
        Some(stretch)
    }

    /// The one that can best be done without, if any can. Learns from that how many readers there are.
    fn dispensable(&mut self) -> Option<usize> {
        if let Some(used_up) = self.list.iter().position(|stretch| stretch.is_used_up) {
            return Some(used_up);
        }
        let long = self.list.iter().position(|stretch| !stretch.is_short());
        let gone = long.or_else(|| self.are_too_much().then_some(0));
        self.readers = match gone {
            Some(_) => self.readers.saturating_mul(2),
            None => self.readers.max(self.list.len() as u64),
        };
        gone
    }

    /// Whether what is used up, or could be shorter, has to go.
    fn are_much(&self) -> bool {
        let are_few = self.list.len() as u64 <= FEW_READERS;
        (self.cost() > LIMIT && !are_few) || self.are_too_much()
    }

    /// Whether one has to go in any case.
    fn are_too_much(&self) -> bool {
        self.list.len() as u64 > MANY_READERS || !self.are_allowed()
    }

    fn are_allowed(&self) -> bool {
        let cost = self.cost();
        cost <= memory::allowance(cost, u64::MAX)
    }

    fn cost(&self) -> u64 {
        self.list.iter().map(|stretch| stretch.cost.bytes()).sum()
    }
}

impl Stretch {
    fn new(chunks: VecDeque<Arc<Chunk>>) -> Self {
        let cost = chunks.iter().map(|chunk| tail::cost(chunk)).sum();
        Self {
            first: chunks.front().map_or(0, |first| first.first),
            next: chunks.back().map_or(0, |last| last.next()),
            chunks,
            cost: Kept::new(cost),
            is_used_up: false,
            is_used: true,
        }
    }

    fn holds(&self, position: u64) -> bool {
        (self.first..self.next).contains(&position)
    }

    /// Whether it would have been read for any number of readers.
    fn is_short(&self) -> bool {
        let last = self.chunks.back().map_or(0, |last| tail::cost(last));
        self.cost.bytes().saturating_sub(last) < LIMIT / MANY_READERS
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        Allocator::note_released(self.cost.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::chunk::{Header, Unit, cut};

    /// The only chunk of a stretch: one item of so many bytes.
    fn stretch(position: u64, bytes: usize) -> VecDeque<Arc<Chunk>> {
        let item = [vec![7u8; bytes]];
        let header = Header {
            epoch: 0,
            items: 1,
            time: 0,
            bytes_before: 0,
            unit: Unit::LAST,
        };
        let chunks = cut(&item).unwrap().into_iter();
        let chunks = chunks.map(|chunk| Arc::new(Chunk::written(position, header, chunk)));
        chunks.collect()
    }

    fn kept(ahead: &ReadAhead) -> Vec<u64> {
        let stretches = ahead.0.lock();
        let firsts = stretches.list.iter().map(|stretch| stretch.first);
        firsts.collect()
    }

    #[test]
    fn what_many_read_at_the_same_time_is_kept_once() {
        let ahead = ReadAhead::default();
        for _ in 0..8 {
            ahead.insert(stretch(5, 1 << 20), Round(0));
        }
        assert_eq!(kept(&ahead), [5]);
    }

    #[test]
    fn what_was_read_before_everything_was_forgotten_is_not_kept() {
        let ahead = ReadAhead::default();
        let (_, before) = ahead.share(5);
        ahead.clear();
        ahead.insert(stretch(5, 100), before);
        assert!(ahead.find(5).is_none());
        let (_, after) = ahead.share(5);
        ahead.insert(stretch(5, 100), after);
        assert!(ahead.find(5).is_some());
    }

    #[test]
    fn no_more_than_one_for_each_of_sixty_four_readers_is_kept() {
        let ahead = ReadAhead::default();
        (0..100).for_each(|position| ahead.insert(stretch(position, 100 << 10), Round(0)));
        assert_eq!(kept(&ahead), Vec::from_iter(36..100));
    }

    #[test]
    fn what_nobody_uses_is_forgotten_while_others_are_used() {
        let ahead = ReadAhead::default();
        (0..20).for_each(|position| ahead.insert(stretch(position, 1 << 20), Round(0)));
        assert!(ahead.release_unused());
        ahead.find(7).unwrap();
        assert!(ahead.release_unused());
        assert_eq!(kept(&ahead), [7]);
        assert!(!ahead.release_unused());
    }

    #[test]
    fn what_a_smaller_budget_has_no_room_for_is_forgotten() {
        let ahead = ReadAhead::default();
        (0..20).for_each(|position| ahead.insert(stretch(position, 1 << 20), Round(0)));
        memory::set_budget(memory::MINIMUM).unwrap();
        ahead.release_unused();
        memory::set_budget(memory::DEFAULT).unwrap();
        let left = kept(&ahead).len();
        assert!((1..=4).contains(&left), "{left}");
    }
}
