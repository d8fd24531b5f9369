//! What is in a directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Every file with its bytes and the time of its last change.
pub type Picture = BTreeMap<String, (Vec<u8>, SystemTime)>;

pub fn picture(directory: &Path) -> Picture {
    names(directory)
        .into_iter()
        .map(|name| {
            let file = directory.join(&name);
            let changed = fs::metadata(&file).unwrap().modified().unwrap();
            (name, (fs::read(&file).unwrap(), changed))
        })
        .collect()
}

/// Says which files differ, instead of printing megabytes.
pub fn assert_unchanged(before: &Picture, directory: &Path) {
    let after = picture(directory);
    let changed: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}

pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}
