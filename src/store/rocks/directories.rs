//! Making directories that survive a power cut.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::survey;
use crate::error::Result;
use crate::events::{Event, Level};

/// The directories that were made above a queue, outermost first. Unless they are kept, they go
/// again, so that a queue which cannot be opened leaves nothing behind.
#[derive(Debug, Default)]
pub(super) struct Above(Vec<PathBuf>);

impl Above {
    /// Makes every directory above `path` that is missing.
    pub(super) fn make(path: &Path) -> Result<Self> {
        let mut made = Self::default();
        let parent = survey::parent(path);
        for directory in missing(&parent) {
            match create(directory) {
                Ok(true) => made.0.push(directory.to_owned()),
                Ok(false) => {}
                Err(error) => return Err(survey::no_parent(path, directory, &error)),
            }
        }
        Ok(made)
    }

    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // Somebody else may have put something there meanwhile.
            if let Err(error) = fs::remove_dir(directory) {
                let name = directory.display();
                let text = format_args!("could not remove {name} again: {error}");
                Event::at(Level::Debug).post(text);
            }
        }
    }
}

/// `path` and what is above it, as far as it is no directory, outermost first.
fn missing(path: &Path) -> Vec<&Path> {
    let mut missing: Vec<_> = path
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.is_dir())
        .collect();
    missing.reverse();
    missing
}

/// Makes one directory; false if there is one already.
pub(super) fn create(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => sync(&survey::parent(path)).map(|()| true),
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
