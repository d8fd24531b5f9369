//! A store in memory, for tests of the layers above.
//!
//! It knows what a process that dies leaves behind (all that was written) and what a power cut
//! leaves (all that was synced, and of what was written later the first batches, as many as the
//! test wants). It fails when it is told to, as the store on RocksDB does: after a fatal error
//! nothing is written until it has recovered, with a new generation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use super::{Batch, Dropped, Home, Occasion, Records, Store, Traffic, Visit, Visitor};
use crate::error::{Error, ErrorKind, Result};
use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::primitives::{Mutex, MutexGuard};

#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    disk: Mutex<Disk>,
    written: AtomicU64,
    generation: AtomicU64,
    visits: AtomicU64,
    /// What is to happen the next time that the store comes to such a moment.
    next: Mutex<Option<(Moment, Call)>>,
    syncs: AtomicU64,
    writes: AtomicU64,
    refreshes: AtomicU64,
}

/// A moment in the middle of something, for a test to do something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A visit knows what is there, and has shown nothing of it.
    Visit,
    /// A log was found again, and is not shown to anybody yet.
    Found,
}

/// What a test wants to happen.
struct Call(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

#[derive(Debug, Default)]
struct Disk {
    /// What the operating system has.
    now: Tables,
    /// What the device has.
    device: Tables,
    /// The batches that make the one of the other.
    unsynced: VecDeque<Vec<Change>>,
    trouble: Trouble,
    closed: bool,
}

/// What is to go wrong, or has.
#[derive(Debug, Default)]
struct Trouble {
    next_write: Option<Failure>,
    next_sync: Option<usize>,
    /// Every write and every recovery fails so.
    lasting: Option<ErrorKind>,
    /// What the next recovery finds, after a fatal error.
    stopped: Option<Tables>,
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    /// Nothing was written.
    Refused(ErrorKind),
    /// Nothing was written, since something in the background had stopped the store.
    Stopped,
    /// It is not known whether it was written; it was, or not.
    Unknown { written: bool },
}

#[derive(Clone, Debug, Default)]
struct Tables {
    chunks: BTreeMap<u64, Arc<Vec<u8>>>,
    /// Chunks that cannot be read.
    damaged: BTreeSet<u64>,
    records: BTreeMap<(Records, Vec<u8>), Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct MemoryBatch {
    generation: u64,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Chunk(u64, Vec<u8>),
    Put(Records, Vec<u8>, Vec<u8>),
    Delete(Records, Vec<u8>),
    ForgetBelow(u64),
}

impl Tables {
    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Chunk(position, bytes) => {
                    self.chunks.insert(position, Arc::new(bytes));
                }
                Change::Put(records, key, value) => {
                    self.records.insert((records, key), value);
                }
                Change::Delete(records, key) => {
                    self.records.remove(&(records, key));
                }
                Change::ForgetBelow(floor) => self.chunks = self.chunks.split_off(&floor),
            }
        }
    }
}

impl Disk {
    fn after_power_cut(&self, kept: usize) -> Tables {
        let mut tables = self.device.clone();
        for changes in self.unsynced.iter().take(kept) {
            tables.apply(changes);
        }
        tables
    }

    fn check_running(&self) -> Result<()> {
        match (self.trouble.lasting, &self.trouble.stopped) {
            (Some(kind), _) => Err(simulated(kind)),
            (None, Some(_)) => Err(simulated(ErrorKind::Io)),
            (None, None) => Ok(()),
        }
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<()> {
        self.check_running()?;
        match self.trouble.next_write.take() {
            None => {
                self.now.apply(&changes);
                self.unsynced.push_back(changes);
                Ok(())
            }
            Some(Failure::Refused(kind)) => Err(simulated(kind)),
            Some(Failure::Stopped) => {
                self.trouble.stopped = Some(self.now.clone());
                self.check_running()
            }
            Some(Failure::Unknown { written }) => {
                let mut found = self.now.clone();
                if written {
                    found.apply(&changes);
                    self.unsynced.push_back(changes);
                }
                self.trouble.stopped = Some(found);
                Err(simulated(ErrorKind::OutcomeUnknown))
            }
        }
    }

    fn sync(&mut self) -> Result<()> {
        self.check_running()?;
        if let Some(kept) = self.trouble.next_sync.take() {
            self.trouble.stopped = Some(self.after_power_cut(kept));
            self.unsynced.truncate(kept);
            return Err(simulated(ErrorKind::OutcomeUnknown));
        }
        self.device = self.now.clone();
        self.unsynced.clear();
        Ok(())
    }
}

impl MemoryStore {
    fn holding(now: Tables) -> Self {
        let disk = Disk {
            device: now.clone(),
            now,
            ..Disk::default()
        };
        Self {
            disk: Mutex::new(disk),
            ..Self::default()
        }
    }

