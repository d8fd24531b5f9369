//! Watching over RocksDB's replay of its log.
//!
//! The replay stops at the first bad record, whatever follows it, and deletes the log. So the logs are
//! read before it. If all that is wrong with them is a torn end, as a crash leaves it, that is all.
//! Otherwise they are linked into `suspect`, and when RocksDB has not brought back every record
//! that is whole, `suspect` becomes `lost-1` or the next free number, and the loss is
//! reported. A log that has lost its end since the queue was closed is kept as well, with the note of the
//! close (`closed`). A crash in between leaves `suspect`, which the next opening judges, or a `lost-N` with the
//! mark that nobody was told of it, which it tells again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::aside::{self, Judged};
use super::hold::Place;
use super::{directories, endless, failure};
use crate::error::{ErrorKind, Result};
use crate::events::{Event, Level};
use crate::store::Dropped;
use crate::store::files::changes::{self, Change};
use crate::store::files::closed::{self, CLOSED, Closed};
use crate::store::files::wal::{self, Detail, Piece};
use crate::store::files::{contents, logs};

/// The logs as they were before the replay.
#[derive(Debug)]
pub(super) struct Replay {
    place: Place,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is wrong but, maybe, a torn end.
    Sound,
    /// Something else is wrong, and the logs are kept.
    Suspect,
}

impl Replay {
    /// Reads the logs in `directory`, which RocksDB is about to replay. Fails with `Corrupt` if
    /// RocksDB would take the queue for an older one, and destroy what is newer.
    pub(super) fn before(place: &Place) -> Result<Self> {
        let (directory, name) = (place.directory.as_path(), place.name.as_path());
        let refusal = |error| failure::refusal("read the log", name, &error);
        let files = wal::files(directory).map_err(refusal)?;
        endless::check_logs(directory)?;
        if let Some(doubt) = contents::doubt(directory, &files).map_err(refusal)? {
            return Err(failure::explain(
                ErrorKind::Corrupt,
                "open the queue",
                name,
                &doubt.to_string(),
            ));
        }
        Self::look(place, &files).map_err(refusal)
    }

    fn look(place: &Place, files: &[(u64, PathBuf)]) -> io::Result<Self> {
        let directory = &place.directory;
        let suspect = aside::suspect(directory);
        let closed = Closed::valid(directory)?;
        let is_cut = match &closed {
            Some(closed) => !closed.cut_logs(directory)?.is_empty(),
            None => false,
        };
        let state = if is_cut {
            let note = (0, directory.join(CLOSED));
            aside::link(&[files, &[note]].concat(), &suspect)?;
            State::Suspect
        } else if !logs::damage(files)?.is_empty() {
            aside::link(files, &suspect)?;
            State::Suspect
        } else if suspect.exists() {
            State::Suspect
        } else {
            State::Sound
        };
        Ok(Self {
            place: place.clone(),
            state,
        })
    }

    /// Says what was dropped, now that RocksDB has brought back everything up to the sequence
    /// number `reached`. To be called before anything is written.
    pub(super) fn after(self, reached: u64) -> Result<Option<Dropped>> {
        let (name, directory) = (self.place.name.clone(), self.place.directory.clone());
        let dropped = self
            .judge(reached)
            .map_err(|error| failure::refusal("keep the damaged log", &name, &error))?;
        forget_close(&directory);
        Ok(dropped)
    }

    fn judge(self, reached: u64) -> io::Result<Option<Dropped>> {
        let dropped = match self.state {
            State::Sound => None,
            State::Suspect => self.judge_suspect(reached)?,
        };
        match dropped {
            None => self.tell_again(),
            dropped => Ok(dropped),
        }
    }

    fn judge_suspect(&self, reached: u64) -> io::Result<Option<Dropped>> {
        let suspect = aside::suspect(&self.place.directory);
        let files = wal::files(&suspect)?;
        let judged = aside::judged_elsewhere(&self.place.directory, &suspect)?;
        let lost = Lost::behind(&files, reached, &judged)?.or_cut_in(&suspect)?;
        if lost.records == 0 && !lost.bad_end {
            // RocksDB no longer needed the log that is damaged, and has read those behind it.
            fs::remove_dir_all(&suspect)?;
            return Ok(None);
        }
        aside::note_reached(&suspect, reached)?;
        let kept = aside::keep(&self.place.directory, &suspect)?;
        Ok(Some(lost.kept_in(kept)))
    }

