//! The open queue behind a [`RocksStore`](super::RocksStore) and its batches: the database, which
//! may be exchanged for a new one after an error.
//!
//! # After a failed write
//!
//! A write that fails in the log stops RocksDB, and the log may end in a torn record. What makes
//! it go on decides whether that record can ever come back:
//!
//! * `resume` (a full disk, a *hard* error) flushes all families in one MANIFEST commit that moves
//!   their log number past the failed log file, whole records in it included, and starts a new
//!   file (`DBImpl::ResumeImpl`, `FlushAllColumnFamilies` with `force_atomic_flush`). The failed
//!   file is never replayed again, even if the process dies before it is deleted. Nothing that
//!   readers saw changes, so the generation stays.
//! * Other errors (EIO, EFBIG, a quota, a failed fsync, a memtable that refused what the log has)
//!   are *fatal*: `resume` refuses, the database is closed and opened. Replay stops at the torn
//!   record, flushes what came before it and starts a new log file, so the torn record is gone
//!   too. A record that is there as a whole is replayed: that is the case that `OutcomeUnknown`
//!   names. Hence a new generation, and hence no batch of an older generation is written: it was
//!   built for an end of the log that may have moved.
//! * A failed fsync is not retried, the kernel has dropped the pages: it is fatal, and the replay
//!   shows what is left.
//!
//! Each call tries one repair. On a disk that has no room for a flush `resume` would fail and
//! leave an empty memtable and a file behind each time; there the database is opened anew with
//! its log left as it is, which takes a quarter of a MiB (`Opening::Sparing`), from the reserve if
//! there is no more.

use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::batch::{RocksBatch, SpareBatch};
use super::engine::Engine;
use super::health::Damage;
use super::hold::{Hold, Place};
use super::kind::Kind;
use super::options::Opening;
use super::reserve::Reserve;
use super::traffic::Counters;
use super::whereabouts::Landmark;
use super::{aside, directories, disk, failure, options, reclaim, refresh};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::fork::Birthplace;
use crate::store::files::closed::Closed;
use crate::store::{Dropped, Occasion, Traffic};

/// What a small write has beside its items, and more.
const WRITE_OVERHEAD: u64 = 4 << 10;

pub(super) struct Core {
    birthplace: Birthplace,
    place: Place,
    kind: Kind,
    counters: Arc<Counters>,
    slot: RwLock<Slot>,
    generation: AtomicU64,
    /// The floor of the last reclaim since the database was opened.
    trimmed: AtomicU64,
    reserve: Reserve,
    landmark: Landmark,
    pub(super) spare_batch: SpareBatch,
    /// Held while a repair runs, so that callers that arrive together try one.
    repair: Mutex<()>,
    /// What could not be brought back, the last time that something could not.
    dropped: Mutex<Option<Dropped>>,
    #[cfg(test)]
    pub(super) sabotage: Mutex<Option<ErrorKind>>,
}

enum Slot {
    Open(Box<Engine>, Hold),
    /// Closed for a repair that did not succeed; the next call tries again.
    Lost(Hold),
    Closed,
}

