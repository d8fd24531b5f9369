use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rust_rocksdb::{DB, Options};

use super::super::remove;
use super::*;
use crate::error::ErrorKind;

/// Names, contents and modification times of everything in a directory.
fn picture(path: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|name| {
            let modified = fs::metadata(&name).unwrap().modified().unwrap();
            (name.clone(), (fs::read(&name).unwrap(), modified))
        })
        .collect()
}

/// Opening and removing as `kind` fail in these ways and change nothing.
fn refuses(path: &Path, kind: Kind, opening: ErrorKind, removing: Option<ErrorKind>) {
    let before = picture(path);
    let error = open(path, kind).err().unwrap();
    assert_eq!(error.kind(), opening, "{error}");
    assert_eq!(error.path(), Some(path));
    if let Some(expected) = removing {
        let error = remove(path, kind).unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
    }
    assert_eq!(picture(path), before);
}

fn database(path: &Path, families: &[&str]) {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf(&options, path, families).unwrap();
}

#[test]
fn the_other_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    push(&fifo(&path), 0, b"x").unwrap();
    refuses(
        &path,
        Kind::Mpmc,
        ErrorKind::WrongKind,
        Some(ErrorKind::WrongKind),
    );
}

#[test]
fn a_newer_format_is_refused_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    database(dir.path(), &["data.7", "system.7", "reader.7", "kind.fifo"]);
    let unsupported = ErrorKind::UnsupportedFormat;
    refuses(dir.path(), Kind::Fifo, unsupported, Some(unsupported));
    let error = open(dir.path(), Kind::Fifo).err().unwrap();
    assert!(error.to_string().contains('7'), "{error}");
}

#[test]
fn a_queue_of_0_3_0_is_told_by_the_store_and_can_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old");
    for (families, kind, other) in [
        (&["default"][..], Kind::Fifo, Kind::Mpmc),
        (&["data", "system", "reader"], Kind::Mpmc, Kind::Fifo),
    ] {
        database(&path, families);
        refuses(&path, kind, ErrorKind::UnsupportedFormat, None);
        refuses(
            &path,
            other,
            ErrorKind::WrongKind,
            Some(ErrorKind::WrongKind),
        );
        let error = open(&path, kind).err().unwrap();
        assert!(error.to_string().contains("0.3.0"), "{error}");
        let busy = DB::open_cf(&Options::default(), &path, families).unwrap();
        assert_eq!(remove(&path, kind).unwrap_err().kind(), ErrorKind::Busy);
        drop(busy);
        remove(&path, kind).unwrap();
        assert!(!path.exists());
    }
}

#[test]
fn what_is_none_of_ours_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let foreign = dir.path().join("foreign");
    database(&foreign, &["users"]);
    refuses(
        &foreign,
        Kind::Fifo,
        ErrorKind::WrongKind,
        Some(ErrorKind::WrongKind),
    );
    let files = dir.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("000012.sst"), b"dear").unwrap();
    refuses(
        &files,
        Kind::Fifo,
        ErrorKind::WrongKind,
        Some(ErrorKind::WrongKind),
    );
    let letter = files.join("000012.sst");
    assert_eq!(
        open(&letter, Kind::Fifo).err().unwrap().kind(),
        ErrorKind::Path
    );
    assert_eq!(
        remove(&letter, Kind::Fifo).unwrap_err().kind(),
        ErrorKind::Path
    );
}

/// It has the one family that a FIFO queue of 0.3.0 has.
#[test]
fn a_database_of_another_program_without_families_is_not_removed() {
    let rows: [(&[u8], &[u8]); 3] = [
        (b"name", b"x"),
        (&7u64.to_le_bytes(), b"x"),
        (&u64::MAX.to_le_bytes(), &9u64.to_le_bytes()),
    ];
    for (key, value) in rows {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::default();
        options.create_if_missing(true);
        let db = DB::open(&options, dir.path()).unwrap();
        db.put(key, value).unwrap();
        drop(db);
        let unsupported = ErrorKind::UnsupportedFormat;
        refuses(
            dir.path(),
            Kind::Fifo,
            unsupported,
            Some(ErrorKind::WrongKind),
        );
    }
}

#[test]
fn a_creation_that_was_interrupted_beside_files_of_others_is_completed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("app.log"), b"mine").unwrap();
    fs::write(dir.path().join("HOLDER"), b"").unwrap();
    push(&fifo(dir.path()), 0, b"x").unwrap();
    assert_eq!(visit(&fifo(dir.path()), 0, 0), [0]);
}

