//! Directories that rocksq 0.3.0 wrote: they open, or are refused without a change.

use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::{PersistentQueueWithCapacity as Fifo, remove_mpmc_queue, remove_queue};
use rocksq::mpmc::MpmcQueue;
use rocksq::{Error, ErrorKind, Result};

use crate::support::fixtures::{copy, items, root};
use crate::support::random::{Random, seed};
use crate::support::tree::{assert_unchanged, picture};
use crate::support::{Home, ROOMY};

const FIFOS: [(&str, Range<usize>); 4] = [
    ("fifo_some", 300..1000),
    ("fifo_killed", 10..400),
    ("fifo_drained", 0..0),
    ("fifo_empty", 0..0),
];

/// Labels with the item that each reads next.
type Places = &'static [(&'static str, usize)];

const MPMCS: [(&str, Range<usize>, Places); 6] = [
    (
        "mpmc_labels",
        0..700,
        &[
            ("early", 10),
            ("all", 400),
            ("newest", 400),
            ("nothing", 0),
            ("middle", 257),
            ("ünï ☃", 512),
            ("", 1),
            ("end", 700),
        ],
    ),
    ("mpmc_killed", 0..300, &[("half", 150)]),
    ("mpmc_empty", 0..0, &[]),
    ("mpmc_waiting", 0..5, &[("first", 0)]),
    // The items before 300 have expired; one label had not read them.
    (
        "mpmc_expired",
        300..700,
        &[("slow", 10), ("quick", 300), ("ahead", 500)],
    ),
    ("mpmc_lost", 0..5, &[("all", 0)]),
];

fn old(home: &Home, name: &str) -> PathBuf {
    let path = home.at(name);
    copy(&root().join("0.3.0").join(name), &path);
    path
}

fn is_fifo(name: &str) -> bool {
    name.starts_with("fifo")
}

fn open_mpmc(path: &Path) -> Result<MpmcQueue> {
    MpmcQueue::new(path, Duration::ZERO)
}

#[test]
fn a_fifo_queue_is_converted_by_opening_it() {
    let home = Home::new();
    for (name, range) in FIFOS {
        let path = old(&home, name);
        for _ in 0..2 {
            let queue = Fifo::new(&path, ROOMY).unwrap();
            let expected = items(range.clone());
            assert_eq!(queue.len().unwrap(), expected.len() as u64, "{name}");
            let bytes: usize = expected.iter().map(Vec::len).sum();
            assert_eq!(queue.payload_size().unwrap(), bytes as u64, "{name}");
            assert_eq!(queue.peek(u64::MAX).unwrap(), expected, "{name}");
        }
        let queue = Fifo::new(&path, ROOMY).unwrap();
        queue.push(&["new"]).unwrap();
        queue.pop(range.len() as u64).unwrap();
        assert_eq!(queue.pop(9).unwrap(), ["new"], "{name}");
    }
}

#[test]
fn an_mpmc_queue_is_converted_by_opening_it() {
    let home = Home::new();
    for (name, range, labels) in MPMCS {
        let path = old(&home, name);
        drop(open_mpmc(&path).unwrap());
        let queue = open_mpmc(&path).unwrap();
        assert_eq!(queue.len().unwrap(), range.len() as u64, "{name}");
        let mut names: Vec<_> = labels.iter().map(|(label, _)| *label).collect();
        names.sort_unstable();
        assert_eq!(queue.labels().unwrap(), names, "{name}");
        for (label, place) in labels.iter().chain(&[("another", range.start)]) {
            let next = queue.next(label, Oldest, u64::MAX).unwrap();
            let rest = (*place).max(range.start)..range.end;
            assert_eq!(next.items, items(rest), "{name} {label}");
            assert_eq!(next.expired, *place < range.start, "{name} {label}");
            assert!(!queue.next(label, Oldest, 1).unwrap().expired);
        }
    }
}

