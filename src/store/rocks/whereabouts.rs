//! Whether an open queue still is where it was opened.
//!
//! RocksDB makes files by their names. Once the directory was moved they would go nowhere, or to
//! whatever has taken its place, while the files that are open are written as before. So a queue
//! that was moved goes on until a file has to be made, and what it has acknowledged is where it was
//! moved to. When it was removed, all of that is gone.

use std::path::{Path, PathBuf};

use super::hold::Hold;
use super::lock::{self, Identity};
use super::names::{ENGINE_LOCK, HOLDER};
use crate::error::{Error, ErrorKind, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Here,
    /// The directory has another name now.
    Moved,
    /// The holder file has no name any more.
    Removed,
}

/// RocksDB's lock file, by which the directory of an open database is recognised: the file is open,
/// so that no other has its inode.
#[derive(Clone, Debug)]
pub(super) struct Landmark {
    directory: PathBuf,
    identity: Option<Identity>,
}

impl Landmark {
    /// That of the database that is open in `directory`.
    pub(super) fn of(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            identity: lock::identity(&directory.join(ENGINE_LOCK)),
        }
    }

    /// Whether the directory of that name is the one of the database.
    pub(super) fn is_in_place(&self) -> bool {
        lock::identity(&self.directory.join(ENGINE_LOCK)) == self.identity
    }

    /// Whether something else has the name of the directory.
    pub(super) fn is_displaced(&self) -> bool {
        !self.is_in_place() && self.directory.exists()
    }
}

impl Hold {
    /// Costs two calls of the operating system.
    pub(super) fn whereabouts(&self) -> Whereabouts {
        let Some(file) = self.file() else {
            return Whereabouts::Here;
        };
        if lock::is_still_at(file, &self.directory().join(HOLDER)) {
            Whereabouts::Here
        } else if lock::has_a_name(file) {
            Whereabouts::Moved
        } else {
            Whereabouts::Removed
        }
    }

    /// Fails when nothing that is written to the queue will be found again.
    pub(super) fn check_there(&self, what: &str) -> Result<()> {
        match self.whereabouts() {
            Whereabouts::Removed => Err(self.removed(what)),
            Whereabouts::Here | Whereabouts::Moved => Ok(()),
        }
    }

    /// Fails when files cannot be made in the queue's directory by its name.
    pub(super) fn check_here(&self, what: &str) -> Result<()> {
        match self.whereabouts() {
            Whereabouts::Here => Ok(()),
            Whereabouts::Moved => Err(self.moved(what)),
            Whereabouts::Removed => Err(self.removed(what)),
        }
    }

    /// A file that is not found is no damage where the directory is not found either.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Corrupt | ErrorKind::Io => {
                self.check_here("read or write").err().unwrap_or(error)
            }
            _ => error,
        }
    }

    fn removed(&self, what: &str) -> Error {
        let why = match self.directory().join("CURRENT").exists() {
            true => {
                "the file HOLDER in its directory was deleted while it was open, so that others can \
                 open it as well; close it and open it again"
            }
            false => {
                "its directory was deleted while it was open, and what was in it is lost; close it, \
                 and open it again to begin an empty one"
            }
        };
        self.lost_place(what, why)
    }

    fn moved(&self, what: &str) -> Error {
        let why = "its directory was moved while it was open; move it back and call again, or close \
                   it and open it where it is now, with all that was acknowledged";
        self.lost_place(what, why)
    }

    fn lost_place(&self, what: &str, why: &str) -> Error {
        let name = &self.place().name;
        let message = format!("Could not {what} in {}: {why}", name.display());
        Error::new(ErrorKind::Path, message).at(name)
    }
}
