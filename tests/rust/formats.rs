//! The directory on disk: what is in it, and which directories are refused.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rocksq::blocking::{PersistentQueueWithCapacity as Fifo, remove_queue};
use rocksq::maintenance::{repair, verify};
use rocksq::mpmc::MpmcQueue;
use rocksq::{Error, ErrorKind, StartPosition};
use rust_rocksdb::{DB, Options};

use crate::support::fixtures;
use crate::support::tree::{assert_unchanged, names, picture};
use crate::support::{Home, ROOMY, numbered};

fn families(path: &Path) -> BTreeSet<String> {
    DB::list_cf(&Options::default(), path)
        .unwrap()
        .into_iter()
        .collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn open_fifo(path: &Path) -> Option<Error> {
    Fifo::new(path, ROOMY).err()
}

fn open_mpmc(path: &Path) -> Option<Error> {
    MpmcQueue::new(path, Duration::ZERO).err()
}

/// Both kinds refuse the path with such an error, which names it, and change nothing.
fn assert_refused(path: &Path, kind: ErrorKind, says: &str) {
    for open in [open_fifo, open_mpmc] {
        let before = path.is_dir().then(|| picture(path));
        let error = open(path).unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.path(), Some(path));
        let text = error.to_string();
        assert!(
            text.contains(&path.display().to_string()),
            "no path: {text}"
        );
        assert!(text.contains(says), "not {says:?}: {text}");
        if let Some(before) = before {
            assert_unchanged(&before, path);
        }
    }
}

#[test]
fn families_tell_the_kind_and_the_format() {
    let home = Home::new();
    home.fifo().push(&["a"]).unwrap();
    let mpmc = home.at("mpmc");
    MpmcQueue::new(&mpmc, Duration::ZERO)
        .unwrap()
        .add(&["a"])
        .unwrap();
    let common = ["default", "data.2", "system.2", "reader.2"];
    assert_eq!(families(&home.queue()), &set(common) | &set(["kind.fifo"]));
    assert_eq!(families(&mpmc), &set(common) | &set(["kind.mpmc"]));
}

#[test]
fn the_default_family_stays_empty() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&numbered(0, 1000)).unwrap();
    queue.pop(10).unwrap();
    queue.close().unwrap();
    let all = families(&home.queue());
    let db = DB::open_cf_for_read_only(&Options::default(), home.queue(), &all, false).unwrap();
    assert_eq!(db.iterator(rust_rocksdb::IteratorMode::Start).count(), 0);
    let kind = db.cf_handle("kind.fifo").unwrap();
    assert_eq!(
        db.iterator_cf(&kind, rust_rocksdb::IteratorMode::Start)
            .count(),
        0
    );
}

/// Opens the queue so many times for one item each, and says what files there are then.
fn files_after(home: &Home, openings: usize) -> Vec<String> {
    for _ in 0..openings {
        let queue = home.fifo();
        queue.push(&["a"]).unwrap();
        queue.pop(1).unwrap();
    }
    names(&home.queue())
}

#[test]
fn no_log_files_of_rocksdb_pile_up() {
    let files = files_after(&Home::new(), 10);
    assert!(
        !files.iter().any(|name| name.starts_with("LOG")),
        "{files:?}"
    );
}

#[test]
fn files_do_not_pile_up_with_every_opening() {
    let files = files_after(&Home::new(), 60);
    assert!(files.len() <= 30, "{} files: {files:?}", files.len());
}

#[test]
fn a_queue_that_is_opened_often_stays_small() {
    let home = Home::new();
    for _ in 0..30 {
        home.fifo().push(&["a"]).unwrap();
    }
    let queue = home.fifo();
    let size = queue.disk_size().unwrap();
    assert_eq!(queue.len().unwrap(), 30);
    assert!(size < 1 << 20, "{size}");
}

