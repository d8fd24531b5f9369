//! Files that were cut or lost after a clean close, when no crash explains it.

use std::fs;
use std::path::Path;

use rocksq::ErrorKind;
use rocksq::maintenance::{repair, verify};

use super::history::{self, fifo, items};
use super::image::{How, Image};
use super::logs::{numbers, run};
use crate::support::Home;
use crate::support::tree::names;

/// The name of the note that a clean close leaves.
const CLOSED: &str = "rocksq-closed";

/// A queue of 40 pushes in its log, closed.
fn closed_in_the_log() -> Image {
    let home = Home::new();
    let queue = home.fifo();
    for push in 0..40 {
        queue.push(&items(push * 10, 10)).unwrap();
    }
    queue.close().unwrap();
    Image::of(&home.queue())
}

/// The same in several tables and a log.
fn closed_in_tables() -> Image {
    let home = Home::new();
    for session in 0..4 {
        let queue = home.fifo();
        queue.push(&items(session * 100, 100)).unwrap();
        queue.close().unwrap();
    }
    Image::of(&home.queue())
}

fn cuts(image: &Image, name: &str) -> [How; 4] {
    let len = image.bytes(name).len() as u64;
    [
        How::Truncate(0),
        How::Truncate(len / 2),
        How::Truncate(len - 1),
        How::Delete,
    ]
}

fn damaged(image: &Image, name: &str, how: How, to: &Path) {
    let mut image = image.clone();
    let file = name.to_owned();
    image.apply(&super::image::Damage { file, how });
    image.write_to(to);
}

/// Whether an opening, or the first read, tells of a loss, if there is one.
fn tells(path: &Path) -> bool {
    match fifo(path) {
        Ok(queue) => {
            // A table of what was overwritten since has no items.
            let read = queue.pop(9999);
            queue.recovery().is_some() || read.map_or(true, |items| items.len() == 400)
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            true
        }
    }
}

#[test]
fn every_file_with_data_that_is_cut_after_a_clean_close_is_told() {
    for image in [closed_in_the_log(), closed_in_tables()] {
        for kind in [".log", ".sst", "MANIFEST-"] {
            for name in image.named(kind) {
                for how in cuts(&image, &name) {
                    let home = Home::new();
                    damaged(&image, &name, how, &home.queue());
                    let report = verify(home.queue()).unwrap();
                    assert!(!report.is_intact(), "{name} {how:?}: {report:?}");
                    assert!(tells(&home.queue()), "{name} {how:?} was not told");
                }
            }
        }
    }
}

#[test]
fn a_log_that_is_cut_after_a_clean_close_is_reported_until_a_repair() {
    let image = closed_in_the_log();
    let name = image.named(".log").remove(0);
    let half = How::Truncate(image.bytes(&name).len() as u64 / 2);
    let home = Home::new();
    damaged(&image, &name, half, &home.queue());
    let queue = home.fifo();
    let recovery = queue.recovery().unwrap();
    assert_eq!((recovery.next, recovery.writes), (None, 0));
    let left = queue.pop(999).unwrap();
    assert_eq!(numbers(&left), run(0, recovery.first as usize));
    queue.push(&items(500, 1)).unwrap();
    queue.close().unwrap();
    assert!(home.fifo().recovery().is_none(), "it is told once");
    let report = verify(home.queue()).unwrap();
    let told = report
        .problems
        .iter()
        .any(|problem| problem.contains(&name));
    assert!(told, "{report:?}");
    repair(home.queue()).unwrap();
    assert!(verify(home.queue()).unwrap().is_intact());
    assert_eq!(numbers(&home.fifo().pop(9).unwrap()), [500]);
}

#[test]
fn a_repair_reports_a_log_that_was_cut_after_a_clean_close() {
    let image = closed_in_the_log();
    let name = image.named(".log").remove(0);
    let home = Home::new();
    damaged(&image, &name, How::Truncate(0), &home.queue());
    let report = repair(home.queue()).unwrap();
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains(&name))
    );
    assert!(verify(home.queue()).unwrap().is_intact());
    assert!(home.fifo().recovery().is_none());
}

/// A crash between the replay and the report.
#[test]
fn a_log_that_was_cut_is_told_by_the_opening_after_one_that_was_cut_short() {
    let image = closed_in_the_log();
    let name = image.named(".log").remove(0);
    let home = Home::new();
    damaged(&image, &name, How::Truncate(9_000), &home.queue());
    let queue = home.fifo();
    let first = queue.recovery().unwrap();
    let caught = Image::of(&home.queue());
    let again = Home::new();
    caught.write_to(&again.queue());
    let suspect = again.queue().join("rocksq-suspect");
    Image::of(&first.kept).write_to(&suspect);
    fs::remove_file(suspect.join("REACHED")).unwrap();
    let told = again.fifo().recovery().unwrap();
    assert_eq!(told.first, first.first);
}

#[test]
fn an_open_queue_has_no_note_of_a_close() {
    let home = Home::new();
    home.fifo().close().unwrap();
    assert!(names(&home.queue()).contains(&CLOSED.to_owned()));
    let queue = home.fifo();
    assert!(!names(&home.queue()).contains(&CLOSED.to_owned()));
    drop(queue);
    assert!(names(&home.queue()).contains(&CLOSED.to_owned()));
}

/// An older version opens the queue, leaves the note, and its process is killed.
#[test]
fn a_note_of_an_earlier_close_makes_no_crash_a_damage() {
    let home = Home::new();
    home.fifo().push(&items(0, 10)).unwrap();
    let note = fs::read(home.queue().join(CLOSED)).unwrap();
    let queue = home.fifo();
    for push in 1..20 {
        queue.push(&items(push * 10, 10)).unwrap();
    }
    let killed = Image::settled(&home.queue());
    let name = killed.named(".log").pop().unwrap();
    let len = killed.bytes(&name).len() as u64;
    for how in [How::Truncate(0), How::Truncate(len / 2)] {
        let home = Home::new();
        damaged(&killed, &name, how, &home.queue());
        fs::write(home.queue().join(CLOSED), &note).unwrap();
        assert!(verify(home.queue()).unwrap().is_intact());
        assert_eq!(home.fifo().recovery(), None);
    }
}

/// The process ended while it wrote the note.
#[test]
fn a_part_of_a_note_is_none() {
    let image = closed_in_the_log();
    for len in 0..image.bytes(CLOSED).len() as u64 {
        if len % 16 == 0 {
            let home = Home::new();
            damaged(&image, CLOSED, How::Truncate(len), &home.queue());
            assert!(verify(home.queue()).unwrap().is_intact());
            let queue = home.fifo();
            assert_eq!(queue.recovery(), None);
            assert_eq!(queue.len().unwrap(), 400);
        }
    }
}

#[test]
fn a_copy_made_by_backup_has_no_note_of_a_close() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&items(0, 10)).unwrap();
    queue.close().unwrap();
    let queue = home.fifo();
    queue.push(&items(10, 10)).unwrap();
    queue.backup(home.at("copy")).unwrap();
    assert!(!names(&home.at("copy")).contains(&CLOSED.to_owned()));
    assert!(verify(home.at("copy")).unwrap().is_intact());
    assert_eq!(history::fifo(&home.at("copy")).unwrap().recovery(), None);
}

#[test]
fn removing_a_queue_takes_the_note_of_its_close_along() {
    let home = Home::new();
    home.fifo().close().unwrap();
    rocksq::blocking::remove_queue(home.queue()).unwrap();
    assert!(!home.queue().exists());
}
