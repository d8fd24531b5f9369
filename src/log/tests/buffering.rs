use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::housekeeping::Chore;
use crate::log::buffer::{LIMIT, MAX_BUFFERED};
use crate::options::Durability::{Buffered, Synced};
use crate::options::StartPosition::Oldest;

impl MemoryLog {
    fn buffer(&self, items: &[&str]) {
        self.append(items, Wait::NEVER, Buffered).unwrap();
    }

    fn pop_buffered(&self, max: u64) -> Vec<String> {
        let taken = self
            .take(&ONLY_LABEL.into(), Oldest, max, Wait::NEVER, Buffered)
            .unwrap();
        texts(&taken.items)
    }
}

/// What the next open finds after the process has died.
fn killed(log: &MemoryLog) -> Arc<MemoryLog> {
    after_kill(log, &ManualClock::at(0))
}

#[test]
fn what_is_buffered_is_seen_at_once_and_not_written() {
    let log = fifo(10);
    let writes = log.store.writes();
    thread::scope(|scope| {
        let popped = scope.spawn(|| {
            log.take(&ONLY_LABEL.into(), Oldest, 5, Wait::FOREVER, Buffered)
                .unwrap()
        });
        log.buffer(&["a"]);
        assert_eq!(popped.join().unwrap().items, ["a"]);
    });
    log.buffer(&["b", "c"]);
    assert_eq!(log.size().unwrap(), (2, 2));
    assert_eq!(log.browse(0, 9).unwrap().0, ["b", "c"]);
    assert_eq!(log.store.writes(), writes);
    assert_eq!(killed(&log).len(), 0);
}

#[test]
fn a_written_operation_writes_what_was_buffered_before_it_in_the_same_batch() {
    let log = fifo(10);
    log.buffer(&["a", "b"]);
    log.pop_buffered(1);
    let writes = log.store.writes();
    log.add(&["c"]);
    assert_eq!(log.store.writes(), writes + 1);
    assert_eq!(killed(&log).pop(9), ["b", "c"]);
    log.buffer(&["d"]);
    assert_eq!(log.pop(1), ["b"]);
    assert_eq!(killed(&log).pop(9), ["c", "d"]);
}

#[test]
fn a_synced_operation_syncs_what_was_buffered_before_it() {
    let log = fifo(10);
    log.buffer(&["a"]);
    log.append(&["b"], Wait::NEVER, Synced).unwrap();
    log.buffer(&["c"]);
    let store = log.store.after_power_cut(0);
    let found = reopen(&log, store, &ManualClock::at(0));
    assert_eq!(found.pop(9), ["a", "b"]);
}

