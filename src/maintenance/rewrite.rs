//! Writing what is intact of a queue into a new one.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::walk::{Keeper, Plan};
use crate::error::Result;
use crate::log::bounds::Amount;
use crate::log::chunk::Chunk;
use crate::log::cursor::{Cursor, Mark, Owed, Run};
use crate::log::records::{Meta, Trim, floor_key, label_key, meta_key, trim_key};
use crate::store::rocks::RocksStore;
use crate::store::{Batch, Records, Store, Visit};

/// A new queue in the making. Chunks come in their old order and get new positions.
pub(super) struct Rewrite<'s> {
    store: &'s RocksStore,
    epoch: u32,
    /// Where its items begin, as in the old queue.
    start: Mark,
    /// Where the next chunk goes.
    end: Mark,
    time: i64,
    /// The places that cursors speak of, by their old positions; `None` while no chunk has come
    /// that tells the new one.
    places: BTreeMap<u64, Option<Mark>>,
    /// Where chunks that had been left out of the log went.
    brought_back: Vec<Run>,
    /// The push that the last chunk is part of, if others of it should follow.
    open: Option<OpenPush>,
}

/// A push of which some chunks were written.
struct OpenPush {
    /// Their new positions.
    written: Vec<u64>,
    epoch: u32,
    /// Where the next one was in the old queue.
    next: u64,
    /// What the others hold together.
    rest: Amount,
}

impl OpenPush {
    fn goes_on_with(&self, chunk: &Chunk) -> bool {
        let held = chunk.end().since(chunk.start());
        let rest = held.plus(chunk.header.unit.rest());
        (self.epoch, self.next, self.rest) == (chunk.header.epoch, chunk.first, rest)
    }
}

impl<'s> Rewrite<'s> {
    pub(super) fn new(store: &'s RocksStore, plan: &Plan) -> Self {
        let floor = plan.floor.map(|floor| floor.position);
        let positions = plan.cursors.values().flat_map(|cursor| {
            let owed = cursor.owed.iter();
            owed.flat_map(|run| [run.first.position, run.next.position])
                .chain([cursor.mark.position])
        });
        Self {
            store,
            epoch: plan.epoch().saturating_add(1),
            start: plan.start,
            end: plan.start,
            time: plan.meta.map_or(i64::MIN, |meta| meta.time),
            places: positions
                .chain(floor)
                .map(|position| (position, None))
                .collect(),
            brought_back: Vec::new(),
            open: None,
        }
    }

    /// Writes what is not items: labels, the trim mark, the floor, and what the queue says of itself.
    pub(super) fn finish(mut self, plan: &Plan) -> Result<()> {
        self.settle(u64::MAX, |_, end| end);
        self.cut_off_push()?;
        let mut batch = self.store.batch(0);
        for (label, cursor) in &plan.cursors {
            let moved = self.move_cursor(cursor).encode()?;
            batch.put(Records::Reader, &label_key(label), &moved);
        }
        let trim = Trim { mark: plan.start };
        batch.put(Records::System, &trim_key(), &trim.encode());
        if let Some(floor) = plan.floor {
            let mark = self.place(floor);
            batch.put(Records::System, &floor_key(), &Trim { mark }.encode());
        }
        let meta = Meta {
            open: false,
            epoch: self.epoch,
            uuid: plan.meta.map_or_else(Uuid::new_v4, |meta| meta.uuid),
            time: self.time,
        };
        batch.put(Records::System, &meta_key(), &meta.encode());
        self.store.write(batch)
    }

