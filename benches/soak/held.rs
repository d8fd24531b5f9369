//! What the queue holds on disk, and the process in memory.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::MIB;
use crate::figures::{allocated, resident};

pub struct Held {
    directory: PathBuf,
    /// The most on disk.
    pub disk: u64,
    /// The most in memory at the beginning, and at all.
    early: u64,
    resident: u64,
}

impl Held {
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            disk: 0,
            early: 0,
            resident: 0,
        }
    }

    /// Looks, at the beginning or later.
    pub fn look(&mut self, later: bool) {
        self.disk = self.disk.max(allocated(&self.directory));
        self.resident = self.resident.max(resident());
        if !later {
            self.early = self.resident;
        }
    }

    pub fn growth(&self) -> u64 {
        self.resident - self.early
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (disk, resident) = (self.disk / MIB, self.resident / MIB);
        write!(f, "at most {disk} MiB on disk, {resident} MiB in memory")
    }
}
