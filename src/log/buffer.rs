//! The buffer: what was done at level Buffered and is not in the store yet.
//!
//! It is in the state, visible to everybody, and follows on what the store has: chunks at the
//! positions that they will have there, and the cursors that were moved. It is written as one
//! batch, alone or before what comes behind it, so that the store always has the history up to
//! some moment. It changes in commit order only.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use super::chunk::Chunk;
use super::cursor::{Cursor, Mark, Run};
use super::records::{Trim, floor_key, label_key, trim_key};
use super::tail::{self, MAX_KEPT_PAYLOAD};
use crate::error::{Error, Result};
use crate::memory;
use crate::store::{Batch, Records};

/// The buffer is written before it would grow beyond this, or beyond its share of the memory.
pub(crate) const LIMIT: u64 = 1 << 20;
/// An operation that costs more is written at once: gathering it would save nothing.
pub(crate) const MAX_BUFFERED: u64 = MAX_KEPT_PAYLOAD;
/// What a moved cursor costs beside its label.
const CURSOR_OVERHEAD: u64 = 128;

#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer {
    /// Where the log of the store ends.
    start: Mark,
    /// Where the log ends with the buffer.
    end: Mark,
    chunks: VecDeque<Arc<Chunk>>,
    moved: HashMap<Arc<str>, Moved>,
    /// What was dropped to make room, if anything was: according to the store, and now.
    floor: Option<(Mark, Mark)>,
    cost: u64,
    /// When the first operation came, in log time.
    since: Option<i64>,
    /// Whether chunks were left out because all readers were done with them.
    skipped: bool,
    /// Whether there was no room on the disk when it was last to be written.
    refused: bool,
}

/// A label whose cursor differs from the one in the store; `None` for a label that is not there.
#[derive(Clone, Debug)]
struct Moved {
    written: Option<Cursor>,
    now: Option<Cursor>,
}

