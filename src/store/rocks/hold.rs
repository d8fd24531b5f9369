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
use std::path::Path;
use std::time::Duration;

use super::claim::{Claim, Patience};
use super::directories::{self, Above};
use super::kind::Kind;
use super::survey::{self, Found};
use super::{failure, lock, native, settle};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};

pub(super) const HOLDER: &str = "HOLDER";
/// RocksDB's own, which is all that 0.3.0 holds.
pub(super) const ENGINE_LOCK: &str = "LOCK";

/// How long to wait before asking again whether another process has let go.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A held directory. Let go when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    /// Locked. Closed before the claim ends: closing it later would drop the lock of the next holder
    /// in this process. None for a look at what may not be written.
    file: Option<File>,
    claim: Claim,
}

impl Hold {
    /// Waits for `path` and takes it, creating the directory, and those above it, if there is
    /// none. Fails without changing anything if what is there is no queue of `kind`.
    pub(super) fn take(path: &Path, kind: Kind, patience: Patience) -> Result<(Self, Found)> {
        // Before the claim, which is under the path as the operating system names it.
        let above = Above::make(path)?;
        let taken = Self::take_there(path, kind, patience)?;
        above.keep();
        Ok(taken)
    }

    fn take_there(path: &Path, kind: Kind, patience: Patience) -> Result<(Self, Found)> {
        let claim = Claim::take(path, kind, patience)?;
        loop {
            let found = preview(path, kind)?;
            if let Some(file) = lock_directory(path, found, &claim, patience)? {
                if survey::survey(path, kind)? == Found::Moving {
                    settle::finish(path)?;
                }
                let found = survey::survey(path, kind)?;
                return Ok((Self::of(Some(file), claim), found));
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
                return Ok(is_legacy.then_some(Self::of(Some(file), claim)));
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
        let file = lock_directory(path, found, &claim, Patience::none())?.ok_or_else(taken)?;
        Ok(Self::of(Some(file), claim))
    }

    fn of(file: Option<File>, claim: Claim) -> Self {
        Self { file, claim }
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
            return Ok(Self::of(None, claim));
        }
        match lock_directory(path, Found::Queue, &claim, Patience::none()) {
            Ok(Some(file)) => Ok(Self::of(Some(file), claim)),
            // What may not be written can be looked at all the same.
            Err(error) if error.kind() == ErrorKind::Path && !is_held(path) => {
                Ok(Self::of(None, claim))
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
            Event::at(Level::Debug).about(self.directory()).post(text);
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
) -> Result<Option<File>> {
    let unusable = |error: io::Error| survey::unusable(path, &error);
    if found == Found::Nothing {
        directories::create(path).map_err(unusable)?;
    }
    claim.renew(patience)?;
    let name = path.join(HOLDER);
    let is_new = !name.exists();
    let file = open_lock_file(&name).map_err(unusable)?;
    if is_new {
        claim.renew(patience)?;
        // Must survive a power cut that `CURRENT` survives: see `survey`.
        directories::sync(path)
            .map_err(|error| failure::refusal("create a queue", path, &error))?;
    }
    let locked =
        lock::try_lock(&file).map_err(|error| failure::refusal("lock the queue", path, &error))?;
    Ok((locked && lock::is_still_at(&file, &name)).then_some(file))
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
