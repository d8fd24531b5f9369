//! Holding a queue's directory: one holder in the machine, whatever the process.
//!
//! Within the process a table of held directories excludes, see `claim`; between processes a POSIX
//! record lock on a file of ours, `HOLDER`, does. RocksDB's own `LOCK` file excludes as well, but a
//! second queue object of the same process must never open it: closing any descriptor of a file
//! drops the process's locks on it. For the same reason `HOLDER` is only opened by who owns the
//! directory's entry in the table.
//!
//! `HOLDER` is taken before anything in the directory is looked at for good, so that of two
//! processes that create a queue at the same path one is first. Its presence also tells a queue
//! whose creation was interrupted from a directory that is none of ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::claim::{Claim, Patience};
use super::directories;
use super::kind::Kind;
use super::made::Made;
use super::names::{ENGINE_LOCK, HOLDER};
use super::survey::{self, Found};
use super::{failure, lock, native, paths, settle};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};

/// How long to wait before asking again whether another process has let go.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A queue's directory.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What its user calls it, an absolute path, in errors and events.
    pub name: PathBuf,
    /// What the operating system calls it: without links, which may be changed while it is open.
    pub directory: PathBuf,
}

/// A held directory. Let go when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    /// Goes again, unless it is kept, while the directory is still held.
    made: Made,
    /// Locked. Closed before the claim ends: closing it later would drop the lock of the next holder
    /// in this process. None for a look at what may not be written.
    file: Option<File>,
    claim: Claim,
    place: Place,
}

