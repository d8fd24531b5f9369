//! How RocksDB is set up for a queue: rows are written once, in order, read once, in order, and
//! dropped from the front.

use std::ffi::c_int;
use std::path::Path;

use rust_rocksdb::{
    BlockBasedOptions, ChecksumType, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode,
    InfoLogger, LogLevel, Options,
};

use super::health::{Health, Watch};
use super::kind::{DATA, Kind, READER, SYSTEM};
use super::{failure, native, shared};
use crate::events::{Event, Level};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// RocksDB moves a memtable to disk by itself when it is this full. Well above
/// [`reclaim::DUE`](super::reclaim::DUE), so that housekeeping, which knows what was taken
/// meanwhile and need not be written, comes first.
const MEMTABLE: usize = 24 * MIB;

/// With so many bytes, and what it takes to keep them, a memtable may be full.
pub(super) const NEARLY_FULL: u64 = 18 * MIB as u64;

/// After [`Opening::Sparing`] RocksDB must not move a memtable by itself, neither in the replay nor
/// later, since there is no room. The log needs as much room as the memtable, so the disk bounds it.
const SPARING_MEMTABLE: usize = 1024 * MIB;

/// An open table takes about 20 KiB, which many queues with many small tables would add up, and takes
/// some 50 µs to be opened again. A backlog is read through one of them.
const OPEN_TABLES: c_int = 12;

/// RocksDB takes so many off the number of files that it may have open.
const OTHER_FILES: c_int = 10;

/// How to open a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Makes what is missing of it.
    Create,
    /// Makes it, to be filled in bulk: nothing is logged, so only a sync makes writes survive the
    /// process.
    Bulk,
    /// Moves what the log has to tables, and starts a new log.
    Tidy,
    /// Leaves the log as it is and starts another one beside it: for a disk without room.
    Sparing,
}

/// Options of the database as a whole.
pub(super) fn database(path: &Path, health: &Health, opening: Opening) -> Options {
    let mut options = guarded();
    let creates = matches!(opening, Opening::Create | Opening::Bulk);
    options.create_if_missing(creates);
    options.create_missing_column_families(creates);
    options.set_avoid_flush_during_recovery(opening == Opening::Sparing);
    options.set_atomic_flush(true);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OTHER_FILES + OPEN_TABLES);
    options.set_table_cache_num_shard_bits(0);
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    options.set_avoid_unnecessary_blocking_io(true);
    options.set_max_total_wal_size(4 * memtable(opening) as u64);
    options.set_keep_log_file_num(1);
    options.add_event_listener(Watch::new(health, path));
    keep_idle_quiet(&mut options);
    keep_memory_small(&mut options);
    keep_disk_small(&mut options);
    log_to_events(&mut options, path);
    options
}

/// Options of RocksDB's own, but for the descriptors of its files and the threads.
pub(super) fn guarded() -> Options {
    let mut options = Options::default();
    native::use_environment(&mut options);
    options
}

/// Options for reading or deleting what is there without opening it.
pub(super) fn passive(path: &Path) -> Options {
    let mut options = guarded();
    options.set_max_file_opening_threads(1);
    log_to_events(&mut options, path);
    options
}

/// Options for reading what is intact of a damaged database.
pub(super) fn salvage(path: &Path) -> Options {
    let mut options = passive(path);
    // Goes on without tables that are missing, and behind what is bad in the log.
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
    options.set_max_open_files(64);
    options.set_skip_stats_update_on_db_open(true);
    keep_idle_quiet(&mut options);
    keep_disk_small(&mut options);
    options
}

/// Options for reading what an opening of a database would find.
pub(super) fn salvage_up_to_damage(path: &Path) -> Options {
    let mut options = salvage(path);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options
}

/// Families for reading what is intact of a damaged database. What is in memory does not count:
/// every block comes from the disk.
pub(super) fn salvage_families(names: &[String]) -> Vec<ColumnFamilyDescriptor> {
    let describe = |name: &String| {
        let mut options = family(name, SPARING_MEMTABLE);
        let mut tables = BlockBasedOptions::default();
        tables.disable_cache();
        options.set_block_based_table_factory(&tables);
        options.set_disable_auto_compactions(true);
        ColumnFamilyDescriptor::new(name, options)
    };
    names.iter().map(describe).collect()
}

