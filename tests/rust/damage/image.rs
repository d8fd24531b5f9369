//! Directories of queues as files in memory, and ways to damage them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use rocksq::memory;

use super::history::History;
use crate::support::random::Random;

/// The files of a directory.
#[derive(Clone, PartialEq)]
pub struct Image(BTreeMap<String, Vec<u8>>);

impl Image {
    /// The files of a queue that nobody uses now; it may still be tidying up.
    pub fn of(directory: &Path) -> Self {
        loop {
            match (Self::read(directory), Self::read(directory)) {
                (Some(first), Some(second)) if first == second => return first,
                _ => {}
            }
        }
    }

    /// The same once what the last opening has left over is gone.
    pub fn settled(directory: &Path) -> Self {
        loop {
            let image = Self::of(directory);
            if image.named("MANIFEST-").len() == 1 {
                return image;
            }
        }
    }

    /// `None` when a file went meanwhile.
    fn read(directory: &Path) -> Option<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().ok()?.is_file() {
                let name = entry.file_name().into_string().unwrap();
                files.insert(name, fs::read(entry.path()).ok()?);
            }
        }
        Some(Self(files))
    }

    /// Makes the directory. A copy of a table shares what this process has cached of it, which is
    /// forgotten: another process would not have that.
    pub fn write_to(&self, directory: &Path) {
        memory::set_budget(memory::DEFAULT).unwrap();
        fs::create_dir(directory).unwrap();
        for (name, bytes) in &self.0 {
            fs::write(directory.join(name), bytes).unwrap();
        }
    }

    /// The names of files that begin or end like this.
    pub fn named(&self, part: &str) -> Vec<String> {
        let fits = |name: &&String| name.starts_with(part) || name.ends_with(part);
        self.0.keys().filter(fits).cloned().collect()
    }

    pub fn bytes(&self, name: &str) -> &[u8] {
        &self.0[name]
    }

    pub fn bytes_mut(&mut self, name: &str) -> &mut Vec<u8> {
        self.0.get_mut(name).unwrap()
    }

    pub fn delete(&mut self, name: &str) {
        self.0.remove(name).unwrap();
    }

    /// Mostly a file that holds data.
    fn choose_file(&self, random: &mut Random) -> String {
        let kinds = [".sst", ".log", ".sst", ".log", "MANIFEST-", ""];
        let kind = kinds[random.within(0..kinds.len() as u64) as usize];
        let names = match self.named(kind) {
            names if names.is_empty() => self.named(""),
            names => names,
        };
        names[random.within(0..names.len() as u64) as usize].clone()
    }

    /// Damages one file at random, and says how.
    pub fn damage(&mut self, random: &mut Random) -> Damage {
        let file = self.choose_file(random);
        let len = self.0[&file].len() as u64;
        let how = How::choose(random, len);
        let damage = Damage { file, how };
        self.apply(&damage);
        damage
    }

    pub fn apply(&mut self, Damage { file, how }: &Damage) {
        match *how {
            How::Delete => self.delete(file),
            How::Truncate(to) => self.bytes_mut(file).truncate(to as usize),
            How::Flip(byte, bit) => self.bytes_mut(file)[byte as usize] ^= 1 << bit,
            How::Zero(from) => {
                let bytes = self.bytes_mut(file);
                let end = bytes.len().min(from as usize + 512);
                bytes[from as usize..end].fill(0);
            }
        }
    }
}

pub struct Damage {
    pub file: String,
    pub how: How,
}

impl Damage {
    /// How many of the last items may be gone without a word: any where it is no more than a crash
    /// does to the end of a log.
    pub fn untold(&self, history: &History) -> usize {
        match self.how {
            How::Truncate(_) if self.file.ends_with(".log") => history.pushed,
            _ => 0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    Delete,
    Truncate(u64),
    /// A bit of a byte.
    Flip(u64, u8),
    /// The sector that begins at this offset.
    Zero(u64),
}

impl How {
    fn choose(random: &mut Random, len: u64) -> Self {
        if len == 0 {
            return Self::Delete;
        }
        match random.within(0..10) {
            0 => Self::Delete,
            1 | 2 => Self::Truncate(random.within(0..len)),
            3..=7 => Self::Flip(random.within(0..len), random.within(0..8) as u8),
            _ => Self::Zero(random.within(0..len) / 512 * 512),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.file, self.how)
    }
}
