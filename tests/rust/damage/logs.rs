//! Damage in the log, which RocksDB alone would drop without a word.

use std::fs;

use rocksq::maintenance::{Recovery, Report, repair, verify};
use rocksq::{ErrorKind, Items, StartPosition};

use super::history::{self, History, number};
use super::image::Image;
use crate::support::tree::{assert_unchanged, names, picture};
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, kind};

pub fn numbers(items: &Items) -> Vec<usize> {
    items.iter().map(number).collect()
}

pub fn run(from: usize, until: usize) -> Vec<usize> {
    (from..until).collect()
}

/// The log that holds item `number`, and where in it.
pub fn place(image: &Image, number: usize) -> (String, usize) {
    let item = history::item(number);
    let within = |log: String| {
        let bytes = image.bytes(&log);
        let at = bytes
            .windows(item.len())
            .position(|window| window == item)?;
        Some((log, at))
    };
    let places = image.named(".log").into_iter().find_map(within);
    places.expect("the item is in one piece")
}

/// A queue in its log with item 203 damaged: items 200 to 209 were pushed together.
fn damaged_in_the_middle() -> (History, Home) {
    let mut history = history::in_the_log();
    let (log, at) = place(&history.image, 203);
    history.image.bytes_mut(&log)[at] ^= 1;
    let home = Home::new();
    history.image.write_to(&home.queue());
    (history, home)
}

#[test]
fn damage_in_the_middle_is_reported_and_the_log_is_kept() {
    let (_, home) = damaged_in_the_middle();
    let queue = home.fifo();
    let recovery: Recovery = queue.recovery().unwrap();
    assert_eq!((recovery.first, recovery.next), (200, Some(410)));
    // 19 pushes, a take and a push lie behind the push that is damaged.
    assert_eq!(recovery.writes, 21);
    let kept = recovery.kept.clone();
    assert_eq!(
        kept,
        home.queue().canonicalize().unwrap().join("rocksq-lost-1")
    );
    assert!(names(&kept).iter().any(|name| name.ends_with(".log")));
    let text = recovery.to_string();
    assert!(text.contains("200") && text.contains("410"), "{text}");
    assert_eq!(numbers(&queue.pop(999).unwrap()), run(0, 200));
}

#[test]
fn what_lay_behind_the_damage_comes_back_with_a_repair() {
    let (_, home) = damaged_in_the_middle();
    let queue = home.fifo();
    queue.push(&[history::item(1000)]).unwrap();
    assert_eq!(numbers(&queue.pop(150).unwrap()), run(0, 150));
    drop(queue);
    let queue = home.fifo();
    assert!(queue.recovery().is_none(), "it is reported once");
    drop(queue);
    assert_eq!(verify(home.queue()).unwrap().set_aside, 200);
    let report = repair(home.queue()).unwrap();
    assert_eq!(report.set_aside, 200);
    let expected = [run(150, 200), run(210, 410), vec![1000]].concat();
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
    assert!(!names(&home.queue()).contains(&"rocksq-lost-1".to_owned()));
    let again = repair(home.queue()).unwrap();
    assert_eq!((again.set_aside, again.items), (0, 0));
}

/// The epoch of the items that are lost stands in the record that is damaged.
#[test]
fn what_is_pushed_after_the_whole_log_was_lost_comes_behind_what_a_repair_brings_back() {
    let mut history = history::in_the_log();
    let (log, _) = place(&history.image, 0);
    history.image.bytes_mut(&log)[20] ^= 1;
    let home = Home::new();
    history.image.write_to(&home.queue());
    let queue = home.fifo();
    assert_eq!(queue.recovery().unwrap().first, 0);
    queue.push(&[history::item(1000)]).unwrap();
    drop(queue);
    assert_eq!(repair(home.queue()).unwrap().set_aside, 410);
    let expected = [run(0, 410), vec![1000]].concat();
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
}

#[test]
fn what_comes_back_is_read_next_by_those_who_are_past_it() {
    let (_, home) = damaged_in_the_middle();
    let queue = home.fifo();
    queue
        .push(&[history::item(1000), history::item(1001)])
        .unwrap();
    assert_eq!(queue.pop(201).unwrap().len(), 201);
    drop(queue);
    repair(home.queue()).unwrap();
    let expected = [run(210, 410), vec![1001]].concat();
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
}

