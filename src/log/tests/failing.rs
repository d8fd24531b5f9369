use super::*;
use crate::error::ErrorKind;
use crate::options::StartPosition::Oldest;

#[test]
fn a_failed_push_changes_nothing() {
    let log = fifo(10);
    log.add(&["a"]);
    log.store.fail_next_write(ErrorKind::DiskFull);
    let error = log.append(&["b"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    log.add(&["c"]);
    assert_eq!(log.pop(9), ["a", "c"]);
}

#[test]
fn a_failed_pop_takes_nothing() {
    let log = fifo(10);
    log.add(&["a"]);
    log.store.fail_next_write(ErrorKind::Io);
    let error = log
        .take(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER, Written)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(log.pop(1), ["a"]);
}

#[test]
fn a_call_that_fails_under_a_new_label_does_not_make_it() {
    for wait in [Wait::NEVER, Wait::FOREVER] {
        for items in [&["a"][..], &[]] {
            for kind in [
                ErrorKind::Io,
                ErrorKind::DiskFull,
                ErrorKind::OutcomeUnknown,
            ] {
                let clock = ManualClock::at(0);
                let log = mpmc(0, &clock);
                log.append(items, Wait::NEVER, Written).unwrap();
                log.store.fail_next_write(kind);
                let taken = log.take(&"x".into(), Oldest, 1, wait, Written);
                assert_eq!(taken.unwrap_err().kind(), kind);
                log.add(&["b"]);
                assert!(log.labels().unwrap().is_empty());
                assert!(after_kill(&log, &clock).labels().unwrap().is_empty());
            }
        }
    }
}

#[test]
fn a_log_goes_on_after_its_store_has_reopened_itself() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.pop(1);
    log.store.fail_next_write(ErrorKind::OutcomeUnknown);
    let error = log.append(&["lost"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    log.add(&["c"]);
    assert_eq!(log.pop(9), ["b", "c"]);
}

#[test]
fn a_failed_close_still_closes() {
    let log = fifo(10);
    log.store.fail_until_mended(ErrorKind::DiskFull);
    assert_eq!(log.close().unwrap_err().kind(), ErrorKind::DiskFull);
    assert!(log.is_closed());
}

#[test]
fn a_close_bears_a_store_that_was_stopped_after_the_last_commit() {
    let clock = ManualClock::at(1_000_000);
    let log = fifo(10);
    log.add(&["a"]);
    log.store.stop_before_next_write();
    log.close().unwrap();
    let found = after_kill(&log, &clock);
    assert_eq!(found.pop(9), ["a"]);
    assert_eq!(found.epoch(), log.epoch(), "the stop was a clean one");
}