#[test]
fn the_other_kind_is_refused_and_not_a_byte_is_changed() {
    let home = Home::new();
    home.fifo().push(&numbered(0, 100)).unwrap();
    let mpmc = home.at("mpmc");
    let queue = MpmcQueue::new(&mpmc, Duration::ZERO).unwrap();
    queue.add(&numbered(0, 100)).unwrap();
    queue.next("x", StartPosition::Oldest, 10).unwrap();
    drop(queue);
    for (path, open) in [
        (home.queue(), open_mpmc as fn(&Path) -> _),
        (mpmc, open_fifo),
    ] {
        let before = picture(&path);
        let error = open(&path).unwrap();
        assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
        assert_eq!(error.path(), Some(&*path));
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
        assert_unchanged(&before, &path);
    }
    assert_eq!(home.fifo().len().unwrap(), 100);
}

#[test]
fn a_queue_lives_beside_files_of_others_and_leaves_them_alone() {
    let home = Home::new();
    let path = home.queue();
    fs::create_dir_all(path.join("letters")).unwrap();
    for letter in ["letter.txt", "letters/sst", "app.log"] {
        fs::write(path.join(letter), b"dear").unwrap();
    }
    remove_queue(&path).unwrap();
    home.fifo().push(&["a"]).unwrap();
    assert_eq!(home.fifo().pop(9).unwrap(), ["a"]);
    remove_queue(&path).unwrap();
    let mut left: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["app.log", "letter.txt", "letters"]);
    assert_eq!(fs::read(path.join("letters/sst")).unwrap(), b"dear");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let home = Home::new();
    let path = home.at("users");
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf(&options, &path, ["users"]).unwrap();
    assert_refused(&path, ErrorKind::WrongKind, "");
}