#[test]
fn a_repair_instead_of_an_opening_loses_the_damaged_push_alone() {
    let (_, home) = damaged_in_the_middle();
    let report = repair(home.queue()).unwrap();
    assert_eq!(report.missing.len(), 1, "{report:?}");
    assert_eq!(
        (report.missing[0].first, report.missing[0].next),
        (200, 210)
    );
    assert!(
        report.problems[0].contains(".log is damaged at byte"),
        "{report:?}"
    );
    let expected = [run(35, 200), run(210, 410)].concat();
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
}

#[test]
fn a_torn_end_is_what_a_crash_leaves_and_no_damage() {
    let mut history = history::in_the_log();
    let (log, at) = place(&history.image, 409);
    history.image.bytes_mut(&log).truncate(at + 5);
    let home = Home::new();
    history.image.write_to(&home.queue());
    let queue = home.fifo();
    assert_eq!(queue.recovery(), None);
    assert_eq!(numbers(&queue.pop(999).unwrap()), run(35, 400));
    assert!(
        !names(&home.queue())
            .iter()
            .any(|name| name.starts_with("rocksq-"))
    );
}

#[test]
fn an_end_that_was_never_written_is_what_a_power_cut_leaves() {
    let mut history = history::in_the_log();
    let (log, at) = place(&history.image, 409);
    let bytes = history.image.bytes_mut(&log);
    bytes.truncate((at + 5).next_multiple_of(512));
    bytes.resize(at + 100_000, 0);
    let home = Home::new();
    history.image.write_to(&home.queue());
    assert_eq!(home.fifo().recovery(), None);
}

/// Items of zeros look like the end of a file that was never written.
#[test]
fn damage_before_items_of_zeros_is_told_by_all() {
    for number in [203, 410] {
        let home = Home::new();
        let queue = home.fifo();
        for item in 200..220 {
            queue.push(&[history::item(item)]).unwrap();
        }
        let mut last = history::item(410);
        last.resize(8_000, 0);
        queue.push(&[last]).unwrap();
        let mut image = Image::of(&home.queue());
        drop(queue);
        let (log, at) = place(&image, number);
        image.bytes_mut(&log)[at] ^= 1;
        let home = Home::new();
        image.write_to(&home.at("opened"));
        image.write_to(&home.at("repaired"));
        assert!(!verify(home.at("opened")).unwrap().is_intact());
        let queue = history::fifo(&home.at("opened")).unwrap();
        assert!(queue.recovery().is_some());
        let report = repair(home.at("repaired")).unwrap();
        assert_eq!(report.items, 20, "the damaged push alone is lost");
        assert!(!report.is_intact());
    }
}

#[test]
fn a_whole_last_record_with_a_wrong_checksum_is_damage() {
    let mut history = history::in_the_log();
    let (log, at) = place(&history.image, 409);
    history.image.bytes_mut(&log)[at] ^= 1;
    let home = Home::new();
    history.image.write_to(&home.queue());
    let queue = home.fifo();
    let recovery = queue.recovery().unwrap();
    assert_eq!(
        (recovery.first, recovery.next, recovery.writes),
        (400, None, 0)
    );
}

#[test]
fn a_queue_whose_log_is_gone_is_refused_and_repaired() {
    let mut history = history::in_tables();
    for log in history.image.named(".log") {
        history.image.delete(&log);
    }
    let home = Home::new();
    history.image.write_to(&home.queue());
    let before = picture(&home.queue());
    let error = history::fifo(&home.queue()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("log is missing"), "{error}");
    assert_unchanged(&before, &home.queue());
    let report = repair(home.queue()).unwrap();
    assert!(report.problems[0].contains("log is missing"), "{report:?}");
    assert_eq!(numbers(&home.fifo().pop(9999).unwrap()), run(80, 1600));
}