#[test]
fn no_file_of_the_old_version_is_left() {
    let home = Home::new();
    let path = old(&home, "fifo_some");
    let before = picture(&path);
    let queue = Fifo::new(&path, ROOMY).unwrap();
    queue.close().unwrap();
    let after = picture(&path);
    let same = before
        .iter()
        .filter(|(name, file)| *name != "LOCK" && after.get(*name) == Some(*file));
    assert_eq!(same.count(), 0);
    assert!(!after.contains_key("LOG"));
}

#[test]
fn a_conversion_beforehand_says_how_far_it_is_and_what_it_has_done() {
    let home = Home::new();
    let path = old(&home, "mpmc_labels");
    let mut seen = Vec::new();
    let migrated = rocksq::migrate(&path, |progress| {
        seen.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    let migrated = migrated.unwrap().unwrap();
    assert_eq!((migrated.items, migrated.labels), (700, 8));
    assert_eq!((migrated.left_out, migrated.moved_labels), (0, 0));
    assert_eq!(seen.last(), Some(&(700, 700)));
    assert_eq!(open_mpmc(&path).unwrap().len().unwrap(), 700);
    let again = rocksq::migrate(&path, |_| ControlFlow::Continue(()));
    assert_eq!(again.unwrap(), None);
}

#[test]
fn a_conversion_that_is_told_to_stop_changes_nothing() {
    let home = Home::new();
    let path = old(&home, "fifo_some");
    let before = picture(&path);
    let error = rocksq::migrate(&path, |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.path(), Some(&*path));
    assert_unchanged(&before, &path);
}

#[test]
fn the_other_kind_is_refused_and_not_a_byte_is_changed() {
    let home = Home::new();
    let names = FIFOS.iter().map(|(name, _)| *name);
    for name in names.chain(MPMCS.iter().map(|(name, ..)| *name)) {
        let path = old(&home, name);
        let before = picture(&path);
        let errors = if is_fifo(name) {
            [open_mpmc(&path).err(), remove_mpmc_queue(&path).err()]
        } else {
            [Fifo::new(&path, ROOMY).err(), remove_queue(&path).err()]
        };
        for error in errors {
            assert_eq!(error.unwrap().kind(), ErrorKind::WrongKind, "{name}");
        }
        assert_unchanged(&before, &path);
    }
}

#[test]
fn an_old_queue_can_be_removed() {
    let home = Home::new();
    let (fifo, mpmc) = (old(&home, "fifo_some"), old(&home, "mpmc_labels"));
    remove_queue(&fifo).unwrap();
    remove_mpmc_queue(&mpmc).unwrap();
    assert!(!fifo.exists() && !mpmc.exists());
}

/// Opens a damaged copy and says what comes out.
fn read(path: &Path, name: &str) -> Result<Vec<Vec<u8>>> {
    let found = if is_fifo(name) {
        Fifo::new(path, ROOMY)?.peek(u64::MAX)?
    } else {
        open_mpmc(path)?.peek("new", Oldest, u64::MAX)?
    };
    Ok(found.iter().map(<[u8]>::to_vec).collect())
}

/// Flips a bit, or cuts off an end.
fn damage(file: &Path, random: &mut Random) {
    let mut bytes = fs::read(file).unwrap();
    let at = random.within(0..bytes.len() as u64) as usize;
    match random.percent(80) {
        true => bytes[at] ^= 1 << random.within(0..8),
        false => bytes.truncate(at),
    }
    fs::write(file, bytes).unwrap();
}

/// `ROCKSQ_DAMAGE_CASES` sets how many directories are damaged.
fn rounds() -> usize {
    std::env::var("ROCKSQ_DAMAGE_CASES").map_or(36, |text| text.parse().unwrap())
}

/// The end of a log may be missing after a power cut, so damage there can look like one: fewer
/// items, but none wrong, and none in another place.
#[test]
fn damage_never_shows_as_wrong_items_and_is_refused_without_a_change() {
    let home = Home::new();
    let mut random = Random::new(seed());
    let (mut refused, mut read_whole) = (0, 0);
    let rounds = rounds();
    for round in 0..rounds {
        let (name, expected) = [
            ("fifo_some", items(300..1000)),
            ("fifo_killed", items(10..400)),
            ("mpmc_labels", items(0..700)),
        ][round % 3]
            .clone();
        let path = old(&home, name);
        let all: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        let files: Vec<_> = all.into_iter().filter(|file| matters(file)).collect();
        let file = &files[random.within(0..files.len() as u64) as usize];
        damage(file, &mut random);
        let is_log = file.extension().is_some_and(|end| end == "log");
        let before = picture(&path);
        match read(&path, name) {
            Ok(found) if !is_log => assert!(found == expected, "{}", file.display()),
            Ok(found) => assert!(
                is_run(&found, name),
                "{}: {} items",
                file.display(),
                found.len()
            ),
            Err(error) => {
                assert_sensible(&error);
                assert_unchanged(&before, &path);
                refused += 1;
                fs::remove_dir_all(&path).unwrap();
                continue;
            }
        }
        read_whole += 1;
        fs::remove_dir_all(&path).unwrap();
    }
    assert!(refused > rounds / 6, "{refused} refused, {read_whole} read");
}

/// It opens with everything that it had, or is refused as it is.
fn assert_whole_or_refused(path: &Path, name: &str, expected: Range<usize>) {
    let before = picture(path);
    match read(path, name) {
        Ok(found) => assert_eq!(found, items(expected), "{name}"),
        Err(error) => {
            assert_sensible(&error);
            assert_unchanged(&before, path);
        }
    }
}

fn all() -> impl Iterator<Item = (&'static str, Range<usize>)> {
    let mpmcs = MPMCS.into_iter().map(|(name, range, _)| (name, range));
    FIFOS.into_iter().chain(mpmcs)
}

/// The old RocksDB would take it for an older one, and delete newer tables.
#[test]
fn a_table_of_contents_that_is_cut_off_after_any_record_is_refused() {
    let home = Home::new();
    for (name, range) in all() {
        let whole = old(&home, name);
        let current = fs::read_to_string(whole.join("CURRENT")).unwrap();
        let bytes = fs::read(whole.join(current.trim_end())).unwrap();
        let mut end = 0;
        while end < bytes.len() {
            for cut in [end, end + 5] {
                let path = home.at("cut");
                copy(&whole, &path);
                fs::write(path.join(current.trim_end()), &bytes[..cut]).unwrap();
                eprintln!("{name} {cut}");
                assert_whole_or_refused(&path, name, range.clone());
                fs::remove_dir_all(&path).unwrap();
            }
            end += 7 + usize::from(u16::from_le_bytes([bytes[end + 4], bytes[end + 5]]));
        }
    }
}

#[test]
fn a_log_that_is_missing_is_told() {
    let home = Home::new();
    for (name, range) in all() {
        let whole = old(&home, name);
        for entry in fs::read_dir(&whole).unwrap().map(|entry| entry.unwrap()) {
            if entry.path().extension().is_none_or(|end| end != "log") {
                continue;
            }
            let path = home.at("without");
            copy(&whole, &path);
            fs::remove_file(path.join(entry.file_name())).unwrap();
            eprintln!("{name} {}", entry.file_name().display());
            assert_whole_or_refused(&path, name, range.clone());
            fs::remove_dir_all(&path).unwrap();
        }
    }
}

fn matters(file: &Path) -> bool {
    let name = file.file_name().unwrap().to_str().unwrap();
    let is_empty = fs::metadata(file).unwrap().len() == 0;
    !is_empty && !name.starts_with("LOG") && !name.starts_with("OPTIONS") && name != "IDENTITY"
}

/// Whether these are consecutive items of a history in which pushes and pops are in order.
fn is_run(found: &[Vec<u8>], name: &str) -> bool {
    let starts = if is_fifo(name) { 0..1000 } else { 0..1 };
    found.is_empty()
        || starts
            .into_iter()
            .any(|start| found == items(start..start + found.len()))
}

fn assert_sensible(error: &Error) {
    let kinds = [ErrorKind::Corrupt, ErrorKind::Io, ErrorKind::WrongKind];
    assert!(kinds.contains(&error.kind()), "{:?} {error}", error.kind());
    assert!(error.path().is_some(), "{error}");
}
