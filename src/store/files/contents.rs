//! RocksDB's table of contents, the MANIFEST: whether it is whole, and belongs to the logs beside it.
//!
//! A MANIFEST that has lost its end is still a valid one, of an earlier moment. RocksDB would
//! believe it, open the queue as it was then, and delete the tables that came later. The logs tell:
//! with every change of its MANIFEST RocksDB has a log in use, whose number it had already given
//! away then, and it deletes that log only after a later change. So a MANIFEST that is complete
//! finds at least one log between the oldest that it needs and the next number that it would
//! give. And the oldest log that is there goes on where the tables end that it knows, or begins earlier:
//! a log is deleted when the tables have all that is in it.
//!
//! ```text
//! record   an edit: fields of tag varint32 and what belongs to the tag
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::closed::Closed;
use super::varint::Bytes;
use super::wal::{self, Detail, Piece};

/// What the edits of a MANIFEST amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The oldest log that is needed.
    log: u64,
    /// The number that the next file will get.
    next_file: u64,
    /// The last sequence number in the tables.
    sequence: u64,
    /// The session of RocksDB that wrote each table, by the table's number; also of tables that
    /// went.
    sessions: BTreeMap<u64, u64>,
    /// Whether there is an edit that could not be read, so that nothing can be said.
    unknown: bool,
    /// Where bytes begin that are no edit.
    bad: Option<u64>,
    /// Whether the file ends within an edit.
    torn: bool,
}

/// A `CURRENT` that has as much as this is not one of RocksDB's.
const LONGEST_CURRENT: u64 = 256;

/// Why a MANIFEST is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It is damaged from this offset on.
    Damaged(u64),
    /// The logs are not those that it must find.
    Unfit,
    /// It has lost its end since the queue was closed.
    Cut,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(offset) => write!(f, "the table of contents is damaged at byte {offset}"),
            Self::Cut => f.write_str("the table of contents has lost its end"),
            Self::Unfit => {
                f.write_str("the log is missing, or the table of contents is older than it")
            }
        }
    }
}

/// Whether the MANIFEST in `directory` is not to be believed, beside the logs `files`. `None` too where
/// that cannot be told: then RocksDB says what is wrong.
pub(crate) fn doubt(directory: &Path, files: &[(u64, PathBuf)]) -> io::Result<Option<Doubt>> {
    let Some(manifest) = current(directory)? else {
        return Ok(None);
    };
    let contents = match read(&manifest) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        contents => contents?,
    };
    if let Some(offset) = contents.bad
        && !wal::ends_unwritten(&manifest, offset)?
    {
        return Ok(Some(Doubt::Damaged(offset)));
    }
    if let Some(closed) = Closed::valid(directory)?
        && closed.cut_manifest(directory)?.is_some()
    {
        return Ok(Some(Doubt::Cut));
    }
    // Without a number that comes next nothing was in use yet.
    if contents.unknown || contents.next_file == 0 {
        return Ok(None);
    }
    let fits = contents.finds_a_log(files) && contents.reaches_the_logs(files)?;
    Ok((!fits).then_some(Doubt::Unfit))
}

/// By which session the tables in `directory` were written, as far as its MANIFEST tells.
pub(crate) fn sessions(directory: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let contents = match current(directory) {
        Ok(Some(manifest)) => read(&manifest),
        Ok(None) => return Ok(BTreeMap::new()),
        Err(error) => Err(error),
    };
    match contents {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        contents => Ok(contents?.sessions),
    }
}

/// The MANIFEST that is in use, if `CURRENT` names one.
pub(crate) fn current(directory: &Path) -> io::Result<Option<PathBuf>> {
    let path = directory.join("CURRENT");
    if path.is_dir() {
        return Ok(None);
    }
    let mut text = Vec::new();
    fs::File::open(path)?
        .take(LONGEST_CURRENT)
        .read_to_end(&mut text)?;
    Ok(named(&text).map(|name| directory.join(name)))
}

/// The name in the text of a `CURRENT`, if RocksDB wrote it so: a line with the name of a MANIFEST.
fn named(text: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let number = name.strip_prefix("MANIFEST-")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(name)
}

pub(crate) fn read(manifest: &Path) -> io::Result<Contents> {
    read_from(&mut fs::File::open(manifest)?)
}

