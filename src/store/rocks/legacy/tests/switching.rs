//! Conversions that stop at every moment.

use super::*;
use crate::store::rocks::{Rebuild, remove};

/// A queue whose exchange of files has begun.
fn begun(path: &Path) {
    let old = Old::mpmc(path, 0..500).ends_at(500);
    let old = old.label("x", 100, None, false);
    // Tables, and a log behind them.
    old.0.flush_cf(old.0.cf_handle("data").unwrap()).unwrap();
    old.add(500, b"500", SECOND);
    drop(old.ends_at(501));
    let old = OldQueue::open(path, Kind::Mpmc).unwrap();
    let mut report = |_, _| Ok(());
    let mut items = OldItems::find(&old, &mut report).unwrap();
    build(&path.join(BUILDING), Kind::Mpmc, &mut items, &mut write).unwrap();
    switch::begin(path, Kind::Mpmc, items.outcome()).unwrap();
}

/// Takes at most so many steps; says whether that was all of them.
fn advance(path: &Path, mut left: usize) -> bool {
    loop {
        let steps = switch::steps(path);
        if steps.is_empty() {
            return true;
        }
        for step in steps {
            if left == 0 {
                return false;
            }
            step.take().unwrap();
            left -= 1;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Does something with a queue that has stopped after each number of steps.
fn at_every_step(check: impl Fn(&Path)) {
    let home = Home::new();
    begun(&home.queue());
    for stop in 0.. {
        let path = home.0.path().join(stop.to_string());
        copy(&home.queue(), &path);
        let is_done = advance(&path, stop);
        check(&path);
        if is_done {
            assert!(stop > 10, "{stop} steps");
            return;
        }
    }
}

fn assert_converted(path: &Path) {
    assert_eq!(written(path, Kind::Mpmc), texts(0..501));
    assert!(!path.join(BUILDING).exists());
    assert!(!path.join("LOG").exists(), "a file of before is there");
}

#[test]
fn the_next_conversion_finishes_wherever_the_last_one_stopped() {
    at_every_step(|path| {
        if let Some(migrated) = convert_to_end(path, Kind::Mpmc).unwrap() {
            assert_eq!((migrated.items, migrated.labels), (501, 1));
        }
        assert_converted(path);
    });
}

#[test]
fn a_queue_whose_conversion_stopped_is_of_its_kind_and_can_be_removed() {
    at_every_step(|path| {
        let error = survey::survey(path, Kind::Fifo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
        assert_eq!(
            remove(path, Kind::Fifo).unwrap_err().kind(),
            ErrorKind::WrongKind
        );
        remove(path, Kind::Mpmc).unwrap();
        assert!(!path.exists());
    });
}

#[test]
fn a_queue_whose_conversion_stopped_is_not_repaired_but_opened() {
    at_every_step(|path| {
        if switch::interrupted(path).unwrap().is_none() {
            return;
        }
        for error in [Rebuild::look(path).err(), Rebuild::begin(path).err()] {
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::UnsupportedFormat, "{error}");
            assert!(error.to_string().contains("open it"), "{error}");
        }
    });
}

#[test]
fn a_conversion_that_stopped_before_the_exchange_starts_anew() {
    let home = Home::new();
    let path = home.queue();
    drop(Old::mpmc(&path, 0..500).ends_at(500));
    drop(RocksStore::open(&path.join(BUILDING), Kind::Mpmc, None).unwrap());
    // 0.3.0 may have gone on with its queue meanwhile.
    Old::mpmc(&path, 0..501)
        .ends_at(501)
        .label("x", 100, None, false);
    assert_eq!(kind_at(&path).unwrap(), Some(Kind::Mpmc));
    convert_to_end(&path, Kind::Mpmc).unwrap();
    assert_converted(&path);
}

#[test]
fn a_queue_whose_conversion_stopped_before_the_exchange_can_be_removed() {
    let home = Home::new();
    drop(Old::fifo(&home.queue(), 0, 1, &[(0, "x")]));
    drop(RocksStore::open(&home.queue().join(BUILDING), Kind::Fifo, None).unwrap());
    remove(&home.queue(), Kind::Fifo).unwrap();
    assert!(!home.queue().exists());
}

#[test]
fn a_note_that_is_damaged_costs_nothing() {
    let home = Home::new();
    begun(&home.queue());
    let current = home.queue().join("CURRENT");
    let note = fs::read_to_string(&current).unwrap();
    for damaged in [
        "",
        "rocksq converts mpmc",
        "Rocksq converts mpmc sweep x 0 0 0 0\n",
    ] {
        fs::write(&current, damaged).unwrap();
        let error = convert_to_end(&home.queue(), Kind::Mpmc).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    fs::write(&current, note).unwrap();
    convert_to_end(&home.queue(), Kind::Mpmc).unwrap();
    assert_converted(&home.queue());
}
