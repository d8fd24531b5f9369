//! Finding items: in the tail, in the buffer, in what was read ahead, or in the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::ahead::Round;
use super::chunk::{Chunk, Header, MAX_CHUNK_ITEMS};
use super::cursor::Mark;
use super::items::Items;
use super::state::State;
use super::{Log, tail};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Store, Visit};

/// A stretch that nobody has used for about this long is forgotten.
const IDLE: Duration = Duration::from_secs(1);

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
    pub next: Mark,
    pub time: i64,
}

impl ChunkInfo {
    pub(crate) fn holds(&self, position: u64) -> bool {
        (self.first.position..self.next.position).contains(&position)
    }

    fn of(chunk: &Chunk) -> Self {
        Self {
            first: chunk.start(),
            next: chunk.end(),
            time: chunk.header.time,
        }
    }

    /// Of a chunk as it is stored, by its header.
    fn decode(position: u64, bytes: &[u8]) -> Result<Self> {
        let (header, body) = Header::decode(bytes)?;
        Ok(Self {
            first: header.start(position),
            next: header.end(position, body.len()),
            time: header.time,
        })
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
        let mut ahead = VecDeque::new();
        while at.position < until {
            let chunk = match ahead.pop_front() {
                Some(chunk) => Ok(chunk),
                None => self.chunk_at(at.position, source),
            };
            let chunk = match chunk {
                // What lies before the damage comes out first; the next call meets it.
                Err(error) if error.kind() == ErrorKind::Corrupt && at.position > from.position => {
                    break;
                }
                chunk => chunk?,
            };
            if ahead.is_empty() && chunk.next() < until {
                ahead = self.run(chunk.next(), until);
            }
            let after = Mark {
                position: chunk.next().min(until),
                bytes: chunk.bytes_before(chunk.next().min(until)),
            };
            items.push(chunk, at.position, after.position);
            at = after;
        }
        Ok(at)
    }

    /// The chunks from `position` on and before `until`, as far as they are in memory one behind another:
    /// so that a look at many takes a lock once.
    fn run(&self, position: u64, until: u64) -> VecDeque<Arc<Chunk>> {
        let run = self.state.lock().tail.run(position, until);
        match run.is_empty() {
            true => self.read_ahead.run(position, until),
            false => run,
        }
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
        let (stretch, round) = self.read_stretch(position)?;
        let chunk = tail::find(&stretch, position).ok_or_else(|| missing(position))?;
        self.read_ahead.insert(stretch, round);
        self.housekeeping.run_within(IDLE);
        self.housekeeping.check_allocator();
        Ok(chunk)
    }

    /// Reads the chunk that holds `position` and some that follow on it.
    fn read_stretch(&self, position: u64) -> Result<(VecDeque<Arc<Chunk>>, Round)> {
        let (floor, taken, end) = {
            let state = self.state.lock();
            let floor = state.trim.position;
            let taken = self.retention.oldest(&state, floor);
            (floor, taken, state.end.position)
        };
        let (share, round) = self.read_ahead.share(position);
        // What was taken makes room first: where chunks are large the same memory serves again.
        self.read_ahead.release(taken);
        let mut stretch: VecDeque<Arc<Chunk>> = VecDeque::new();
        let mut cost = 0u64;
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
                Ok(if cost < share {
                    Visit::Next
                } else {
                    Visit::Stop
                })
            });
        match read {
            Err(error) if tail::find(&stretch, position).is_none() => {
                let found = self.despite(&error, floor, position);
                let found = found.ok_or_else(|| unreadable(position, error))?;
                Ok(([found].into(), round))
            }
            // Damage lies behind what was asked for.
            _ => Ok((stretch, round)),
        }
    }

    /// The chunk that holds `position`, if the damage that `error` tells of is not there but behind it,
    /// where the store may look first. Looked for from further and further ahead.
    fn despite(&self, error: &Error, floor: u64, position: u64) -> Option<Arc<Chunk>> {
        if error.kind() != ErrorKind::Corrupt {
            return None;
        }
        let steps = std::iter::successors(Some(1), |step| Some(step * 2));
        let steps = steps.take_while(|step| *step <= MAX_CHUNK_ITEMS as u64);
        let starts = steps.map_while(|step| position.checked_sub(step));
        for from in starts.take_while(|from| *from >= floor) {
            let mut found = None;
            let visit = &mut |first, bytes: &[u8]| {
                if first > position {
                    return Ok(Visit::Stop);
                }
                let chunk = Chunk::decode(first, bytes)?;
                if chunk.next() <= position {
                    return Ok(Visit::Next);
                }
                found = Some(Arc::new(chunk));
                Ok(Visit::Stop)
            };
            // Damage again: it may be found from further ahead.
            let _ = self.store.visit_chunks(floor, from, visit);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Where the chunk that holds `position` lies, without reading its items.
    pub(crate) fn chunk_info(&self, position: u64) -> Result<ChunkInfo> {
        let floor = {
            let state = self.state.lock();
            if let Some(chunk) = state.find(position) {
                return Ok(ChunkInfo::of(&chunk));
            }
            state.trim.position
        };
        if let Some(chunk) = self.read_ahead.glimpse(position) {
            return Ok(ChunkInfo::of(&chunk));
        }
        let mut found = None;
        let read = self
            .store
            .visit_chunks(floor, position, &mut |first, bytes| {
                found = Some(ChunkInfo::decode(first, bytes)?);
                Ok(Visit::Stop)
            });
        if let Err(error) = read {
            let chunk = self.despite(&error, floor, position);
            let chunk = chunk.ok_or_else(|| unreadable(position, error))?;
            return Ok(ChunkInfo::of(&chunk));
        }
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
