//! Deleting a queue's directory.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use rust_rocksdb::DB;

use super::hold::{HOLDER, Hold};
use super::kind::Kind;
use super::survey::{self, Found};
use super::{engine, failure, options};
use crate::error::{Error, ErrorKind, Result};

/// Deletes the queue of `kind` at `path`, also one of rocksq 0.3.0. Nothing there is no error.
///
/// Fails without deleting anything with `Busy` if somebody has it open, and with `WrongKind` if
/// what is there is no queue of this kind or holds files of others. A crash in the middle leaves
/// a directory that opens as corrupt and can be removed again.
pub(super) fn remove(path: &Path, kind: Kind) -> Result<()> {
    engine::prepare_process(path)?;
    let found = find(path, kind)?;
    if matches!(found, Found::Nothing | Found::Empty) {
        return Ok(());
    }
    let _hold = Hold::take_to_remove(path, kind, found)?;
    check_files(path)?;
    DB::destroy(&options::passive(), path)
        .map_err(|status| failure::failure("remove the queue", path, &status))?;
    sweep(path).map_err(|error| failure::refusal("remove the queue", path, &error))
}

/// Nothing is there either if the directory above is missing.
fn find(path: &Path, kind: Kind) -> Result<Found> {
    match survey::list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        _ => {
            check_files(path)?;
            survey::survey(path, kind)
        }
    }
}

fn check_files(path: &Path) -> Result<()> {
    let names = survey::list(path).map_err(|error| survey::unusable(path, &error))?;
    match names.iter().find(|name| !survey::is_ours(name)) {
        None => Ok(()),
        Some(stranger) => Err(strangers(path, stranger)),
    }
}

/// What RocksDB leaves. The holder file goes last: until then no other process can take the
/// directory.
fn sweep(path: &Path) -> io::Result<()> {
    let names = match survey::list(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    for name in names
        .iter()
        .filter(|name| *name != HOLDER && *name != "lost+found")
    {
        fs::remove_file(path.join(name))?;
    }
    ignore_missing(fs::remove_file(path.join(HOLDER)))?;
    // A mount point stays.
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        outcome => ignore_missing(outcome),
    }
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn strangers(path: &Path, name: &OsString) -> Error {
    let message = format!(
        "Cannot remove {}: it holds {}, which is no file of a queue; nothing was deleted",
        path.display(),
        name.display()
    );
    Error::new(ErrorKind::WrongKind, message).at(path)
}
