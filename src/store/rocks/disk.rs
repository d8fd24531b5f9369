//! The disk: what a directory takes, and what its file system has left.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::native;

/// Bytes allocated for the files in `directory` and below. Files that vanish meanwhile do not
/// count.
pub(super) fn allocated(directory: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in fs::read_dir(directory)? {
        match entry.and_then(|entry| size(&entry)) {
            Ok(size) => bytes = bytes.saturating_add(size),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn size(entry: &fs::DirEntry) -> io::Result<u64> {
    let metadata = entry.metadata()?;
    let within = match metadata.is_dir() {
        true => allocated(&entry.path())?,
        false => 0,
    };
    Ok(allocation(&metadata).saturating_add(within))
}

#[cfg(unix)]
pub(super) fn allocation(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
pub(super) fn allocation(metadata: &Metadata) -> u64 {
    metadata.len()
}

/// Room that opening a database takes: its table of contents and its options are written anew.
pub(super) const SLACK: u64 = 256 * 1024;

/// Whether `bytes`, and what an opening takes, can still be written, as far as can be told.
pub(super) fn has_room(directory: &Path, bytes: u64) -> bool {
    available(directory).is_none_or(|room| room >= bytes.saturating_add(SLACK))
}

/// Makes the log files in `directory` durable.
pub(super) fn sync_logs(directory: &Path) -> io::Result<()> {
    for log in logs(directory)? {
        // Windows syncs a file only for who may write to it.
        native::opened(|| fs::OpenOptions::new().write(true).open(log))?.sync_data()?;
    }
    Ok(())
}

/// Bytes in the log files in `directory`.
pub(super) fn log_size(directory: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for log in logs(directory)? {
        bytes = bytes.saturating_add(fs::metadata(log)?.len());
    }
    Ok(bytes)
}

fn logs(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "log") {
            logs.push(path);
        }
    }
    Ok(logs)
}

/// Bytes that this user can still allocate on the file system of `directory`, if it says so.
#[cfg(unix)]
fn available(directory: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(directory.as_os_str().as_bytes()).ok()?;
    // SAFETY: `statvfs` is plain data for which zero is valid.
    let mut figures: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `name` ends in NUL and `figures` is writable; the call keeps neither.
    let outcome = unsafe { libc::statvfs(name.as_ptr(), &raw mut figures) };
    (outcome == 0).then(|| product(figures.f_bavail, figures.f_frsize))
}

/// The fields have other widths on other systems.
#[cfg(unix)]
fn product(blocks: impl Into<u64>, size: impl Into<u64>) -> u64 {
    blocks.into().saturating_mul(size.into())
}

#[cfg(not(unix))]
fn available(_directory: &Path) -> Option<u64> {
    None
}
