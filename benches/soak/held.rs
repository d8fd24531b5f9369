//! What the queue holds on disk, and the process in memory.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::MIB;

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
        let files = fs::read_dir(&self.directory).unwrap();
        let sizes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.blocks() * 512));
        self.disk = self.disk.max(sizes.sum());
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

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}
