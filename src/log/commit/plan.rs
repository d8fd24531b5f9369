//! Checking operations one after another, each against what those before it will have done.

use std::sync::Arc;

use super::{Operation, conflict, full};
use crate::error::{Error, ErrorKind, Result};
use crate::log::bounds::Amount;
use crate::log::buffer::{put_cursor, put_floor};
use crate::log::chunk::{self, Chunk, Header, NewChunk};
use crate::log::cursor::{Cursor, Mark};
use crate::log::state::{ONLY_LABEL, State};
use crate::log::stats::Counts;
use crate::log::tail::MAX_KEPT_PAYLOAD;
use crate::log::unclaimed::Unclaimed;
use crate::log::{Few, Retention};
use crate::options::OnFull;
use crate::store::Batch;

/// What a group is about to do, one operation after another.
pub(super) struct Plan<'a> {
    pub end: Mark,
    pub time: i64,
    epoch: u32,
    retention: Retention,
    /// What will be in the queue.
    present: Amount,
    /// Where that begins, where items go by their age.
    live: Mark,
    /// Everything below is dropped, if anything is.
    pub floor: Option<Mark>,
    pub counts: Counts,
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
    /// Position after its last item.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.chunk.items.into())
    }

    /// Where the push ends that it is part of.
    pub(super) fn end_of_push(&self) -> Mark {
        self.header.end_of_push(Mark {
            position: self.next(),
            bytes: self.header.bytes_before.saturating_add(self.chunk.payload),
        })
    }

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
            retention: state.retention,
            present: state.present(),
            live: state.live,
            floor: None,
            counts: Counts::default(),
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
                items,
                unclaimed,
            } => {
                self.check_epoch(epoch)?;
                self.move_cursor(label, before.as_ref(), after, state)?;
                self.counts.popped = self.counts.popped.saturating_add(items);
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
        let amount = chunk::amount(&chunks);
        self.check_positions(amount)?;
        let others_wait = !called && !state.producers.is_empty();
        if others_wait || !amount.fits(state.bounds.max.minus(self.present)) {
            return Err(full());
        }
        for chunk in chunks {
            self.place(chunk);
        }
        self.present = self.present.plus(amount);
        self.counts.pushed = self.counts.pushed.saturating_add(amount.items);
        Ok(())
    }

    /// Whether items can be added, if there is room for them.
    fn check_positions(&self, amount: Amount) -> Result<()> {
        if let Some(error) = &self.overflow {
            return Err(error.clone());
        }
        if self.end.position.checked_add(amount.items).is_none()
            || self.end.bytes.checked_add(amount.bytes).is_none()
        {
            return Err(Error::new(
                ErrorKind::Full,
                "The queue has used up its positions: no more items can be added to it",
            ));
        }
        Ok(())
    }

    /// What has to be dropped before `operation` fits, if the queue drops for it.
    pub(super) fn excess(&self, operation: &Operation<'_>, state: &State) -> Option<Amount> {
        if state.bounds.on_full != OnFull::DropOldest || state.closed || self.closes {
            return None;
        }
        let Operation::Append { chunks, .. } = operation else {
            return None;
        };
        let amount = chunk::amount(chunks);
        if self.check_positions(amount).is_err() {
            return None;
        }
        let excess = self.present.plus(amount).minus(state.bounds.max);
        (!excess.is_nothing()).then_some(excess)
    }

    /// A cursor at the beginning of what will be in the queue.
    pub(super) fn oldest(&self, state: &State) -> Cursor {
        match (self.retention, self.cursor(ONLY_LABEL, state)) {
            (Retention::Unread, Some(cursor)) => cursor.clone(),
            _ => Cursor::at(self.live),
        }
    }

    /// Drops what is before `cursor`.
    pub(super) fn begin_at(&mut self, cursor: Cursor) {
        let before = self.present;
        match self.retention {
            Retention::Unread => self.set_cursor(ONLY_LABEL.into(), cursor),
            Retention::Young { .. } => {
                self.live = cursor.mark;
                self.floor = Some(cursor.mark);
                self.present = self.end.since(self.live);
            }
        }
        let dropped = before.minus(self.present).items;
        self.counts.dropped = self.counts.dropped.saturating_add(dropped);
    }

    /// Looks again at what has expired.
    pub(super) fn forget_expired(&mut self, state: &State) {
        if self.retention != Retention::Unread {
            self.live = self.live.max(state.live);
            self.present = self.end.since(self.live);
        }
    }

    /// The chunk that is about to be added and holds `position`.
    pub(super) fn find(&self, position: u64) -> Option<&Planned<'a>> {
        let index = self
            .chunks
            .partition_point(|planned| planned.next() <= position);
        self.chunks
            .get(index)
            .filter(|planned| planned.first <= position)
    }

    fn place(&mut self, mut chunk: NewChunk<'a>) {
        let header = Header {
            epoch: self.epoch,
            items: chunk.items,
            time: self.time,
            bytes_before: self.end.bytes,
            unit: chunk.unit,
        };
        chunk.begin_with(&header);
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
                let returned = self.counts.returned.saturating_add(unclaimed.items());
                self.counts.returned = returned;
                self.set_cursor(Arc::clone(label), cursor);
            }
        }
        self.returned.extend(returned);
    }

    fn set_cursor(&mut self, label: Arc<str>, cursor: Cursor) {
        if self.retention == Retention::Unread {
            self.present = cursor.remaining(self.end).into();
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
            batch.put_chunk(planned.first, &planned.chunk.parts())?;
        }
        for (label, cursor) in &self.cursors {
            put_cursor(batch, label, cursor.as_ref())?;
        }
        if let Some(floor) = self.floor {
            put_floor(batch, floor);
        }
        Ok(())
    }
}