    /// Gives a new place to every old one up to `position`.
    fn settle(&mut self, position: u64, place: impl Fn(u64, Mark) -> Mark) {
        let end = self.end;
        for (old, new) in self.places.range_mut(..=position) {
            new.get_or_insert_with(|| place(*old, end));
        }
    }

    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        if !matches!(&self.open, Some(open) if open.goes_on_with(chunk)) {
            self.cut_off_push()?;
        }
        let moved = chunk.moved_to(self.end, self.epoch);
        let mut batch = self.store.batch(moved.bytes().len());
        batch.put_chunk(moved.first, &[moved.bytes()])?;
        self.store.write(batch)?;
        self.time = self.time.max(moved.header.time);
        self.end = Mark {
            position: moved.next(),
            bytes: self.end.bytes.saturating_add(chunk.payload()),
        };
        self.follow_push(chunk, moved.first);
        Ok(())
    }

    /// Notes what should follow on a chunk that was written.
    fn follow_push(&mut self, chunk: &Chunk, position: u64) {
        let rest = chunk.header.unit.rest();
        let mut written = self.open.take().map_or_else(Vec::new, |open| open.written);
        written.push(position);
        self.open = (rest.items > 0).then(|| OpenPush {
            written,
            epoch: chunk.header.epoch,
            next: chunk.next(),
            rest,
        });
    }

    /// What follows is of another push: has the chunks of the one before, if any of it are missing,
    /// say that it ends here.
    fn cut_off_push(&mut self) -> Result<()> {
        for position in self.open.take().map_or_else(Vec::new, |open| open.written) {
            let mut shorter = None;
            let visit = &mut |first, bytes: &[u8]| {
                shorter = Some(Chunk::decode(first, bytes)?.of_push_up_to(self.end));
                Ok(Visit::Stop)
            };
            self.store.visit_chunks(position, position, visit)?;
            if let Some(chunk) = shorter {
                let mut batch = self.store.batch(chunk.bytes().len());
                batch.put_chunk(chunk.first, &[chunk.bytes()])?;
                self.store.write(batch)?;
            }
        }
        Ok(())
    }

    /// The cursor in the new queue. What was brought back below it is owed to it.
    fn move_cursor(&self, cursor: &Cursor) -> Cursor {
        let mark = self.place(cursor.mark);
        let owed = cursor.owed.iter().map(|run| Run {
            first: self.place(run.first),
            next: self.place(run.next),
        });
        let back = self.brought_back.iter().copied();
        let below = back.filter(|run| run.next.position <= mark.position);
        let mut runs: Vec<Run> = owed.chain(below).filter(|run| run.items() > 0).collect();
        runs.sort_unstable_by_key(|run| run.first.position);
        Cursor {
            mark,
            owed: disjoint(runs),
        }
    }

    /// What lies below the start stays there: a label that stands there is still to be told that
    /// it has lost items.
    fn place(&self, old: Mark) -> Mark {
        if old.position < self.start.position {
            return old;
        }
        let place = self.places.get(&old.position).copied().flatten();
        place.unwrap_or(self.end)
    }
}

/// Runs that touch or overlap become one.
fn disjoint(runs: Vec<Run>) -> Owed {
    let mut merged = Owed::default();
    for run in runs {
        match merged.back_mut() {
            Some(last) if run.first.position <= last.next.position => {
                if run.next.position > last.next.position {
                    last.next = run.next;
                }
            }
            _ => merged.push_back(run),
        }
    }
    merged
}

impl Keeper for Rewrite<'_> {
    fn keep(&mut self, chunk: &Chunk) -> Result<()> {
        let last = chunk.next().saturating_sub(1);
        self.settle(last, |old, end| {
            let within = old.max(chunk.first);
            let bytes = chunk.bytes_before(within);
            Mark {
                position: end
                    .position
                    .saturating_add(within.saturating_sub(chunk.first)),
                bytes: end
                    .bytes
                    .saturating_add(bytes.saturating_sub(chunk.header.bytes_before)),
            }
        });
        self.write(chunk)
    }

    fn bring_back(&mut self, chunk: &Chunk, at: u64) -> Result<()> {
        self.settle(at, |_, end| end);
        let first = self.end;
        self.write(chunk)?;
        self.brought_back.push(Run {
            first,
            next: self.end,
        });
        Ok(())
    }
}
