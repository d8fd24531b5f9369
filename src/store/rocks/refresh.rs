//! Giving the files of an open queue the time of now, so that nobody takes them for left behind.

use std::fs;
use std::io;
use std::path::Path;

use super::aside;
use super::names;

/// Touches what belongs to the queue in `directory`, and the directory. By their names: a lock file
/// must not be opened, since closing it would drop the lock.
pub(super) fn refresh(directory: &Path) -> io::Result<()> {
    for name in names::list(directory)? {
        if names::is_ours(&name) {
            let entry = directory.join(&name);
            if name.to_str().is_some_and(aside::is_ours) {
                touch_below(&entry)?;
            }
            ignore_missing(touch(&entry))?;
        }
    }
    touch(directory)
}

fn touch_below(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            touch_below(&entry.path())?;
        }
        ignore_missing(touch(&entry.path()))?;
    }
    Ok(())
}

/// RocksDB deletes files meanwhile.
fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    aside::ignore(io::ErrorKind::NotFound, outcome)
}

#[cfg(unix)]
fn touch(path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `name` ends in NUL, and no times means that of now; the call keeps neither.
    let outcome = unsafe {
        libc::utimensat(
            libc::AT_FDCWD,
            name.as_ptr(),
            std::ptr::null(),
            libc::AT_SYMLINK_NOFOLLOW,
        )
    };
    match outcome {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where there are no such cleaners, and an open file cannot be deleted.
#[cfg(not(unix))]
fn touch(_path: &Path) -> io::Result<()> {
    Ok(())
}
