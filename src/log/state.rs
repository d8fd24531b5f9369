//! What the log knows in memory: where it ends, who reads it, who waits.
//!
//! One lock guards it all. It is held for a few steps in memory, never across a read, a write or a
//! wait. `end`, `time` and the cursors change only in commit order: by the committer, or when the
//! store has reopened itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::Retention;
use super::bounds::{Amount, Bounds};
use super::buffer::Buffer;
use super::cursor::{Cursor, Mark};
use super::fill::{Fill, Watchers};
use super::stats::Counts;
use super::tail::Tail;
use super::unclaimed::Ledger;
use super::wait::{Line, Ring, Ticket};
use crate::primitives::Mutex;

/// The label of the one cursor of a first-in-first-out queue.
pub const ONLY_LABEL: &str = "";

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Where the next item goes.
    pub end: Mark,
    /// Push time of the last chunk.
    pub time: i64,
    /// Everything below is gone from the store, or may go at any moment.
    pub trim: Mark,
    /// Everything below was dropped to make room; only where items go by their age.
    pub floor: Mark,
    /// Everything below is known to have expired or was dropped.
    pub live: Mark,
    /// A call looks its label up several times, which must not take longer among many.
    pub labels: HashMap<Arc<str>, Label>,
    pub tail: Tail,
    /// What the store does not have yet.
    pub buffer: Buffer,
    /// Payload bytes above `trim` that were taken before they were ever written.
    pub skipped: u64,
    /// Grows when positions may come again.
    pub epoch: u32,
    /// Whether the disk lost something that was acknowledged, and nobody was told.
    pub lost: bool,
    /// Items that were taken and may be given back.
    pub unclaimed: Ledger,
    /// Producers waiting for room.
    pub producers: Line,
    /// Consumers waiting for an item, by their label; lines in which nobody stands may be missing.
    pub consumers: BTreeMap<Arc<str>, Line>,
    /// Those who wait for the log to be filled otherwise.
    pub watchers: Watchers,
    /// How many callers stand in the lines.
    pub waiting: usize,
    pub retention: Retention,
    pub bounds: Bounds,
    pub counts: Counts,
    pub closed: bool,
}

/// A consumer's place.
#[derive(Debug, Default)]
pub(crate) struct Label {
    pub cursor: Cursor,
    /// Held while items are taken, so that consumers of one label do not read the same items only
    /// to find that another was quicker.
    pub gate: Arc<Mutex<()>>,
}

/// One of the lines in which callers wait.
#[derive(Clone, Debug)]
pub(crate) enum LineOf {
    Producers,
    Label(Arc<str>),
    /// Not a line: those who wait for this are called all at once.
    Watchers(Fill),
}

impl State {
    pub(crate) fn cursor(&self, label: &str) -> Option<&Cursor> {
        self.labels.get(label).map(|label| &label.cursor)
    }

    /// Sets a cursor, making the label if it is new.
    pub(crate) fn set_cursor(&mut self, label: &Arc<str>, cursor: Cursor) {
        match self.labels.get_mut(label) {
            Some(label) => label.cursor = cursor,
            None => {
                let label_state = Label {
                    cursor,
                    ..Label::default()
                };
                self.labels.insert(Arc::clone(label), label_state);
            }
        }
    }

    /// Forgets a label; those who wait under it look again.
    pub(crate) fn remove_label(&mut self, label: &str) {
        self.unclaimed.forget_label(label);
        self.labels.remove(label);
        if let Some(mut line) = self.consumers.remove(label) {
            line.call_all();
        }
    }

    /// The lowest position that any label has still to read.
    pub(crate) fn lowest_cursor(&self) -> u64 {
        self.labels
            .values()
            .map(|label| label.cursor.first())
            .fold(self.end.position, u64::min)
    }

    /// Where the log of the store ends.
    pub(crate) fn written_end(&self) -> Mark {
        self.buffer.start().unwrap_or(self.end)
    }

    /// The lowest position that any label has still to read according to the store.
    pub(crate) fn lowest_written_cursor(&self) -> u64 {
        let unmoved = self
            .labels
            .iter()
            .filter(|(label, _)| !self.buffer.has_moved(label))
            .map(|(_, label)| &label.cursor);
        unmoved
            .chain(self.buffer.written_cursors())
            .map(Cursor::first)
            .fold(self.written_end().position, u64::min)
    }

    /// Items that no consumer of a first-in-first-out queue has taken, and their bytes.
    pub(crate) fn unread(&self) -> (u64, u64) {
        match self.cursor(ONLY_LABEL) {
            Some(cursor) => cursor.remaining(self.end),
            None => (0, 0),
        }
    }

