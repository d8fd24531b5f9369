//! What RocksDB tells from its background: how badly it is stopped, and when memtables are sealed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use rust_rocksdb::event_listener::{
    BackgroundErrorStatus, CompactionJobInfo, DBBackgroundErrorReason, DBWriteStallCondition,
    EventListener, FlushJobInfo, MemTableInfo, MutableStatus, StatusSeverity, WriteStallInfo,
};

use super::failure;
use super::kind::DATA;
use super::traffic::Counters;
use crate::error::ErrorKind;
use crate::events::{Event, Level};
use crate::memory::Allocator;

/// What it takes to make a database accept writes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Damage {
    None,
    /// Writes go on, background work may have stopped.
    Soft,
    /// Writes are refused; `resume` may help.
    Resumable,
    /// Only closing and opening helps.
    Fatal,
}

/// The state that one opened database shares with its listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Health(Arc<State>);

#[derive(Debug)]
struct State {
    damage: AtomicU8,
    diverged: AtomicBool,
    cause: Mutex<ErrorKind>,
    unflushed: AtomicU64,
    sealed: AtomicU64,
    active_from: AtomicU64,
    syncs: AtomicUsize,
    sealing: AtomicBool,
    counters: Arc<Counters>,
}

/// Stands for "no chunk is known to be in the active memtable".
const NOTHING_ACTIVE: u64 = u64::MAX;

impl Default for State {
    fn default() -> Self {
        Self {
            damage: AtomicU8::new(Damage::None as u8),
            diverged: AtomicBool::new(false),
            cause: Mutex::new(ErrorKind::Io),
            unflushed: AtomicU64::new(0),
            sealed: AtomicU64::new(0),
            active_from: AtomicU64::new(NOTHING_ACTIVE),
            syncs: AtomicUsize::new(0),
            sealing: AtomicBool::new(false),
            counters: Arc::default(),
        }
    }
}

impl Health {
    /// The health of a database that nothing has happened to, whose traffic `counters` count.
    pub(super) fn counted_by(counters: &Arc<Counters>) -> Self {
        Self(Arc::new(State {
            counters: Arc::clone(counters),
            ..State::default()
        }))
    }

    pub(super) fn count_error(&self) {
        self.0.counters.count_error();
    }

    pub(super) fn damage(&self) -> Damage {
        match self.0.damage.load(Ordering::Acquire) {
            0 => Damage::None,
            1 => Damage::Soft,
            2 => Damage::Resumable,
            _ => Damage::Fatal,
        }
    }

    pub(super) fn worsen(&self, damage: Damage) {
        self.0.damage.fetch_max(damage as u8, Ordering::AcqRel);
    }

    /// To be called before a repair is tried: what happens during it counts anew.
    pub(super) fn absolve(&self) {
        self.0.damage.store(Damage::None as u8, Ordering::Release);
    }

    /// Whether a record is in the log that did not make it into the memtable.
    pub(super) fn has_diverged(&self) -> bool {
        self.0.diverged.load(Ordering::Acquire)
    }

    /// The kind of what the database last stopped for.
    pub(super) fn cause(&self) -> ErrorKind {
        *self.0.cause.lock()
    }

    /// Bytes written since memtables were last sealed for a flush.
    pub(super) fn unflushed(&self) -> u64 {
        self.0.unflushed.load(Ordering::Relaxed)
    }

    /// Bytes that are in memtables, sealed or not: what a repair has to flush.
    pub(super) fn in_memory(&self) -> u64 {
        self.unflushed()
            .saturating_add(self.0.sealed.load(Ordering::Relaxed))
    }

    pub(super) fn count_written(&self, bytes: u64) {
        self.count_unflushed(bytes);
        self.0.counters.count_log(bytes);
    }

    pub(super) fn count_unflushed(&self, bytes: u64) {
        self.0.unflushed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A lower bound of the chunks that are certainly in the active memtable; `None` if there are
    /// none.
    pub(super) fn active_from(&self) -> Option<u64> {
        let position = self.0.active_from.load(Ordering::Acquire);
        (position != NOTHING_ACTIVE).then_some(position)
    }

    /// To be called before the batch whose first chunk is at `position` is written.
    ///
    /// A memtable that is sealed between this call and the write forgets the position although
    /// the chunk goes to the next one: too little is then thought to be in memory, never too much.
    pub(super) fn announce(&self, position: u64) {
        self.0.active_from.fetch_min(position, Ordering::AcqRel);
    }

    /// Whether a write may have to wait, until a sync is over or a new memtable is there. The rest
    /// of a flush holds no writer up.
    pub(super) fn holds_writers_up(&self) -> bool {
        self.0.syncs.load(Ordering::Acquire) > 0 || self.0.sealing.load(Ordering::Acquire)
    }

    pub(super) fn during_sync<T>(&self, sync: impl FnOnce() -> T) -> T {
        self.0.syncs.fetch_add(1, Ordering::AcqRel);
        let done = sync();
        self.0.syncs.fetch_sub(1, Ordering::AcqRel);
        done
    }

    pub(super) fn during_flush<T>(&self, flush: impl FnOnce() -> T) -> T {
        self.0.sealing.store(true, Ordering::Release);
        let done = flush();
        self.0.sealing.store(false, Ordering::Release);
        done
    }

    fn seal(&self, family: Option<&[u8]>) {
        self.0.sealing.store(false, Ordering::Release);
        let bytes = self.0.unflushed.swap(0, Ordering::Relaxed);
        self.0.sealed.fetch_add(bytes, Ordering::Relaxed);
        if family == Some(DATA.as_bytes()) {
            self.0.active_from.store(NOTHING_ACTIVE, Ordering::Release);
        }
    }
}

/// RocksDB calls this from its own threads and from those that write, without its lock.
pub(super) struct Watch {
    health: Health,
    path: PathBuf,
}

impl Watch {
    pub(super) fn new(health: &Health, path: &Path) -> Self {
        Self {
            health: health.clone(),
            path: path.to_owned(),
        }
    }

