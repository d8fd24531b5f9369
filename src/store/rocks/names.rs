//! Names of files that are ours, and of those of RocksDB that we lock.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::aside;
use crate::store::files::closed::CLOSED;

pub(super) const HOLDER: &str = "HOLDER";
/// RocksDB's own, which is all that 0.3.0 holds.
pub(super) const ENGINE_LOCK: &str = "LOCK";
pub(super) const RESERVE: &str = "RESERVE";
/// The directory inside the old one in which the new database is built.
pub(super) const BUILDING: &str = "migrating.2";

/// The directory in which `path` lies.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a file of this name belongs to a queue: one of RocksDB's, our own, or the
/// directory of a conversion or of files that were set aside.
pub(super) fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let prefixes = ["MANIFEST-", "OPTIONS-", "LOG.old."];
    let names = [
        "CURRENT", "IDENTITY", "LOCK", "LOG", HOLDER, RESERVE, CLOSED, BUILDING,
    ];
    names.contains(&name)
        || prefixes.iter().any(|prefix| name.starts_with(prefix))
        || aside::is_ours(name)
        || is_numbered(
            name,
            &["log", "sst", "blob", "dbtmp", "log.trash", "sst.trash"],
        )
}

/// Whether a name is a number and one of these suffixes, as RocksDB names its files.
pub(super) fn is_numbered(name: &str, suffixes: &[&str]) -> bool {
    name.split_once('.').is_some_and(|(number, suffix)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && suffixes.contains(&suffix)
    })
}

/// The names of what is in a directory.
pub(super) fn list(path: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}