impl Buffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// Memory that it takes.
    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }

    /// Whether it may grow by `cost`.
    pub(crate) fn has_room_for(&self, cost: u64) -> bool {
        let fits = self.cost.saturating_add(cost) <= memory::allowance(self.cost, LIMIT);
        fits && !(self.refused && cost > 0 && self.gives_room())
    }

    /// Whether something was taken that the store has. On a full disk that must not wait for room for
    /// what would be added behind it.
    fn gives_room(&self) -> bool {
        let taken_from = |moved: &Moved| moved.written.as_ref().map_or(0, Cursor::first);
        let mut places = self.moved.values().map(taken_from);
        places.any(|place| place < self.start.position)
    }

    /// Notes that there is no room for it on the disk, if anything is in it.
    pub(super) fn refuse(&mut self) {
        self.refused = !self.is_empty();
    }

    /// When its oldest operation came, in log time.
    pub(crate) fn since(&self) -> Option<i64> {
        self.since
    }

    /// Where the log of the store ends, if the buffer differs from it.
    pub(crate) fn start(&self) -> Option<Mark> {
        self.since.map(|_| self.start)
    }

    /// Begins at `end`, at the time `now`, unless it has begun.
    pub(super) fn begin(&mut self, end: Mark, now: i64) {
        if self.since.is_none() {
            self.since = Some(now);
            self.start = end;
            self.end = end;
        }
    }

    pub(super) fn push(&mut self, chunk: Arc<Chunk>) {
        self.cost = self.cost.saturating_add(tail::cost(&chunk));
        self.end = Mark {
            position: chunk.next(),
            bytes: chunk.bytes_before(chunk.next()),
        };
        self.chunks.push_back(chunk);
    }

    /// Notes that the cursor of `label` is `now`; `before` is what it was.
    pub(super) fn move_cursor(
        &mut self,
        label: &Arc<str>,
        before: Option<&Cursor>,
        now: Option<Cursor>,
    ) {
        match self.moved.get_mut(label) {
            Some(moved) => moved.now = now,
            None => {
                self.cost = self.cost.saturating_add(cursor_cost(label));
                let moved = Moved {
                    written: before.cloned(),
                    now,
                };
                self.moved.insert(Arc::clone(label), moved);
            }
        }
    }

    /// Notes that everything below `now` was dropped to make room, and that it was `before`.
    pub(super) fn drop_below(&mut self, before: Mark, now: Mark) {
        let written = self.floor.map_or(before, |(written, _)| written);
        self.floor = Some((written, now));
    }

    /// What was dropped to make room, if the buffer changes that.
    pub(super) fn floor(&self) -> Option<Mark> {
        self.floor.map(|(_, now)| now)
    }

    /// The same according to the store.
    pub(super) fn written_floor(&self) -> Option<Mark> {
        self.floor.map(|(written, _)| written)
    }

    /// Leaves out the chunks below `floor`, which nobody will read: they are never written.
    /// Returns their payload bytes.
    pub(super) fn skip_to(&mut self, floor: u64) -> u64 {
        let mut bytes = 0u64;
        while self
            .chunks
            .front()
            .is_some_and(|chunk| chunk.next() <= floor)
            && let Some(chunk) = self.chunks.pop_front()
        {
            self.cost = self.cost.saturating_sub(tail::cost(&chunk));
            bytes = bytes.saturating_add(chunk.payload());
            self.skipped = true;
        }
        bytes
    }

    /// The chunk that holds `position`, if it is in the buffer.
    pub(crate) fn find(&self, position: u64) -> Option<Arc<Chunk>> {
        tail::find(&self.chunks, position)
    }

    /// What a write has to put into its batch first. The trim mark tells why there are no chunks
    /// where some were left out.
    pub(super) fn fill(&self, batch: &mut impl Batch) -> Result<()> {
        for chunk in &self.chunks {
            batch.put_chunk(chunk.first, &[chunk.bytes()])?;
        }
        for (label, moved) in &self.moved {
            put_cursor(batch, label, moved.now.as_ref())?;
        }
        if let Some(floor) = self.floor() {
            put_floor(batch, floor);
        }
        if self.skipped {
            let mark = self.chunks.front().map_or(self.end, |first| first.start());
            batch.put(Records::System, &trim_key(), &Trim { mark }.encode());
        }
        Ok(())
    }

    pub(crate) fn has_moved(&self, label: &str) -> bool {
        self.moved.contains_key(label)
    }

    /// The same operations on a store whose log ends at `end`, before `start`: what lay between
    /// was lost by the disk.
    pub(super) fn moved_back_to(self, end: Mark, epoch: u32) -> Self {
        let shift = Shift {
            from: self.start,
            to: end,
        };
        let chunk = |chunk: Arc<Chunk>| Arc::new(chunk.moved_to(shift.mark(chunk.start()), epoch));
        let moved = |(label, moved): (_, Moved)| {
            let now = moved.now.map(|now| shift.cursor(now));
            (label, Moved { now, ..moved })
        };
        Self {
            start: end,
            end: shift.mark(self.end),
            floor: self.floor.map(|(written, now)| (written, shift.mark(now))),
            chunks: self.chunks.into_iter().map(chunk).collect(),
            moved: self.moved.into_iter().map(moved).collect(),
            ..self
        }
    }

    /// Notes which cursors the store has now. One that has moved on there stays where it is: a
    /// batch with an unknown outcome has moved it, and that batch held the buffer.
    pub(super) fn rebase(&mut self, stored: impl Fn(&str) -> Option<Cursor>) {
        self.moved.retain(|label, moved| {
            let before = std::mem::replace(&mut moved.written, stored(label));
            let has_moved_on = match (&moved.written, &moved.now) {
                (Some(written), Some(now)) => written.mark.position > now.mark.position,
                _ => false,
            };
            before == moved.written || !has_moved_on
        });
    }

    pub(super) fn chunks(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.chunks.iter()
    }

    /// The cursors that were moved; `None` for labels that were removed.
    pub(super) fn cursors(&self) -> impl Iterator<Item = (&Arc<str>, Option<&Cursor>)> {
        self.moved
            .iter()
            .map(|(label, moved)| (label, moved.now.as_ref()))
    }

    pub(super) fn end(&self) -> Mark {
        self.end
    }

    /// The error for a buffer that is given up because of `error`.
    pub(super) fn lost_with(&self, error: &Error) -> Error {
        let items: u64 = self
            .chunks
            .iter()
            .map(|chunk| u64::from(chunk.header.items))
            .sum();
        let message = format!(
            "The queue was closed, but what was buffered could not be written and is lost ({items} \
             items and the places of {} readers): {error}",
            self.moved.len()
        );
        Error::new(error.kind(), message)
    }

    /// The cursors in the store that were moved since.
    pub(crate) fn written_cursors(&self) -> impl Iterator<Item = &Cursor> {
        self.moved
            .values()
            .filter_map(|moved| moved.written.as_ref())
    }
}

/// What became of the places of a log that lost the items from `to` up to `from`.
struct Shift {
    from: Mark,
    to: Mark,
}

impl Shift {
    fn mark(&self, mark: Mark) -> Mark {
        if mark.position <= self.to.position {
            return mark;
        }
        Mark {
            position: mark
                .position
                .saturating_sub(self.from.position)
                .saturating_add(self.to.position),
            bytes: mark
                .bytes
                .saturating_sub(self.from.bytes)
                .saturating_add(self.to.bytes),
        }
    }

    fn cursor(&self, cursor: Cursor) -> Cursor {
        let run = |run: Run| Run {
            first: self.mark(run.first),
            next: self.mark(run.next),
        };
        let owed = cursor.owed.iter().copied().map(run);
        Cursor {
            mark: self.mark(cursor.mark),
            owed: owed.filter(|run| run.items() > 0).collect(),
        }
    }
}

/// Puts into a batch that everything below `floor` was dropped to make room.
pub(super) fn put_floor(batch: &mut impl Batch, floor: Mark) {
    let record = Trim { mark: floor }.encode();
    batch.put(Records::System, &floor_key(), &record);
}

/// Puts a cursor into a batch, or takes it out when there is none.
pub(super) fn put_cursor(
    batch: &mut impl Batch,
    label: &str,
    cursor: Option<&Cursor>,
) -> Result<()> {
    let key = label_key(label);
    match cursor {
        Some(cursor) => batch.put(Records::Reader, &key, &cursor.encode()?),
        None => batch.delete(Records::Reader, &key),
    }
    Ok(())
}

pub(crate) fn cursor_cost(label: &str) -> u64 {
    (label.len() as u64).saturating_add(CURSOR_OVERHEAD)
}
