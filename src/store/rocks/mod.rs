//! The store on RocksDB, and the only place that names it.
//!
//! | file | job |
//! |---|---|
//! | `kind` | the two kinds of queue and the families on disk |
//! | `survey` | what a directory holds, without changing it |
//! | `replay` | what RocksDB drops from a damaged log, noticed and kept |
//! | `endless` | files that RocksDB would read for ever |
//! | `salvage` | reading what is intact of a damaged queue |
//! | `rebuild`, `settle` | a new queue in the place of a damaged one |
//! | `aside` | the directories within a queue's directory that these need |
//! | `backup` | where a copy of a queue may go |
//! | `hold`, `lock` | one holder of a directory, in this process and among processes |
//! | `claim` | which directories this process has |
//! | `whereabouts` | whether an open queue still is where it was opened |
//! | `paths` | what a path that was given means |
//! | `directories` | making directories that survive a power cut |
//! | `made` | what an opening has made, which goes again when it fails |
//! | `options` | how RocksDB is set up |
//! | `shared` | what all databases of the process share |
//! | `engine` | one opened database |
//! | `health`, `traffic` | what RocksDB reports from its background, and what it has written |
//! | `core` | the open queue: exchange of the database after an error, closing |
//! | `batch`, `chunks` | writing and reading |
//! | `reclaim`, `disk` | giving space back, and how much is used |
//! | `merge` | many small tables of short openings into one |
//! | `refresh` | keeping files from looking as if they had been left behind |
//! | `reserve` | room to drain a queue that has filled the disk |
//! | `remove` | deleting a queue |
//! | `home` | telling a copy of a directory from the directory |
//! | `names`, `process` | names of files; what RocksDB needs of the process |
//! | `legacy/` | queues of rocksq 0.3.0 and their conversion |
//! | `access` | why access is denied |
//! | `failure` | RocksDB's statuses as errors of this crate |

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

mod access;
mod aside;
mod backup;
mod batch;
mod chunks;
mod claim;
mod core;
mod directories;
mod disk;
mod endless;
mod engine;
mod failure;
mod fragments;
mod health;
mod hold;
mod home;
mod kept;
mod kind;
mod legacy;
mod lock;
mod made;
mod merge;
mod names;
mod native;
mod options;
mod paths;
mod process;
mod rebuild;
mod reclaim;
mod refresh;
mod remove;
mod replay;
mod reserve;
mod salvage;
mod settle;
mod shared;
mod survey;
#[cfg(test)]
mod tests;
mod traffic;
mod whereabouts;

use self::batch::RocksBatch;
use self::claim::Patience;
pub(crate) use self::claim::{is_held_as_it_is, note_origin};
use self::core::Core;
use self::engine::Engine;
use self::hold::{Hold, Place};
pub(crate) use self::kind::Kind;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::legacy::format as legacy_format;
pub(crate) use self::legacy::{convert, kind_at};
use self::options::Opening;
pub(crate) use self::paths::entering;
pub(crate) use self::rebuild::Rebuild;
pub(crate) use self::salvage::{Piece, Salvage};
use self::survey::Found;
use self::traffic::Counters;
use super::{Dropped, Home, Occasion, Records, Store, Traffic, Visitor};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::fork::{self, Birthplace};

/// A queue's directory, opened.
pub(crate) struct RocksStore {
    core: Arc<Core>,
}

impl RocksStore {
    /// Opens the queue of `kind` at `path`, creating it, and the directories of the path, if
    /// there is none. Waits up to `open_timeout` for another holder; `None` waits for ever.
    ///
    /// When this returns, a queue that it created survives a power cut. A refusal (`WrongKind`,
    /// `UnsupportedFormat`, `Path`, `Busy`) leaves every byte as it was.
    pub(crate) fn open(path: &Path, kind: Kind, open_timeout: Option<Duration>) -> Result<Self> {
        fork::claim_engine()?;
        let (hold, found) = Hold::take(path, kind, Patience::new(open_timeout))?;
        if found == Found::Queue {
            rebuild::clear_undecided(hold.place());
        }
        let opening = match found {
            Found::Queue => Opening::Tidy,
            Found::Nothing | Found::Empty | Found::Begun => Opening::Create,
            Found::Legacy => return Err(survey::refuse_legacy(path)),
            Found::Damaged | Found::Moving => return Err(damaged(path)),
        };
        Self::open_held(kind, hold, opening)
    }

    /// Makes a queue at `path`, where nothing is, to be filled in bulk: writes survive the process
    /// only after a sync.
    fn create_in_bulk(path: &Path, kind: Kind) -> Result<Self> {
        let (hold, _) = Hold::take(path, kind, Patience::none())?;
        Self::open_held(kind, hold, Opening::Bulk)
    }