impl Core {
    pub(super) fn new(
        birthplace: Birthplace,
        kind: Kind,
        engine: Engine,
        counters: Arc<Counters>,
        hold: Hold,
        dropped: Option<Dropped>,
    ) -> Self {
        Self {
            birthplace,
            landmark: Landmark::of(hold.directory()),
            place: hold.place().clone(),
            reserve: Reserve::of(hold.directory()),
            kind,
            counters,
            slot: RwLock::new(Slot::Open(Box::new(engine), hold)),
            generation: AtomicU64::new(0),
            trimmed: AtomicU64::new(0),
            spare_batch: SpareBatch::default(),
            repair: Mutex::new(()),
            dropped: Mutex::new(dropped),
            #[cfg(test)]
            sabotage: Mutex::new(None),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.place.directory
    }

    /// What errors and events call the queue.
    pub(super) fn name(&self) -> &Path {
        &self.place.name
    }

    fn event(&self, level: Level) -> Event {
        Event::at(level).about(self.name())
    }

    pub(super) fn birthplace(&self) -> &Birthplace {
        &self.birthplace
    }

    pub(super) fn dropped(&self) -> Option<Dropped> {
        self.dropped.lock().clone()
    }

    /// The log was found again, and ends at `end`. What was dropped is told from now on.
    pub(super) fn found(&self, end: u64) {
        if let Some(dropped) = &mut *self.dropped.lock() {
            dropped.end.get_or_insert(end);
            if let Err(error) = aside::note_told(&dropped.kept) {
                let text = format_args!("the loss will be told again: {error}");
                self.event(Level::Debug).post(text);
            }
        }
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.counters.so_far()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Runs `work` on the database, which is not exchanged or closed meanwhile.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
        self.birthplace.check()?;
        match &*self.slot.read_recursive() {
            Slot::Open(engine, hold) => return work(engine).map_err(|error| hold.explain(error)),
            Slot::Closed => return Err(Error::closed()),
            Slot::Lost(_) => {}
        }
        self.recover()?;
        match &*self.slot.read_recursive() {
            Slot::Open(engine, hold) => work(engine).map_err(|error| hold.explain(error)),
            Slot::Closed => Err(Error::closed()),
            Slot::Lost(_) => Err(self.stopped("read")),
        }
    }

    pub(super) fn write(&self, batch: &RocksBatch) -> Result<()> {
        let changes = batch.finish()?;
        self.with(|engine| {
            self.check_generation(batch)?;
            self.check_running(engine)?;
            #[cfg(test)]
            self.fail_if_sabotaged(engine)?;
            if let Some(position) = batch.first_chunk() {
                self.check_reserve(engine, changes.size_in_bytes() as u64)?;
                engine.health().announce(position);
            }
            engine.write(changes)
        })
    }

    /// Does not repair: a database that was opened anew may have lost what the caller means.
    pub(super) fn sync(&self) -> Result<()> {
        self.with(|engine| {
            self.check_running(engine)?;
            engine.sync()
        })
    }

    pub(super) fn reclaim(
        &self,
        batch: &mut RocksBatch,
        floor: u64,
        occasion: Occasion,
    ) -> Result<bool> {
        self.check_here()?;
        if self.with(|engine| reclaim::is_in_vain(engine, floor, occasion))? {
            return Err(self.full("give space back"));
        }
        let trimmed = self.trimmed.load(Ordering::Acquire);
        let range = self.with(|engine| Ok(reclaim::deletable(engine, trimmed, floor)))?;
        if let Some((from, end)) = range {
            batch.forget_chunks(from, end)?;
        }
        self.write(batch)?;
        self.with(|engine| {
            if batch.generation() != self.generation() {
                // Opened anew, the database may hold less, and still need what is below the floor.
                return Err(self.stopped("give space back"));
            }
            self.trimmed.fetch_max(floor, Ordering::AcqRel);
            if engine.health().damage() == Damage::Soft {
                resume_softly(engine);
            }
            let more = reclaim::reclaim(engine, floor, occasion)?;
            self.reserve.relax();
            Ok(more)
        })
    }

    pub(super) fn unflushed(&self) -> u64 {
        if !self.birthplace.is_here() {
            // The lock may have been held at the fork, by a thread that is not here.
            return 0;
        }
        match &*self.slot.read_recursive() {
            Slot::Open(engine, _) => engine.health().unflushed(),
            Slot::Lost(_) | Slot::Closed => 0,
        }
    }

    /// Bytes in memtables; 0 while the database is exchanged.
    pub(super) fn in_memory(&self) -> u64 {
        match self.slot.try_read_recursive().as_deref() {
            Some(Slot::Open(engine, _)) => engine.health().in_memory(),
            _ => 0,
        }
    }

    /// Whether a small write that adds so many bytes would wait for nothing. Waits for nothing itself.
    pub(super) fn is_quiet(&self, bytes: u64) -> bool {
        if !self.birthplace.is_here() {
            return false;
        }
        match self.slot.try_read_recursive().as_deref() {
            Some(Slot::Open(engine, _)) => {
                let health = engine.health();
                health.damage() == Damage::None
                    && !health.holds_writers_up()
                    && health.unflushed() < options::NEARLY_FULL
                    && (bytes == 0 || self.has_reserve_for(engine, bytes))
            }
            _ => false,
        }
    }

    /// Makes a stopped database work again, or says why it cannot. One attempt.
    pub(super) fn recover(&self) -> Result<()> {
        self.birthplace.check()?;
        if self.damage()? < Damage::Resumable {
            return Ok(());
        }
        let _alone = self.repair.lock();
        match self.damage()? {
            Damage::None | Damage::Soft => Ok(()),
            Damage::Resumable => self.resume(),
            Damage::Fatal => self.reopen(),
        }
    }

    /// Syncs and closes. Waits for running operations.
    pub(super) fn close(&self) -> Result<()> {
        self.birthplace.check()?;
        let synced = match self.recover().and_then(|()| self.sync()) {
            Err(error) if error.kind() == ErrorKind::Closed => return Ok(()),
            outcome => outcome,
        };
        let mut slot = self.slot.write();
        match std::mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(engine, hold) => {
                // Writes that came after the first sync are few.
                let closed = synced.and_then(|()| engine.sync());
                if self.landmark.is_displaced() {
                    // It would write a table of contents there, in the place of another.
                    engine.leave_open();
                } else {
                    drop(engine);
                    if closed.is_ok() {
                        self.note_close();
                    }
                }
                self.reserve.leave();
                drop(hold);
                closed
            }
            Slot::Lost(_) => synced,
            Slot::Closed => Ok(()),
        }
    }