#[test]
fn a_refused_operation_leaves_the_buffer_alone() {
    let log = fifo(2);
    log.buffer(&["a", "b"]);
    let error = log.append(&["c"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(log.pop_buffered(9), ["a", "b"]);
}

#[test]
fn flushing_and_closing_write_the_buffer() {
    let log = fifo(10);
    log.buffer(&["a"]);
    log.flush().unwrap();
    assert_eq!(log.store.unsynced(), 0);
    assert_eq!(killed(&log).len(), 1);
    log.buffer(&["b"]);
    log.close().unwrap();
    assert_eq!(killed(&log).pop(9), ["a", "b"]);
}

#[test]
fn the_buffer_is_written_when_it_is_a_second_old() {
    let clock = ManualClock::at(0);
    let log = open(MemoryStore::default(), Retention::Unread, &clock);
    log.buffer(&["a"]);
    clock.advance(Duration::from_millis(600));
    log.buffer(&["b"]);
    let again = log.run().unwrap();
    assert!(again <= Duration::from_millis(400));
    assert_eq!(killed(&log).len(), 0);
    clock.advance(Duration::from_millis(400));
    log.run();
    assert_eq!(killed(&log).pop(9), ["a", "b"]);
}

#[test]
fn the_buffer_is_written_when_it_is_full() {
    let log = fifo(1 << 40);
    let item = "x".repeat(1000);
    let each = chunk::cut(&[&item]).unwrap()[0].cost();
    let pushes = 5 * (LIMIT / each);
    let mut written = vec![0];
    for _ in 0..pushes {
        log.buffer(&[&item]);
        assert!(log.state.lock().buffer.cost() <= LIMIT);
        written.push(log.store.chunk_positions().len() as u64);
    }
    written.dedup();
    let batches: Vec<_> = written.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(batches, [LIMIT / each; 4]);
    assert_eq!(log.len(), pushes);
}

#[test]
fn a_large_operation_is_written_at_once_behind_the_buffer() {
    let log = fifo(10);
    log.buffer(&["small"]);
    let large = "x".repeat(MAX_BUFFERED as usize);
    log.buffer(&[&large]);
    assert_eq!(killed(&log).pop(9), ["small", &large]);
}

#[test]
fn what_was_taken_before_it_was_written_is_never_written() {
    let log = fifo(10);
    log.add(&["a"]);
    for _ in 0..5 {
        log.buffer(&["b", "c"]);
        assert!(!log.pop_buffered(9).is_empty());
    }
    log.buffer(&["d", "e"]);
    log.pop_buffered(1);
    log.flush().unwrap();
    assert_eq!(log.store.chunk_positions(), [0, 11]);
    assert_eq!(killed(&log).state.lock().trim.position, 11);
    assert_eq!(killed(&log).pop(9), ["e"]);
    log.pop_buffered(9);
    log.buffer(&["f"]);
    log.pop_buffered(9);
    log.close().unwrap();
    let found = killed(&log);
    assert_eq!(found.state.lock().end.position, 14);
    found.add(&["g"]);
    assert_eq!(found.pop(9), ["g"]);
}

#[test]
fn an_mpmc_queue_writes_what_one_label_has_read() {
    let log = mpmc(0, &ManualClock::at(0));
    log.buffer(&["a", "b"]);
    log.take(&"x".into(), Oldest, 9, Wait::NEVER, Buffered)
        .unwrap();
    log.flush().unwrap();
    let found = killed(&log);
    assert_eq!(found.next("x", Oldest, 9).0.len(), 0);
    assert_eq!(found.next("y", Oldest, 9).0, ["a", "b"]);
}

#[test]
fn a_label_that_comes_and_goes_in_the_buffer_leaves_nothing() {
    let log = mpmc(0, &ManualClock::at(0));
    log.add(&["a"]);
    log.next("old", Oldest, 1);
    let label: Arc<str> = "x".into();
    log.take(&label, Oldest, 1, Wait::NEVER, Buffered).unwrap();
    assert!(log.remove_label(&label, Buffered).unwrap());
    assert!(log.remove_label(&"old".into(), Buffered).unwrap());
    assert_eq!(killed(&log).labels().unwrap(), ["old"]);
    log.flush().unwrap();
    assert!(killed(&log).labels().unwrap().is_empty());
}

#[test]
fn nothing_is_trimmed_because_of_a_cursor_that_is_only_buffered() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.pop_buffered(9);
    log.tidy().unwrap();
    assert_eq!(killed(&log).pop(9), ["a", "b"]);
    log.flush().unwrap();
    log.tidy().unwrap();
    assert!(log.store.chunk_positions().is_empty());
    assert_eq!(killed(&log).len(), 0);
}

#[test]
fn nothing_is_trimmed_that_is_not_written_yet() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.buffer(&["a"]);
    clock.advance(Duration::from_secs(10));
    log.tidy().unwrap();
    assert_eq!(killed(&log).state.lock().end.position, 0);
    log.add(&["b"]);
    log.tidy().unwrap();
    assert_eq!(killed(&log).state.lock().trim.position, 1);
}

#[test]
fn a_full_disk_keeps_the_buffer_until_there_is_room() {
    let log = fifo(1 << 40);
    let item = "x".repeat(1000);
    log.buffer(&["first"]);
    log.store.fail_until_mended(ErrorKind::DiskFull);
    assert_eq!(log.flush().unwrap_err().kind(), ErrorKind::DiskFull);
    let mut pushed = 1;
    let error = loop {
        match log.append(&[&item], Wait::NEVER, Buffered) {
            Ok(()) => pushed += 1,
            Err(error) => break error,
        }
        assert!(pushed <= LIMIT / 1000);
    };
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    assert_eq!(log.len(), pushed);
    log.store.mend();
    log.buffer(&["last"]);
    log.flush().unwrap();
    let found = killed(&log).pop(u64::MAX);
    assert_eq!(found.len() as u64, pushed + 1);
    assert_eq!(
        [found.first(), found.last()].map(|item| item.unwrap().len()),
        [5, 4]
    );
}

#[test]
fn what_is_buffered_can_be_taken_while_the_disk_is_full() {
    let log = fifo(1 << 40);
    let item = "x".repeat((MAX_BUFFERED / 2) as usize);
    log.store.fail_until_mended(ErrorKind::DiskFull);
    while log.append(&[&item], Wait::NEVER, Buffered).is_ok() {}
    assert_eq!(log.pop_buffered(1).len(), 1);
    log.buffer(&[&item]);
}

/// The taking gives room. It could not be written any more behind what would be added.
#[test]
fn on_a_full_disk_what_was_taken_of_it_is_written_before_more_is_added() {
    let log = fifo(1 << 40);
    log.add(&["stored"]);
    log.buffer(&["buffered"]);
    log.store.fail_until_mended(ErrorKind::DiskFull);
    assert_eq!(log.flush().unwrap_err().kind(), ErrorKind::DiskFull);
    log.buffer(&["more"]);
    assert_eq!(log.pop_buffered(1), ["stored"]);
    let error = log
        .append(&["too much"], Wait::NEVER, Buffered)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    log.store.mend();
    log.buffer(&["last"]);
    assert_eq!(killed(&log).pop(9), ["buffered", "more"]);
}

