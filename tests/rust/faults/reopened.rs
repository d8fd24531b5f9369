//! What an error leaves of a queue that then opens itself anew, inside the same object.

use std::fs;
use std::time::Duration;

use rocksq::StartPosition::{Newest, Oldest};
use rocksq::mpmc::MpmcQueue;
use rocksq::{ErrorKind, Wait};

use super::expected::item;
use crate::support::interpose::Call::Write;
use crate::support::interpose::{Fault, is_log};
use crate::support::tree::names;
use crate::support::{Home, kind};

#[test]
fn what_is_lost_when_a_queue_opens_itself_anew_is_reported_like_a_loss_at_the_opening() {
    let home = Home::new();
    let queue = home.fifo();
    for number in 0..20 {
        queue.push(&[item(number, 100)]).unwrap();
    }
    let fault = Fault::new(&home.queue(), is_log, &[Write], libc::EIO);
    assert!(queue.push(&[b"fails"]).is_err());
    assert_eq!(queue.recovery(), None);
    drop(fault);
    damage(&home, &item(12, 100));
    queue.push(&[item(100, 100)]).unwrap();
    let recovery = queue.recovery().unwrap();
    assert_eq!((recovery.first, recovery.next), (12, Some(20)));
    assert_eq!(recovery.writes, 7);
    assert!(recovery.kept.is_dir());
    let left: Vec<_> = (0..12).chain([100]).map(|n| item(n, 100)).collect();
    assert_eq!(queue.pop(99).unwrap(), left);
    assert_eq!(kind(queue.flush()), ErrorKind::OutcomeUnknown);
    queue.flush().unwrap();
    assert_eq!(queue.recovery(), Some(recovery), "it stays until the close");
    queue.close().unwrap();
    assert_eq!(home.fifo().recovery(), None);
}

/// Changes a byte of `item` in the log.
fn damage(home: &Home, item: &[u8]) {
    let logs = names(&home.queue()).into_iter().filter(|name| is_log(name));
    let changed = logs.filter(|log| {
        let log = home.queue().join(log);
        let mut bytes = fs::read(&log).unwrap();
        let found = bytes.windows(item.len()).position(|part| part == item);
        let Some(at) = found else { return false };
        bytes[at] ^= 1;
        fs::write(&log, bytes).unwrap();
        true
    });
    assert_eq!(changed.count(), 1);
}

#[test]
fn a_call_that_fails_under_a_new_label_does_not_make_it() {
    for wait in [Wait::NEVER, Wait::FOREVER] {
        for start in [Oldest, Newest] {
            for items in [&["a", "b"][..], &[]] {
                let home = Home::new();
                let queue = MpmcQueue::new(home.queue(), Duration::ZERO).unwrap();
                queue.add(items).unwrap();
                let fault = Fault::new(&home.queue(), is_log, &[Write], libc::EIO);
                assert!(queue.next_wait("x", start, 1, wait).is_err());
                drop(fault);
                queue.add(&["c"]).unwrap();
                assert!(queue.labels().unwrap().is_empty());
                queue.close().unwrap();
                assert!(home.mpmc().labels().unwrap().is_empty());
            }
        }
    }
}
