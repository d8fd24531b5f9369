//! Files that RocksDB would read for ever.
//!
//! One changed bit in the type of a record makes it a type of log files that are used again. RocksDB's
//! reader answers that the record is bad without going past it (`Reader::ReadPhysicalRecord`, before
//! any checksum), and asks again. So every log and every MANIFEST is read by our own reader before
//! RocksDB gets it.

use std::io;
use std::path::Path;

use super::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::store::files::{contents, wal};

/// Fails with `Corrupt` if RocksDB would never finish reading the MANIFEST in `directory`, or would not find
/// its name in `CURRENT`.
pub(super) fn check_contents(directory: &Path) -> Result<()> {
    match contents::current(directory) {
        Ok(Some(manifest)) => check(directory, &manifest),
        // RocksDB's answer would not tell that from a refusal of the operating system.
        Ok(None) => Err(failure::explain(
            ErrorKind::Corrupt,
            "read the queue",
            directory,
            "its file CURRENT, which names the table of contents, is damaged",
        )),
        Err(error) => absent_is_fine(directory, error),
    }
}

/// Fails with `Corrupt` if RocksDB would never finish reading one of the logs in `directory`.
pub(super) fn check_logs(directory: &Path) -> Result<()> {
    match wal::files(directory) {
        Ok(files) => files
            .iter()
            .try_for_each(|(_, file)| check(directory, file)),
        Err(error) => absent_is_fine(directory, error),
    }
}

fn check(directory: &Path, file: &Path) -> Result<()> {
    match wal::endless(file) {
        Ok(None) => Ok(()),
        Ok(Some(offset)) => Err(failure::explain(
            ErrorKind::Corrupt,
            "read the queue",
            directory,
            &format!(
                "{} is damaged at byte {offset}",
                file.file_name().unwrap_or_default().display()
            ),
        )),
        Err(error) => absent_is_fine(directory, error),
    }
}

/// RocksDB says better what follows from that.
fn absent_is_fine(directory: &Path, error: io::Error) -> Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(refusal(directory, &error)),
    }
}

fn refusal(directory: &Path, error: &io::Error) -> Error {
    failure::refusal("read the queue", directory, error)
}
