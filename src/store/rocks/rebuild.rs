//! Looking at a damaged queue, and writing a new one in its place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hold::{Hold, Place};
use super::kind::Kind;
use super::salvage::Salvage;
use super::{RocksStore, aside, directories, failure, fragments, kept, process, settle, survey};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::store::files::closed::Closed;
use crate::store::files::{contents, logs, wal};

/// A queue's directory, held for a repair or for a look.
pub(crate) struct Rebuild {
    path: PathBuf,
    kind: Kind,
    hold: Hold,
}

impl Rebuild {
    /// Holds the queue at `path` without changing anything in it.
    pub(crate) fn look(path: &Path) -> Result<Self> {
        process::prepare(path)?;
        let kind = kind_to_hold(path)?;
        let hold = Hold::take_as_it_is(path, kind)?;
        Ok(Self {
            path: path.to_owned(),
            kind,
            hold,
        })
    }

    /// Holds the queue at `path` to repair it; carries an earlier repair to its end, if that was
    /// decided.
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        process::prepare(path)?;
        let hold = Hold::take_to_repair(path, kind_to_hold(path)?)?;
        if survey::is_moving(path)? {
            settle::finish(path)?;
        }
        let rebuild = Self {
            path: path.to_owned(),
            kind: survey::kind(path)?,
            hold,
        };
        rebuild.clear()?;
        Ok(rebuild)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a repair was decided and is still to be carried to its end.
    pub(crate) fn is_moving(&self) -> Result<bool> {
        survey::is_moving(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The queue as it is, for reading.
    pub(crate) fn source(&self) -> Result<Salvage> {
        Salvage::open(&self.path)
    }

    /// The queue without its table of contents: from its tables and logs alone.
    pub(crate) fn source_from_fragments(&self) -> Result<Salvage> {
        self.make_working()
            .map_err(|error| self.refusal("link tables", &error))?;
        fragments::gather(&self.path, self.kind, &self.working().join("fragments"))
    }

    /// What an opening would stumble over, or drop from the log, and what is gone of logs that were
    /// set aside, in words.
    pub(crate) fn problems(&self) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        match Salvage::try_opening(&self.path) {
            Err(error) if error.kind() == ErrorKind::Corrupt => problems.push(error.to_string()),
            outcome => outcome?,
        }
        self.look_at_tables(&mut problems)
            .map_err(|error| self.refusal("list tables", &error))?;
        self.look_at_logs(&mut problems)
            .map_err(|error| self.refusal("read the log", &error))?;
        let kept = kept::problems(&self.path)
            .map_err(|error| self.refusal("read a log that was set aside", &error))?;
        problems.extend(kept);
        Ok(problems)
    }

    fn look_at_tables(&self, problems: &mut Vec<String>) -> io::Result<()> {
        let tables = fragments::tables(&self.path)?;
        let strange = tables.iter().filter(|table| !table.is_file());
        problems.extend(strange.map(|table| {
            let name = table.file_name().unwrap_or_default();
            format!("{} has the name of a table and is no file", name.display())
        }));
        Ok(())
    }

    fn look_at_logs(&self, problems: &mut Vec<String>) -> io::Result<()> {
        let files = wal::files(&self.path)?;
        if self.path.join("CURRENT").exists()
            && let Some(doubt) = contents::doubt(&self.path, &files)?
        {
            problems.push(format!("An opening is refused: {doubt}"));
        }
        let closed = Closed::valid(&self.path)?;
        for cut in closed.map_or_else(|| Ok(Vec::new()), |closed| closed.cut_logs(&self.path))? {
            problems.push(format!("An opening drops something: the log {cut}"));
        }
        for damage in logs::damage(&files)? {
            problems.push(format!("An opening drops something: {damage}"));
        }
        Ok(())
    }

    /// A new and empty queue of the same kind.
    pub(crate) fn target(&self) -> Result<RocksStore> {
        let target = self.working().join("queue");
        self.make_working()
            .map_err(|error| self.refusal("create the repaired queue", &error))?;
        RocksStore::open(&target, self.kind, Some(Duration::ZERO))
    }

    /// Puts the new queue, which must be closed, in the place of the old one, whose files go to the
    /// directory that is returned. A crash at any moment leaves one or the other.
    pub(crate) fn commit(self) -> Result<PathBuf> {
        let kept = self
            .decide()
            .map_err(|error| self.refusal("replace the damaged queue", &error))?;
        settle::finish(&self.path)?;
        // What was read from fragments is a copy.
        clear_undecided(self.hold.place());
        Ok(kept)
    }

    /// Leaves the old queue as it is, after an error.
    pub(crate) fn abandon(self) {
        clear_undecided(self.hold.place());
    }

    fn decide(&self) -> io::Result<PathBuf> {
        let number = aside::free_number(&self.path)?;
        let target = self.working().join("queue");
        directories::sync(&target)?;
        fs::rename(target, aside::repaired(&self.path, number))?;
        directories::sync(&self.path)?;
        Ok(aside::damaged(&self.path, number))
    }

    /// Removes what a repair that came to nothing has left.
    fn clear(&self) -> Result<()> {
        remove_working(&self.path)
            .map_err(|error| self.refusal("clear away an earlier repair", &error))
    }

    fn working(&self) -> PathBuf {
        self.path.join(aside::REPAIRING)
    }

    fn make_working(&self) -> io::Result<()> {
        aside::ignore(io::ErrorKind::AlreadyExists, fs::create_dir(self.working()))
    }

    fn refusal(&self, what: &str, error: &io::Error) -> Error {
        failure::refusal(what, &self.path, error)
    }
}

/// The kind of the queue at `path`; any while a repaired one is about to replace it.
fn kind_to_hold(path: &Path) -> Result<Kind> {
    match survey::is_moving(path)? {
        true => Ok(Kind::Fifo),
        false => survey::kind(path),
    }
}

fn remove_working(directory: &Path) -> io::Result<()> {
    let removed = fs::remove_dir_all(directory.join(aside::REPAIRING));
    aside::ignore(io::ErrorKind::NotFound, removed)
}

/// Removes what a repair that was not decided has left in `place`, which must be held. It is no
/// reason to fail when that cannot be done.
pub(super) fn clear_undecided(place: &Place) {
    if let Err(error) = remove_working(&place.directory) {
        let text = format_args!("{} stays: {error}", aside::REPAIRING);
        Event::at(Level::Debug).about(&place.name).post(text);
    }
}