#[test]
fn the_housekeeping_tries_again_when_the_buffer_could_not_be_written() {
    let clock = ManualClock::at(0);
    let log = open(MemoryStore::default(), Retention::Unread, &clock);
    log.buffer(&["a"]);
    clock.advance(Duration::from_secs(1));
    log.store.fail_next_write(ErrorKind::DiskFull);
    assert_eq!(log.run(), Some(Duration::from_secs(1)));
    log.run();
    assert_eq!(killed(&log).len(), 1);
}

#[test]
fn closing_on_a_full_disk_says_how_much_is_lost() {
    let log = fifo(10);
    log.buffer(&["a", "b"]);
    log.store.fail_until_mended(ErrorKind::DiskFull);
    let error = log.close().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    assert!(error.to_string().contains("2 items"), "{error}");
    assert!(log.is_closed());
    log.close().unwrap();
}

#[test]
fn a_batch_with_an_unknown_outcome_is_written_again_if_it_is_not_there() {
    let log = fifo(10);
    log.add(&["a"]);
    log.buffer(&["b"]);
    log.pop_buffered(1);
    log.store.fail_next_write(ErrorKind::OutcomeUnknown);
    let error = log.append(&["lost"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    log.buffer(&["c"]);
    log.flush().unwrap();
    assert_eq!(log.pop(9), ["b", "c"]);
    assert_eq!(log.epoch(), 0);
}

#[test]
fn a_batch_with_an_unknown_outcome_is_not_written_twice_if_it_is_there() {
    let log = fifo(10);
    log.add(&["a"]);
    log.buffer(&["b"]);
    log.pop_buffered(1);
    log.store.fail_next_write_after_making_it();
    let error = log.append(&["kept"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    log.buffer(&["c"]);
    log.flush().unwrap();
    assert_eq!(killed(&log).pop(9), ["b", "kept", "c"]);
    assert_eq!(log.pop(9), ["b", "kept", "c"]);
}

#[test]
fn a_taking_with_an_unknown_outcome_is_all_or_nothing_behind_a_buffered_one() {
    for is_there in [false, true] {
        let log = fifo(10);
        log.add(&["a", "b", "c"]);
        log.pop_buffered(1);
        match is_there {
            true => log.store.fail_next_write_after_making_it(),
            false => log.store.fail_next_write(ErrorKind::OutcomeUnknown),
        }
        log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER, Written)
            .unwrap_err();
        log.flush().unwrap();
        let left = if is_there { vec!["c"] } else { vec!["b", "c"] };
        assert_eq!(killed(&log).pop(9), left);
        assert_eq!(log.pop(9), left);
    }
}

#[test]
fn while_an_outcome_is_unknown_nothing_is_buffered() {
    let log = fifo(10);
    log.store.fail_next_write_after_making_it();
    log.append(&["a"], Wait::NEVER, Written).unwrap_err();
    log.store.fail_until_mended(ErrorKind::Io);
    let error = log.append(&["b"], Wait::NEVER, Buffered).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    log.store.mend();
    log.buffer(&["c"]);
    assert_eq!(log.pop_buffered(9), ["a", "c"]);
}

#[test]
fn what_a_disk_loses_below_the_buffer_is_reported_and_the_buffer_follows_on_what_is_left() {
    let log = fifo(10);
    log.append(&["a"], Wait::NEVER, Synced).unwrap();
    log.add(&["b"]);
    log.buffer(&["c", "d"]);
    log.pop_buffered(3);
    log.store.fail_next_sync(0);
    log.store.sync().unwrap_err();
    assert_eq!(log.flush().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(log.epoch(), 1);
    assert_eq!(log.pop_buffered(9), ["d"]);
    log.buffer(&["e"]);
    log.flush().unwrap();
    assert_eq!(killed(&log).pop(9), ["e"]);
}

#[test]
fn a_batch_of_positions_that_came_again_cannot_be_committed() {
    let log = fifo(10);
    log.append(&["a"], Wait::NEVER, Synced).unwrap();
    log.add(&["b"]);
    let batch = log
        .read(&ONLY_LABEL.into(), Oldest, 2, Wait::NEVER)
        .unwrap();
    log.store.fail_next_sync(0);
    log.store.sync().unwrap_err();
    log.add(&["c"]);
    assert_eq!(
        log.commit(&batch, Written).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(log.pop(9), ["a", "c"]);
}

#[test]
fn a_label_begun_anew_in_the_buffer_stays_where_it_began_after_an_unknown_outcome() {
    for is_there in [false, true] {
        let log = mpmc(0, &ManualClock::at(0));
        log.add(&["a", "b"]);
        log.next("x", Oldest, 2);
        log.remove_label(&"x".into(), Buffered).unwrap();
        log.take(&"x".into(), Oldest, 1, Wait::NEVER, Buffered)
            .unwrap();
        match is_there {
            true => log.store.fail_next_write_after_making_it(),
            false => log.store.fail_next_write(ErrorKind::OutcomeUnknown),
        }
        log.append(&["c"], Wait::NEVER, Written).unwrap_err();
        log.flush().unwrap();
        let left = if is_there { vec!["b", "c"] } else { vec!["b"] };
        assert_eq!(log.next("x", Oldest, 9).0, left);
    }
}
