//! Checking operations one after another, each against what those before it will have done.

use std::sync::Arc;

use super::{Operation, conflict, full};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Few;
use crate::log::buffer::put_cursor;
use crate::log::chunk::{Chunk, Header, NewChunk};
use crate::log::cursor::{Cursor, Mark};
use crate::log::state::{ONLY_LABEL, State};
use crate::log::tail::MAX_KEPT_PAYLOAD;
use crate::log::unclaimed::Unclaimed;
use crate::store::Batch;

/// What a group is about to do, one operation after another.
pub(super) struct Plan<'a> {
    pub end: Mark,
    pub time: i64,
    epoch: u32,
    unread: u64,
    pub flushes: bool,
    pub closes: bool,
    /// Why no items can be added to the buffer.
    pub overflow: Option<Error>,
    pub chunks: Few<Planned<'a>>,
    /// Cursors as they will be; `None` for a label that will be gone.
    pub cursors: Few<(Arc<str>, Option<Cursor>)>,
    /// What is taken and may be given back.
    pub unclaimed: Vec<Arc<Unclaimed>>,
    /// What is given back.
    pub returned: Vec<Arc<Unclaimed>>,
}

/// A chunk that has its place in the log.
pub(super) struct Planned<'a> {
    first: u64,
    header: Header,
    chunk: NewChunk<'a>,
}

impl Planned<'_> {
    /// The chunk for the tail, unless it is too large to be kept.
    pub(super) fn into_kept(self) -> Option<Arc<Chunk>> {
        (self.chunk.payload <= MAX_KEPT_PAYLOAD)
            .then(|| Arc::new(Chunk::written(self.first, self.header, self.chunk)))
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(state: &State, now: i64) -> Self {
        Self {
            end: state.end,
            time: state.time.max(now),
            epoch: state.epoch,
            unread: state.unread().0,
            flushes: false,
            closes: false,
            overflow: None,
            chunks: Few::new(),
            cursors: Few::new(),
            unclaimed: Vec::new(),
            returned: Vec::new(),
        }
    }

    /// Takes up one operation, or says why it cannot be done.
    pub(super) fn admit(&mut self, operation: Operation<'a>, state: &State) -> Result<()> {
        if state.closed || self.closes {
            return Err(Error::closed());
        }
        match operation {
            Operation::Append { chunks, called } => self.append(chunks, called, state),
            Operation::Move {
                label,
                epoch,
                before,
                after,
                unclaimed,
            } => {
                self.check_epoch(epoch)?;
                self.move_cursor(label, before.as_ref(), after, state)?;
                self.unclaimed.extend(unclaimed);
                Ok(())
            }
            Operation::GiveBack { returned } => {
                self.give_back(returned, state);
                Ok(())
            }
            Operation::Remove { label } => {
                if self.cursor(&label, state).is_none() {
                    return Err(conflict());
                }
                self.cursors.push((label, None));
                Ok(())
            }
            Operation::Flush => {
                self.flushes = true;
                Ok(())
            }
            Operation::Close => {
                self.flushes = true;
                self.closes = true;
                Ok(())
            }
        }
    }

    fn append(&mut self, chunks: Few<NewChunk<'a>>, called: bool, state: &State) -> Result<()> {
        let items: u64 = chunks.iter().map(|chunk| u64::from(chunk.items)).sum();
        if let Some(error) = &self.overflow {
            return Err(error.clone());
        }
        self.check_room(items, called, state)?;
        let payload: u64 = chunks.iter().map(|chunk| chunk.payload).sum();
        if self.end.position.checked_add(items).is_none()
            || self.end.bytes.checked_add(payload).is_none()
        {
            return Err(Error::new(
                ErrorKind::Full,
                "The queue has used up its positions: no more items can be added to it",
            ));
        }
        for chunk in chunks {
            self.place(chunk);
        }
        self.unread = self.unread.saturating_add(items);
        Ok(())
    }

    fn check_room(&self, items: u64, called: bool, state: &State) -> Result<()> {
        let Some(capacity) = state.capacity else {
            return Ok(());
        };
        let others_wait = !called && !state.producers.is_empty();
        if others_wait || items > capacity.saturating_sub(self.unread) {
            return Err(full());
        }
        Ok(())
    }

    fn place(&mut self, chunk: NewChunk<'a>) {
        let header = Header {
            epoch: self.epoch,
            items: chunk.items,
            time: self.time,
            bytes_before: self.end.bytes,
        };
        let first = self.end.position;
        self.end = Mark {
            position: first.saturating_add(chunk.items.into()),
            bytes: self.end.bytes.saturating_add(chunk.payload),
        };
        self.chunks.push(Planned {
            first,
            header,
            chunk,
        });
    }

    /// A batch of another epoch speaks of positions that may have come again.
    fn check_epoch(&self, epoch: u32) -> Result<()> {
        match epoch == self.epoch {
            true => Ok(()),
            false => Err(conflict()),
        }
    }

    fn move_cursor(
        &mut self,
        label: Arc<str>,
        before: Option<&Cursor>,
        after: Cursor,
        state: &State,
    ) -> Result<()> {
        if self.cursor(&label, state) != before {
            return Err(conflict());
        }
        self.set_cursor(label, after);
        Ok(())
    }

    /// Has the cursors owe again what was taken. A label that is gone misses nothing, and what was
    /// taken in an earlier epoch is no longer there.
    fn give_back(&mut self, returned: Vec<Arc<Unclaimed>>, state: &State) {
        let epoch = self.epoch;
        for unclaimed in returned.iter().filter(|items| items.epoch() == epoch) {
            let label = unclaimed.label();
            if let Some(mut cursor) = self.cursor(label, state).cloned() {
                cursor.give_back(unclaimed.runs());
                self.set_cursor(Arc::clone(label), cursor);
            }
        }
        self.returned.extend(returned);
    }

    fn set_cursor(&mut self, label: Arc<str>, cursor: Cursor) {
        if &*label == ONLY_LABEL {
            self.unread = cursor.remaining(self.end).0;
        }
        match self.cursors.last_mut() {
            Some((last, planned)) if *last == label => *planned = Some(cursor),
            _ => self.cursors.push((label, Some(cursor))),
        }
    }

    /// The cursor of a label after the operations so far.
    fn cursor<'s>(&'s self, label: &str, state: &'s State) -> Option<&'s Cursor> {
        match self.cursors.iter().rev().find(|(name, _)| &**name == label) {
            Some((_, cursor)) => cursor.as_ref(),
            None => state.cursor(label),
        }
    }

    /// Whether it changes anything.
    pub(super) fn has_changes(&self) -> bool {
        !self.chunks.is_empty() || !self.cursors.is_empty()
    }

    /// Puts the plan into a batch.
    pub(super) fn fill(&self, batch: &mut impl Batch) -> Result<()> {
        for planned in &self.chunks {
            let header = planned.header.encode();
            batch.put_chunk(planned.first, &planned.chunk.parts(&header))?;
        }
        for (label, cursor) in &self.cursors {
            put_cursor(batch, label, cursor.as_ref())?;
        }
        Ok(())
    }
}