    /// RocksDB deletes files in the background.
    pub(super) fn settle(&self) {
        let settled = self.with(|engine| engine.settle());
        if let Err(error) = settled {
            self.event(Level::Debug).post(error);
        }
    }

    pub(super) fn refresh(&self) {
        if self.landmark.is_in_place()
            && let Err(error) = refresh::refresh(self.path())
        {
            let text = format_args!("a file may look old: {error}");
            self.event(Level::Debug).post(text);
        }
    }

    pub(super) fn check_there(&self) -> Result<()> {
        self.birthplace.check()?;
        self.with_hold(|hold| hold.check_there("flush or close the queue"))
    }

    fn with_hold(&self, check: impl FnOnce(&Hold) -> Result<()>) -> Result<()> {
        match &*self.slot.read_recursive() {
            Slot::Open(_, hold) | Slot::Lost(hold) => check(hold),
            Slot::Closed => Ok(()),
        }
    }

    /// Stops the database when it could not make files, or would make them in what has taken the
    /// place of its directory.
    fn check_here(&self) -> Result<()> {
        let here = self.with_hold(|hold| hold.check_here("give space back"));
        if here.is_err() {
            self.with(|engine| {
                engine.health().worsen(Damage::Fatal);
                Ok(())
            })?;
        }
        here
    }

    /// The opening has failed behind the store: takes the queue away if it is new.
    pub(super) fn abandon(&self) {
        let mut slot = self.slot.write();
        if let Slot::Open(_, hold) | Slot::Lost(hold) = &*slot
            && hold.made().give_up()
        {
            *slot = Slot::Closed;
        }
    }

    /// Notes how far the files of the closed database go, for the next opening to compare. An opening does
    /// without the note where that fails, as on a full disk.
    fn note_close(&self) {
        let noted = Closed::of(self.path())
            .and_then(|closed| closed.write(self.path()))
            .and_then(|()| directories::sync(self.path()));
        if let Err(error) = noted {
            let text = format_args!("could not note how far the files go: {error}");
            self.event(Level::Debug).post(text);
        }
    }

    fn damage(&self) -> Result<Damage> {
        match &*self.slot.read_recursive() {
            Slot::Open(engine, _) => Ok(engine.health().damage()),
            Slot::Lost(_) => Ok(Damage::Fatal),
            Slot::Closed => Err(Error::closed()),
        }
    }

    fn check_running(&self, engine: &Engine) -> Result<()> {
        if engine.health().damage() < Damage::Resumable {
            return Ok(());
        }
        Err(match engine.health().cause() {
            ErrorKind::DiskFull => self.full("write"),
            ErrorKind::Corrupt => self.damaged("write"),
            _ => self.stopped("write"),
        })
    }

    /// Whether [`check_reserve`](Self::check_reserve) would have nothing to do.
    fn has_reserve_for(&self, engine: &Engine, bytes: u64) -> bool {
        let added = bytes.saturating_add(WRITE_OVERHEAD);
        self.reserve
            .is_settled(engine.health().in_memory().saturating_add(added))
    }

