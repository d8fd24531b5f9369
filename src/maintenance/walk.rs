//! A walk through all that can be read of a queue, which notes what is missing.

use std::collections::BTreeMap;

use super::report::{Missing, Report};
use crate::error::{ErrorKind, Result};
use crate::log::bounds::Amount;
use crate::log::chunk::Chunk;
use crate::log::cursor::{Cursor, Mark};
use crate::log::records::{self, Meta, Trim, floor_key, key_prefix, meta_key, trim_key};
use crate::log::state::ONLY_LABEL;
use crate::store::Records;
use crate::store::rocks::{Kind, Piece, Salvage};

/// Who is shown the chunks that a walk finds.
pub(super) trait Keeper {
    /// A chunk that follows on the ones before it, or on a gap.
    fn keep(&mut self, chunk: &Chunk) -> Result<()>;
    /// A chunk that was left out of the log at the old position `at`.
    fn bring_back(&mut self, chunk: &Chunk, at: u64) -> Result<()>;
}

/// Keeps nothing.
pub(super) struct Count;

impl Keeper for Count {
    fn keep(&mut self, _chunk: &Chunk) -> Result<()> {
        Ok(())
    }

    fn bring_back(&mut self, _chunk: &Chunk, _at: u64) -> Result<()> {
        Ok(())
    }
}

/// What a queue says of itself, apart from its items.
pub(super) struct Plan {
    kind: Kind,
    pub(super) meta: Option<Meta>,
    /// Where its items begin; `None` when the trim record cannot be read.
    trim: Option<Mark>,
    /// Where its items begin since others were dropped to make room.
    pub(super) floor: Option<Mark>,
    pub(super) cursors: BTreeMap<String, Cursor>,
    /// Chunks that were left out of the log, by epoch and position.
    set_aside: BTreeMap<(u32, u64), Chunk>,
    problems: Vec<String>,
    /// Where the items begin that are kept, once that is known.
    pub(super) start: Mark,
}

impl Plan {
    pub(super) fn read(source: &Salvage, kind: Kind) -> Result<Self> {
        let mut problems = Vec::new();
        let meta = read_record(source, &meta_key(), Meta::decode, &mut problems)?;
        let trim = read_record(source, &trim_key(), Trim::decode, &mut problems)?;
        let trim = trim.map(|trim| trim.map_or_else(Mark::default, |trim| trim.mark));
        let floor = read_record(source, &floor_key(), Trim::decode, &mut problems)?;
        read_hidden(source, &mut problems)?;
        let mut plan = Self {
            kind,
            meta: meta.flatten(),
            trim,
            floor: floor.flatten().map(|floor| floor.mark),
            cursors: read_cursors(source, &mut problems)?,
            set_aside: read_set_aside(source, &mut problems)?,
            problems,
            start: Mark::default(),
        };
        plan.start = plan.find_start(source)?;
        Ok(plan)
    }

    fn find_start(&self, source: &Salvage) -> Result<Mark> {
        if let Some(trim) = self.trim {
            return Ok(trim);
        }
        let mut start: Option<Mark> = None;
        source.visit(0, &mut |piece| {
            if let Piece::Chunk(first, bytes) = piece
                && start.is_none()
                && let Ok(chunk) = Chunk::decode(first, bytes)
            {
                start = Some(Mark {
                    position: first,
                    bytes: chunk.header.bytes_before,
                });
            }
            Ok(())
        })?;
        Ok(start.unwrap_or_default())
    }

    /// Items below are taken by everybody, or were dropped: that they cannot be read is no loss.
    fn needed_from(&self) -> u64 {
        match (self.kind, self.cursors.get(ONLY_LABEL)) {
            (Kind::Fifo, Some(cursor)) => cursor.first(),
            _ => self.start.max(self.floor.unwrap_or_default()).position,
        }
    }

    fn labels(&self) -> Vec<String> {
        match self.kind {
            Kind::Fifo => Vec::new(),
            Kind::Mpmc => self.cursors.keys().cloned().collect(),
        }
    }

    /// The highest epoch that the queue speaks of.
    pub(super) fn epoch(&self) -> u32 {
        let set_aside = self.set_aside.keys().map(|(epoch, _)| *epoch);
        let meta = self.meta.map(|meta| meta.epoch);
        set_aside.chain(meta).max().unwrap_or(0)
    }

