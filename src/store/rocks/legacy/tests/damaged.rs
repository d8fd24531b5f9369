//! Old directories that are not converted, and do not change.

use super::*;

/// The conversion fails in this way, says so with these words, and changes nothing.
fn refused(path: &Path, kind: Kind, expected: ErrorKind, says: &str) {
    let before = picture(path);
    let error = convert_to_end(path, kind).unwrap_err();
    assert_eq!(error.kind(), expected, "{error}");
    let text = error.to_string();
    assert!(text.contains(says), "not {says:?}: {text}");
    assert!(text.contains("nothing was changed"), "{text}");
    assert!(picture(path) == before);
}

fn damaged(path: &Path, kind: Kind, says: &str) {
    refused(path, kind, ErrorKind::Corrupt, says);
}

#[test]
fn a_fifo_queue_must_hold_what_its_counters_say() {
    for (read, write, indexes) in [
        (0, 4, &[0, 1, 3][..]),
        (0, 3, &[0, 1, 2, 3]),
        (1, 4, &[0, 1, 2]),
        (0, 3, &[0, 2, 1 << 40]),
        (0, 1, &[]),
        (u64::MAX - 50, 1, &[0]),
    ] {
        let home = Home::new();
        let items: Vec<_> = indexes.iter().map(|index| (*index, "x")).collect();
        drop(Old::fifo(&home.queue(), read, write, &items));
        damaged(&home.queue(), Kind::Fifo, "");
    }
}

#[test]
fn keys_and_values_must_have_their_form() {
    let fifo = |change: &dyn Fn(&Old), says: &str| {
        let home = Home::new();
        change(&Old::fifo(&home.queue(), 0, 1, &[(0, "x")]));
        damaged(&home.queue(), Kind::Fifo, says);
    };
    fifo(&|old| old.put("default", "short", ""), "key");
    fifo(
        &|old| old.put("default", [255, 255, 255, 255, 255, 255, 255, 200], ""),
        "",
    );
    fifo(
        &|old| old.put("default", format::key(u64::MAX - 60), ""),
        "key",
    );
    fifo(
        &|old| old.put("default", format::key(u64::MAX), "short"),
        "counter",
    );
    let mpmc = |change: &dyn Fn(&Old), says: &str| {
        let home = Home::new();
        change(&Old::mpmc(&home.queue(), 0..3).ends_at(3));
        damaged(&home.queue(), Kind::Mpmc, says);
    };
    mpmc(&|old| old.put("data", format::key(3), "abc"), "time");
    mpmc(&|old| old.add(3, b"x", 5), "time");
    mpmc(
        &|old| old.put("data", format::key(u64::MAX), timed(b"", SECOND)),
        "key",
    );
    mpmc(
        &|old| old.put("reader", "x", timed(&[251, 1], SECOND)),
        "\"x\"",
    );
    mpmc(
        &|old| old.put("reader", b"\xff", timed(&[0, 0, 0], SECOND)),
        "label",
    );
    mpmc(&|old| old.put("reader", "x", "abc"), "time");
}

#[test]
fn a_fifo_queue_that_was_opened_as_an_mpmc_queue_is_told() {
    let home = Home::new();
    drop(Old::fifo(&home.queue(), 0, 1, &[(0, "x")]));
    drop(Old::mpmc(&home.queue(), []));
    refused(
        &home.queue(),
        Kind::Mpmc,
        ErrorKind::WrongKind,
        "FIFO queue",
    );
}

#[test]
fn a_conversion_that_is_stopped_leaves_everything_as_it_was() {
    let home = Home::new();
    drop(Old::mpmc(&home.queue(), 0..1000).ends_at(1000));
    let before = picture(&home.queue());
    let mut reports = 0;
    let mut stop = |_, _| {
        reports += 1;
        Err(Error::new(ErrorKind::Interrupted, "stop"))
    };
    let stopped = convert(&home.queue(), Kind::Mpmc, None, &mut write, &mut stop);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(reports, 1);
    assert!(picture(&home.queue()) == before);
}

#[test]
fn a_queue_of_this_format_is_not_converted() {
    let home = Home::new();
    drop(RocksStore::open(&home.queue(), Kind::Fifo, None).unwrap());
    assert_eq!(convert_to_end(&home.queue(), Kind::Fifo).unwrap(), None);
    assert_eq!(kind_at(&home.queue()).unwrap(), None);
}

/// Cuts the last byte off the log of a queue.
fn cut_log(path: &Path) {
    let names = crate::store::rocks::names::list(path).unwrap().into_iter();
    let logs: Vec<_> = names
        .map(|name| path.join(name))
        .filter(|file| file.extension().is_some_and(|end| end == "log"))
        .collect();
    let log = fs::read(&logs[0]).unwrap();
    assert_eq!(logs.len(), 1);
    fs::write(&logs[0], &log[..log.len() - 1]).unwrap();
}

#[test]
fn a_log_may_end_in_the_middle_of_a_record() {
    let home = Home::new();
    drop(Old::mpmc(&home.queue(), 0..50));
    cut_log(&home.queue());
    convert_to_end(&home.queue(), Kind::Mpmc).unwrap();
    assert_eq!(written(&home.queue(), Kind::Mpmc), texts(0..49));
}

#[test]
fn a_gap_is_no_expiry_if_a_log_has_lost_its_end() {
    let home = Home::new();
    drop(Old::mpmc(&home.queue(), (0..20).chain(30..50)));
    cut_log(&home.queue());
    damaged(&home.queue(), Kind::Mpmc, "");
}
