//! Finding the log again after the store had to reopen itself.
//!
//! What was in flight then may or may not be there. What is in the buffer is taken up again on top
//! of what is there, unless it was written: a batch that failed holds the buffer as a whole, and
//! nothing else can have moved the end of the log in the store.
//!
//! A disk that fails may also have lost what it had acknowledged, since the operating system drops
//! what it cannot write. Then positions come again, so a new epoch begins, and the next `flush`
//! or `close` tells.

use std::sync::Arc;

use super::Log;
use super::buffer::Buffer;
use super::cursor::Cursor;
use super::open::{Stored, write_meta};
use super::records::Meta;
use super::state::State;
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::primitives::atomic::Ordering;
use crate::store::Store;

impl<S: Store> Log<S> {
    /// Reads the state from the store again. Those who wait look again.
    pub(super) fn reload(&self) -> Result<()> {
        let stored = Stored::read(&self.store, self.retention)?;
        let Some(meta) = stored.meta.filter(|meta| meta.uuid == self.uuid) else {
            return Err(Error::corrupt(
                "The queue's files were replaced while it was open: close it and open it again",
            ));
        };
        let in_doubt = self.in_doubt.load(Ordering::Relaxed);
        let lost = self.state.lock().has_more_than(&stored, in_doubt);
        let new_epoch = lost.then(|| self.write_new_epoch(meta)).transpose()?;
        self.store.found(stored.end.position);
        self.read_ahead.clear();
        // All at once: who sees the new epoch must see nothing of the log as it was.
        let head = self.expiry.as_ref().map(|expiry| expiry.reset(stored.trim));
        let mut state = self.state.lock();
        if let Some(epoch) = new_epoch {
            state.begin_epoch(epoch);
        }
        let buffer = std::mem::take(&mut state.buffer);
        state.adopt(stored);
        state.restore(buffer);
        state.call_everybody();
        drop((state, head));
        if lost {
            let text = "the disk has lost items or places that it had acknowledged";
            Event::at(Level::Error).post(text);
        }
        Ok(())
    }

    fn write_new_epoch(&self, meta: Meta) -> Result<u32> {
        let (last, time) = {
            let state = self.state.lock();
            (state.epoch, state.time)
        };
        let epoch = last.saturating_add(1);
        let meta = Meta {
            open: true,
            epoch,
            time: self.time.now().max(time),
            ..meta
        };
        write_meta(&self.store, meta)?;
        Ok(epoch)
    }
}

impl State {
    fn begin_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.unclaimed.forget_all();
        self.lost = true;
    }

    /// Whether `stored` lacks something that is known to have been written. A label that is in
    /// the buffer loses nothing, and a batch `in_doubt` may have begun a label anew.
    fn has_more_than(&self, stored: &Stored, in_doubt: bool) -> bool {
        let is_behind = |(label, cursor): (&Arc<str>, &Cursor)| {
            !self.buffer.has_moved(label)
                && self
                    .cursor(label)
                    .is_some_and(|known| cursor.mark.position < known.mark.position)
        };
        stored.end.position < self.written_end().position
            || (!in_doubt && stored.cursors.iter().any(is_behind))
    }

    /// Takes over what the store holds.
    fn adopt(&mut self, stored: Stored) {
        self.tail.clear();
        self.end = stored.end;
        self.time = self.time.max(stored.time);
        self.trim = stored.trim;
        self.floor = stored.floor;
        self.live = stored.trim.max(stored.floor);
        self.skipped = 0;
        let gone: Vec<_> = self
            .labels
            .keys()
            .filter(|label| !stored.cursors.contains_key(*label))
            .cloned()
            .collect();
        gone.iter().for_each(|label| self.remove_label(label));
        for (label, cursor) in stored.cursors {
            self.set_cursor(&label, cursor);
        }
    }

    /// Takes up the operations of `buffer` again, unless the store has them.
    fn restore(&mut self, buffer: Buffer) {
        let Some(start) = buffer
            .start()
            .filter(|start| start.position >= self.end.position)
        else {
            return;
        };
        let mut buffer = match start == self.end {
            true => buffer,
            false => buffer.moved_back_to(self.end, self.epoch),
        };
        buffer.rebase(|label| self.cursor(label).cloned());
        for (label, cursor) in buffer.cursors() {
            match cursor {
                Some(cursor) => self.set_cursor(label, cursor.clone()),
                None => self.remove_label(label),
            }
        }
        for chunk in buffer.chunks() {
            self.tail.push(Arc::clone(chunk));
        }
        self.end = buffer.end();
        if let Some(floor) = buffer.floor() {
            self.drop_below(floor);
        }
        self.buffer = buffer;
    }
}

pub(super) fn lost() -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        "An error of the disk has lost items, or the taking of items, that the operating system \
         had acknowledged; what is in the queue now is durable",
    )
}