    /// Shows every chunk that can be read to `keeper`, in order.
    pub(super) fn walk(&self, source: &Salvage, keeper: &mut dyn Keeper) -> Result<Report> {
        let mut walk = Walk::new(self);
        source.visit(self.start.position, &mut |piece| match piece {
            Piece::Chunk(first, bytes) => walk.chunk(first, bytes, keeper),
            Piece::Unreadable(position, error) => {
                walk.unreadable(position, error.to_string());
                Ok(())
            }
        })?;
        walk.finish(keeper)
    }
}

/// A record if it is there; the outer `None` when it cannot be read.
fn read_record<T>(
    source: &Salvage,
    key: &[u8],
    decode: impl Fn(&[u8]) -> Result<T>,
    problems: &mut Vec<String>,
) -> Result<Option<Option<T>>> {
    let read = source.get(Records::System, key);
    let read = read.and_then(|bytes| bytes.map(|bytes| decode(&bytes)).transpose());
    tolerate(read, problems)
}

/// Looks at older versions of the records too: an open queue meets them when it merges tables.
fn read_hidden(source: &Salvage, problems: &mut Vec<String>) -> Result<()> {
    let scanned = tolerate(source.scan(Records::System, &[]), problems)?;
    let damage = scanned.and_then(|(_, damage)| damage);
    let damage = damage.map(|damage| damage.to_string());
    problems.extend(damage.filter(|damage| !problems.contains(damage)));
    Ok(())
}

/// Notes damage, which is what the walk is about, and fails for anything else.
fn tolerate<T>(outcome: Result<T>, problems: &mut Vec<String>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            problems.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read_cursors(source: &Salvage, problems: &mut Vec<String>) -> Result<BTreeMap<String, Cursor>> {
    let mut cursors = BTreeMap::new();
    let scanned = tolerate(source.scan(Records::Reader, &key_prefix()), problems)?;
    let (rows, error) = scanned.unwrap_or_default();
    problems.extend(error.map(|error| error.to_string()));
    for (key, value) in rows {
        let cursor = Cursor::decode(&value);
        let read = records::label_of(&key).and_then(|label| Ok((label, cursor?)));
        if let Some((label, cursor)) = tolerate(read, problems)? {
            cursors.insert(label, cursor);
        }
    }
    Ok(cursors)
}

fn read_set_aside(
    source: &Salvage,
    problems: &mut Vec<String>,
) -> Result<BTreeMap<(u32, u64), Chunk>> {
    let mut chunks: BTreeMap<_, Chunk> = BTreeMap::new();
    source.visit_lost(&mut |first, bytes| {
        if let Ok(chunk) = Chunk::decode(first, bytes) {
            let epoch = chunk.header.epoch;
            let other = chunks.insert((epoch, first), chunk);
            if other.is_some_and(|other| other.bytes() != bytes) {
                problems.push(format!(
                    "Logs that earlier openings have set aside have different chunks for position \
                     {first} of epoch {epoch}: the last of them is taken"
                ));
            }
        }
        Ok(())
    })?;
    Ok(chunks)
}

struct Walk<'p> {
    plan: &'p Plan,
    /// Where the next chunk should begin.
    at: Mark,
    /// What should follow of the push that the last chunk is part of.
    rest: Amount,
    needed_from: u64,
    /// Why the chunks from `at` on may be missing.
    why: Option<String>,
    set_aside: std::iter::Peekable<std::collections::btree_map::Iter<'p, (u32, u64), Chunk>>,
    /// The epoch of the chunk that was brought back last, and where the next of it should begin.
    brought_back: Option<(u32, u64)>,
    report: Report,
}

