//! POSIX record locks: held by a process, not inherited by `fork`, gone when the process dies.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(unix)]
mod posix {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    use super::{File, Path, io};

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
        match (file.metadata(), path.metadata()) {
            (Ok(held), Ok(named)) => held.dev() == named.dev() && held.ino() == named.ino(),
            _ => false,
        }
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
pub(super) use posix::{holder, is_still_at, try_lock};

#[cfg(not(unix))]
mod other {
    use super::{File, Path, io};

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
}

#[cfg(not(unix))]
pub(super) use other::{holder, is_still_at, try_lock};
