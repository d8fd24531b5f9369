//! POSIX record locks: held by a process, not inherited by `fork`, gone when the process dies.

use std::fs::File;
#[cfg(unix)]
use std::fs::Metadata;
use std::io;
use std::path::Path;

/// Device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

#[cfg(unix)]
mod posix {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    use super::{File, Identity, Metadata, Path, io};

    /// Locks the file for this process. `false` if another process has it locked.
    pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
        let mut request = whole_file();
        match control(file, libc::F_SETLK, &mut request) {
            Ok(()) => Ok(true),
            Err(error) => match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EACCES) => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// The process that has the file locked. Must not be asked by that process itself: closing
    /// the file would drop its lock.
    pub(crate) fn holder(path: &Path) -> Option<i32> {
        let file = File::open(path).ok()?;
        let mut request = whole_file();
        control(&file, libc::F_GETLK, &mut request).ok()?;
        let is_held = request.l_type != libc::F_UNLCK as libc::c_short;
        (is_held && request.l_pid > 0).then_some(request.l_pid)
    }

    /// Whether `file` is still the file of that name: its directory may have been removed, and
    /// made again, while the lock was waited for.
    pub(crate) fn is_still_at(file: &File, path: &Path) -> bool {
        let held = file.metadata().ok();
        held.is_some_and(|held| identity(path) == Some(of(&held)))
    }

    /// Whether the file still has a name: not when it was deleted.
    pub(crate) fn has_a_name(file: &File) -> bool {
        file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// What the file or directory at `path` is by all its names, if one is there. It may be that of
    /// a later one when it was deleted and nobody has it open.
    pub(crate) fn identity(path: &Path) -> Option<Identity> {
        path.metadata().ok().map(|metadata| of(&metadata))
    }

    fn of(metadata: &Metadata) -> Identity {
        Identity(metadata.dev(), metadata.ino())
    }

    fn whole_file() -> libc::flock {
        // SAFETY: `flock` is plain data for which zero is valid: the whole file, no process.
        let mut request: libc::flock = unsafe { std::mem::zeroed() };
        request.l_type = libc::F_WRLCK as libc::c_short;
        request.l_whence = libc::SEEK_SET as libc::c_short;
        request
    }

    fn control(file: &File, command: libc::c_int, request: &mut libc::flock) -> io::Result<()> {
        // SAFETY: the descriptor is open as long as `file` lives, and `request` is a valid
        // `flock` for both commands, which is all they touch.
        let outcome = unsafe { libc::fcntl(file.as_raw_fd(), command, request) };
        if outcome == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(super) use posix::{has_a_name, holder, identity, is_still_at, try_lock};

#[cfg(not(unix))]
mod other {
    use super::{File, Identity, Path, io};

    pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    pub(crate) fn holder(_path: &Path) -> Option<i32> {
        None
    }

    pub(crate) fn is_still_at(_file: &File, path: &Path) -> bool {
        path.exists()
    }

    /// A file that is open keeps its name.
    pub(crate) fn has_a_name(_file: &File) -> bool {
        true
    }

    /// Cannot be told.
    pub(crate) fn identity(_path: &Path) -> Option<Identity> {
        None
    }
}

#[cfg(not(unix))]
pub(super) use other::{has_a_name, holder, identity, is_still_at, try_lock};
