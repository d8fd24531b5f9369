//! RocksDB's statuses as errors of this crate.

use std::io;
use std::path::Path;

use rust_rocksdb::Error as Status;

use super::access;
use crate::error::{Error, ErrorKind};

/// The error for `what` having failed on the queue at `path`.
pub(super) fn failure(what: &str, path: &Path, status: &Status) -> Error {
    of_status(what, path, status.as_ref())
}

/// The same, of a status as text.
pub(super) fn of_status(what: &str, path: &Path, status: &str) -> Error {
    explain(kind(status), what, path, status)
}

/// The error for an operation that may or may not be there after the next open.
pub(super) fn unknown(what: &str, path: &Path, status: &Status) -> Error {
    explain(ErrorKind::OutcomeUnknown, what, path, status.as_ref())
}

/// The error for a refusal of the operating system.
pub(super) fn refusal(what: &str, path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        _ => ErrorKind::Io,
    };
    explain(kind, what, path, &error.to_string())
}

/// Whether RocksDB says no more than that it is being closed, to its own background work.
pub(super) fn is_closing(text: &str) -> bool {
    text.contains("Shutdown in progress")
}

/// Whether the machine is in trouble, and the path may be as good as any.
pub(super) fn is_of_machine(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, QuotaExceeded, StorageFull};
    let troubles = [errno::EIO, errno::EMFILE, errno::ENFILE];
    matches!(error.kind(), OutOfMemory | QuotaExceeded | StorageFull)
        || error
            .raw_os_error()
            .is_some_and(|errno| troubles.contains(&errno))
}

/// The error for a failure that `cause`, a text of RocksDB's or of the operating system's, is about.
pub(super) fn explain(kind: ErrorKind, what: &str, path: &Path, cause: &str) -> Error {
    let why = match kind {
        ErrorKind::DiskFull => return full(what, path, &behind_reason(cause)),
        ErrorKind::Path => access::denial(path),
        ErrorKind::Corrupt => format!(
            "the stored data are damaged, rocksq.verify says how far and rocksq.repair saves the rest: \
             {cause}"
        ),
        ErrorKind::Busy => {
            format!("another open queue or program holds it, close that one: {cause}")
        }
        ErrorKind::OutcomeUnknown => format!(
            "the write-ahead log failed, and the next open may or may not show the change: {cause}"
        ),
        _ => format!("the operating system refused: {cause}"),
    };
    let message = format!("Could not {what} in {}: {why}", path.display());
    Error::new(kind, message).at(path)
}

/// The error for a disk, or what a user may have of it, that is full. `when` is what was being done.
pub(super) fn full(what: &str, path: &Path, when: &str) -> Error {
    let message = format!(
        "Could not {what} in {}: no space is left on the device{when}; make room and call again",
        path.display()
    );
    Error::new(ErrorKind::DiskFull, message).at(path)
}

/// What a text about a full disk says beside that: RocksDB says it at the beginning, and again at the
/// end behind the name of the file.
fn behind_reason(cause: &str) -> String {
    let quota = reason(errno::EDQUOT);
    let by_quota = if cause.contains(&quota) {
        " for this user"
    } else {
        ""
    };
    let reasons = [reason(errno::ENOSPC), quota];
    let is_reason = |part: &str| {
        reasons
            .iter()
            .any(|reason| part.starts_with(reason.as_str()))
    };
    let parts = cause.split(": ");
    let parts = parts.filter(|part| *part != "IO error" && !is_reason(part));
    let rest = parts.collect::<Vec<_>>().join(": ");
    match rest.strip_prefix("While ") {
        _ if rest.is_empty() => by_quota.to_owned(),
        Some(doing) => format!("{by_quota}, while {doing}"),
        None => format!("{by_quota}, {rest}"),
    }
}

/// The kind of error that a status stands for.
pub(super) fn kind(text: &str) -> ErrorKind {
    if is_full(text) {
        ErrorKind::DiskFull
    } else if is_damage(text) {
        ErrorKind::Corrupt
    } else if text.contains(&reason(errno::EACCES)) {
        ErrorKind::Path
    } else if text.contains("While lock file") || text.contains("lock hold by current process") {
        ErrorKind::Busy
    } else {
        ErrorKind::Io
    }
}

/// Whether a status says that files are not as they were written: also by what RocksDB takes for the
/// file of a newer version, by a file that is not there although others speak of it, and by a directory in
/// its place.
fn is_damage(text: &str) -> bool {
    ["Corruption", "Not implemented", "Invalid argument"]
        .iter()
        .any(|code| text.starts_with(code))
        || text.contains(&reason(errno::ENOENT))
        || text.contains(&reason(errno::EISDIR))
}

/// Whether a status says that there is no space, or no more for this user.
pub(super) fn is_full(text: &str) -> bool {
    text.contains("No space left on device") || text.contains(&reason(errno::EDQUOT))
}

/// Whether a status says that a file may not grow any more.
pub(super) fn is_file_limit(text: &str) -> bool {
    text.contains(&reason(errno::EFBIG))
}

/// How the operating system calls an error, in the language it speaks now.
fn reason(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.split_once(" (os error") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

#[cfg(unix)]
mod errno {
    pub(super) use libc::{EACCES, EDQUOT, EFBIG, EIO, EISDIR, EMFILE, ENFILE, ENOENT, ENOSPC};
}

#[cfg(not(unix))]
mod errno {
    pub(super) const EACCES: i32 = 5;
    pub(super) const EDQUOT: i32 = 1295;
    pub(super) const ENOSPC: i32 = 112;
    pub(super) const EFBIG: i32 = 223;
    /// `ERROR_DIRECTORY_NOT_SUPPORTED`.
    pub(super) const EISDIR: i32 = 336;
    /// `ERROR_IO_DEVICE`, `ERROR_TOO_MANY_OPEN_FILES`, `ERROR_NO_SYSTEM_RESOURCES`.
    pub(super) const EIO: i32 = 1117;
    pub(super) const EMFILE: i32 = 4;
    pub(super) const ENFILE: i32 = 1450;
    pub(super) const ENOENT: i32 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_once_with_what_was_being_done() {
        let full = "IO error: No space left on device: While appending to file: /q/4.log: No space \
                    left on device";
        let said =
            |cause| explain(ErrorKind::DiskFull, "write", Path::new("/q"), cause).to_string();
        assert_eq!(
            said(full),
            "Could not write in /q: no space is left on the device, while appending to file: \
             /q/4.log; make room and call again"
        );
        assert_eq!(
            said("No space left on device (os error 28)"),
            "Could not write in /q: no space is left on the device; make room and call again"
        );
        assert_eq!(
            said("IO error: While fsync: /q/4.log: Disk quota exceeded"),
            "Could not write in /q: no space is left on the device for this user, while fsync: \
             /q/4.log; make room and call again"
        );
    }

    #[test]
    fn statuses_have_kinds() {
        let full = "IO error: No space left on device: While appending to file: /q/4.log: x";
        assert_eq!(kind(full), ErrorKind::DiskFull);
        assert_eq!(
            kind("IO error: While x: Disk quota exceeded"),
            ErrorKind::DiskFull
        );
        assert_eq!(
            kind("Corruption: block checksum mismatch"),
            ErrorKind::Corrupt
        );
        assert_eq!(
            kind("IO error: No such file or directory: While open a file: /q/9.sst: x"),
            ErrorKind::Corrupt
        );
        assert_eq!(
            kind("IO error: While fsync: Input/output error"),
            ErrorKind::Io
        );
        assert!(is_file_limit(
            "IO error: While appending to file: /q/4.log: File too large"
        ));
    }
}