#[test]
fn a_newer_format_is_refused_with_its_number() {
    let home = Home::new();
    let path = home.at("newer");
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf(
        &options,
        &path,
        ["data.9", "system.9", "reader.9", "kind.fifo"],
    )
    .unwrap();
    assert_refused(&path, ErrorKind::UnsupportedFormat, "9");
    let before = picture(&path);
    let error = rocksq::migrate(&path, |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    assert_unchanged(&before, &path);
    assert_not_looked_into(&path, "number 9");
    // Its table of contents is not all that tells.
    fs::remove_file(path.join("CURRENT")).unwrap();
    assert_not_looked_into(&path, "number 9");
}

/// It is neither verified nor repaired, which would leave what this version does not know behind.
fn assert_not_looked_into(path: &Path, says: &str) {
    let before = picture(path);
    for error in [verify(path).unwrap_err(), repair(path).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormat, "{error}");
        assert_eq!(error.path(), Some(path));
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_unchanged(&before, path);
}

#[test]
fn a_queue_of_0_3_0_is_converted_before_it_is_looked_into() {
    let home = Home::new();
    for name in ["fifo_some", "mpmc_labels"] {
        let path = home.at(name);
        fixtures::copy(&fixtures::root().join("0.3.0").join(name), &path);
        assert_not_looked_into(&path, "0.3.0");
    }
}

#[test]
fn a_file_is_refused() {
    let home = Home::new();
    let path = home.at("file");
    fs::write(&path, b"content").unwrap();
    assert_refused(&path, ErrorKind::Path, "not a directory");
    assert_eq!(fs::read(&path).unwrap(), b"content");
}

#[test]
fn a_path_below_a_file_is_refused() {
    let home = Home::new();
    fs::write(home.at("file"), b"content").unwrap();
    assert_refused(&home.at("file").join("queue"), ErrorKind::Path, "director");
}

#[test]
fn missing_parents_are_made() {
    let home = Home::new();
    let path = home.at("missing").join("too/../queue/");
    Fifo::new(&path, ROOMY).unwrap().push(&["a"]).unwrap();
    let same = home.at("missing").join("queue");
    assert_eq!(Fifo::new(&same, ROOMY).unwrap().pop(9).unwrap(), ["a"]);
}

#[test]
fn a_parent_that_cannot_be_made_is_named_and_nothing_is_left() {
    let home = Home::new();
    let parent = home.at("missing").join("x".repeat(300));
    let text = format!("cannot make the directory {}", parent.display());
    assert_refused(&parent.join("queue"), ErrorKind::Path, &text);
    assert_refused(&parent.join("more/queue"), ErrorKind::Path, &text);
    let name = home.at("missing").join("deep").join("x".repeat(300));
    assert_refused(&name, ErrorKind::Path, "too long");
    assert!(!home.at("missing").exists());
}

#[test]
fn removing_makes_no_parents() {
    let home = Home::new();
    remove_queue(home.at("missing").join("queue")).unwrap();
    assert!(!home.at("missing").exists());
}

#[test]
fn two_names_for_one_missing_path_are_one_queue() {
    let home = Home::new();
    let queue = Fifo::new(home.at("missing").join("queue"), ROOMY).unwrap();
    let other = Fifo::new(home.at("missing").join("../missing/./queue"), ROOMY).unwrap();
    other.push(&[b"a"]).unwrap();
    assert_eq!(queue.pop(9).unwrap(), [b"a"]);
}

#[test]
fn an_empty_path_is_refused() {
    for open in [open_fifo, open_mpmc] {
        let error = open(Path::new("")).unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::Path | ErrorKind::InvalidArgument),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let closed = home.at("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    // Nothing is closed to the superuser.
    if fs::create_dir(closed.join("probe")).is_err() {
        assert_refused(&closed.join("queue"), ErrorKind::Path, "permission denied");
    }
}

#[test]
fn an_empty_directory_becomes_a_queue() {
    let home = Home::new();
    fs::create_dir(home.queue()).unwrap();
    remove_queue(home.queue()).unwrap();
    assert!(!home.queue().exists());
    fs::create_dir(home.queue()).unwrap();
    home.fifo().push(&["a"]).unwrap();
    assert_eq!(home.fifo().pop(9).unwrap(), ["a"]);
}

#[test]
fn a_path_with_spaces_and_letters_of_all_kinds_is_a_path() {
    let home = Home::new();
    let path = home.at(" a queue\nof 日本 'and' \"ä\"; $HOME %s {} ");
    Fifo::new(&path, ROOMY).unwrap().push(&["a"]).unwrap();
    assert!(path.join("CURRENT").exists());
    assert_eq!(Fifo::new(&path, ROOMY).unwrap().pop(9).unwrap(), ["a"]);
}

/// RocksDB's interface takes UTF-8: such a path works or is refused, and no other is used.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_no_text_leads_nowhere_else() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    let path = home.at("").join(std::ffi::OsStr::from_bytes(b"queue\xff"));
    match Fifo::new(&path, ROOMY) {
        Ok(queue) => {
            queue.push(&["a"]).unwrap();
            assert!(path.join("CURRENT").exists(), "the queue is elsewhere");
        }
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::Path | ErrorKind::InvalidArgument),
            "{:?} {error}",
            error.kind()
        ),
    }
    let entries: Vec<_> = fs::read_dir(home.at(""))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(entries.iter().all(|entry| *entry == path), "{entries:?}");
}

#[test]
fn a_relative_path_goes_on_working_after_a_change_of_directory() {
    let home = Home::new();
    let here = std::env::current_dir().unwrap();
    std::env::set_current_dir(home.at("")).unwrap();
    let queue = Fifo::new("queue", ROOMY).unwrap();
    std::env::set_current_dir(here).unwrap();
    let items = vec![vec![7u8; 1 << 20]; 4];
    for _ in 0..8 {
        queue.push(&items).unwrap();
    }
    assert!(queue.disk_size().unwrap() > 1 << 20);
    assert_eq!(queue.pop(u64::MAX).unwrap().len(), 32);
    queue.close().unwrap();
    assert_eq!(home.fifo().len().unwrap(), 0);
}