    /// What is added must not use up the room that is needed to take it out again.
    fn check_reserve(&self, engine: &Engine, bytes: u64) -> Result<()> {
        let in_memory = engine.health().in_memory().saturating_add(bytes);
        match self.reserve.allows_adding(in_memory) {
            true => Ok(()),
            false => Err(self.full("write")),
        }
    }

    fn check_generation(&self, batch: &RocksBatch) -> Result<()> {
        if batch.generation() == self.generation() {
            return Ok(());
        }
        let message = format!(
            "Could not write in {}: the queue was opened anew after an error while the change was \
             prepared; nothing was written, call again",
            self.name().display()
        );
        Err(Error::new(ErrorKind::Io, message).at(self.name()))
    }

    fn resume(&self) -> Result<()> {
        let slot = self.slot.read_recursive();
        let Slot::Open(engine, _) = &*slot else {
            return Err(self.stopped("resume writing"));
        };
        if !engine.has_room_to_flush() {
            drop(slot);
            return self.reopen();
        }
        engine.health().absolve();
        match engine.db().resume() {
            Ok(()) => {
                self.event(Level::Info).post("writes go on");
                Ok(())
            }
            Err(status) => {
                self.event(Level::Warn).post(&status);
                engine.health().worsen(Damage::Fatal);
                drop(slot);
                self.reopen()
            }
        }
    }

    /// While there is no room to open the database it stays as it is: readers can go on.
    fn reopen(&self) -> Result<()> {
        self.with_hold(|hold| hold.check_here("go on"))?;
        // What the reserve gives may be more than the file system counts as available to us.
        if !disk::has_room(self.path(), 0) && !self.reserve.release() {
            return Err(self.full("resume writing"));
        }
        let mut slot = self.slot.write();
        let hold = match std::mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(engine, hold) => {
                drop(engine);
                hold
            }
            Slot::Lost(hold) => hold,
            Slot::Closed => return Err(Error::closed()),
        };
        match Engine::open(&self.place, self.kind, Opening::Tidy, &self.counters) {
            Ok((engine, dropped)) => {
                if let Some(dropped) = dropped {
                    self.note(dropped);
                }
                *slot = Slot::Open(Box::new(engine), hold);
                self.trimmed.store(0, Ordering::Release);
                self.generation.fetch_add(1, Ordering::AcqRel);
                self.event(Level::Warn).post("opened anew after an error");
                Ok(())
            }
            Err(error) => {
                *slot = Slot::Lost(hold);
                Err(error)
            }
        }
    }

    fn note(&self, dropped: Dropped) {
        let kept = dropped.kept.display();
        self.event(Level::Warn)
            .post(format_args!("the log was damaged, and is kept in {kept}"));
        *self.dropped.lock() = Some(dropped);
    }

    fn full(&self, what: &str) -> Error {
        failure::full(what, self.name(), ", as an earlier write has found")
    }

    fn stopped(&self, what: &str) -> Error {
        let message = format!(
            "Could not {what} in {}: an earlier error has stopped the queue; nothing was changed, \
             call again",
            self.name().display()
        );
        Error::new(ErrorKind::Io, message).at(self.name())
    }

    /// RocksDB does not write any more once it has met damage while it put tables together.
    fn damaged(&self, what: &str) -> Error {
        let message = format!(
            "Could not {what} in {}: a file of the queue is damaged; close the queue, rocksq.repair \
             saves what is intact",
            self.name().display()
        );
        Error::corrupt(message).at(self.name())
    }

    #[cfg(test)]
    fn fail_if_sabotaged(&self, engine: &Engine) -> Result<()> {
        match self.sabotage.lock().take() {
            None => Ok(()),
            Some(kind) => {
                engine.health().worsen(Damage::Fatal);
                Err(failure::explain(kind, "write", self.name(), "simulated"))
            }
        }
    }
}

impl Drop for Core {
    /// In a forked child the database is the parent's: nothing of it is touched, not even a lock.
    fn drop(&mut self) {
        if !self.birthplace.is_here() {
            let slot = std::mem::replace(self.slot.get_mut(), Slot::Closed);
            let _leaked = ManuallyDrop::new(slot);
        }
    }
}

fn resume_softly(engine: &Engine) {
    engine.health().absolve();
    if let Err(status) = engine.db().resume() {
        engine.health().worsen(Damage::Soft);
        let text = format_args!("background work stays stopped: {status}");
        Event::at(Level::Debug).about(engine.name()).post(text);
    }
}
