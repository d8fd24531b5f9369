//! RocksDB's table of contents, the MANIFEST: whether it belongs to the logs beside it.
//!
//! A MANIFEST that has lost its end is still a valid one, of an earlier moment. RocksDB would
//! believe it, open the queue as it was then, and delete the tables that came later. The logs tell:
//! with every change of its MANIFEST RocksDB has a log in use, whose number it had already given
//! away then, and it deletes that log only after a later change. So a MANIFEST that is complete
//! finds at least one log between the oldest that it needs and the next number that it would
//! give.
//!
//! ```text
//! record   an edit: fields of tag varint32 and what belongs to the tag
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::varint::Bytes;
use super::wal::{self, Detail, Piece};

/// What the edits of a MANIFEST amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The oldest log that is needed.
    log: u64,
    /// The number that the next file will get.
    next_file: u64,
    /// Whether there is an edit that could not be read, so that nothing can be said.
    unknown: bool,
}

/// Whether the MANIFEST in `directory` belongs to the logs `files`. True where that cannot be
/// told: then RocksDB says what is wrong.
pub(crate) fn belongs_to(directory: &Path, files: &[(u64, PathBuf)]) -> io::Result<bool> {
    let Some(manifest) = current(directory)? else {
        return Ok(true);
    };
    let mut manifest = match fs::File::open(manifest) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        manifest => manifest?,
    };
    let contents = read(&mut manifest)?;
    let in_use = contents.log..contents.next_file;
    // Without a number that comes next nothing was in use yet.
    let unknown = contents.unknown || contents.next_file == 0;
    Ok(unknown || files.iter().any(|(number, _)| in_use.contains(number)))
}

/// The MANIFEST that is in use, if `CURRENT` names one.
pub(crate) fn current(directory: &Path) -> io::Result<Option<PathBuf>> {
    let text = fs::read(directory.join("CURRENT"))?;
    let name = std::str::from_utf8(&text).ok().map(str::trim_end);
    let name = name.filter(|name| name.starts_with("MANIFEST-") && !name.contains('/'));
    Ok(name.map(|name| directory.join(name)))
}

pub(crate) fn read(manifest: &mut dyn io::Read) -> io::Result<Contents> {
    let mut contents = Contents::default();
    // Edits of a group count together or not at all.
    let mut group: Vec<Edit> = Vec::new();
    wal::read_from(manifest, Detail::Whole, &mut |piece| match piece {
        Piece::Record(record) => match Edit::parse(record.bytes) {
            Some(edit) => {
                group.push(edit);
                if edit.remaining == 0 {
                    group.drain(..).for_each(|edit| contents.apply(edit));
                }
            }
            None => contents.unknown = true,
        },
        Piece::Bad(_) | Piece::Endless(_) => contents.unknown = true,
        Piece::Torn(_) => {}
    })?;
    Ok(contents)
}

impl Contents {
    fn apply(&mut self, edit: Edit) {
        self.log = self.log.max(edit.log);
        self.next_file = self.next_file.max(edit.next_file);
    }
}

/// What matters here of an edit.
#[derive(Clone, Copy, Debug, Default)]
struct Edit {
    log: u64,
    next_file: u64,
    /// How many edits of its group follow.
    remaining: u64,
}

/// Tags with this bit stand before a length and so many bytes, whatever they mean.
const SKIPPABLE: u64 = 1 << 13;

impl Edit {
    fn parse(record: &[u8]) -> Option<Self> {
        let mut edit = Self::default();
        let mut bytes = Bytes(record);
        while !bytes.0.is_empty() {
            match bytes.number()? {
                // The log number, and the number of the next file.
                2 => edit.log = bytes.number()?,
                3 => edit.next_file = bytes.number()?,
                300 => edit.remaining = bytes.number()?,
                // Sequences, and the numbers and names of families.
                4 | 9 | 10 | 200 | 203 => drop(bytes.number()?),
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
                103 => skip_new_table(&mut bytes)?,
                tag if tag & SKIPPABLE != 0 => drop(bytes.slice()?),
                _ => return None,
            }
        }
        Some(edit)
    }
}

fn skip_new_table(bytes: &mut Bytes<'_>) -> Option<()> {
    for _level_number_size in 0..3 {
        bytes.number()?;
    }
    for _smallest_largest in 0..2 {
        bytes.slice()?;
    }
    for _first_last_sequence in 0..2 {
        bytes.number()?;
    }
    while bytes.number()? != 1 {
        bytes.slice()?;
    }
    Some(())
}