    /// The store that the next open finds after the process has died.
    pub(crate) fn after_kill(&self) -> Self {
        let disk = self.disk.lock();
        Self::holding(disk.trouble.stopped.as_ref().unwrap_or(&disk.now).clone())
    }

    /// The store that the next open finds after a power cut that left `kept` of the batches that
    /// were written after the last sync.
    pub(crate) fn after_power_cut(&self, kept: usize) -> Self {
        Self::holding(self.disk.lock().after_power_cut(kept))
    }

    /// Makes the next write fail. With `OutcomeUnknown` it is not there after the recovery.
    pub(crate) fn fail_next_write(&self, kind: ErrorKind) {
        let failure = match kind {
            ErrorKind::OutcomeUnknown => Failure::Unknown { written: false },
            kind => Failure::Refused(kind),
        };
        self.disk.lock().trouble.next_write = Some(failure);
    }

    /// Makes the next write find the store stopped, although it ran at the last recovery.
    pub(crate) fn stop_before_next_write(&self) {
        self.disk.lock().trouble.next_write = Some(Failure::Stopped);
    }

    /// Makes the next write fail with `OutcomeUnknown`, although it was made.
    pub(crate) fn fail_next_write_after_making_it(&self) {
        self.disk.lock().trouble.next_write = Some(Failure::Unknown { written: true });
    }

    /// Makes the next sync fail, and the pages that it should have synced be lost, all but the
    /// first `kept` batches.
    pub(crate) fn fail_next_sync(&self, kept: usize) {
        self.disk.lock().trouble.next_sync = Some(kept);
    }

    /// Makes every write and recovery fail until [`mend`](Self::mend).
    pub(crate) fn fail_until_mended(&self, kind: ErrorKind) {
        self.disk.lock().trouble.lasting = Some(kind);
    }

    pub(crate) fn mend(&self) {
        self.disk.lock().trouble.lasting = None;
    }

    /// Makes the chunk at `position` unreadable.
    pub(crate) fn damage_chunk(&self, position: u64) {
        self.disk.lock().now.damaged.insert(position);
    }

    /// Rewrites every chunk.
    pub(crate) fn rewrite_chunks(&self, rewrite: impl Fn(u64, &[u8]) -> Vec<u8>) {
        for (position, chunk) in &mut self.disk.lock().now.chunks {
            *chunk = Arc::new(rewrite(*position, chunk));
        }
    }

    /// Calls this the next time that the store comes to that moment.
    pub(crate) fn at_next(&self, moment: Moment, call: impl FnOnce() + Send + 'static) {
        *self.next.lock() = Some((moment, Call(Box::new(call))));
    }

    fn come_to(&self, moment: Moment) {
        let call = self.next.lock().take_if(|(of, _)| *of == moment);
        if let Some((_, Call(call))) = call {
            call();
        }
    }

    pub(crate) fn chunk_positions(&self) -> Vec<u64> {
        self.disk.lock().now.chunks.keys().copied().collect()
    }

    /// How many batches a power cut can lose.
    pub(crate) fn unsynced(&self) -> usize {
        self.disk.lock().unsynced.len()
    }

    /// How often chunks were visited.
    pub(crate) fn visits(&self) -> u64 {
        self.visits.load(Ordering::SeqCst)
    }

    /// How many syncs there were.
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }

    /// How many batches were written.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// How often it was refreshed.
    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::SeqCst)
    }

    fn apply(&self, batch: MemoryBatch) -> Result<()> {
        let mut disk = self.open_disk()?;
        if batch.generation != self.generation() {
            return Err(simulated(ErrorKind::Io));
        }
        let payload: usize = batch
            .changes
            .iter()
            .map(|change| match change {
                Change::Chunk(_, bytes) => bytes.len(),
                _ => 0,
            })
            .sum();
        disk.write(batch.changes)?;
        self.written.fetch_add(payload as u64, Ordering::Relaxed);
        self.writes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn open_disk(&self) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.lock();
        if disk.closed {
            return Err(Error::closed());
        }
        Ok(disk)
    }
}