    fn open_held(kind: Kind, mut hold: Hold, opening: Opening) -> Result<Self> {
        let birthplace = Birthplace::here();
        let counters = Arc::default();
        let (engine, dropped) = open(hold.place(), kind, opening, &counters)?;
        hold.sign();
        hold.made().keep();
        let core = Core::new(birthplace, kind, engine, counters, hold, dropped);
        Ok(Self {
            core: Arc::new(core),
        })
    }

    /// Its directory, as the operating system names it.
    pub(crate) fn directory(&self) -> &Path {
        self.core.path()
    }

    /// Copies the queue, as it is at some moment during the call, into the new directory `to`;
    /// tables are linked where the file system can do that.
    pub(crate) fn back_up(&self, to: &Path) -> Result<()> {
        let to = backup::place(to, self.core.path())?;
        self.core.with(|engine| engine.back_up(&to))
    }

    /// Makes the next write fail with `kind` and stops the database as a fatal error does.
    #[cfg(test)]
    pub(crate) fn fail_next_write(&self, kind: ErrorKind) {
        *self.core.sabotage.lock() = Some(kind);
    }
}

/// Opens the database. On a full disk the reserve, if there is one, gives the room for that.
fn open(
    place: &Place,
    kind: Kind,
    opening: Opening,
    counters: &Arc<Counters>,
) -> Result<(Engine, Option<Dropped>)> {
    match Engine::open(place, kind, opening, counters) {
        Err(error)
            if error.kind() == ErrorKind::DiskFull && reserve::release_in(&place.directory) =>
        {
            Engine::open(place, kind, opening, counters)
        }
        outcome => outcome,
    }
}

/// Deletes the queue of `kind` at `path`; nothing there is no error.
pub(crate) fn remove(path: &Path, kind: Kind) -> Result<()> {
    remove::remove(path, kind)
}

impl Store for RocksStore {
    type Batch = RocksBatch;

    fn batch(&self, bytes: usize) -> RocksBatch {
        RocksBatch::new(Arc::clone(&self.core), bytes)
    }

    fn write(&self, batch: RocksBatch) -> Result<()> {
        let written = self.core.write(&batch);
        batch.recycle();
        written
    }

    fn sync(&self) -> Result<()> {
        self.core.sync()
    }

    fn is_quiet(&self, bytes: u64) -> bool {
        self.core.is_quiet(bytes)
    }

    fn recover(&self) -> Result<()> {
        self.core.recover()
    }

    fn generation(&self) -> u64 {
        self.core.generation()
    }

    fn found(&self, end: u64) {
        self.core.found(end);
    }

    fn dropped(&self) -> Option<Dropped> {
        self.core.dropped()
    }

    fn get(&self, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.core.with(|engine| chunks::get(engine, records, key))
    }

    fn scan(&self, records: Records, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.core
            .with(|engine| chunks::scan(engine, records, prefix))
    }

    fn visit_chunks(&self, floor: u64, position: u64, visitor: &mut Visitor<'_>) -> Result<()> {
        self.core
            .with(|engine| chunks::visit(engine, floor, position, visitor))
    }

    fn reclaim(&self, mut batch: RocksBatch, floor: u64, occasion: Occasion) -> Result<bool> {
        self.core.reclaim(&mut batch, floor, occasion)
    }

    fn unreclaimed(&self) -> u64 {
        self.core.unflushed()
    }

    fn in_memory(&self) -> u64 {
        self.core.in_memory()
    }

    fn reclaim_after(&self) -> u64 {
        reclaim::DUE
    }

    fn disk_size(&self) -> Result<u64> {
        self.core.with(|engine| {
            disk::allocated(engine.path())
                .map_err(|error| failure::refusal("measure the queue", engine.name(), &error))
        })
    }

    fn traffic(&self) -> Traffic {
        self.core.traffic()
    }

    fn close(&self) -> Result<()> {
        self.core.close()
    }

    fn settle(&self) {
        self.core.settle();
    }

    fn refresh(&self) {
        self.core.refresh();
    }

    fn home(&self) -> Option<Home> {
        home::of(self.core.path())
    }

    fn check_there(&self) -> Result<()> {
        self.core.check_there()
    }

    fn abandon(&self) {
        self.core.abandon();
    }
}

impl Drop for RocksStore {
    fn drop(&mut self) {
        if !self.core.birthplace().is_here() {
            return;
        }
        if let Err(error) = self.core.close() {
            Event::at(Level::Error).about(self.core.name()).post(error);
        }
    }
}

fn damaged(path: &Path) -> Error {
    let message = format!(
        "Could not open the queue at {}: its table of contents is damaged or missing, \
         rocksq.repair saves what is intact",
        path.display()
    );
    Error::corrupt(message).at(path)
}
