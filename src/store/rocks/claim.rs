//! The directories that are held in this process.
//!
//! One is known by its path and by its files. A directory can be mounted under two paths, and it can
//! be renamed while its queue is open; RocksDB goes on to use the old path then, so that one stays
//! taken too.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::kind::Kind;
use super::lock::{self, Identity};
use super::names::{self, HOLDER};
use super::{native, process, survey};
use crate::error::{Error, ErrorKind, Result};
use crate::fork::Use;

static HELD: Mutex<BTreeMap<PathBuf, Held>> = Mutex::new(BTreeMap::new());
static FREED: Condvar = Condvar::new();

#[derive(Debug)]
struct Held {
    kind: Kind,
    /// The directory and its holder file, as far as they were there. Hard links can put the same
    /// holder file into two directories.
    files: Vec<Identity>,
    /// Where in the program it was opened, once it is open.
    origin: Option<String>,
}

/// How long to wait for another holder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience(Option<Instant>);

impl Patience {
    /// `None` waits for ever.
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    pub(super) fn none() -> Self {
        Self::new(Some(Duration::ZERO))
    }

    pub(super) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// An entry in the table of directories that are held in this process.
#[derive(Debug)]
pub(super) struct Claim {
    directory: PathBuf,
    kind: Kind,
    /// Until it is off the table.
    _used: Use,
}

impl Claim {
    pub(super) fn take(path: &Path, kind: Kind, patience: Patience) -> Result<Self> {
        let used = Use::begin();
        native::occupy_standard_descriptors();
        process::check_memory(path)?;
        let directory = canonical(path)?;
        enter(path, &directory, kind, patience, |_| false)?;
        Ok(Self {
            directory,
            kind,
            _used: used,
        })
    }

    /// Claims what is at the path by now. Needed before a file is opened there that this process
    /// may have locked under another name of it: closing the file would drop that lock.
    pub(super) fn renew(&self, patience: Patience) -> Result<()> {
        let directory = &self.directory;
        enter(directory, directory, self.kind, patience, |name| {
            name == directory
        })
    }

    /// The directory as the operating system names it.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        HELD.lock().remove(&self.directory);
        FREED.notify_all();
    }
}

/// Waits until nobody else has the directory, and notes that it is taken.
fn enter(
    path: &Path,
    directory: &Path,
    kind: Kind,
    patience: Patience,
    is_own: impl Fn(&Path) -> bool,
) -> Result<()> {
    loop {
        let files = identities(directory);
        let mut held = HELD.lock();
        let mut others = held.iter().filter(|(name, _)| !is_own(name));
        let other = others.find(|(name, other)| {
            *name == directory || other.files.iter().any(|file| files.contains(file))
        });
        match other.map(|(_, other)| other) {
            None => {
                let origin = held.remove(directory).and_then(|own| own.origin);
                let own = Held {
                    kind,
                    files,
                    origin,
                };
                held.insert(directory.to_owned(), own);
                return Ok(());
            }
            Some(other) if other.kind != kind => return Err(held_as(path, other)),
            Some(other) if patience.is_over() => return Err(busy(path, other)),
            Some(_) => wait(&mut held, patience),
        }
    }
}

fn wait(held: &mut MutexGuard<'_, BTreeMap<PathBuf, Held>>, patience: Patience) {
    match patience.0 {
        Some(end) => {
            FREED.wait_until(held, end);
        }
        None => FREED.wait(held),
    }
}

fn identities(directory: &Path) -> Vec<Identity> {
    [directory, &directory.join(HOLDER)]
        .into_iter()
        .filter_map(lock::identity)
        .collect()
}

/// The path without links and dots; its last part need not exist.
fn canonical(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(directory) => Ok(directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => canonical_new(path),
        Err(error) => Err(survey::unusable(path, &error)),
    }
}

fn canonical_new(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::invalid("The path of a queue must end in a name").at(path));
    };
    match fs::canonicalize(names::parent(path)) {
        Ok(parent) => Ok(parent.join(name)),
        Err(error) => Err(survey::unusable(path, &error)),
    }
}

/// Notes where in the program the queue was opened that has `directory`.
pub(crate) fn note_origin(directory: &Path, origin: String) {
    if let Some(held) = HELD.lock().get_mut(directory) {
        held.origin = Some(origin);
    }
}

/// Whether what is at `directory`, which is held, is what was there when it was taken.
pub(crate) fn is_held_as_it_is(directory: &Path) -> bool {
    let now = lock::identity(directory);
    let held = HELD.lock();
    let files = held.get(directory).map(|held| &held.files);
    now.is_some_and(|now| files.is_some_and(|files| files.contains(&now)))
}

impl Held {
    /// Where it was opened, in brackets, as far as that is known.
    fn origin(&self) -> String {
        let origin = self.origin.as_ref();
        origin.map_or_else(String::new, |origin| format!(" (opened at {origin})"))
    }
}

fn busy(path: &Path, other: &Held) -> Error {
    let message = format!(
        "Cannot open the queue at {}: it is open in this process already{}, close that one first",
        path.display(),
        other.origin()
    );
    Error::new(ErrorKind::Busy, message).at(path)
}

fn held_as(path: &Path, other: &Held) -> Error {
    let message = format!(
        "Cannot open the queue at {}: it is open in this process as {}{}",
        path.display(),
        other.kind.name(),
        other.origin()
    );
    Error::new(ErrorKind::WrongKind, message).at(path)
}