/// RocksDB would believe a table of contents that has lost its end, and delete newer tables.
#[test]
fn a_queue_whose_table_of_contents_has_lost_its_end_is_refused_and_repaired() {
    let home = Home::new();
    let queue = home.fifo();
    queue
        .push(&(0..300).map(history::item).collect::<Vec<_>>())
        .unwrap();
    let early = Image::of(&home.queue());
    let manifest = early.named("MANIFEST-").remove(0);
    let len = early.bytes(&manifest).len();
    // More than the housekeeping leaves in the log.
    for _ in 0..14 {
        queue.push(&[vec![b'x'; 1 << 20]]).unwrap();
    }
    let mut late = Image::of(&home.queue());
    until(PATIENCE, "the log is moved to tables", || {
        late = Image::of(&home.queue());
        early
            .named(".log")
            .iter()
            .all(|log| !late.named(".log").contains(log))
    });
    assert!(late.bytes(&manifest).len() > len);
    late.bytes_mut(&manifest).truncate(len);
    let home = Home::new();
    late.write_to(&home.queue());
    let before = picture(&home.queue());
    assert_eq!(kind(history::fifo(&home.queue())), ErrorKind::Corrupt);
    assert_unchanged(&before, &home.queue());
    assert_eq!(repair(home.queue()).unwrap().items, 314);
}

/// A crash between the replay and the report: the logs lie in `suspect`, and the next opening reports.
#[test]
fn an_opening_that_was_cut_short_is_judged_by_the_next() {
    let (_, home) = damaged_in_the_middle();
    let queue = home.fifo();
    let kept = queue.recovery().unwrap().kept;
    let image = Image::of(&home.queue());
    for was_noted in [false, true] {
        let home = Home::new();
        image.write_to(&home.queue());
        let suspect = home.queue().join("rocksq-suspect");
        Image::of(&kept).write_to(&suspect);
        if !was_noted {
            fs::remove_file(suspect.join("REACHED")).unwrap();
        }
        let queue = home.fifo();
        assert_eq!(queue.recovery().unwrap().first, 200);
        assert!(!suspect.exists());
    }
}

/// What a crash in the middle of the replay leaves: the logs lie in `suspect`, and in their place.
fn damaged_and_cut_short() -> Home {
    let (history, home) = damaged_in_the_middle();
    let suspect = home.queue().join("rocksq-suspect");
    fs::create_dir(&suspect).unwrap();
    for log in history.image.named(".log") {
        fs::hard_link(home.queue().join(&log), suspect.join(&log)).unwrap();
    }
    home
}

#[test]
fn a_repair_after_an_opening_that_was_cut_short_brings_nothing_twice() {
    let home = damaged_and_cut_short();
    let expected = [run(35, 200), run(210, 410)].concat();
    assert_eq!(repair(home.queue()).unwrap().items, expected.len() as u64);
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
}

#[test]
fn a_repair_without_the_table_of_contents_brings_nothing_twice() {
    let home = damaged_and_cut_short();
    fs::remove_file(home.queue().join("CURRENT")).unwrap();
    repair(home.queue()).unwrap();
    let expected = [run(35, 200), run(210, 410)].concat();
    assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
}

pub fn missing(report: &Report) -> Vec<(u64, u64)> {
    let runs = report.missing.iter();
    runs.map(|run| (run.first, run.next)).collect()
}

#[test]
fn what_is_gone_in_a_log_that_was_set_aside_is_reported_until_a_repair() {
    let (_, home) = damaged_in_the_middle();
    home.fifo().push(&[history::item(1000)]).unwrap();
    for report in [verify(home.queue()), repair(home.queue())] {
        let report = report.unwrap();
        assert_eq!(missing(&report), [(200, 210)], "{report:?}");
        let [problem] = report.problems.as_slice() else {
            panic!("{report:?}");
        };
        assert!(problem.contains("rocksq-lost-1"), "{problem}");
        assert!(problem.contains("is damaged at byte"), "{problem}");
    }
    assert!(verify(home.queue()).unwrap().is_intact());
    assert!(repair(home.queue()).unwrap().is_intact());
}