fn simulated(kind: ErrorKind) -> Error {
    Error::new(kind, "a simulated failure")
}

impl Batch for MemoryBatch {
    fn put_chunk(&mut self, position: u64, parts: &[&[u8]]) -> Result<()> {
        self.changes.push(Change::Chunk(position, parts.concat()));
        Ok(())
    }

    fn put(&mut self, records: Records, key: &[u8], value: &[u8]) {
        self.changes
            .push(Change::Put(records, key.to_vec(), value.to_vec()));
    }

    fn delete(&mut self, records: Records, key: &[u8]) {
        self.changes.push(Change::Delete(records, key.to_vec()));
    }
}

impl Store for MemoryStore {
    type Batch = MemoryBatch;

    fn batch(&self, _bytes: usize) -> MemoryBatch {
        MemoryBatch {
            generation: self.generation(),
            changes: Vec::new(),
        }
    }

    fn write(&self, batch: MemoryBatch) -> Result<()> {
        self.apply(batch)
    }

    fn is_quiet(&self, _bytes: u64) -> bool {
        self.disk.lock().check_running().is_ok()
    }

    fn recover(&self) -> Result<()> {
        let mut disk = self.open_disk()?;
        if let Some(kind) = disk.trouble.lasting {
            return Err(simulated(kind));
        }
        if let Some(found) = disk.trouble.stopped.take() {
            disk.now = found;
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.open_disk()?.sync()?;
        self.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn found(&self, _end: u64) {
        self.come_to(Moment::Found);
    }

    fn dropped(&self) -> Option<Dropped> {
        None
    }

    fn get(&self, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self
            .open_disk()?
            .now
            .records
            .get(&(records, key.to_vec()))
            .cloned())
    }

    fn scan(&self, records: Records, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        Ok(self
            .open_disk()?
            .now
            .records
            .iter()
            .filter(|((family, key), _)| *family == records && key.starts_with(prefix))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }

    fn visit_chunks(&self, floor: u64, position: u64, visitor: &mut Visitor<'_>) -> Result<()> {
        self.visits.fetch_add(1, Ordering::SeqCst);
        let Tables {
            chunks, damaged, ..
        } = self.open_disk()?.now.clone();
        self.come_to(Moment::Visit);
        let check = |position: &u64| match damaged.contains(position) {
            true => Err(simulated(ErrorKind::Corrupt)),
            false => Ok(()),
        };
        // As RocksDB does, which looks backwards from there.
        if let Some((behind, _)) = chunks.range(position.max(floor)..).next() {
            check(behind)?;
        }
        let first = chunks
            .range(floor..=position.max(floor))
            .next_back()
            .map_or(floor, |(first, _)| *first);
        for (first, bytes) in chunks.range((Bound::Included(first), Bound::Unbounded)) {
            check(first)?;
            if visitor(*first, bytes)? == Visit::Stop {
                break;
            }
        }
        Ok(())
    }

    /// What a resting queue has in tables goes at once; the rest is forgotten in the order of the
    /// batches, as the range deletions of RocksDB are.
    fn reclaim(&self, mut batch: MemoryBatch, floor: u64, occasion: Occasion) -> Result<bool> {
        batch.changes.push(Change::ForgetBelow(floor));
        self.apply(batch)?;
        if occasion != Occasion::Busy {
            self.sync()?;
        }
        self.written.store(0, Ordering::Relaxed);
        Ok(false)
    }

    fn unreclaimed(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn in_memory(&self) -> u64 {
        self.unreclaimed()
    }

    fn reclaim_after(&self) -> u64 {
        64 * 1024
    }

    fn disk_size(&self) -> Result<u64> {
        let disk = self.open_disk()?;
        Ok(disk
            .now
            .chunks
            .values()
            .map(|chunk| chunk.len() as u64)
            .sum())
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            log: self.written.load(Ordering::Relaxed),
            ..Traffic::default()
        }
    }

    fn close(&self) -> Result<()> {
        let synced = match self.recover().and_then(|()| self.sync()) {
            Err(error) if error.kind() == ErrorKind::Closed => Ok(()),
            synced => synced,
        };
        self.disk.lock().closed = true;
        synced
    }

    fn settle(&self) {}

    fn refresh(&self) {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
    }

    fn home(&self) -> Option<Home> {
        None
    }

    fn check_there(&self) -> Result<()> {
        Ok(())
    }

    fn abandon(&self) {}
}
