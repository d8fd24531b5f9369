//! Telling a copy of a directory from the directory.
//!
//! Every tool that copies a queue makes a new `HOLDER`, with a time of birth and mostly an inode of its
//! own. Renaming the directory, mounting it elsewhere and a reboot change neither, while the number of
//! the device may change with each. What copies whole file systems, a snapshot for instance, is not
//! noticed.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::names::HOLDER;
use crate::store::Home;

/// The place of the queue in `directory`.
pub(super) fn of(directory: &Path) -> Option<Home> {
    let holder = directory.join(HOLDER).metadata().ok()?;
    let born = holder.created().ok();
    let age = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born = age.and_then(|age| u64::try_from(age.as_nanos()).ok());
    Some(Home {
        born: born.unwrap_or(0),
        inode: inode(&holder),
    })
}

#[cfg(unix)]
fn inode(holder: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(holder)
}

#[cfg(not(unix))]
fn inode(_holder: &Metadata) -> u64 {
    0
}
