//! A process that has no file descriptors left.

use std::fs::File;
use std::os::fd::AsRawFd;

use rocksq::ErrorKind;

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::processes::{assert_does, limit};
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, MIB};

#[test]
fn a_queue_goes_on_after_running_out_of_descriptors() {
    assert_does("faults::descriptors::runs_out_of_descriptors");
}

#[test]
#[ignore = "limits a process of its own"]
fn runs_out_of_descriptors() {
    for kind in [Kind::Fifo, Kind::Mpmc] {
        let home = Home::new();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        let mut expected = Expected::default();
        let none_left = no_more_descriptors();
        // Enough for several tables.
        for number in 0..80 {
            let outcome = queue.push(&[item(number, MIB as usize)]);
            expected.pushed(&[number], &outcome);
            if let Err(error) = outcome {
                let fits = [ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error.kind());
                assert!(fits, "{:?}: {error}", error.kind());
            }
        }
        let another = Queue::open(kind, &home.at("another")).map(drop);
        assert_eq!(another.unwrap_err().kind(), ErrorKind::Io);
        drop(none_left);
        // What the background had begun without descriptors may still fail.
        let mut numbers = 80..;
        until(PATIENCE, "the queue works again", || {
            let number = numbers.next().unwrap();
            let outcome = queue.push(&[item(number, 100)]);
            expected.pushed(&[number], &outcome);
            outcome.is_ok()
        });
        expected.seen(&queue.peek().unwrap());
        let popped = queue.pop(50);
        expected.popped(50, &popped);
        popped.unwrap();
        queue.close().unwrap();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        expected.seen(&queue.peek().unwrap());
        Queue::open(kind, &home.at("another")).unwrap();
    }
}

/// No file can be opened until what is returned is dropped.
fn no_more_descriptors() -> impl Drop {
    let highest = File::open("/dev/null").unwrap().as_raw_fd();
    limit(libc::RLIMIT_NOFILE, highest as u64)
}
