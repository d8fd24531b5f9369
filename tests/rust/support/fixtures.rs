//! Directories of released formats, in `tests/fixtures`.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Copies the files of a directory into a new one.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// Item `n` of every fixture: its number, and up to 96 letters; every 100th is empty.
pub fn item(n: usize) -> Vec<u8> {
    if n % 100 == 99 {
        return Vec::new();
    }
    [format!("{n} ").into_bytes(), vec![b'x'; n * 7 % 97]].concat()
}

pub fn items(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(item).collect()
}
