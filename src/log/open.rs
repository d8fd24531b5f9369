//! Finding a log again: what the store holds, and what follows from it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use uuid::Uuid;

use super::ahead::ReadAhead;
use super::bounds::Bounds;
use super::chunk::Header;
use super::clock::{Clock, LogTime};
use super::cursor::{Cursor, Mark};
use super::expiry::Expiry;
use super::records::{
    self, Meta, Trim, decode_home, encode_home, floor_key, home_key, key_prefix, meta_key, trim_key,
};
use super::refreshing::Refreshing;
use super::state::{Label, ONLY_LABEL, State};
use super::{Log, Retention};
use crate::error::{ErrorKind, Result};
use crate::fork::Birthplace;
use crate::housekeeping::{Chore, Registration};
use crate::memory::Share;
use crate::primitives::Mutex;
use crate::primitives::atomic::AtomicU64;
use crate::store::{Batch, Dropped, Records, Store, Visit};

/// What a store holds of a log.
pub(super) struct Stored {
    pub meta: Option<Meta>,
    pub trim: Mark,
    /// Everything below was dropped to make room.
    pub floor: Mark,
    pub cursors: HashMap<Arc<str>, Cursor>,
    pub end: Mark,
    /// Push time of the last chunk.
    pub time: i64,
}

impl Stored {
    pub(super) fn read<S: Store>(store: &S, retention: Retention) -> Result<Self> {
        let meta = store.get(Records::System, &meta_key())?;
        let trim = read_mark(store, &trim_key())?;
        let floor = read_mark(store, &floor_key())?;
        let mut cursors = read_cursors(store)?;
        if retention == Retention::Unread {
            cursors
                .entry(ONLY_LABEL.into())
                .or_insert_with(|| Cursor::at(trim));
        }
        let (last_end, time) = read_last_chunk(store, trim)?;
        Ok(Self {
            meta: meta.map(|bytes| Meta::decode(&bytes)).transpose()?,
            trim,
            floor,
            end: end_of_log(last_end, trim.max(floor), &cursors),
            cursors,
            time,
        })
    }
}

fn read_mark<S: Store>(store: &S, key: &[u8]) -> Result<Mark> {
    let record = store.get(Records::System, key)?;
    let trim = record.map(|bytes| Trim::decode(&bytes)).transpose()?;
    Ok(trim.unwrap_or_default().mark)
}

fn read_cursors<S: Store>(store: &S) -> Result<HashMap<Arc<str>, Cursor>> {
    store
        .scan(Records::Reader, &key_prefix())?
        .into_iter()
        .map(|(key, value)| Ok((records::label_of(&key)?.into(), Cursor::decode(&value)?)))
        .collect()
}

/// Where the last chunk ends, and its push time.
fn read_last_chunk<S: Store>(store: &S, trim: Mark) -> Result<(Mark, i64)> {
    let mut last = (trim, i64::MIN);
    store.visit_chunks(trim.position, u64::MAX, &mut |first, bytes| {
        let (header, body) = Header::decode(bytes)?;
        let ends = u64::from(header.items).saturating_mul(4);
        let end = Mark {
            position: first.saturating_add(header.items.into()),
            bytes: header
                .bytes_before
                .saturating_add((body.len() as u64).saturating_sub(ends)),
        };
        last = (end, header.time);
        Ok(Visit::Stop)
    })?;
    Ok(last)
}

/// A queue that was emptied does not begin again at 0: the log ends at the highest position that
/// anything in it speaks of.
fn end_of_log(last: Mark, trim: Mark, cursors: &HashMap<Arc<str>, Cursor>) -> Mark {
    cursors
        .values()
        .map(|cursor| cursor.mark)
        .chain([trim])
        .fold(last, Mark::max)
}

impl<S: Store> Log<S> {
    /// Opens the log that `store` holds, or begins a new one.
    pub(crate) fn open(
        store: S,
        retention: Retention,
        bounds: Bounds,
        clock: Box<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let begun = begin(&store, retention, clock).inspect_err(|_| store.abandon());
        let (stored, time, meta) = begun?;
        store.found(stored.end.position);
        let log = Arc::new_cyclic(|log: &Weak<Self>| {
            let chore: Weak<dyn Chore> = log.clone();
            Self {
                retention,
                bounds,
                uuid: meta.uuid,
                follows_unclean_stop: stored.meta.is_some_and(|meta| meta.open),
                expiry: expiry(retention, stored.trim),
                time,
                birthplace: Birthplace::here(),
                generation: AtomicU64::new(store.generation()),
                state: Mutex::new(state(stored, retention, bounds, meta.epoch)),
                in_doubt: Default::default(),
                commits: Default::default(),
                syncs: Default::default(),
                read_ahead: ReadAhead::default(),
                seen: Default::default(),
                closing: Default::default(),
                housekeeping: Registration::new(chore),
                refreshing: Refreshing::of(log.clone(), meta.time),
                share: Share::new(),
                written_at_last_look: Default::default(),
                left_behind: Default::default(),
                store,
            }
        });
        log.schedule_expiry();
        log.refreshing.begin();
        Ok(log)
    }

