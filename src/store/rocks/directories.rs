//! Making directories that survive a power cut.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::names;

/// Makes one directory; false if there is one already. A failure leaves none.
pub(super) fn create(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => match sync(&names::parent(path)) {
            Ok(()) => Ok(true),
            Err(error) => fs::remove_dir(path).and(Err(error)),
        },
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if path.is_dir() => Ok(false),
        Err(_) => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Makes the entries of a directory survive a power cut.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}
