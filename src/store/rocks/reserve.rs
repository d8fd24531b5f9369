//! Space that is set aside, so that a queue whose backlog has filled the disk can still be drained.
//!
//! Taking items writes a cursor, and after a failed write the database must be opened anew. Neither
//! is possible without some room. So a queue that is not small keeps a file that is good for nothing
//! but being deleted then. Until it can be had again nothing is added to the queue, which would use
//! up the room that it gave.
//!
//! The reserve belongs to the directory and not to an opening: others may fill the disk at any time.
//! So what is left of a reserve that was used is set aside again at the close.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;

use super::disk::{self, SLACK};
use super::names::RESERVE;
use super::native;
use super::whereabouts::Landmark;
use crate::events::{Event, Level};

/// Enough to open the database once and to write some thousand cursors.
const SIZE: u64 = 2 * SLACK;

/// The reserve that a close leaves on a full disk is a multiple of this.
const STEP: u64 = 4 * 1024;

/// A queue with less than this has no reserve: it would multiply what many small queues take.
const WORTH: u64 = 2 * SIZE;

pub(super) struct Reserve {
    file: PathBuf,
    /// What may have taken the place of the directory is left alone.
    landmark: Landmark,
    state: AtomicU8,
    /// Held by those who make or remove the file, and change the state.
    changing: Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The queue is small.
    Unneeded,
    Held,
    /// The queue has used it, or there was no room for it.
    Spent,
}

impl Reserve {
    /// The reserve of the queue in `directory`, which was just opened.
    pub(super) fn of(directory: &Path) -> Self {
        let reserve = Self {
            file: directory.join(RESERVE),
            landmark: Landmark::of(directory),
            state: AtomicU8::new(State::Unneeded as u8),
            changing: Mutex::new(()),
        };
        match reserve.is_small() {
            true => reserve.relax(),
            false => drop(reserve.allows_adding(WORTH)),
        }
        reserve
    }

    /// Whether something may be added to the queue, which will then have so much in memory: not if
    /// there is no room for a reserve that is needed.
    pub(super) fn allows_adding(&self, in_memory: u64) -> bool {
        if self.is_settled(in_memory) {
            return true;
        }
        let _changing = self.changing.lock();
        if self.is_settled(in_memory) {
            return true;
        }
        match self.allocate() {
            Ok(()) => self.set(State::Held),
            Err(error) if is_full(&error) => self.set(State::Spent),
            Err(error) => Event::at(Level::Debug).post(format_args!("no reserve: {error}")),
        }
        self.state() != State::Spent
    }

    /// Whether a queue with so much in memory has the reserve that it needs. Waits for nothing.
    pub(super) fn is_settled(&self, in_memory: u64) -> bool {
        match self.state() {
            State::Held => true,
            State::Unneeded => in_memory < WORTH,
            State::Spent => false,
        }
    }

    /// Gives its space to the queue. Returns whether there was any.
    pub(super) fn release(&self) -> bool {
        let _changing = self.changing.lock();
        if self.state() == State::Held {
            self.set(State::Spent);
        }
        release(&self.file)
    }

    /// Leaves a reserve in the directory for the next opening, as large as it can be had. To be called
    /// when the database is closed.
    pub(super) fn leave(&self) {
        let _changing = self.changing.lock();
        if !self.is_small()
            && let Err(error) = self.set_aside()
        {
            Event::at(Level::Debug).post(format_args!("no reserve: {error}"));
        }
    }

    /// Does without a reserve if the queue is small.
    pub(super) fn relax(&self) {
        let _changing = self.changing.lock();
        if self.is_small() {
            self.set(State::Unneeded);
            release(&self.file);
        }
    }

    fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Unneeded,
            1 => State::Held,
            _ => State::Spent,
        }
    }

    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    fn is_small(&self) -> bool {
        let own = size(&self.file);
        disk::allocated(self.directory()).is_ok_and(|bytes| bytes.saturating_sub(own) < WORTH)
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    fn allocate(&self) -> io::Result<()> {
        let own = size(&self.file);
        if own >= SIZE {
            return Ok(());
        }
        if !disk::has_room(self.directory(), SIZE.saturating_sub(own)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.make(SIZE)
    }

    /// What a file system counts as available may be less than what it gives, so it is tried.
    fn set_aside(&self) -> io::Result<()> {
        let own = size(&self.file);
        let mut wanted = SIZE;
        while wanted > own {
            match self.make(wanted) {
                Err(error) if is_full(&error) => wanted = wanted.saturating_sub(STEP),
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// What is there stays when it cannot be made larger.
    fn make(&self, size: u64) -> io::Result<()> {
        if !self.landmark.is_in_place() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let was_there = self.file.exists();
        let mut how = OpenOptions::new();
        how.write(true).create(true).truncate(false);
        let file = native::opened(|| how.open(&self.file))?;
        let allocated = allocate(&file, size);
        if allocated.is_err() && !was_there {
            release(&self.file);
        }
        allocated
    }
}

/// Gives the space of the reserve in `directory` back, if there is one. Returns whether there was.
pub(super) fn release_in(directory: &Path) -> bool {
    release(&directory.join(RESERVE))
}

fn release(file: &Path) -> bool {
    fs::remove_file(file).is_ok()
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| disk::allocation(&metadata))
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), QuotaExceeded | StorageFull)
}

#[cfg(target_os = "linux")]
fn allocate(file: &File, size: u64) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let size = libc::off_t::try_from(size).unwrap_or(libc::off_t::MAX);
    // SAFETY: the descriptor is open for the duration of the call.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(mut file: &File, size: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), size), &mut file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_needs_no_reserve_does_not_wait_while_one_is_made_or_removed() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path());
        let changing = reserve.changing.lock();
        assert!(reserve.allows_adding(WORTH - 1));
        assert!(!reserve.is_settled(WORTH));
        drop(changing);
        assert!(reserve.allows_adding(WORTH));
        let _changing = reserve.changing.lock();
        assert!(reserve.allows_adding(WORTH));
    }
}