    /// What counts as being in the queue, as far as is known: what expires is looked for elsewhere.
    pub(crate) fn present(&self) -> Amount {
        match self.retention {
            Retention::Unread => self.unread().into(),
            Retention::Young { .. } => self.end.since(self.live),
        }
    }

    /// How much more fits.
    pub(crate) fn room(&self) -> Amount {
        self.bounds.max.minus(self.present())
    }

    /// What was dropped to make room according to the store.
    pub(crate) fn written_floor(&self) -> Mark {
        self.buffer.written_floor().unwrap_or(self.floor)
    }

    /// Notes that everything below `unexpired` has expired, unless it was dropped before.
    pub(crate) fn expire_below(&mut self, unexpired: Mark) {
        let expired = unexpired.since(self.live).items;
        self.counts.expired = self.counts.expired.saturating_add(expired);
        self.live = self.live.max(unexpired);
    }

    /// Notes that everything below `floor` was dropped.
    pub(crate) fn drop_below(&mut self, floor: Mark) {
        self.floor = self.floor.max(floor);
        self.live = self.live.max(floor);
    }

    /// One of the lines; `None` for a label that is not there.
    fn line(&mut self, of: &LineOf) -> Option<&mut Line> {
        match of {
            LineOf::Producers => Some(&mut self.producers),
            LineOf::Label(label) if self.labels.contains_key(label) => {
                Some(self.consumers.entry(Arc::clone(label)).or_default())
            }
            LineOf::Label(_) | LineOf::Watchers(_) => None,
        }
    }

    /// A place for a caller who needs `need`, and who is `told` when it is called if it does not
    /// sleep until then. Under a label that is gone it is called at once.
    pub(crate) fn join(
        &mut self,
        line: &LineOf,
        need: Amount,
        told: Option<Arc<dyn Ring>>,
    ) -> Arc<Ticket> {
        if let LineOf::Watchers(fill) = line {
            return self.watchers.join(*fill, told);
        }
        match self.line(line) {
            Some(line) => line.join(need, told),
            None => Ticket::already_called(need, told),
        }
    }

    /// Back to its place, after a call in vain.
    pub(crate) fn rejoin(&mut self, line: &LineOf, ticket: &Arc<Ticket>) {
        if let LineOf::Watchers(fill) = line {
            self.watchers.rejoin(*fill, ticket);
        } else if let Some(line) = self.line(line) {
            line.rejoin(ticket);
        }
    }

    /// Leaves, served or not.
    pub(crate) fn leave(&mut self, line: &LineOf, ticket: &Arc<Ticket>) {
        if let LineOf::Watchers(_) = line {
            self.watchers.leave(ticket);
        } else if let Some(line) = self.line(line) {
            line.leave(ticket);
        }
    }

    /// Whether somebody waits who may go on when items expire.
    pub(crate) fn waits_for_expiry(&self) -> bool {
        !self.producers.is_empty() || !self.watchers.is_empty()
    }

    /// Calls those who can go on after a change.
    pub(crate) fn call_waiters(&mut self) {
        if self.waiting == 0 && self.consumers.is_empty() {
            return;
        }
        self.call_for_room();
        let mut consumers = std::mem::take(&mut self.consumers);
        consumers.retain(|label, line| {
            line.call(self.unread_by(label));
            !line.is_empty()
        });
        self.consumers = consumers;
    }

    /// Calls those who can go on after these labels were moved and nothing was added.
    pub(crate) fn call_after(&mut self, moved: &[Arc<str>]) {
        if self.waiting > 0 {
            self.call_for_room();
            moved.iter().for_each(|label| self.call_consumers(label));
        }
    }

    /// Calls those in one line who can go on: nothing has changed for the others.
    pub(crate) fn call_line(&mut self, of: &LineOf) {
        match of {
            LineOf::Label(label) => self.call_consumers(label),
            LineOf::Producers | LineOf::Watchers(_) => self.call_for_room(),
        }
    }

    fn call_for_room(&mut self) {
        let room = self.room();
        self.producers.call(room);
        self.watchers.call(self.present());
    }

    fn call_consumers(&mut self, label: &str) {
        if let Some((label, mut line)) = self.consumers.remove_entry(label) {
            line.call(self.unread_by(&label));
            if !line.is_empty() {
                self.consumers.insert(label, line);
            }
        }
    }

    /// Live items that a label has not read.
    fn unread_by(&self, label: &str) -> u64 {
        let Some(mut cursor) = self.cursor(label).cloned() else {
            return 0;
        };
        cursor.skip_to(self.live);
        cursor.remaining(self.end).0
    }

    /// Calls everybody, so that they see that the queue is closed or has changed.
    pub(crate) fn call_everybody(&mut self) {
        self.producers.call_all();
        self.watchers.call_all();
        self.consumers.values_mut().for_each(Line::call_all);
    }
}