    fn event(&self, level: Level) -> Event {
        Event::at(level).about(&self.path)
    }

    /// A write that has to wait reports that itself, when it has waited: maybe after the end of the
    /// stall was reported. RocksDB's own lines tell of it at once.
    fn note_stall(&self, family: &str, now: DBWriteStallCondition) {
        let (level, what) = match now {
            DBWriteStallCondition::KNormal => (Level::Info, "no longer slows writes down"),
            DBWriteStallCondition::KDelayed => (Level::Warn, "slows writes down"),
            DBWriteStallCondition::KStopped => (Level::Warn, "made writes wait"),
        };
        let text = format_args!("RocksDB {what} for its background work with {family}");
        self.event(level).post(text);
    }
}

impl EventListener for Watch {
    /// RocksDB has installed the new memtable and has let no writer at it yet.
    fn on_memtable_sealed(&self, info: &MemTableInfo) {
        self.health.seal(info.cf_name().as_deref());
    }

    fn on_flush_completed(&self, info: &FlushJobInfo) {
        let bytes = info.table_properties().data_size();
        self.health.0.counters.count_tables(bytes);
        let sealed = self.health.0.sealed.swap(0, Ordering::Relaxed);
        Allocator::note_released(sealed);
    }

    fn on_compaction_completed(&self, info: &CompactionJobInfo) {
        let bytes = info.total_output_bytes();
        self.health.0.counters.count_rewritten(bytes);
    }

    fn on_background_error(&self, reason: DBBackgroundErrorReason, status: MutableStatus) {
        let outcome = status.result();
        if outcome
            .as_ref()
            .is_err_and(|status| failure::is_closing(status.as_ref()))
        {
            return;
        }
        // The write itself is counted by the one who makes it.
        if !matches!(
            reason,
            DBBackgroundErrorReason::KWriteCallback | DBBackgroundErrorReason::KMemTable
        ) {
            self.health.count_error();
        }
        if reason == DBBackgroundErrorReason::KMemTable {
            self.health.0.diverged.store(true, Ordering::Release);
        }
        let cause = match &outcome {
            Ok(()) => ErrorKind::Io,
            Err(status) => failure::kind(status.as_ref()),
        };
        *self.health.0.cause.lock() = cause;
        self.health.worsen(match status.severity() {
            StatusSeverity::KNoError => Damage::None,
            StatusSeverity::KSoftError => Damage::Soft,
            StatusSeverity::KHardError => Damage::Resumable,
            _ => Damage::Fatal,
        });
        let why = match &outcome {
            Ok(()) => "it does not say why",
            Err(status) => status.as_ref(),
        };
        let doing = doing(reason);
        let text = format_args!("RocksDB stopped {doing}: {why}");
        self.event(Level::Error).post(text);
    }

    fn on_stall_conditions_changed(&self, info: &WriteStallInfo) {
        let family = info.cf_name().unwrap_or_default();
        self.note_stall(&String::from_utf8_lossy(&family), info.cur());
    }

    /// RocksDB would poll the disk from a thread of its own and answer `Busy` meanwhile; the next
    /// call of a user resumes instead.
    fn on_error_recovery_begin(
        &self,
        _reason: DBBackgroundErrorReason,
        _status: &BackgroundErrorStatus,
        automatic: &mut bool,
    ) {
        *automatic = false;
    }
}

/// What RocksDB was doing when it met an error.
fn doing(reason: DBBackgroundErrorReason) -> &'static str {
    use DBBackgroundErrorReason as Reason;
    match reason {
        Reason::KFlush | Reason::KFlushNoWAL => "while it moved what is in memory to a table",
        Reason::KCompaction => "while it put tables together",
        Reason::KWriteCallback => "while it wrote to the log",
        Reason::KMemTable => "while it brought a write from the log to memory",
        Reason::KManifestWrite | Reason::KManifestWriteNoWAL => {
            "while it wrote its table of contents"
        }
        Reason::KAsyncFileOpen => "while it opened a table",
        _ => "in its background",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_memtable_holds_nothing_for_certain() {
        let health = Health::default();
        assert_eq!(health.active_from(), None);
        health.announce(7);
        health.announce(9);
        assert_eq!(health.active_from(), Some(7));
        health.seal(Some(b"reader.2"));
        assert_eq!(health.active_from(), Some(7));
        health.seal(Some(b"data.2"));
        assert_eq!(health.active_from(), None);
    }

    #[test]
    fn a_flush_holds_writers_up_until_a_memtable_is_sealed() {
        let health = Health::default();
        health.during_flush(|| {
            assert!(health.holds_writers_up());
            health.seal(Some(b"data.2"));
            assert!(!health.holds_writers_up());
        });
        health.during_flush(|| ()); // there was nothing to be sealed
        assert!(!health.holds_writers_up());
    }

    #[test]
    fn a_sync_holds_writers_up_until_it_is_over() {
        let health = Health::default();
        health.during_sync(|| {
            health.during_sync(|| ());
            assert!(health.holds_writers_up());
        });
        assert!(!health.holds_writers_up());
    }

    #[test]
    fn damage_only_grows_until_absolved() {
        let health = Health::default();
        health.worsen(Damage::Fatal);
        health.worsen(Damage::Soft);
        assert_eq!(health.damage(), Damage::Fatal);
        health.absolve();
        assert_eq!(health.damage(), Damage::None);
    }
}