impl<'p> Walk<'p> {
    fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            at: plan.start,
            rest: Amount::default(),
            needed_from: plan.needed_from(),
            why: None,
            set_aside: plan.set_aside.iter().peekable(),
            brought_back: None,
            report: Report {
                labels: plan.labels(),
                problems: plan.problems.clone(),
                ..Report::default()
            },
        }
    }

    fn chunk(&mut self, first: u64, bytes: &[u8], keeper: &mut dyn Keeper) -> Result<()> {
        let chunk = match Chunk::decode(first, bytes) {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.unreadable(first, error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if first < self.at.position {
            self.report.problems.push(format!(
                "The chunk at position {first} overlaps the one before it, which ends at {}",
                self.at.position
            ));
            return Ok(());
        }
        self.bring_back_older_than(chunk.header.epoch, keeper)?;
        self.follow(&chunk);
        keeper.keep(&chunk)?;
        self.count(&chunk);
        self.at = chunk.end();
        self.rest = chunk.header.unit.rest();
        Ok(())
    }

    /// Notes what is missing before the chunk, and what contradicts it.
    fn follow(&mut self, chunk: &Chunk) {
        if chunk.first > self.at.position {
            self.gap(chunk.first);
        } else if chunk.header.bytes_before != self.at.bytes {
            self.report.problems.push(format!(
                "The chunk at position {} counts {} bytes before it where there are {}",
                chunk.first, chunk.header.bytes_before, self.at.bytes
            ));
        } else if self.rest.items > 0 && self.rest != in_push(chunk) {
            self.report.problems.push(format!(
                "The chunk at position {} is not what is left of the push that the one before it \
                 is part of",
                chunk.first
            ));
        }
        self.why = None;
        for (label, cursor) in &self.plan.cursors {
            let mark = cursor.mark;
            let within = (chunk.first..chunk.next()).contains(&mark.position);
            if within && chunk.bytes_before(mark.position) != mark.bytes {
                self.report.problems.push(format!(
                    "The label {label:?} counts {} bytes before position {}",
                    mark.bytes, mark.position
                ));
            }
        }
    }

    fn unreadable(&mut self, position: u64, why: String) {
        // The reason that was given last is that of the whole gap: where it began is known.
        if position >= self.at.position || self.why.is_none() {
            self.why = Some(why);
        }
    }

    fn gap(&mut self, next: u64) {
        let first = self.at.position.max(self.needed_from);
        if first < next {
            let why = self.why.take();
            self.report.missing.push(Missing {
                first,
                next,
                why: why.unwrap_or_else(|| "no file of the queue has them".to_owned()),
            });
        }
    }

    fn count(&mut self, chunk: &Chunk) {
        let from = self.needed_from.clamp(chunk.first, chunk.next());
        let end = chunk.bytes_before(chunk.next());
        self.report.items += chunk.next().saturating_sub(from);
        self.report.bytes += end.saturating_sub(chunk.bytes_before(from));
    }

    /// What was left out in one epoch was pushed before anything of a later one.
    fn bring_back_older_than(&mut self, epoch: u32, keeper: &mut dyn Keeper) -> Result<()> {
        while let Some((_, chunk)) = self.set_aside.next_if(|((of, _), _)| *of < epoch) {
            self.bring_back(chunk, keeper)?;
        }
        Ok(())
    }

    fn bring_back(&mut self, chunk: &Chunk, keeper: &mut dyn Keeper) -> Result<()> {
        self.follow_set_aside(chunk);
        keeper.bring_back(chunk, self.at.position)?;
        let items = u64::from(chunk.header.items);
        self.report.set_aside += items;
        self.report.items += items;
        self.report.bytes += chunk.payload();
        Ok(())
    }

    /// Notes what is missing in a log before a chunk that was left out of it. What was left out in
    /// an epoch began where the queue ends without it, or where that of the epoch before ended.
    fn follow_set_aside(&mut self, chunk: &Chunk) {
        let epoch = chunk.header.epoch;
        let goes_on = |(of, end): &(u32, u64)| *of == epoch || *end == chunk.first;
        let end = self.brought_back.filter(goes_on);
        let first = end.map_or(self.at.position, |(_, end)| end);
        if first < chunk.first {
            self.report.missing.push(Missing {
                first,
                next: chunk.first,
                why: "the log that had them was damaged, and an earlier opening has set it aside"
                    .to_owned(),
            });
        }
        self.brought_back = Some((epoch, chunk.next()));
    }

    fn finish(mut self, keeper: &mut dyn Keeper) -> Result<Report> {
        while let Some((_, chunk)) = self.set_aside.next() {
            self.bring_back(chunk, keeper)?;
        }
        let cursors = self.plan.cursors.values();
        let end = cursors.map(|cursor| cursor.mark.position).max();
        match end.filter(|end| *end > self.at.position) {
            Some(end) => self.gap(end),
            None => {
                let why = self.why.take();
                self.report
                    .problems
                    .extend(why.map(|why| at_the_end(self.at.position, &why)));
            }
        }
        Ok(self.report)
    }
}

/// What a chunk holds, and those of its push behind it.
fn in_push(chunk: &Chunk) -> Amount {
    let held = chunk.end().since(chunk.start());
    held.plus(chunk.header.unit.rest())
}

fn at_the_end(position: u64, why: &str) -> String {
    format!("Items from position {position} on, up to the end of the queue, are missing: {why}")
}
