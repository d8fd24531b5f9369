//! What a directory holds, found out without changing a byte of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use rust_rocksdb::DB;

use super::kind::{DATA, DEFAULT, FORMAT, Kind, READER, SYSTEM};
use super::names::{self, HOLDER};
use super::{access, aside, endless, failure, legacy, options};
use crate::error::{Error, ErrorKind, Result};
use crate::store::files::closed::CLOSED;

/// The families are named at the start of a file.
const LONGEST_TO_TELL: u64 = 16 << 20;

/// What is at a path that a queue may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A directory without a queue. Files of others may be there: they are left alone.
    Empty,
    /// A queue whose creation was interrupted.
    Begun,
    /// A queue of the kind that was asked for.
    Queue,
    /// A queue of rocksq 0.3.0, of the kind that was asked for, or one whose conversion was
    /// interrupted.
    Legacy,
    /// A queue that has lost the file which names its other files, or a part of it.
    Damaged,
    /// A queue that a repair is about to replace.
    Moving,
}

/// A removal, or a copy, that was cut short can leave this.
fn incomplete(path: &Path) -> Error {
    let why = match kind(path) {
        Ok(_) => {
            "it holds files of a queue that has lost its CURRENT and its HOLDER, of which rocksq.repair \
             saves what is intact"
        }
        Err(_) => "it holds files of a database that is not complete",
    };
    wrong(why).of(path)
}

/// Looks at `path`. Fails if what is there is no queue of `kind`.
pub(super) fn survey(path: &Path, kind: Kind) -> Result<Found> {
    let names = match names::list(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(unusable(path, &error)),
    };
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if holds_repaired(&names) {
        Ok(Found::Moving)
    } else if has("CURRENT") {
        match recognise(path, has(HOLDER), kind)? {
            // Families that are missing now would take what the log has for them along.
            Found::Begun if holds_data(path, &names) => Ok(Found::Damaged),
            found => Ok(found),
        }
    } else if has(HOLDER) {
        Ok(unfinished(&names))
    } else if names.iter().any(|name| names::is_ours(name)) {
        Err(incomplete(path))
    } else {
        Ok(Found::Empty)
    }
}

/// The kind of queue at `path` if it can be told without a lock: another process may be writing.
pub(super) fn is_other_kind(path: &Path, kind: Kind) -> bool {
    families(path).is_ok_and(|names| names.iter().any(|name| name == kind.other().family()))
}

/// Whether a repaired queue is about to replace the one at `path`.
pub(super) fn is_moving(path: &Path) -> Result<bool> {
    let names = names::list(path).map_err(|error| unusable(path, &error))?;
    Ok(holds_repaired(&names))
}

fn holds_repaired(names: &[OsString]) -> bool {
    let is_repaired = |name: &OsString| name.to_str().is_some_and(aside::is_transit);
    names.iter().any(|name| name == HOLDER) && names.iter().any(is_repaired)
}

/// The kind of the queue at `path`, also when its table of contents is damaged: RocksDB writes the
/// names of the families into several files.
pub(super) fn kind(path: &Path) -> Result<Kind> {
    let names = names::list(path).map_err(|error| unusable(path, &error))?;
    if legacy::interrupted(path)?.is_some() {
        return Err(refuse_interrupted(path));
    }
    let kinds = [Kind::Fifo, Kind::Mpmc];
    if names.iter().any(|name| name == "CURRENT")
        && let Ok(families) = families(path)
    {
        refuse_other_formats(path, &names, &families)?;
        let is_there = |kind: &Kind| families.iter().any(|name| name == kind.family());
        if let Some(kind) = kinds.into_iter().find(is_there) {
            return Ok(kind);
        }
    }
    let mut found = None;
    for name in names.iter().filter(|name| tells_kind(name)) {
        let Some(text) = read_start(&path.join(name)).map_err(|error| unusable(path, &error))?
        else {
            continue;
        };
        if let Some(number) = newer_format(&text) {
            return Err(newer(number).of(path));
        }
        let mentions = |kind: &Kind| contains(&text, kind.family().as_bytes());
        found = found.or_else(|| kinds.into_iter().find(mentions));
    }
    found.ok_or_else(|| not_ours(path))
}

