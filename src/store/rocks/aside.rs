//! Directories within a queue's directory: damaged files that are kept, and a repair under way.
//! Files of others may be there too, so each of these names begins with `rocksq-`:
//!
//! | name | holds |
//! |---|---|
//! | `suspect` | links to logs whose replay is being watched |
//! | `lost-1`, `lost-2`, ... | logs of which RocksDB has dropped something; a repair saves what it can |
//! | `damaged-1`, `damaged-2`, ... | what a repair has replaced; nothing needs it any more |
//! | `repairing` | a queue that a repair is writing; deleted by the next repair or opening |
//! | `repaired-N` | a repaired queue, which takes the place of the old one: that goes to `damaged-N` |
//! | `settling-N` | a repaired queue, while its files move up |

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{directories, native};
use crate::store::files::wal;

pub(super) const SUSPECT: &str = "rocksq-suspect";
pub(super) const REPAIRING: &str = "rocksq-repairing";
const LOST: &str = "rocksq-lost-";
const REACHED: &str = "REACHED";
/// More than a sequence number has.
const LONGEST_NUMBER: u64 = 64;
const UNTOLD: &str = "UNTOLD";
const DAMAGED: &str = "rocksq-damaged-";
const REPAIRED: &str = "rocksq-repaired-";
const SETTLING: &str = "rocksq-settling-";

/// Whether a directory of this name within a queue's directory is ours.
pub(super) fn is_ours(name: &str) -> bool {
    name == REPAIRING || is_lost(name) || is_damaged(name) || transit(name).is_some()
}

/// Whether a directory of this name holds logs that a repair can read.
pub(super) fn is_lost(name: &str) -> bool {
    name == SUSPECT || numbered(name, LOST).is_some()
}

fn is_damaged(name: &str) -> bool {
    numbered(name, DAMAGED).is_some()
}

/// A repair that was decided and not carried out to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transit {
    Repaired(u32),
    Settling(u32),
}

/// Whether a directory of this name is a repaired queue on its way.
pub(super) fn is_transit(name: &str) -> bool {
    transit(name).is_some()
}

pub(super) fn transit(name: &str) -> Option<Transit> {
    let repaired = numbered(name, REPAIRED).map(Transit::Repaired);
    repaired.or_else(|| numbered(name, SETTLING).map(Transit::Settling))
}

pub(super) fn suspect(directory: &Path) -> PathBuf {
    directory.join(SUSPECT)
}

pub(super) fn damaged(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{DAMAGED}{number}"))
}

pub(super) fn repaired(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{REPAIRED}{number}"))
}

pub(super) fn settling(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{SETTLING}{number}"))
}

/// A number that no directory of ours in `directory` has.
pub(super) fn free_number(directory: &Path) -> io::Result<u32> {
    let mut highest = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        for prefix in [LOST, DAMAGED, REPAIRED, SETTLING] {
            highest = highest.max(numbered(name, prefix).unwrap_or(0));
        }
    }
    Ok(highest.saturating_add(1))
}

/// Links files into `to`, which may have some of them already.
pub(super) fn link(files: &[(u64, PathBuf)], to: &Path) -> io::Result<()> {
    ignore(io::ErrorKind::AlreadyExists, fs::create_dir(to))?;
    for (_, file) in files {
        link_file(file, &to.join(file.file_name().unwrap_or_default()))?;
    }
    directories::sync(to)?;
    directories::sync(to.parent().unwrap_or(Path::new(".")))
}

/// Gives a file a second name, or copies it where file systems have no links.
pub(super) fn link_file(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(error),
        Err(_) => copy_file(from, to),
        Ok(()) => Ok(()),
    }
}

/// A copy that is cut short has another name.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let part = to.with_extension("part");
    native::occupy_standard_descriptors();
    fs::copy(from, &part)?;
    fs::File::open(&part)?.sync_all()?;
    fs::rename(&part, to)
}

/// Notes in a directory of logs up to which sequence number their changes were brought back, and that
/// nobody was told of it.
pub(super) fn note_reached(directory: &Path, reached: u64) -> io::Result<()> {
    native::occupy_standard_descriptors();
    fs::write(directory.join(REACHED), format!("{reached}\n"))?;
    fs::File::open(directory.join(REACHED))?.sync_all()?;
    fs::write(directory.join(UNTOLD), "")?;
    directories::sync(directory)
}

/// Notes that somebody was told of a directory of logs.
pub(super) fn note_told(directory: &Path) -> io::Result<()> {
    ignore(
        io::ErrorKind::NotFound,
        fs::remove_file(directory.join(UNTOLD)),
    )
}

/// Up to which sequence number the changes in these logs were brought back, if that was noted.
pub(super) fn reached(directory: &Path) -> Option<u64> {
    let mut text = String::new();
    let file = fs::File::open(directory.join(REACHED)).ok()?;
    file.take(LONGEST_NUMBER).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Logs that openings have set aside, by name. Those that had no room for more have left them in
/// their places as well.
pub(super) struct Judged(HashMap<OsString, u64>);

impl Judged {
    /// Up to which sequence number the changes in `log` count. Those behind it are in the directory
    /// of the opening that has dropped them.
    pub(super) fn reached(&self, log: &Path) -> u64 {
        let reached = log.file_name().and_then(|name| self.0.get(name));
        reached.copied().unwrap_or(u64::MAX)
    }
}

/// All that were judged.
pub(super) fn judged(directory: &Path) -> io::Result<Judged> {
    judged_in(&lost(directory)?)
}

/// Those that other openings have judged than the one that has left, or leaves, `own`.
pub(super) fn judged_elsewhere(directory: &Path, own: &Path) -> io::Result<Judged> {
    let mut directories = lost(directory)?;
    directories.retain(|lost| lost != own);
    judged_in(&directories)
}

/// A `lost-N` of an opening that was cut short before it could tell. To be asked when there is no `suspect`.
pub(super) fn untold(directory: &Path) -> io::Result<Option<PathBuf>> {
    let mut directories = lost(directory)?.into_iter();
    Ok(directories.find(|lost| lost.join(UNTOLD).exists()))
}

fn judged_in(directories: &[PathBuf]) -> io::Result<Judged> {
    let mut judged = HashMap::new();
    for lost in directories {
        let Some(reached) = reached(lost) else {
            continue;
        };
        for (_, log) in wal::files(lost)? {
            let name = log.file_name().unwrap_or_default().to_owned();
            let least = judged.entry(name).or_insert(reached);
            *least = reached.min(*least);
        }
    }
    Ok(Judged(judged))
}

/// Turns `suspect` into the next `lost-N`, which it returns.
pub(super) fn keep(directory: &Path, suspect: &Path) -> io::Result<PathBuf> {
    let kept = directory.join(format!("{LOST}{}", free_number(directory)?));
    fs::rename(suspect, &kept)?;
    directories::sync(directory)?;
    Ok(kept)
}

/// The directories of logs that a repair can read, the oldest first.
pub(super) fn lost(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        if is_lost(name) {
            found.push((numbered(name, LOST).unwrap_or(u32::MAX), entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn numbered(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.parse().ok()
}

pub(super) fn ignore(kind: io::ErrorKind, outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == kind => Ok(()),
        outcome => outcome,
    }
}