    /// What an earlier opening has set aside, and was cut short before it could tell.
    fn tell_again(&self) -> io::Result<Option<Dropped>> {
        let Some(kept) = aside::untold(&self.place.directory)? else {
            return Ok(None);
        };
        let reached = aside::reached(&kept).unwrap_or(0);
        let judged = aside::judged_elsewhere(&self.place.directory, &kept)?;
        let lost = Lost::behind(&wal::files(&kept)?, reached, &judged)?.or_cut_in(&kept)?;
        Ok(Some(lost.kept_in(kept)))
    }

    /// The opening has failed: takes back what [`before`](Self::before) did if RocksDB has
    /// left every log where it was.
    pub(super) fn undo(self) {
        let suspect = aside::suspect(&self.place.directory);
        let in_place = |(_, file): &(u64, PathBuf)| {
            file.file_name()
                .is_some_and(|name| self.place.directory.join(name).exists())
        };
        let undone = wal::files(&suspect).and_then(|files| match files.iter().all(in_place) {
            true => fs::remove_dir_all(&suspect),
            false => Ok(()),
        });
        if let Err(error) = undone
            && error.kind() != io::ErrorKind::NotFound
        {
            let text = format_args!("{} stays: {error}", suspect.display());
            Event::at(Level::Debug).about(&self.place.name).post(text);
        }
    }
}

/// The note of the last close is void since RocksDB has begun a new table of contents.
fn forget_close(directory: &Path) {
    let removed = closed::remove(directory).and_then(|()| directories::sync(directory));
    if let Err(error) = removed {
        let text = format_args!("{CLOSED} stays, and is void: {error}");
        Event::at(Level::Debug).about(directory).post(text);
    }
}

/// What RocksDB did not bring back.
#[derive(Debug, Default)]
struct Lost {
    /// Whole records.
    records: u64,
    /// Bytes of the logs from the first bad one on.
    bytes: u64,
    last_chunk: Option<(u64, Vec<u8>)>,
    /// Whether bad bytes, and not of a torn end, are the last that the logs hold, or a log has lost its end.
    bad_end: bool,
}

impl Lost {
    /// What other openings have judged is left to them.
    fn behind(files: &[(u64, PathBuf)], reached: u64, judged: &Judged) -> io::Result<Self> {
        let mut lost = Self::default();
        let mut last = 0;
        let mut trouble: Option<(&Path, u64, bool)> = None;
        for (_, file) in files {
            let judged_from = judged.reached(file);
            let mut from: Option<u64> = None;
            let mut dropped = false;
            wal::read(file, Detail::Whole, &mut |piece| match piece {
                Piece::Record(record) => {
                    trouble = None;
                    last = record.last().max(last);
                    if record.sequence() > reached
                        && record.sequence() <= judged_from
                        && record.changes() > 0
                    {
                        dropped = true;
                        lost.add(record.bytes);
                    }
                }
                _ if last >= judged_from => {}
                Piece::Bad(offset) | Piece::Torn(offset) | Piece::Endless(offset) => {
                    trouble.get_or_insert((file, offset, matches!(piece, Piece::Torn(_))));
                    from.get_or_insert(offset);
                }
            })?;
            if dropped || from.is_some() {
                let len = fs::metadata(file)?.len();
                lost.bytes = lost
                    .bytes
                    .saturating_add(len.saturating_sub(from.unwrap_or(0)));
            }
        }
        if let Some((file, offset, false)) = trouble {
            lost.bad_end = !wal::ends_unwritten(file, offset)?;
        }
        Ok(lost)
    }

    /// Adds what the logs in `directory` had when the queue was closed, and have lost.
    fn or_cut_in(mut self, directory: &Path) -> io::Result<Self> {
        if let Some(closed) = Closed::read(directory) {
            for cut in closed.cut_logs(directory)? {
                self.bad_end = true;
                self.bytes = self.bytes.saturating_add(cut.bytes());
            }
        }
        Ok(self)
    }

    fn kept_in(self, kept: PathBuf) -> Dropped {
        Dropped {
            records: self.records,
            bytes: self.bytes,
            last_chunk: self.last_chunk,
            kept,
            end: None,
        }
    }

    fn add(&mut self, record: &[u8]) {
        self.records = self.records.saturating_add(1);
        for change in changes::of(record) {
            if let Change::Put { family, key, value } = change
                && family == super::kind::DATA_ID
                && let Some(position) = super::chunks::position(key)
            {
                let head = value.get(..Dropped::HEAD).unwrap_or(value);
                self.last_chunk = Some((position, head.to_vec()));
            }
        }
    }
}
