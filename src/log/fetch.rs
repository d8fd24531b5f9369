//! Finding items: in the tail, in the buffer, in what was read ahead, or in the store.
//!
//! A backlog is read ahead in stretches of up to some hundred kilobytes, which stay in memory until
//! they are used up: the shorter, the more readers there are at different places. Nothing in the store
//! is pinned between two reads, and a stretch costs one seek.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Log;
use super::chunk::{Chunk, Header};
use super::cursor::Mark;
use super::items::Items;
use super::state::State;
use super::tail;
use crate::error::{Error, ErrorKind, Result};
use crate::memory::{self, Allocator, Kept};
use crate::primitives::Mutex;
use crate::primitives::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::store::{Store, Visit};

/// Memory for the stretches of one log, unless a few of them are larger: a chunk is read as a whole.
const LIMIT: u64 = 1 << 20;
/// A stretch ends with the chunk that makes it a share of that, or uses up what may be kept. So many
/// share it at the least, and so many at the most: twice as many whenever a stretch had to go before
/// it was used up, one less whenever one was.
const FEW_READERS: u64 = 4;
const MANY_READERS: u64 = 64;
/// A stretch that nobody has used for about this long is forgotten.
const IDLE: Duration = Duration::from_secs(1);

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
    fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        let mut stretches = self.stretches.lock();
        let index = stretches
            .iter()
            .position(|stretch| stretch.find(position).is_some())?;
        let stretch = stretches.remove(index)?;
        let chunk = stretch.find(position);
        stretches.push_back(stretch);
        self.used.store(true, Ordering::Relaxed);
        chunk
    }

    /// The same, for a look that does not count as a use.
    fn glimpse(&self, position: u64) -> Option<Arc<Chunk>> {
        let stretches = self.stretches.lock();
        stretches.iter().find_map(|stretch| stretch.find(position))
    }

    /// How much is to be read ahead for one who comes to `position`.
    fn share(&self, position: u64) -> u64 {
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
    fn insert(&self, stretch: VecDeque<Arc<Chunk>>) {
        let mut stretches = self.stretches.lock();
        stretches.push_back(Stretch::new(stretch));
        while is_too_much(&stretches) {
            let used_up = stretches.iter().position(|stretch| stretch.is_used_up);
            if used_up.is_none() {
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

fn is_too_much(stretches: &VecDeque<Stretch>) -> bool {
    let cost = stretches.iter().map(|stretch| stretch.cost.bytes()).sum();
    let are_few = stretches.len() as u64 <= FEW_READERS;
    (cost > LIMIT && !are_few) || cost > memory::allowance(cost, u64::MAX)
}

/// Where items may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Anywhere,
    /// Without reading the store; `Busy` when that is not enough.
    Memory,
}

/// Where a chunk lies and how old it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkInfo {
    pub first: Mark,
    pub next: u64,
    pub time: i64,
}

impl ChunkInfo {
    pub(crate) fn holds(&self, position: u64) -> bool {
        (self.first.position..self.next).contains(&position)
    }

    fn new(first: u64, header: &Header) -> Self {
        Self {
            first: Mark {
                position: first,
                bytes: header.bytes_before,
            },
            next: first.saturating_add(header.items.into()),
            time: header.time,
        }
    }
}

impl<S: Store> Log<S> {
    /// Adds the items from position `from` up to `until` to `items`. Returns the place after the
    /// last one added.
    pub(crate) fn fetch(
        &self,
        from: Mark,
        until: u64,
        source: Source,
        items: &mut Items,
    ) -> Result<Mark> {
        let mut at = from;
        while at.position < until {
            let chunk = match self.chunk_at(at.position, source) {
                // What lies before the damage comes out first; the next call meets it.
                Err(error) if error.kind() == ErrorKind::Corrupt && at.position > from.position => {
                    break;
                }
                chunk => chunk?,
            };
            let after = Mark {
                position: chunk.next().min(until),
                bytes: chunk.bytes_before(chunk.next().min(until)),
            };
            items.push(chunk, at.position, after.position);
            at = after;
        }
        Ok(at)
    }

    /// The place of a position that the log holds: the payload bytes before it.
    pub(crate) fn mark_at(&self, position: u64) -> Result<Mark> {
        let chunk = self.chunk_at(position, Source::Anywhere)?;
        let bytes = chunk.bytes_before(position);
        Ok(Mark { position, bytes })
    }

    pub(super) fn chunk_at(&self, position: u64, source: Source) -> Result<Arc<Chunk>> {
        if let Some(chunk) = self.state.lock().find(position) {
            return Ok(chunk);
        }
        if let Some(chunk) = self.read_ahead.find(position) {
            return Ok(chunk);
        }
        if source == Source::Memory {
            return Err(Error::new(ErrorKind::Busy, "It would have to be read"));
        }
        let stretch = self.read_stretch(position)?;
        let chunk = tail::find(&stretch, position).ok_or_else(|| missing(position))?;
        self.read_ahead.insert(stretch);
        self.housekeeping.run_within(IDLE);
        self.housekeeping.check_allocator();
        Ok(chunk)
    }

    /// Reads the chunk that holds `position` and some that follow on it.
    fn read_stretch(&self, position: u64) -> Result<VecDeque<Arc<Chunk>>> {
        let (floor, end) = {
            let state = self.state.lock();
            (state.trim.position, state.end.position)
        };
        let mut stretch: VecDeque<Arc<Chunk>> = VecDeque::new();
        let (mut cost, most) = (0u64, self.read_ahead.share(position));
        let read = self
            .store
            .visit_chunks(floor, position, &mut |first, bytes| {
                let follows = stretch.back().is_none_or(|last| last.next() == first);
                if !follows || first >= end {
                    return Ok(Visit::Stop);
                }
                let chunk = Chunk::decode(first, bytes)?;
                cost = cost.saturating_add(tail::cost(&chunk));
                stretch.push_back(Arc::new(chunk));
                Ok(if cost < most {
                    Visit::Next
                } else {
                    Visit::Stop
                })
            });
        match read {
            // Damage that lies behind what was asked for.
            Err(error) if tail::find(&stretch, position).is_none() => {
                Err(unreadable(position, error))
            }
            _ => Ok(stretch),
        }
    }

    /// Where the chunk that holds `position` lies, without reading its items.
    pub(crate) fn chunk_info(&self, position: u64) -> Result<ChunkInfo> {
        let floor = {
            let state = self.state.lock();
            if let Some(chunk) = state.find(position) {
                return Ok(ChunkInfo::new(chunk.first, &chunk.header));
            }
            state.trim.position
        };
        if let Some(chunk) = self.read_ahead.glimpse(position) {
            return Ok(ChunkInfo::new(chunk.first, &chunk.header));
        }
        let mut found = None;
        self.store
            .visit_chunks(floor, position, &mut |first, bytes| {
                let (header, _) = Header::decode(bytes)?;
                found = Some(ChunkInfo::new(first, &header));
                Ok(Visit::Stop)
            })?;
        found
            .filter(|info| info.holds(position))
            .ok_or_else(|| missing(position))
    }
}

impl State {
    /// The chunk that holds `position`, if it is in memory.
    fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        self.tail
            .find(position)
            .or_else(|| self.buffer.find(position))
    }
}

fn unreadable(position: u64, error: Error) -> Error {
    if error.kind() != ErrorKind::Corrupt {
        return error;
    }
    let message = format!("The item at position {position} cannot be read: {error}");
    match error.path() {
        Some(path) => Error::corrupt(message).at(path),
        None => Error::corrupt(message),
    }
}

fn missing(position: u64) -> Error {
    Error::corrupt(format!(
        "The item at position {position} is missing from the queue's files; rocksq.verify says \
         what else is, and rocksq.repair saves the rest"
    ))
}