    /// Notes that the log was closed in order, at this time. What failed in the background since the
    /// last commit, and stopped the store, is repaired first: a caller cannot close again.
    pub(super) fn note_clean_stop(&self) -> Result<()> {
        match self.write_clean_stop() {
            Err(error) if error.kind() != ErrorKind::OutcomeUnknown => {
                self.catch_up()?;
                self.report_loss()?;
                self.write_clean_stop()
            }
            noted => noted,
        }
    }

    fn write_clean_stop(&self) -> Result<()> {
        let (epoch, time) = {
            let state = self.state.lock();
            (state.epoch, state.time)
        };
        let meta = Meta {
            open: false,
            epoch,
            uuid: self.uuid,
            time: self.time.now().max(time),
        };
        write_meta(&self.store, meta)
    }
}

/// What the store holds, the log's time, and the note, which is durable, that the log is open.
fn begin<S: Store>(
    store: &S,
    retention: Retention,
    clock: Box<dyn Clock>,
) -> Result<(Stored, LogTime, Meta)> {
    let stored = Stored::read(store, retention)?;
    let last_time = stored.meta.map_or(i64::MIN, |meta| meta.time);
    let time = LogTime::starting_after(last_time.max(stored.time), clock);
    let meta = Meta {
        open: true,
        epoch: next_epoch(stored.meta, store.dropped().as_ref()),
        uuid: match stored.meta {
            Some(meta) if !is_copy(store)? => meta.uuid,
            _ => Uuid::new_v4(),
        },
        time: time.now(),
    };
    let mut batch = store.batch(0);
    batch.put(Records::System, &meta_key(), &meta.encode());
    if let Some(home) = store.home() {
        batch.put(Records::System, &home_key(), &encode_home(home));
    }
    store.write(batch)?;
    store.sync()?;
    Ok((stored, time, meta))
}

/// Whether the store is a copy of another. One that does not know its home yet counts as the original.
fn is_copy<S: Store>(store: &S) -> Result<bool> {
    let noted = store.get(Records::System, &home_key())?;
    let noted = noted.map(|bytes| decode_home(&bytes)).transpose()?;
    Ok(match (noted, store.home()) {
        (Some(noted), Some(now)) => !noted.is(now),
        _ => false,
    })
}

/// The epoch grows when the last stop was not clean. When something was dropped that may have been
/// the note of a later epoch, it is higher than any that was dropped.
fn next_epoch(last: Option<Meta>, dropped: Option<&Dropped>) -> u32 {
    let known = last.map_or(0, |last| last.epoch.saturating_add(last.open.into()));
    let Some(dropped) = dropped else {
        return known;
    };
    let last_chunk = dropped.last_chunk.as_ref();
    let header = last_chunk.and_then(|(_, head)| Header::decode(head).ok());
    let dropped = header.map_or(0, |(header, _)| header.epoch);
    known.max(dropped).saturating_add(1)
}

pub(super) fn write_meta<S: Store>(store: &S, meta: Meta) -> Result<()> {
    let mut batch = store.batch(0);
    batch.put(Records::System, &meta_key(), &meta.encode());
    store.write(batch)
}

fn expiry(retention: Retention, live: Mark) -> Option<Expiry> {
    match retention {
        Retention::Young { ttl: Some(ttl) } => Some(Expiry::new(ttl, live)),
        _ => None,
    }
}

fn state(stored: Stored, retention: Retention, bounds: Bounds, epoch: u32) -> State {
    let labels = stored.cursors.into_iter().map(|(label, cursor)| {
        let state = Label {
            cursor,
            ..Label::default()
        };
        (label, state)
    });
    State {
        end: stored.end,
        time: stored.time,
        trim: stored.trim,
        floor: stored.floor,
        live: stored.trim.max(stored.floor),
        epoch,
        labels: labels.collect(),
        retention,
        bounds,
        ..State::default()
    }
}