/// As much of a file as may tell the kind of a queue; `None` if it is no file.
fn read_start(file: &Path) -> io::Result<Option<Vec<u8>>> {
    if !file.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    fs::File::open(file)?
        .take(LONGEST_TO_TELL)
        .read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Whether a file of this name has the names of the families in it.
pub(super) fn tells_kind(name: &OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-")
}

/// Fails if the families are those of a queue that another version of rocksq wrote.
fn refuse_other_formats(path: &Path, names: &[OsString], families: &[String]) -> Result<()> {
    if legacy(families, names.iter().any(|name| name == HOLDER)).is_some() {
        return Err(refuse_legacy(path));
    }
    let refused = |refusal: Refusal| refusal.of(path);
    families
        .iter()
        .try_for_each(|family| check_family(family).map_err(refused))
}

/// The number of a newer format, if a file of options describes a family of it. A table of contents
/// cannot be asked: keys are in it, too, and labels may have any name.
fn newer_format(text: &[u8]) -> Option<u32> {
    let text = text
        .starts_with(b"#")
        .then(|| String::from_utf8_lossy(text))?;
    let mut numbers = text
        .lines()
        .filter_map(|line| line.strip_prefix("[CFOptions \"")?.strip_suffix("\"]"))
        .filter_map(format_of);
    numbers.find(|number| *number > FORMAT)
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn not_ours(path: &Path) -> Error {
    wrong("nothing in it tells that it is a queue of this version").of(path)
}

/// An error of kind `Path` that says why the operating system did not let us use `path`.
pub(super) fn unusable(path: &Path, error: &io::Error) -> Error {
    if failure::is_of_machine(error) {
        return failure::refusal("use the directory", path, error);
    }
    let why = reason(path, error);
    let message = format!("Cannot use {} for a queue: {why}", path.display());
    Error::new(ErrorKind::Path, message).at(path)
}

/// An error of kind `Path` that says why `directory`, above `path`, cannot be made.
pub(super) fn no_parent(path: &Path, directory: &Path, error: &io::Error) -> Error {
    if failure::is_of_machine(error) {
        return failure::refusal("make the directories above", path, error);
    }
    let message = format!(
        "Cannot create a queue at {}: cannot make the directory {}: {}",
        path.display(),
        directory.display(),
        reason(directory, error)
    );
    Error::new(ErrorKind::Path, message).at(path)
}

fn reason(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotADirectory => "it, or a part of its path, is not a directory".to_owned(),
        io::ErrorKind::PermissionDenied => access::denial(path),
        io::ErrorKind::ReadOnlyFilesystem => "its file system is read-only".to_owned(),
        _ => error.to_string(),
    }
}

/// The names of the families of the database at `path`.
pub(super) fn families(path: &Path) -> Result<Vec<String>> {
    endless::check_contents(path)?;
    DB::list_cf(&options::guarded(), path)
        .map_err(|status| failure::failure("read the queue's table of contents", path, &status))
}

/// What a directory with a `CURRENT` is. A conversion may begin to exchange it between two looks.
fn recognise(path: &Path, held: bool, kind: Kind) -> Result<Found> {
    let converting = || {
        let found = legacy::interrupted(path)?;
        Ok(found.map(|found| legacy_if(found == kind, kind)))
    };
    let found = match (converting()?, families(path)) {
        (Some(found), _) => found,
        (None, Ok(families)) => judge(&families, held, kind),
        (None, Err(error)) => converting()?.ok_or(error)?,
    };
    found.map_err(|refusal| refusal.of(path))
}

/// Whether something was written to the database beyond its making.
fn holds_data(path: &Path, names: &[OsString]) -> bool {
    let is_empty = |name: &str| path.join(name).metadata().is_ok_and(|file| file.len() == 0);
    names.iter().filter_map(|name| name.to_str()).any(|name| {
        names::is_numbered(name, &["sst"]) || names::is_numbered(name, &["log"]) && !is_empty(name)
    })
}

/// Creation writes no table and no log before `CURRENT` is there, so a directory that has some
/// without it was damaged later and must not be created anew.
fn unfinished(names: &[OsString]) -> Found {
    let holds_data = names
        .iter()
        .filter_map(|name| name.to_str())
        .any(|name| names::is_numbered(name, &["sst", "log"]) || name == CLOSED);
    if holds_data {
        Found::Damaged
    } else {
        Found::Begun
    }
}

/// Tells from the families of a RocksDB database what it is. `held` says that a queue of this
/// format was begun here, which tells it from a 0.3.0 queue while it has no family of its own.
fn judge(families: &[String], held: bool, kind: Kind) -> Result<Found, Refusal> {
    let has = |name: &str| families.iter().any(|family| family == name);
    if let Some(legacy) = legacy(families, held) {
        return legacy_if(legacy == kind, kind);
    }
    for family in families {
        check_family(family)?;
    }
    if has(kind.other().family()) {
        Err(other_kind(kind))
    } else if kind.families().iter().all(|name| has(name)) {
        Ok(Found::Queue)
    } else {
        Ok(Found::Begun)
    }
}

fn legacy_if(is_of_kind: bool, kind: Kind) -> Result<Found, Refusal> {
    if is_of_kind {
        Ok(Found::Legacy)
    } else {
        Err(other_kind(kind))
    }
}

/// Which kind of 0.3.0 queue has these families, if any.
fn legacy(families: &[String], held: bool) -> Option<Kind> {
    let mut names: Vec<&str> = families.iter().map(String::as_str).collect();
    names.sort_unstable();
    match names.as_slice() {
        [DEFAULT] if !held => Some(Kind::Fifo),
        ["data", DEFAULT, "reader", "system"] => Some(Kind::Mpmc),
        _ => None,
    }
}

fn check_family(name: &str) -> Result<(), Refusal> {
    let known = [DEFAULT, DATA, SYSTEM, READER];
    if known.contains(&name) || [Kind::Fifo, Kind::Mpmc].iter().any(|k| k.family() == name) {
        return Ok(());
    }
    match format_of(name) {
        Some(number) => Err(newer(number)),
        None => Err(wrong("it is a RocksDB database of another program")),
    }
}

/// The format that the name of a family tells.
fn format_of(family: &str) -> Option<u32> {
    let mut prefixes = ["data.", "system.", "reader."].iter();
    let number = prefixes.find_map(|prefix| family.strip_prefix(prefix))?;
    number.parse().ok()
}

fn newer(number: u32) -> Refusal {
    unsupported(&format!(
        "its format has the number {number}, and this version of rocksq reads format {FORMAT}"
    ))
}

/// The refusal of a 0.3.0 queue.
pub(super) fn refuse_legacy(path: &Path) -> Error {
    unsupported("it was written by rocksq 0.3.0 and has to be converted").of(path)
}

/// The refusal of a directory that everything else is in.
pub(super) fn refuse_root(path: &Path) -> Error {
    let why = "it is the root of a file tree; give a directory for the queue alone".to_owned();
    let kind = ErrorKind::Path;
    Refusal { kind, why }.of(path)
}

fn refuse_interrupted(path: &Path) -> Error {
    unsupported(
        "its conversion from rocksq 0.3.0 was interrupted; open it, or migrate it, which finishes that",
    )
    .of(path)
}

/// Why a directory is not opened. Nothing in it was changed.
#[derive(Debug)]
struct Refusal {
    kind: ErrorKind,
    why: String,
}

impl Refusal {
    fn of(self, path: &Path) -> Error {
        let message = format!(
            "Cannot use {} for a queue: {}; nothing was changed",
            path.display(),
            self.why
        );
        Error::new(self.kind, message).at(path)
    }
}

fn other_kind(kind: Kind) -> Refusal {
    wrong(&format!(
        "it holds {}, not {}",
        kind.other().name(),
        kind.name()
    ))
}

fn wrong(why: &str) -> Refusal {
    Refusal {
        kind: ErrorKind::WrongKind,
        why: why.to_owned(),
    }
}

fn unsupported(why: &str) -> Refusal {
    Refusal {
        kind: ErrorKind::UnsupportedFormat,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(families: &[&str]) -> Vec<String> {
        families.iter().map(|&name| name.to_owned()).collect()
    }

    fn kind_of_error(families: &[&str], held: bool, kind: Kind) -> ErrorKind {
        judge(&names(families), held, kind).unwrap_err().kind
    }

    #[test]
    fn families_tell_kind_and_format() {
        let fifo = names(&Kind::Fifo.families());
        assert_eq!(judge(&fifo, true, Kind::Fifo).unwrap(), Found::Queue);
        assert_eq!(judge(&fifo, false, Kind::Fifo).unwrap(), Found::Queue);
        let refused = judge(&fifo, true, Kind::Mpmc).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::WrongKind);
        assert_eq!(
            kind_of_error(&["default", "data.3", "kind.fifo"], true, Kind::Fifo),
            ErrorKind::UnsupportedFormat
        );
        assert_eq!(
            kind_of_error(&["default", "users"], true, Kind::Fifo),
            ErrorKind::WrongKind
        );
    }

    #[test]
    fn a_begun_queue_is_not_a_legacy_queue() {
        let bare = names(&["default"]);
        assert_eq!(judge(&bare, true, Kind::Mpmc).unwrap(), Found::Begun);
        assert_eq!(judge(&bare, false, Kind::Fifo).unwrap(), Found::Legacy);
        assert_eq!(
            kind_of_error(&["default"], false, Kind::Mpmc),
            ErrorKind::WrongKind
        );
        let part = names(&["default", "kind.mpmc", "data.2"]);
        assert_eq!(judge(&part, true, Kind::Mpmc).unwrap(), Found::Begun);
    }

    #[test]
    fn legacy_families_are_recognised() {
        let mpmc = names(&["default", "data", "system", "reader"]);
        assert_eq!(judge(&mpmc, false, Kind::Mpmc).unwrap(), Found::Legacy);
        assert_eq!(
            kind_of_error(&["default", "data", "system", "reader"], false, Kind::Fifo),
            ErrorKind::WrongKind
        );
    }
}
