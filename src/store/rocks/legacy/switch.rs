//! Exchanging the files of an old database for those of the new one.
//!
//! RocksDB finds a database through the file `CURRENT`, which names the table of contents. The
//! exchange begins by replacing it with a note of ours, in one step: before it the old database is
//! whole, after it the new one is, in its directory within. The note names no table of contents, so
//! rocksq 0.3.0 refuses the directory as corrupt and changes nothing; were there no `CURRENT`, it
//! would make a new queue. Then
//!
//! 1. ([`Stage::Sweep`]) the old files are deleted,
//! 2. ([`Stage::Move`]) the new files move up and the directory within goes,
//! 3. a `CURRENT` that names the new table of contents takes the place of the note.
//!
//! Each stage can be done again from its start, whatever an interruption has left of it. Two stages,
//! because old and new files may have the same names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::Migrated;
use crate::store::rocks::kind::Kind;
use crate::store::rocks::names::{self, BUILDING, ENGINE_LOCK, HOLDER};
use crate::store::rocks::{directories, failure, native, survey};

const CURRENT: &str = "CURRENT";
/// RocksDB deletes files that end so.
const NEXT_CURRENT: &str = "000000.dbtmp";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sweep,
    Move,
}

/// What the file `CURRENT` says during an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    stage: Stage,
    kind: Kind,
    /// The name of the new table of contents.
    manifest: String,
    done: Migrated,
}

/// One change of the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Remove(PathBuf),
    RemoveDirectory(PathBuf),
    Rename(PathBuf, PathBuf),
    /// What was done in the directory becomes durable.
    Sync(PathBuf),
    /// Replaces `CURRENT` in the directory.
    Point(PathBuf, String),
}

/// The kind of the queue at `path` if an exchange of its files has begun and not ended.
pub(crate) fn interrupted(path: &Path) -> Result<Option<Kind>> {
    Ok(read(path)?.map(|note| note.kind))
}

/// Begins to exchange the files of the old database in `directory` for those of the new one
/// within, which must be closed. From now on the new one counts.
pub(super) fn begin(directory: &Path, kind: Kind, done: Migrated) -> Result<()> {
    let refused = |error: io::Error| failure::refusal("convert the queue", directory, &error);
    let building = directory.join(BUILDING);
    let manifest = fs::read_to_string(building.join(CURRENT)).map_err(refused)?;
    let note = Note {
        stage: Stage::Sweep,
        kind,
        manifest: manifest.trim_end().to_owned(),
        done,
    };
    make_durable(directory, &building).map_err(refused)?;
    point(directory, &note.encode()).map_err(refused)
}

/// Finishes an exchange that has begun; `None` if none has.
pub(super) fn finish(directory: &Path) -> Result<Option<Migrated>> {
    let refused = |error: io::Error| failure::refusal("convert the queue", directory, &error);
    let mut done = None;
    while let Some(note) = read(directory)? {
        for step in plan(directory, &note).map_err(refused)? {
            step.take().map_err(refused)?;
        }
        done = Some(note.done);
    }
    Ok(done)
}

/// The steps that are left of the stage that a directory is in; none if it is in none.
#[cfg(test)]
pub(super) fn steps(directory: &Path) -> Vec<Step> {
    match read(directory).unwrap() {
        Some(note) => plan(directory, &note).unwrap(),
        None => Vec::new(),
    }
}

fn plan(directory: &Path, note: &Note) -> io::Result<Vec<Step>> {
    match note.stage {
        Stage::Sweep => plan_sweep(directory, note),
        Stage::Move => plan_move(directory, note),
    }
}

fn plan_sweep(directory: &Path, note: &Note) -> io::Result<Vec<Step>> {
    let stays = [CURRENT, ENGINE_LOCK, HOLDER, BUILDING];
    let old = files(directory, &stays)?
        .into_iter()
        .filter(|name| names::is_ours(name));
    let mut steps: Vec<Step> = old.map(|name| Step::Remove(directory.join(name))).collect();
    let next = Note {
        stage: Stage::Move,
        ..note.clone()
    };
    steps.push(Step::Sync(directory.to_owned()));
    steps.push(Step::Point(directory.to_owned(), next.encode()));
    Ok(steps)
}

fn plan_move(directory: &Path, note: &Note) -> io::Result<Vec<Step>> {
    let mut steps = Vec::new();
    let building = directory.join(BUILDING);
    if building.exists() {
        let moving = files(&building, &[CURRENT, ENGINE_LOCK, HOLDER])?;
        let up = |name: OsString| Step::Rename(building.join(&name), directory.join(name));
        steps.extend(moving.into_iter().map(up));
        steps.push(Step::Sync(directory.to_owned()));
        steps.push(Step::Sync(building.clone()));
        steps.push(Step::RemoveDirectory(building));
        steps.push(Step::Sync(directory.to_owned()));
    }
    let current = format!("{}\n", note.manifest);
    steps.push(Step::Point(directory.to_owned(), current));
    Ok(steps)
}

