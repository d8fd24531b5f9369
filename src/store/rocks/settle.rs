//! Putting a repaired queue in the place of the damaged one.
//!
//! The repaired queue lies complete and durable in `repaired-N` within the directory of the old
//! one; the renaming to that name is the moment at which the repair is decided. Then the old files move
//! to `damaged-N`, `repaired-N` becomes `settling-N`, and its files move up, `CURRENT` last. Each
//! step can be done again, so whoever opens the queue after a crash carries it to its end.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use super::aside::{self, Transit};
use super::names::{self, HOLDER};
use super::{directories, failure};
use crate::error::Result;

const CURRENT: &str = "CURRENT";

/// Carries a repair that was decided to its end. The directory must be held.
pub(super) fn finish(directory: &Path) -> Result<()> {
    run(directory).map_err(|error| failure::refusal("finish the repair", directory, &error))
}

fn run(directory: &Path) -> io::Result<()> {
    while let Some(transit) = pending(directory)? {
        match transit {
            Transit::Repaired(number) => set_aside(directory, number)?,
            Transit::Settling(number) => move_up(directory, number)?,
        }
    }
    Ok(())
}

fn pending(directory: &Path) -> io::Result<Option<Transit>> {
    let names = names::list(directory)?;
    Ok(names
        .iter()
        .filter_map(|name| name.to_str())
        .find_map(aside::transit))
}

fn set_aside(directory: &Path, number: u32) -> io::Result<()> {
    let damaged = aside::damaged(directory, number);
    aside::ignore(io::ErrorKind::AlreadyExists, fs::create_dir(&damaged))?;
    let old = names::list(directory)?;
    for name in old
        .iter()
        .filter_map(|name| name.to_str())
        .filter(|name| is_old(name))
    {
        fs::rename(directory.join(name), damaged.join(name))?;
    }
    directories::sync(&damaged)?;
    directories::sync(directory)?;
    fs::rename(
        aside::repaired(directory, number),
        aside::settling(directory, number),
    )?;
    directories::sync(directory)
}

/// Whether a file belongs to the queue that is replaced. The holder file stays: it is locked.
/// Files of others stay too.
fn is_old(name: &str) -> bool {
    let is_file = names::is_ours(OsStr::new(name)) && !aside::is_ours(name) && !stays(name);
    is_file || aside::is_lost(name)
}

fn move_up(directory: &Path, number: u32) -> io::Result<()> {
    let settling = aside::settling(directory, number);
    let names = names::list(&settling)?;
    let moves = |name: &&OsString| {
        name.to_str()
            .is_none_or(|name| !stays(name) && name != CURRENT)
    };
    for name in names.iter().filter(moves) {
        fs::rename(settling.join(name), directory.join(name))?;
    }
    directories::sync(directory)?;
    aside::ignore(
        io::ErrorKind::NotFound,
        fs::rename(settling.join(CURRENT), directory.join(CURRENT)),
    )?;
    directories::sync(directory)?;
    fs::remove_dir_all(&settling)?;
    directories::sync(directory)
}

fn stays(name: &str) -> bool {
    [HOLDER, "LOCK", "lost+found"].contains(&name)
}