#[test]
fn what_is_gone_at_the_end_of_a_log_that_was_set_aside_is_reported() {
    let mut history = history::in_the_log();
    let (log, at) = place(&history.image, 405);
    history.image.bytes_mut(&log)[at] ^= 1;
    let home = Home::new();
    history.image.write_to(&home.queue());
    assert_eq!(home.fifo().recovery().unwrap().first, 400);
    let report = verify(home.queue()).unwrap();
    assert_eq!(report.set_aside, 0);
    assert!(!report.is_intact(), "{report:?}");
    let problems = repair(home.queue()).unwrap().problems;
    assert!(problems[0].contains("rocksq-lost-1"), "{problems:?}");
    assert!(verify(home.queue()).unwrap().is_intact());
}

/// One push of each session is damaged, and each opening sets a log aside.
#[test]
fn what_is_gone_in_several_logs_that_were_set_aside_is_reported() {
    let home = Home::new();
    let mut path = home.at("0");
    for session in 0..3 {
        let queue = history::fifo(&path).unwrap();
        for push in 0..10 {
            queue.push(&[history::item(session * 10 + push)]).unwrap();
        }
        let mut image = Image::settled(&path);
        let (log, at) = place(&image, session * 10 + 4);
        image.bytes_mut(&log)[at] ^= 1;
        let next = home.at(&format!("{}", session + 1));
        image.write_to(&next);
        for lost in names(&path).iter().filter(|name| name.contains("lost")) {
            Image::of(&path.join(lost)).write_to(&next.join(lost));
        }
        drop(queue);
        path = next;
        let recovery = history::fifo(&path).unwrap().recovery().unwrap();
        assert_eq!(recovery.first, session as u64 * 4 + 4);
    }
    let report = repair(&path).unwrap();
    assert_eq!(missing(&report), [(4, 5), (8, 9), (12, 13)], "{report:?}");
    assert_eq!(report.problems.len(), 3, "{report:?}");
    let expected = [run(0, 4), run(5, 14), run(15, 24), run(25, 30)].concat();
    let queue = history::fifo(&path).unwrap();
    assert_eq!(numbers(&queue.pop(99).unwrap()), expected);
}

#[test]
fn what_was_set_aside_counts_as_used_and_goes_with_the_queue() {
    let (_, home) = damaged_in_the_middle();
    let queue = home.fifo();
    let kept = queue.recovery().unwrap().kept;
    let bytes = fs::metadata(&kept).unwrap().len();
    assert!(queue.disk_size().unwrap() > bytes);
    drop(queue);
    rocksq::blocking::remove_queue(home.queue()).unwrap();
    assert!(!home.queue().exists());
}

#[test]
fn labels_keep_their_places_through_a_damaged_log() {
    let history = history::with_labels();
    let mut image = history.image.clone();
    let (log, at) = place(&image, 601);
    image.bytes_mut(&log)[at] ^= 4;
    let home = Home::new();
    image.write_to(&home.queue());
    let queue = home.mpmc();
    assert_eq!(queue.recovery().unwrap().first, 600);
    let late = queue.next("late", StartPosition::Oldest, 1).unwrap();
    assert_eq!(numbers(&late.items), [150]);
}

/// The offset of the second record in a file of records.
fn second_record(bytes: &[u8]) -> usize {
    7 + usize::from(u16::from_le_bytes([bytes[4], bytes[5]]))
}

/// One bit of a record's type makes RocksDB's own reader turn in a circle.
#[test]
fn a_file_that_would_be_read_for_ever_is_refused_and_repaired() {
    for part in [".log", "MANIFEST-"] {
        for bit in [4, 10] {
            let mut history = history::in_the_log();
            let file = history.image.named(part).remove(0);
            let bytes = history.image.bytes_mut(&file);
            let kind = second_record(bytes) + 6;
            assert_eq!(bytes[kind], 1);
            bytes[kind] ^= bit;
            let home = Home::new();
            history.image.write_to(&home.queue());
            let before = picture(&home.queue());
            let error = history::fifo(&home.queue()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains("rocksq.repair"), "{error}");
            assert!(error.to_string().contains(&file), "{error}");
            assert!(!verify(home.queue()).unwrap().is_intact());
            assert_unchanged(&before, &home.queue());
            let report = repair(home.queue()).unwrap();
            assert_eq!(report.items, 375, "{report:?}");
        }
    }
}