/// The families of a queue with their options.
pub(super) fn families(kind: Kind, opening: Opening) -> Vec<ColumnFamilyDescriptor> {
    let memtable = memtable(opening);
    let describe = |name: &str| ColumnFamilyDescriptor::new(name, family(name, memtable));
    kind.families().into_iter().map(describe).collect()
}

fn memtable(opening: Opening) -> usize {
    match opening {
        Opening::Create | Opening::Bulk | Opening::Tidy => MEMTABLE,
        Opening::Sparing => SPARING_MEMTABLE,
    }
}

fn family(name: &str, memtable: usize) -> Options {
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::None);
    options.set_arena_block_size(64 * KIB);
    options.set_num_levels(2);
    options.set_block_based_table_factory(&tables());
    match name {
        DATA => chunks(&mut options, memtable),
        SYSTEM | READER => records(&mut options, memtable),
        _ => options.set_write_buffer_size(64 * KIB),
    }
    never_rewrite(&mut options);
    options
}

/// Tables of chunks hold disjoint, growing ranges: each moves from level 0 to level 1 as it is,
/// at once, because only level 1 can be dropped by range.
fn chunks(options: &mut Options, memtable: usize) {
    options.set_write_buffer_size(memtable);
    options.set_max_write_buffer_number(4);
    options.set_target_file_size_base(32 * MIB as u64);
    options.set_level_zero_file_num_compaction_trigger(1);
}

/// A cursor is overwritten with each take, and atomic flush would flush the chunks with it, so
/// this memtable is as large as theirs; a flush leaves one version of each key.
fn records(options: &mut Options, memtable: usize) {
    options.set_write_buffer_size(memtable);
    options.set_max_write_buffer_number(4);
    options.set_level_zero_file_num_compaction_trigger(4);
}

/// No rewriting by age or size, and no writer held up by what compaction has still to do.
fn never_rewrite(options: &mut Options) {
    options.set_periodic_compaction_seconds(0);
    options.set_ttl(0);
    options.set_level_compaction_dynamic_level_bytes(false);
    options.set_max_bytes_for_level_base(1 << 50);
    options.set_soft_pending_compaction_bytes_limit(0);
    options.set_hard_pending_compaction_bytes_limit(0);
    options.set_level_zero_slowdown_writes_trigger(1 << 20);
    options.set_level_zero_stop_writes_trigger(1 << 20);
}

/// CRC-32C, which processors have an instruction for, takes a seventh of the instructions of XXH3,
/// which is built for those without wide vectors.
fn tables() -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_size(64 * KIB);
    tables.set_checksum_type(ChecksumType::CRC32c);
    tables.set_block_cache(shared::cache());
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_max_auto_readahead_size(MIB);
    tables
}

fn keep_idle_quiet(options: &mut Options) {
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
}

/// The buffer of the log stays for as long as the queue is open.
fn keep_memory_small(options: &mut Options) {
    options.set_writable_file_max_buffer_size(256 * KIB as u64);
    options.set_write_buffer_manager(shared::memtables());
}

/// Space that is only set aside counts as used, so nothing is set aside.
fn keep_disk_small(options: &mut Options) {
    options.set_allow_fallocate(false);
    options.set_manifest_preallocation_size(64 * KIB);
    options.set_max_manifest_file_size(MIB);
}

/// RocksDB's own log goes to `tracing`; no `LOG` files are written. RocksDB may hold its lock.
fn log_to_events(options: &mut Options, path: &Path) {
    let level = match Event::of_the_engine(Level::Debug).is_wanted() {
        true => LogLevel::Info,
        false => LogLevel::Warn,
    };
    let path = path.to_owned();
    let log = move |level, line: &str| {
        let level = match failure::is_closing(line) {
            true => Level::Debug,
            false => level_of(level),
        };
        let event = Event::of_the_engine(level);
        event.about(&path).post(line.trim_end());
    };
    options.set_info_logger(InfoLogger::new_callback_logger(level, log));
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Debug => Level::Trace,
        LogLevel::Info | LogLevel::Header => Level::Debug,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error | LogLevel::Fatal => Level::Error,
    }
}
