//! Deleting a queue's directory.

use std::fs;
use std::io;
use std::path::Path;

use rust_rocksdb::DB;

use super::hold::Hold;
use super::kind::Kind;
use super::names::{self, BUILDING, HOLDER};
use super::survey::{self, Found};
use super::{aside, failure, legacy, options, process, settle};
use crate::error::{Error, ErrorKind, Result};

/// Deletes the queue of `kind` at `path`, also one of rocksq 0.3.0, and the directory if nothing
/// else is in it. No queue there is no error.
///
/// Fails without deleting anything with `Busy` if somebody has it open, and with `WrongKind` if
/// what is there is no queue of this kind, or so damaged that it cannot be told. A crash in the middle
/// leaves a directory that opens as corrupt and can be removed again.
pub(super) fn remove(path: &Path, kind: Kind) -> Result<()> {
    process::prepare(path)?;
    if find(path, kind)? == Found::Moving {
        let _hold = Hold::take_to_remove(path, kind, Found::Moving)?;
        settle::finish(path)?;
    }
    let found = find(path, kind)?;
    let refused = |error| failure::refusal("remove the queue", path, &error);
    match found {
        Found::Nothing => return Ok(()),
        Found::Empty => return remove_directory(path).map_err(refused),
        Found::Begun | Found::Queue | Found::Legacy | Found::Damaged | Found::Moving => {}
    }
    let _hold = Hold::take_to_remove(path, kind, found)?;
    if found == Found::Legacy && !legacy::holds_items(path, kind)? {
        let why = "it is a damaged queue of rocksq 0.3.0 or a database of another program; if nobody \
                   needs it, delete its directory";
        return Err(refuse(path, why));
    }
    ignore_missing(fs::remove_dir_all(path.join(BUILDING))).map_err(refused)?;
    process::starting_threads(path, || DB::destroy(&options::passive(path), path))?
        .map_err(|status| failure::failure("remove the queue", path, &status))?;
    sweep(path).map_err(refused)
}

/// What is there. Fails unless it may be removed as a queue of `kind`.
fn find(path: &Path, kind: Kind) -> Result<Found> {
    match survey::survey(path, kind) {
        Ok(Found::Damaged) => {}
        Err(error) if error.kind() == ErrorKind::Corrupt => {}
        outcome => return outcome,
    }
    match survey::kind(path) {
        Ok(found) if found == kind => Ok(Found::Damaged),
        Ok(_) => Err(refuse(path, &format!("it is {}", kind.other().name()))),
        Err(error) if !matches!(error.kind(), ErrorKind::WrongKind | ErrorKind::Corrupt) => {
            Err(error)
        }
        Err(_) if is_remnant(path)? => Ok(Found::Damaged),
        Err(_) => Err(refuse(
            path,
            "it is damaged, and nothing in it tells that it is such a queue; if it is one, delete its \
             directory",
        )),
    }
}

/// Whether only a part of a queue of ours is there that nothing can be saved from: a removal that was
/// cut short can leave that.
fn is_remnant(path: &Path) -> Result<bool> {
    let names = names::list(path).map_err(|error| survey::unusable(path, &error))?;
    Ok(names.iter().any(|name| name == HOLDER)
        && !names.iter().any(|name| survey::tells_kind(name)))
}

fn refuse(path: &Path, why: &str) -> Error {
    let message = format!(
        "Cannot remove the queue at {}: {why}; nothing was deleted",
        path.display()
    );
    Error::new(ErrorKind::WrongKind, message).at(path)
}

/// What RocksDB leaves. The holder file goes last: until then no other process can take the
/// directory.
fn sweep(path: &Path) -> io::Result<()> {
    let names = match names::list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    for name in names.iter().filter(|name| names::is_ours(name)) {
        let entry = path.join(name);
        if name.to_str().is_some_and(aside::is_ours) {
            fs::remove_dir_all(entry)?;
        } else if name != HOLDER {
            fs::remove_file(entry)?;
        }
    }
    ignore_missing(fs::remove_file(path.join(HOLDER)))?;
    remove_directory(path)
}

/// Removes the directory, unless it holds files of others, a file system is mounted there, or
/// `path` is a link to it.
fn remove_directory(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, ResourceBusy};
    match fs::remove_dir(path) {
        Err(error) if [DirectoryNotEmpty, NotADirectory, ResourceBusy].contains(&error.kind()) => {
            Ok(())
        }
        outcome => ignore_missing(outcome),
    }
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
