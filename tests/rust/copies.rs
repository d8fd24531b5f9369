//! A copy of a queue's directory is a queue of its own.
//!
//! Both used to have one identity and the same positions, so a batch that was read from one could be
//! committed to the other: an item that nobody had read was gone.

use std::fs;
use std::path::Path;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::{ErrorKind, Wait};

use crate::support::{Home, ROOMY, kind};

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_batch_of_a_copy_cannot_be_committed_to_the_original() {
    let home = Home::new();
    let original = home.fifo();
    original.push(&["first"]).unwrap();
    original.close().unwrap();
    copy(&home.queue(), &home.at("copy"));
    let original = home.fifo();
    let copied = Fifo::new(home.at("copy"), ROOMY).unwrap();
    for (queue, item) in [(&original, "A"), (&copied, "B")] {
        assert_eq!(queue.pop(9).unwrap(), ["first"]);
        queue.push(&[item]).unwrap();
    }
    let batch = copied.read(1, Wait::NEVER).unwrap();
    assert_eq!(kind(original.commit(&batch)), ErrorKind::InvalidArgument);
    assert_eq!(original.pop(9).unwrap(), ["A"]);
    copied.commit(&batch).unwrap();
}

#[test]
fn a_batch_of_a_backup_cannot_be_committed_to_the_original() {
    let home = Home::new();
    let original = home.fifo();
    original.push(&["first", "second"]).unwrap();
    original.backup(home.at("backup")).unwrap();
    let backup = Fifo::new(home.at("backup"), ROOMY).unwrap();
    let batch = backup.read(1, Wait::NEVER).unwrap();
    assert_eq!(kind(original.commit(&batch)), ErrorKind::InvalidArgument);
}

#[test]
fn a_batch_can_be_committed_after_the_queue_was_opened_again() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["first", "second"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    let queue = home.fifo();
    queue.commit(&batch).unwrap();
    assert_eq!(queue.pop(9).unwrap(), ["second"]);
}

#[test]
fn a_queue_that_was_renamed_stays_the_same_queue() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&["first", "second"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    fs::rename(home.queue(), home.at("renamed")).unwrap();
    let queue = Fifo::new(home.at("renamed"), ROOMY).unwrap();
    queue.commit(&batch).unwrap();
    assert_eq!(queue.pop(9).unwrap(), ["second"]);
}

#[test]
fn a_copy_keeps_its_identity_from_then_on() {
    let home = Home::new();
    home.fifo().push(&["first", "second"]).unwrap();
    copy(&home.queue(), &home.at("copy"));
    let open = || Fifo::new(home.at("copy"), ROOMY).unwrap();
    let queue = open();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    queue.close().unwrap();
    let queue = open();
    queue.commit(&batch).unwrap();
    assert_eq!(queue.pop(9).unwrap(), ["second"]);
}
