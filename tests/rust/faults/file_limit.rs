//! A limit on the size of files, as `ulimit -f` sets it.

use rocksq::ErrorKind;

use super::expected::{Expected, item};
use super::{Kind, Queue};
use crate::support::processes::{assert_does, limit};
use crate::support::{Home, KIB, MIB};

#[test]
fn a_queue_goes_on_after_a_file_limit() {
    assert_does("faults::file_limit::pushes_up_to_a_file_limit");
}

#[test]
#[ignore = "limits a process of its own"]
fn pushes_up_to_a_file_limit() {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    for kind in [Kind::Fifo, Kind::Mpmc] {
        let home = Home::new();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        let mut expected = Expected::default();
        let lifted = limit(libc::RLIMIT_FSIZE, MIB);
        let mut failures = 0;
        for number in 0..60 {
            let outcome = queue.push(&[item(number, 64 * KIB as usize)]);
            expected.pushed(&[number], &outcome);
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                failures += 1;
            }
        }
        assert!(failures > 0);
        expected.seen(&queue.peek().unwrap());
        drop(lifted);
        let outcome = queue.push(&[item(99, 64 * KIB as usize)]);
        expected.pushed(&[99], &outcome);
        outcome.unwrap();
        let popped = queue.pop(5);
        expected.popped(5, &popped);
        popped.unwrap();
        queue.close().unwrap();
        let queue = Queue::open(kind, &home.queue()).unwrap();
        expected.seen(&queue.peek().unwrap());
    }
}