/// The names in a directory, without those that stay, in order.
fn files(directory: &Path, without: &[&str]) -> io::Result<Vec<OsString>> {
    let mut names = names::list(directory)?;
    names.retain(|name| !without.iter().any(|stays| name == stays));
    names.sort_unstable();
    Ok(names)
}

impl Step {
    pub(super) fn take(&self) -> io::Result<()> {
        match self {
            Self::Remove(file) => fs::remove_file(file),
            Self::RemoveDirectory(directory) => fs::remove_dir_all(directory),
            Self::Rename(from, to) => fs::rename(from, to),
            Self::Sync(directory) => directories::sync(directory),
            Self::Point(directory, content) => point(directory, content),
        }
    }
}

/// Replaces `CURRENT` so that at any moment it is the old one or the new one, as a whole.
fn point(directory: &Path, content: &str) -> io::Result<()> {
    let next = directory.join(NEXT_CURRENT);
    let mut file = native::opened(|| File::create(&next))?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(next, directory.join(CURRENT))?;
    directories::sync(directory)
}

/// RocksDB syncs what it needs; this leaves no doubt, and covers the directories.
fn make_durable(directory: &Path, building: &Path) -> io::Result<()> {
    for name in names::list(building)? {
        File::open(building.join(name))?.sync_all()?;
    }
    directories::sync(building)?;
    directories::sync(directory)
}

fn read(directory: &Path) -> Result<Option<Note>> {
    let content = match read_start(&directory.join(CURRENT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        content => content.map_err(|error| survey::unusable(directory, &error))?,
    };
    match content.strip_prefix(PREFIX.as_bytes()) {
        None => Ok(None),
        Some(words) => str::from_utf8(words)
            .ok()
            .and_then(Note::decode)
            .map(Some)
            .ok_or_else(|| unreadable(directory)),
    }
}

/// More than a note has. What is no file says nothing.
fn read_start(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if !file.is_dir() {
        File::open(file)?
            .take(LONGEST_NOTE)
            .read_to_end(&mut content)?;
    }
    Ok(content)
}

const LONGEST_NOTE: u64 = 4096;

/// No name of a table of contents begins so.
const PREFIX: &str = "rocksq converts ";

impl Note {
    fn encode(&self) -> String {
        let stage = match self.stage {
            Stage::Sweep => "sweep",
            Stage::Move => "move",
        };
        let kind = match self.kind {
            Kind::Fifo => "fifo",
            Kind::Mpmc => "mpmc",
        };
        let Migrated {
            items,
            labels,
            left_out,
            moved_labels,
        } = self.done;
        format!(
            "{PREFIX}{kind} {stage} {} {items} {labels} {left_out} {moved_labels}\n",
            self.manifest
        )
    }

    fn decode(words: &str) -> Option<Self> {
        let mut words = words.strip_suffix('\n')?.split(' ');
        let kind = match words.next()? {
            "fifo" => Kind::Fifo,
            "mpmc" => Kind::Mpmc,
            _ => return None,
        };
        let stage = match words.next()? {
            "sweep" => Stage::Sweep,
            "move" => Stage::Move,
            _ => return None,
        };
        let manifest = words.next()?.to_owned();
        let mut number = || words.next()?.parse().ok();
        let done = Migrated {
            items: number()?,
            labels: number()?,
            left_out: number()?,
            moved_labels: number()?,
        };
        Some(Self {
            stage,
            kind,
            manifest,
            done,
        })
    }
}

fn unreadable(directory: &Path) -> Error {
    let message = format!(
        "Could not finish converting the queue at {}: its file CURRENT is damaged, restore the \
         queue from a copy",
        directory.display()
    );
    Error::corrupt(message).at(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_survives_its_file() {
        let note = Note {
            stage: Stage::Move,
            kind: Kind::Mpmc,
            manifest: "MANIFEST-000005".to_owned(),
            done: Migrated {
                items: 1,
                labels: 2,
                left_out: 3,
                moved_labels: 4,
            },
        };
        let text = note.encode();
        let words = text.strip_prefix(PREFIX).unwrap();
        assert_eq!(Note::decode(words).as_ref(), Some(&note));
        for len in 0..words.len() {
            assert_eq!(Note::decode(words.get(..len).unwrap()), None);
        }
    }
}