impl Hold {
    /// Waits for `path` and takes it, creating the directory, and those above it, if there is
    /// none. Fails without changing anything if what is there is no queue of `kind`.
    pub(super) fn take(path: &Path, kind: Kind, patience: Patience) -> Result<(Self, Found)> {
        let mut made = Made::default();
        // Before the claim, which is under the path as the operating system names it.
        made.make_above(path)?;
        let claim = Claim::take(path, kind, patience)?;
        if paths::is_root(claim.directory()) {
            return Err(survey::refuse_root(path));
        }
        loop {
            let found = preview(path, kind)?;
            if let Some(file) = lock_directory(path, found, &claim, patience, &mut made)? {
                let mut hold = Self::of(path, Some(file), claim);
                hold.made = made;
                let found = hold.look(path, kind)?;
                return Ok((hold, found));
            }
            if survey::is_other_kind(path, kind) {
                return Err(survey::survey(path, kind)
                    .err()
                    .unwrap_or_else(|| busy(path, HOLDER)));
            }
            if patience.is_over() {
                return Err(busy(path, HOLDER));
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    /// What is in the directory, now that it is held.
    fn look(&mut self, path: &Path, kind: Kind) -> Result<Found> {
        if survey::survey(path, kind)? == Found::Moving {
            settle::finish(path)?;
        }
        let found = survey::survey(path, kind)?;
        if found == Found::Begun && !path.join("CURRENT").exists() {
            self.made
                .begin(path)
                .map_err(|error| survey::unusable(path, &error))?;
        }
        Ok(found)
    }

    /// Takes the directory of a queue of 0.3.0, which gets no file of ours, through the lock that
    /// 0.3.0 holds: RocksDB's. Must be let go before RocksDB opens the directory. `None` if there
    /// is no such queue, or no longer.
    pub(super) fn take_legacy(path: &Path, kind: Kind, patience: Patience) -> Result<Option<Self>> {
        let claim = Claim::take(path, kind, patience)?;
        while survey::survey(path, kind)? == Found::Legacy {
            claim.renew(patience)?;
            let file = open_lock_file(&path.join(ENGINE_LOCK))
                .map_err(|error| survey::unusable(path, &error))?;
            let locked = lock::try_lock(&file)
                .map_err(|error| failure::refusal("lock the queue", path, &error))?;
            if locked {
                let is_legacy = survey::survey(path, kind)? == Found::Legacy;
                return Ok(is_legacy.then(|| Self::of(path, Some(file), claim)));
            }
            if patience.is_over() {
                return Err(busy(path, ENGINE_LOCK));
            }
            std::thread::sleep(ASK_AGAIN);
        }
        Ok(None)
    }

    /// Takes the directory of a queue that is to be deleted, if nobody has it.
    pub(super) fn take_to_remove(path: &Path, kind: Kind, found: Found) -> Result<Self> {
        let taken = || busy(path, HOLDER);
        if found == Found::Legacy {
            return Self::take_legacy(path, kind, Patience::none())?.ok_or_else(taken);
        }
        let claim = Claim::take(path, kind, Patience::none())?;
        let mut made = Made::default();
        let locked = lock_directory(path, found, &claim, Patience::none(), &mut made)?;
        made.keep();
        Ok(Self::of(path, Some(locked.ok_or_else(taken)?), claim))
    }

    fn of(path: &Path, file: Option<File>, claim: Claim) -> Self {
        Self {
            made: Made::default(),
            file,
            place: Place {
                name: path.to_owned(),
                directory: claim.directory().to_owned(),
            },
            claim,
        }
    }

    /// The holder file, locked.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What the opening has made.
    pub(super) fn made(&self) -> &Made {
        &self.made
    }

    /// Takes the directory of a queue that is to be repaired, if nobody has it.
    pub(super) fn take_to_repair(path: &Path, kind: Kind) -> Result<Self> {
        Self::take_to_remove(path, kind, Found::Queue)
    }

    /// Takes the directory of a queue to look at it, if nobody has it. Creates no file: a queue
    /// without a holder file has no other holder that could be told.
    pub(super) fn take_as_it_is(path: &Path, kind: Kind) -> Result<Self> {
        let claim = Claim::take(path, kind, Patience::none())?;
        if !path.join(HOLDER).exists() {
            return Ok(Self::of(path, None, claim));
        }
        // The holder file is there.
        let mut made = Made::default();
        match lock_directory(path, Found::Queue, &claim, Patience::none(), &mut made) {
            Ok(Some(file)) => Ok(Self::of(path, Some(file), claim)),
            // What may not be written can be looked at all the same.
            Err(error) if error.kind() == ErrorKind::Path && !is_held(path) => {
                Ok(Self::of(path, None, claim))
            }
            Err(error) if error.kind() != ErrorKind::Path => Err(error),
            Ok(None) | Err(_) => Err(busy(path, HOLDER)),
        }
    }

    /// Leaves this process's id in the directory, for people who look. A disk that is too full
    /// for it is no reason to fail.
    pub(super) fn sign(&mut self) {
        let Some(file) = &mut self.file else {
            return;
        };
        let id = format!("{}\n", std::process::id());
        let signed = file.set_len(0).and_then(|()| file.write_all(id.as_bytes()));
        if let Err(error) = signed {
            let text = format_args!("could not sign {HOLDER}: {error}");
            Event::at(Level::Debug).about(&self.place.name).post(text);
        }
    }

    /// The directory as the operating system names it.
    pub(super) fn directory(&self) -> &Path {
        self.claim.directory()
    }
}

/// What is there, before the lock is taken. While another process writes, reading the table of
/// contents may fail for no lasting reason: that is asked again under the lock.
fn preview(path: &Path, kind: Kind) -> Result<Found> {
    match survey::survey(path, kind) {
        Err(error)
            if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io)
                && path.join(HOLDER).exists() =>
        {
            Ok(Found::Queue)
        }
        Ok(Found::Legacy) => Err(survey::refuse_legacy(path)),
        outcome => outcome,
    }
}

/// Opens and locks the holder file; `None` if another process has it.
fn lock_directory(
    path: &Path,
    found: Found,
    claim: &Claim,
    patience: Patience,
    made: &mut Made,
) -> Result<Option<File>> {
    let unusable = |error: io::Error| survey::unusable(path, &error);
    if found == Found::Nothing {
        // An opening that has failed may have taken what was above away again.
        made.make_above(path)?;
        made.make(path).map_err(unusable)?;
    }
    claim.renew(patience)?;
    let name = path.join(HOLDER);
    let is_new = !name.exists();
    let file = open_lock_file(&name).map_err(unusable)?;
    if is_new {
        made.note_holder(&name);
        claim.renew(patience)?;
    }
    let locked =
        lock::try_lock(&file).map_err(|error| failure::refusal("lock the queue", path, &error))?;
    if !locked || !lock::is_still_at(&file, &name) {
        made.leave_holder();
        return Ok(None);
    }
    if is_new {
        // Must survive a power cut that `CURRENT` survives: see `survey`.
        directories::sync(path)
            .map_err(|error| failure::refusal("create a queue", path, &error))?;
    }
    Ok(Some(file))
}

fn open_lock_file(name: &Path) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(name)
    };
    native::opened(open)
}

/// Whether another process has the directory.
fn is_held(path: &Path) -> bool {
    lock::holder(&path.join(HOLDER)).is_some()
}

/// Leaves a holder file in a directory that nobody has opened yet, which tells it from those of
/// other programs even when it is damaged.
pub(super) fn mark(path: &Path) -> io::Result<()> {
    native::opened(|| File::create_new(path.join(HOLDER)))?;
    directories::sync(path)
}

fn busy(path: &Path, lock_file: &str) -> Error {
    let holder = match lock::holder(&path.join(lock_file)) {
        Some(id) => format!("the process {id}"),
        None => "another process".to_owned(),
    };
    let message = format!(
        "Cannot open the queue at {}: {holder} has it open, close it there or wait for it with a \
         longer open_timeout",
        path.display()
    );
    Error::new(ErrorKind::Busy, message).at(path)
}