#[cfg(unix)]
#[test]
fn removing_through_a_link_empties_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("q"), dir.path().join("link"));
    push(&fifo(&path), 0, b"x").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    remove(&link, Kind::Fifo).unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    assert_eq!(visit(&fifo(&link), 0, 0), [0; 0]);
}

#[test]
fn removing_leaves_nothing_and_nothing_is_fine() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    remove(&path, Kind::Fifo).unwrap();
    remove(&dir.path().join("no/where"), Kind::Fifo).unwrap();
    let store = fifo(&path);
    assert_eq!(
        remove(&path, Kind::Fifo).unwrap_err().kind(),
        ErrorKind::Busy
    );
    drop(store);
    remove(&path, Kind::Fifo).unwrap();
    assert!(!path.exists());
    open(&path, Kind::Mpmc).unwrap();
}

#[test]
fn a_half_created_queue_is_completed() {
    let dir = tempfile::tempdir().unwrap();
    let begun = |name: &str, families: &[&str]| {
        let path = dir.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("HOLDER"), b"").unwrap();
        if !families.is_empty() {
            database(&path, families);
        }
        push(&open(&path, Kind::Mpmc).unwrap(), 0, b"x").unwrap();
        assert_eq!(visit(&open(&path, Kind::Mpmc).unwrap(), 0, 0), [0]);
    };
    begun("holder", &[]);
    begun("default", &["default"]);
    begun("kind", &["default", "kind.mpmc", "data.2"]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    drop(fifo(&dir.path().join("empty")));
}

#[test]
fn a_queue_without_current_is_damaged_not_new() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    push(&fifo(&path), 0, b"x").unwrap();
    fs::remove_file(path.join("CURRENT")).unwrap();
    assert_eq!(
        open(&path, Kind::Fifo).err().unwrap().kind(),
        ErrorKind::Corrupt
    );
    remove(&path, Kind::Fifo).unwrap();
    assert!(!path.exists());
}

/// Closed queues of either kind, each damaged in one of the ways in which the table of contents can be.
fn damaged(kind: Kind, check: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = |path: &Path| {
        let mut names = super::super::names::list(path).unwrap();
        names.retain(|name| name.to_str().unwrap().starts_with("MANIFEST-"));
        path.join(&names[0])
    };
    let damages: [&dyn Fn(&Path); 4] = [
        &|path| fs::remove_file(path.join("CURRENT")).unwrap(),
        &|path| fs::write(path.join("CURRENT"), "junk").unwrap(),
        &|path| fs::remove_file(manifest(path)).unwrap(),
        &|path| {
            let mut bytes = fs::read(manifest(path)).unwrap();
            bytes[20] ^= 1;
            fs::write(manifest(path), bytes).unwrap();
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let path = dir.path().join(number.to_string());
        push(&open(&path, kind).unwrap(), 0, b"x").unwrap();
        damage(&path);
        check(&path);
    }
}

#[test]
fn a_damaged_queue_is_not_removed_as_one_of_the_other_kind() {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        damaged(kind, |path| {
            let before = picture(path);
            let error = remove(path, kind.other()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
            assert_eq!(picture(path), before);
        });
    }
}

#[test]
fn a_damaged_queue_can_be_removed() {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        damaged(kind, |path| {
            remove(path, kind).unwrap();
            assert!(!path.exists());
        });
    }
}

#[test]
fn a_damaged_database_that_may_be_of_another_program_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    database(dir.path(), &["users"]);
    fs::write(dir.path().join("CURRENT"), "junk").unwrap();
    let before = picture(dir.path());
    let error = remove(dir.path(), Kind::Fifo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
    assert!(
        error.to_string().contains("delete its directory"),
        "{error}"
    );
    assert_eq!(picture(dir.path()), before);
}

/// RocksDB deletes in any order.
#[test]
fn what_a_removal_that_was_cut_short_has_left_can_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    push(&fifo(&path), 0, b"x").unwrap();
    for name in super::super::names::list(&path).unwrap() {
        if super::super::survey::tells_kind(&name) {
            fs::remove_file(path.join(name)).unwrap();
        }
    }
    remove(&path, Kind::Fifo).unwrap();
    assert!(!path.exists());
}
