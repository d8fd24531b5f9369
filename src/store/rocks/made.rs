//! What an opening has made: the directories above the queue, its own, the files in it. When it
//! fails they go again, so that it leaves everything as it was.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::names::{self, HOLDER};
use super::{directories, survey};
use crate::error::Result;
use crate::events::{Event, Level};

/// Goes with everything that it names, unless it is kept.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Outermost first.
    directories: Vec<PathBuf>,
    holder: Option<PathBuf>,
    queue: Option<Begun>,
    kept: AtomicBool,
}

/// A directory in which a queue is being made. It is held, so that nobody else makes one there.
#[derive(Debug)]
struct Begun {
    directory: PathBuf,
    before: Vec<OsString>,
}

impl Made {
    /// Makes every directory above `path` that is missing.
    pub(super) fn make_above(&mut self, path: &Path) -> Result<()> {
        let parent = names::parent(path);
        for directory in missing(&parent) {
            self.make(directory)
                .map_err(|error| survey::no_parent(path, directory, &error))?;
        }
        Ok(())
    }

    /// Makes a directory, if it is not there.
    pub(super) fn make(&mut self, directory: &Path) -> io::Result<()> {
        if directories::create(directory)? {
            self.directories.push(directory.to_owned());
        }
        Ok(())
    }

    /// Notes a holder file that was not there before.
    pub(super) fn note_holder(&mut self, file: &Path) {
        self.holder = Some(file.to_owned());
    }

    /// Another process was quicker to lock the holder file.
    pub(super) fn leave_holder(&mut self) {
        self.holder = None;
    }

    /// Notes that files of a queue will be made in `directory`, which is held and has none yet but,
    /// maybe, the holder file.
    pub(super) fn begin(&mut self, directory: &Path) -> io::Result<()> {
        self.queue = Some(Begun {
            directory: directory.to_owned(),
            before: names::list(directory)?,
        });
        Ok(())
    }

    /// The opening has come to its end.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// The opening has failed after all. Returns whether it has made the queue: nobody needs that.
    pub(super) fn give_up(&self) -> bool {
        let is_new = self.queue.is_some();
        self.kept.store(!is_new, Ordering::Release);
        is_new
    }

    fn undo(&self) -> io::Result<()> {
        if let Some(begun) = &self.queue {
            begun.undo()?;
        }
        // Last, since it excludes others.
        if let Some(holder) = &self.holder {
            fs::remove_file(holder)?;
        }
        // Somebody else may have put something there meanwhile.
        self.directories.iter().rev().try_for_each(fs::remove_dir)
    }
}

impl Begun {
    fn undo(&self) -> io::Result<()> {
        for name in names::list(&self.directory)? {
            if names::is_ours(&name) && name != HOLDER && !self.before.contains(&name) {
                fs::remove_file(self.directory.join(name))?;
            }
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if *self.kept.get_mut() {
            return;
        }
        if let Err(error) = self.undo() {
            let text = format_args!("what an opening that failed had made stays: {error}");
            Event::at(Level::Debug).post(text);
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
