//! How far the files went that a clean close has left.
//!
//! A log that ends early looks like one that a crash cut short. So a clean close notes the length of every
//! log and of the MANIFEST in a file of its own, `rocksq-closed`, when all of them are durable. The next
//! opening compares, and removes the note.
//!
//! ```text
//! first line   rocksq-closed 1
//! then         a name and a length, in decimal, for each file
//! last line    the CRC-32C of all lines before it, in hexadecimal
//! ```
//!
//! Each opening of RocksDB begins a new MANIFEST before it changes anything else. So a note counts only as
//! long as `CURRENT` names the MANIFEST of the note, and that has not grown: another version of rocksq,
//! which does not know the note, makes it void by opening the queue.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::contents;
use super::wal;

pub(crate) const CLOSED: &str = "rocksq-closed";

const HEAD: &str = "rocksq-closed 1\n";

/// Far more than a note ever has.
const LIMIT: u64 = 1 << 20;

/// The names and lengths of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closed(Vec<(String, u64)>);

/// A file that ends before the place that it had reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    name: String,
    /// `None` when it is missing.
    len: Option<u64>,
    reached: u64,
}

impl Cut {
    /// Bytes that are gone.
    pub(crate) fn bytes(&self) -> u64 {
        self.reached.saturating_sub(self.len.unwrap_or(0))
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reached) = (&self.name, self.reached);
        match self.len {
            Some(len) => write!(
                f,
                "{name} ends at byte {len}, and went to byte {reached} when the queue was closed"
            ),
            None => write!(f, "{name}, of {reached} bytes, is missing"),
        }
    }
}

impl Closed {
    /// The note in `directory`, if it still speaks of the files there. A note that cannot be read, or is not
    /// what its checksum says, is none: the process may have ended while it was written.
    pub(crate) fn valid(directory: &Path) -> io::Result<Option<Self>> {
        let Some(note) = Self::read(directory) else {
            return Ok(None);
        };
        let Some((manifest, reached)) = note.manifest() else {
            return Ok(None);
        };
        let path = directory.join(manifest);
        let is_current = match contents::current(directory) {
            Ok(Some(current)) => current == path,
            Ok(None) => path.exists(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.exists(),
            Err(error) => return Err(error),
        };
        let has_grown = length(&path)?.is_some_and(|len| len > reached);
        Ok((is_current && !has_grown).then_some(note))
    }

    /// The note in `directory`, whatever is there beside it.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = File::open(directory.join(CLOSED)).ok()?;
        file.take(LIMIT).read_to_string(&mut text).ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_suffix('\n')?;
        let (_, sum) = lines.rsplit_once('\n')?;
        let body = text.get(..lines.len().checked_sub(sum.len())?)?;
        if u32::from_str_radix(sum, 16).ok()? != crc32c::crc32c(body.as_bytes()) {
            return None;
        }
        let files = body.strip_prefix(HEAD)?.lines();
        let file = |line: &str| {
            let (name, len) = line.split_once(' ')?;
            let is_name = !name.is_empty() && !name.contains('/');
            is_name.then_some((name.to_owned(), len.parse().ok()?))
        };
        files.map(file).collect::<Option<Vec<_>>>().map(Self)
    }

    fn encode(&self) -> String {
        let mut text = HEAD.to_owned();
        for (name, len) in &self.0 {
            text.push_str(&format!("{name} {len}\n"));
        }
        let sum = crc32c::crc32c(text.as_bytes());
        text.push_str(&format!("{sum:08x}\n"));
        text
    }

    /// What is in `directory`, where nothing is written any more.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        let logs = wal::files(directory)?.into_iter().map(|(_, log)| log);
        for file in contents::current(directory)?.into_iter().chain(logs) {
            let name = file.file_name().and_then(|name| name.to_str());
            if let (Some(name), Some(len)) = (name, length(&file)?) {
                files.push((name.to_owned(), len));
            }
        }
        Ok(Self(files))
    }

    /// Leaves the note in `directory`, durably but for its name.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        remove(directory)?;
        let written = File::create_new(directory.join(CLOSED)).and_then(|mut file| {
            file.write_all(self.encode().as_bytes())?;
            file.sync_all()
        });
        if written.is_err() {
            remove(directory)?;
        }
        written
    }

    /// The MANIFEST, when it ends before the place that it had reached.
    pub(crate) fn cut_manifest(&self, directory: &Path) -> io::Result<Option<Cut>> {
        let Some((name, reached)) = self.manifest() else {
            return Ok(None);
        };
        cut(directory, name, reached)
    }

    /// The logs that end before the place that they had reached.
    pub(crate) fn cut_logs(&self, directory: &Path) -> io::Result<Vec<Cut>> {
        let mut found = Vec::new();
        let logs = self.0.iter().filter(|(name, _)| name.ends_with(".log"));
        for (name, reached) in logs {
            found.extend(cut(directory, name, *reached)?);
        }
        Ok(found)
    }

    fn manifest(&self) -> Option<(&str, u64)> {
        let mut files = self.0.iter();
        let manifest = files.find(|(name, _)| name.starts_with("MANIFEST-"))?;
        Some((&manifest.0, manifest.1))
    }
}

/// Removes the note in `directory`, whatever it is.
pub(crate) fn remove(directory: &Path) -> io::Result<()> {
    let note = directory.join(CLOSED);
    match fs::remove_file(&note) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if note.is_dir() => fs::remove_dir_all(&note),
        removed => removed,
    }
}

fn cut(directory: &Path, name: &str, reached: u64) -> io::Result<Option<Cut>> {
    let len = length(&directory.join(name))?;
    let is_cut = len.is_none_or(|len| len < reached);
    Ok(is_cut.then(|| Cut {
        name: name.to_owned(),
        len,
        reached,
    }))
}

/// `None` when there is no such file.
fn length(file: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_with_a_changed_byte_or_without_its_end_is_none() {
        let note = Closed(vec![
            ("MANIFEST-000005".to_owned(), 700),
            ("000004.log".to_owned(), 12),
        ]);
        let text = note.encode();
        assert_eq!(Closed::parse(&text), Some(note));
        for at in 0..text.len() {
            let cut = text.get(..at).unwrap();
            assert_eq!(Closed::parse(cut), None, "cut at {at}");
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Closed::parse(&changed), None, "changed at {at}");
        }
    }
}
