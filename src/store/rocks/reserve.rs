//! Space that is set aside, so that a queue whose backlog has filled the disk can still be drained.
//!
//! Taking items writes a cursor, and after a failed write the database must be opened anew. Neither
//! is possible without some room. So a queue that is not small keeps a file that is good for nothing
//! but being deleted then. Until it can be had again nothing is added to the queue, which would use
//! up the room that it gave.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::disk::{self, SLACK};
use crate::events::{Event, Level};

pub(super) const RESERVE: &str = "RESERVE";

/// Enough to open the database once and to write some thousand cursors.
const SIZE: u64 = 2 * SLACK;

/// A queue with less than this has no reserve: it would multiply what many small queues take.
const WORTH: u64 = 2 * SIZE;

pub(super) struct Reserve {
    file: PathBuf,
    state: Mutex<State>,
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
            state: Mutex::new(State::Unneeded),
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
        let mut state = self.state.lock();
        if *state == State::Held || *state == State::Unneeded && in_memory < WORTH {
            return true;
        }
        match self.allocate() {
            Ok(()) => *state = State::Held,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => *state = State::Spent,
            Err(error) => Event::at(Level::Debug).post(format_args!("no reserve: {error}")),
        }
        *state != State::Spent
    }

    /// Gives its space to the queue. Returns whether there was any.
    pub(super) fn release(&self) -> bool {
        let mut state = self.state.lock();
        if *state == State::Held {
            *state = State::Spent;
        }
        release(&self.file)
    }

    /// Does without a reserve if the queue is small.
    pub(super) fn relax(&self) {
        let mut state = self.state.lock();
        if self.is_small() {
            *state = State::Unneeded;
            release(&self.file);
        }
    }

    fn is_small(&self) -> bool {
        let own = fs::metadata(&self.file).map_or(0, |metadata| disk::allocation(&metadata));
        let directory = self.file.parent().unwrap_or(Path::new("."));
        disk::allocated(directory).is_ok_and(|bytes| bytes.saturating_sub(own) < WORTH)
    }

    fn allocate(&self) -> io::Result<()> {
        if is_whole(&self.file) {
            return Ok(());
        }
        if !has_room(&self.file) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let allocated = File::create(&self.file).and_then(|file| allocate(&file));
        if allocated.is_err() {
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

fn is_whole(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| disk::allocation(&metadata) >= SIZE)
}

fn has_room(file: &Path) -> bool {
    file.parent()
        .is_some_and(|directory| disk::has_room(directory, SIZE))
}

#[cfg(target_os = "linux")]
fn allocate(file: &File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let size = libc::off_t::try_from(SIZE).unwrap_or(libc::off_t::MAX);
    // SAFETY: the descriptor is open for the duration of the call.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(mut file: &File) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), SIZE), &mut file).map(drop)
}
