//! What is wrong with the log files of a queue, beyond what a crash leaves.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::wal::{self, Detail, Piece};

/// Bad bytes in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage<'a> {
    pub file: &'a Path,
    pub offset: u64,
}

impl fmt::Display for Damage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or_default().display();
        write!(f, "the log {name} is damaged at byte {}", self.offset)
    }
}

/// The first damage in each of these logs, which are in order. A torn end, or one that was never
/// written, is none when nothing follows it.
pub(crate) fn damage(files: &[(u64, PathBuf)]) -> io::Result<Vec<Damage<'_>>> {
    let mut scan = Scan::default();
    for (_, file) in files {
        wal::read(file, Detail::Numbers, &mut |piece| scan.note(file, &piece))?;
    }
    scan.end()
}

#[derive(Debug, Default)]
struct Scan<'a> {
    last: u64,
    found: Vec<Damage<'a>>,
    /// Bad bytes that have no whole record behind them so far, and whether they are a torn end.
    trouble: Option<(Damage<'a>, bool)>,
}

impl<'a> Scan<'a> {
    fn note(&mut self, file: &'a Path, piece: &Piece<'_>) {
        match piece {
            Piece::Record(record) => {
                if let Some((damage, _)) = self.trouble.take() {
                    // A log that goes on where an earlier one was torn was begun after that one
                    // had been replayed.
                    let goes_on = record.sequence() == self.last.saturating_add(1);
                    if damage.file == file || !goes_on {
                        self.add(damage);
                    }
                }
                self.last = self.last.max(record.last());
            }
            &Piece::Bad(offset) | &Piece::Endless(offset) => self.meet(file, offset, false),
            &Piece::Torn(offset) => self.meet(file, offset, true),
        }
    }

    fn meet(&mut self, file: &'a Path, offset: u64, torn: bool) {
        self.trouble.get_or_insert((Damage { file, offset }, torn));
    }

    fn add(&mut self, damage: Damage<'a>) {
        if self.found.iter().all(|other| other.file != damage.file) {
            self.found.push(damage);
        }
    }

    fn end(mut self) -> io::Result<Vec<Damage<'a>>> {
        if let Some((damage, false)) = self.trouble
            && !wal::ends_unwritten(damage.file, damage.offset)?
        {
            self.add(damage);
        }
        Ok(self.found)
    }
}
