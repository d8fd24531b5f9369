//! Where a copy of a queue may go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{lock, names, survey};
use crate::error::{Error, ErrorKind, Result};

/// RocksDB makes a copy under its name with this behind it, and first deletes what has that name.
const UNFINISHED: &str = ".tmp";

/// The new directory `to` by its full name, for a copy of the queue in `queue`. Fails unless it can be
/// made, as far as can be told.
pub(super) fn place(to: &Path, queue: &Path) -> Result<PathBuf> {
    if is_there(to)? {
        return Err(refuse(to, "something is there already, give a new name"));
    }
    let Some(name) = to.file_name() else {
        return Err(refuse(to, "the path must end in a name"));
    };
    let above = above(to)?;
    if is_within(&above, queue) {
        let why = "that is within the queue itself, give a path elsewhere";
        return Err(refuse(to, why));
    }
    let mut unfinished = name.to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = above.join(unfinished);
    if is_there(&unfinished)? {
        let why = format!(
            "{} beside it is in the way; if it is what a backup that was cut short has left, delete it",
            unfinished.file_name().unwrap_or_default().display()
        );
        return Err(refuse(to, &why));
    }
    try_making(&unfinished).map_err(|error| survey::unusable(to, &error))?;
    Ok(above.join(name))
}

/// RocksDB's failure would not tell whether the queue or the copy is what it is about.
fn try_making(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)?;
    fs::remove_dir(directory)
}

/// By whatever names the two are called.
fn is_within(above: &Path, queue: &Path) -> bool {
    let queue_is = lock::identity(queue);
    let is_queue = |directory: &Path| {
        directory == queue || queue_is.is_some() && lock::identity(directory) == queue_is
    };
    above.ancestors().any(is_queue)
}

fn is_there(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(survey::unusable(path, &error)),
    }
}

/// The directory that is to hold the copy.
fn above(to: &Path) -> Result<PathBuf> {
    match fs::canonicalize(names::parent(to)) {
        Ok(above) if above.is_dir() => Ok(above),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(survey::unusable(to, &error)),
        _ => Err(refuse(
            to,
            "there is no directory to make it in, create that first",
        )),
    }
}

fn refuse(to: &Path, why: &str) -> Error {
    let message = format!("Cannot back up to {}: {why}", to.display());
    Error::new(ErrorKind::Path, message).at(to)
}
