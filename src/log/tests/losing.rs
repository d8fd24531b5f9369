//! The disk loses what it had acknowledged, while others are in the middle of something.

use std::sync::mpsc;

use super::*;
use crate::error::ErrorKind;
use crate::log::tail::MAX_KEPT_PAYLOAD;
use crate::options::Durability::Synced;
use crate::options::StartPosition::Oldest;
use crate::store::memory::Moment;

impl MemoryLog {
    /// Loses what was not synced; the store opens itself anew when it is next needed.
    fn lose(&self) {
        self.store.fail_next_sync(0);
        self.flush().unwrap_err();
    }

    /// Adds an item of so many times this byte that it is kept in the store alone.
    fn add_large(&self, byte: u8) {
        let item = vec![byte; MAX_KEPT_PAYLOAD as usize + 1];
        self.append(&[item], Wait::NEVER, Written).unwrap();
    }

    /// The first byte of the next item.
    fn first_byte(&self) -> Option<u8> {
        let items = self.peek(&"label".into(), Oldest, 1).unwrap();
        items.iter().next().map(|item| item[0])
    }
}

#[test]
fn what_was_lost_while_it_was_read_is_not_delivered_later() {
    let log = mpmc(0, &ManualClock::at(0));
    log.add_large(b'o');
    let other = Arc::clone(&log);
    log.store.at_next(Moment::Visit, move || {
        other.lose();
        other.add_large(b'n');
    });
    assert_eq!(log.first_byte(), Some(b'o'));
    assert_eq!(log.first_byte(), Some(b'n'));
}

#[test]
fn a_reader_finds_what_is_left_before_anything_was_written_again() {
    let log = mpmc(0, &ManualClock::at(0));
    log.add(&["a"]);
    log.next("label", Oldest, 1);
    log.flush().unwrap();
    log.add_large(b'o');
    log.lose();
    log.store.recover().unwrap();
    assert_eq!(log.first_byte(), None);
    log.add_large(b'n');
    assert_eq!(log.first_byte(), Some(b'n'));
}

#[test]
fn what_was_read_before_the_log_was_found_again_cannot_be_taken() {
    let log = fifo(100);
    log.append(&["a"], Wait::NEVER, Synced).unwrap();
    log.add(&["b", "c"]);
    log.lose();
    let (read, batch) = mpsc::channel();
    let other = Arc::clone(&log);
    log.store.at_next(Moment::Found, move || {
        let batch = other.read(&ONLY_LABEL.into(), Oldest, 9, Wait::NEVER);
        read.send(batch.unwrap()).unwrap();
    });
    log.add(&["new"]);
    let batch = batch.recv().unwrap();
    assert_eq!(texts(batch.items()), ["a", "b", "c"]);
    let error = log.commit(&batch, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(log.pop(9), ["a", "new"]);
}
