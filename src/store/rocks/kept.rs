//! What is gone for good of the logs that earlier openings have set aside.

use std::io;
use std::path::{Path, PathBuf};

use super::aside;
use crate::store::files::closed::Closed;
use crate::store::files::logs;
use crate::store::files::wal::{self, Detail, Piece};

/// The damage in logs that were set aside within `directory`, in words. What RocksDB had read
/// elsewhere is none, and what is damage in its old place too is told of there.
pub(super) fn problems(directory: &Path) -> io::Result<Vec<String>> {
    let mut problems = Vec::new();
    let in_place = wal::files(directory)?;
    let in_place = logs::damage(&in_place)?;
    for lost in aside::lost(directory)? {
        let name = lost.file_name().unwrap_or_default().display();
        if let Some(closed) = Closed::read(&lost) {
            for cut in closed.cut_logs(&lost)? {
                problems.push(format!(
                    "An earlier opening has set logs aside in {name}: {cut}"
                ));
            }
        }
        let reached = aside::reached(&lost).unwrap_or(0);
        let is_told = |log: &Path| {
            let mut files = in_place.iter().map(|damage| damage.file);
            files.any(|file| file.file_name() == log.file_name())
        };
        for hole in holes(&lost, reached)? {
            if !is_told(&hole.log) && hole.is_loss()? {
                let log = hole.log.strip_prefix(directory).unwrap_or(&hole.log);
                problems.push(format!(
                    "The log {}, which an earlier opening has set aside, is damaged at byte {}: \
                     what was written there may be gone",
                    log.display(),
                    hole.offset
                ));
            }
        }
    }
    Ok(problems)
}

/// Where bytes of a log are no record.
struct Hole {
    log: PathBuf,
    offset: u64,
    /// Whether the log ends there, within a record.
    torn: bool,
    /// Whether changes that were not brought back lie behind it.
    followed: bool,
}

impl Hole {
    /// Whether it is more than a crash does to the end of the last log.
    fn is_loss(&self) -> io::Result<bool> {
        Ok(self.followed || !self.torn && !wal::ends_unwritten(&self.log, self.offset)?)
    }
}

/// The first damage of each log, but for what lies before changes that were brought back.
fn holes(lost: &Path, reached: u64) -> io::Result<Vec<Hole>> {
    let mut holes: Vec<Hole> = Vec::new();
    for (_, log) in wal::files(lost)? {
        wal::read(&log, Detail::Numbers, &mut |piece| match piece {
            Piece::Record(record) if record.sequence() <= reached => holes.clear(),
            Piece::Record(_) => holes.iter_mut().for_each(|hole| hole.followed = true),
            Piece::Bad(offset) | Piece::Endless(offset) => note(&mut holes, &log, offset, false),
            Piece::Torn(offset) => note(&mut holes, &log, offset, true),
        })?;
    }
    Ok(holes)
}

fn note(holes: &mut Vec<Hole>, log: &Path, offset: u64, torn: bool) {
    if holes.last().is_none_or(|last| last.log != log) {
        holes.push(Hole {
            log: log.to_owned(),
            offset,
            torn,
            followed: false,
        });
    }
}