/// Reads what would be in a MANIFEST.
pub(crate) fn read_from(manifest: &mut dyn io::Read) -> io::Result<Contents> {
    let mut contents = Contents::default();
    // Edits of a group count together or not at all.
    let mut group: Vec<Edit> = Vec::new();
    wal::read_from(manifest, Detail::Whole, &mut |piece| match piece {
        Piece::Record(record) => match Edit::parse(record.bytes) {
            Some(edit) => {
                let is_last = edit.remaining == 0;
                group.push(edit);
                if is_last {
                    group.drain(..).for_each(|edit| contents.apply(edit));
                }
            }
            None => contents.unknown = true,
        },
        Piece::Bad(offset) => drop(contents.bad.get_or_insert(offset)),
        Piece::Endless(_) => contents.unknown = true,
        Piece::Torn(_) => contents.torn = true,
    })?;
    Ok(contents)
}

impl Contents {
    /// Whether the file consists of edits, from its start to its end.
    pub(crate) fn is_whole(&self) -> bool {
        !self.torn && self.bad.is_none()
    }

    fn apply(&mut self, edit: Edit) {
        self.log = self.log.max(edit.log);
        self.next_file = self.next_file.max(edit.next_file);
        self.sequence = self.sequence.max(edit.sequence);
        self.sessions.extend(edit.sessions);
    }

    fn finds_a_log(&self, files: &[(u64, PathBuf)]) -> bool {
        let in_use = self.log..self.next_file;
        files.iter().any(|(number, _)| in_use.contains(number))
    }

    /// Whether nothing is missing between the tables and the oldest log.
    fn reaches_the_logs(&self, files: &[(u64, PathBuf)]) -> io::Result<bool> {
        for (_, file) in files {
            if fs::metadata(file)?.len() > 0 {
                let first = wal::first_sequence(file)?;
                return Ok(first.is_none_or(|first| first <= self.sequence.saturating_add(1)));
            }
        }
        Ok(true)
    }
}

/// What matters here of an edit.
#[derive(Clone, Debug, Default)]
struct Edit {
    log: u64,
    next_file: u64,
    sequence: u64,
    /// Numbers of tables that come, and the sessions that wrote them.
    sessions: Vec<(u64, u64)>,
    /// How many edits of its group follow.
    remaining: u64,
}

/// Tags with this bit stand before a length and so many bytes, whatever they mean.
const SKIPPABLE: u64 = 1 << 13;

/// What belongs to a table that comes: its unique id.
const UNIQUE_ID: u64 = 12;

impl Edit {
    fn parse(record: &[u8]) -> Option<Self> {
        let mut edit = Self::default();
        let mut bytes = Bytes(record);
        while !bytes.0.is_empty() {
            match bytes.number()? {
                // The log number, and the number of the next file.
                2 => edit.log = bytes.number()?,
                3 => edit.next_file = bytes.number()?,
                // The last sequence number.
                4 => edit.sequence = bytes.number()?,
                300 => edit.remaining = bytes.number()?,
                // Older logs, and the numbers and names of families.
                9 | 10 | 200 | 203 => drop(bytes.number()?),
                1 | 201 => drop(bytes.slice()?),
                202 => {}
                // A place for compaction, a table that goes, a table that comes.
                5 => {
                    bytes.number()?;
                    bytes.slice()?;
                }
                6 => {
                    bytes.number()?;
                    bytes.number()?;
                }
                103 => edit.sessions.extend(new_table(&mut bytes)?),
                tag if tag & SKIPPABLE != 0 => drop(bytes.slice()?),
                _ => return None,
            }
        }
        Some(edit)
    }
}

/// The number of a table, and the session that wrote it: the first half of its unique id. The inner
/// `None` when it has no such id.
fn new_table(bytes: &mut Bytes<'_>) -> Option<Option<(u64, u64)>> {
    let _level = bytes.number()?;
    let number = bytes.number()?;
    let _size = bytes.number()?;
    for _smallest_largest in 0..2 {
        bytes.slice()?;
    }
    for _first_last_sequence in 0..2 {
        bytes.number()?;
    }
    let mut session = None;
    loop {
        match bytes.number()? {
            1 => return Some(session.map(|session| (number, session))),
            UNIQUE_ID => {
                session = bytes
                    .slice()?
                    .first_chunk()
                    .copied()
                    .map(u64::from_le_bytes)
            }
            _ => drop(bytes.slice()?),
        }
    }
}
