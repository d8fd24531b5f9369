use super::*;
use crate::error::ErrorKind;
use crate::options::Durability::{Buffered, Synced};
use crate::options::StartPosition::Oldest;

const MOST: u64 = 100;

impl MemoryLog {
    fn add_at_once(&self, items: &[&str]) -> Option<()> {
        self.append_at_once(items, Written, MOST).unwrap()
    }

    fn pop_at_once(&self, max: u64) -> Option<Vec<String>> {
        let taken = self.take_at_once(&ONLY_LABEL.into(), max, Written);
        taken.unwrap().map(|taken| texts(&taken.items))
    }
}

#[test]
fn what_is_done_at_once_is_done_like_any_other_call() {
    let log = fifo(10);
    assert_eq!(log.add_at_once(&["a", "b"]), Some(()));
    log.add(&["c"]);
    assert_eq!(log.pop_at_once(1), Some(vec!["a".to_owned()]));
    assert_eq!(log.pop(1), ["b"]);
    assert_eq!(log.pop_at_once(9), Some(vec!["c".to_owned()]));
    assert_eq!(log.pop_at_once(9), Some(vec![]));
    assert_eq!(
        after_kill(&log, &ManualClock::at(0)).size().unwrap(),
        (0, 0)
    );
}

#[test]
fn nothing_is_done_at_once_while_another_is_at_the_log() {
    let log = fifo(10);
    log.add(&["a"]);
    let state = log.state.lock();
    assert_eq!(log.add_at_once(&["b"]), None);
    assert_eq!(log.pop_at_once(1), None);
    drop(state);
    let gate = Arc::clone(&log.state.lock().labels[ONLY_LABEL].gate);
    let other = gate.lock();
    assert_eq!(log.pop_at_once(1), None);
    drop(other);
    assert_eq!(log.pop(9), ["a"]);
}

#[test]
fn what_is_large_or_has_to_wait_is_not_done_at_once() {
    let log = fifo(2);
    assert_eq!(log.add_at_once(&[&"x".repeat(101)]), None);
    assert_eq!(log.add_at_once(&["a", "b", "c"]), None);
    assert_eq!(log.append_at_once(&["a"], Synced, MOST).unwrap(), None);
    assert_eq!(log.len(), 0);
}

#[test]
fn nothing_is_dropped_at_once_to_make_room() {
    let bounds = Bounds::new(Some(2), Some(3), OnFull::DropOldest);
    let log = bounded(Retention::Unread, bounds, &ManualClock::at(0));
    assert_eq!(log.add_at_once(&["aa"]), Some(()));
    assert_eq!(log.add_at_once(&["bb"]), None);
    assert_eq!(log.add_at_once(&["b"]), Some(()));
    assert_eq!(log.add_at_once(&[""]), None);
    assert_eq!(log.pop(9), ["aa", "b"]);
}

#[test]
fn room_that_expired_items_may_have_made_is_not_looked_for_at_once() {
    let clock = ManualClock::at(0);
    let bounds = Bounds::new(Some(2), None, OnFull::Error);
    let log = bounded(young(10), bounds, &clock);
    log.add(&["a", "b"]);
    assert_eq!(log.add_at_once(&["c"]), None);
    clock.advance(Duration::from_secs(20));
    assert_eq!(log.add_at_once(&["c"]), None);
    log.add(&["c"]);
    assert_eq!(log.len(), 1);
    assert_eq!(log.add_at_once(&["d"]), Some(()));
    assert_eq!(log.add_at_once(&["e"]), None);
}

#[test]
fn what_others_have_buffered_is_not_written_at_once() {
    let log = fifo(10);
    log.append(&["a"], Wait::NEVER, Buffered).unwrap();
    assert_eq!(log.add_at_once(&["b"]), None);
    let buffered = log.append_at_once(&["b"], Buffered, MOST).unwrap();
    assert_eq!(buffered, Some(()));
    assert_eq!(log.store.writes(), fifo(10).store.writes());
    assert_eq!(log.pop(9), ["a", "b"]);
}

#[test]
fn what_is_not_in_memory_is_not_taken_at_once() {
    let log = fifo(10);
    log.add(&["a"]);
    log.add(&["b"]);
    let log = after_kill(&log, &ManualClock::at(0));
    assert_eq!(log.pop_at_once(1), None);
    assert_eq!(log.pop(1), ["a"]);
    assert_eq!(log.pop_at_once(1), Some(vec!["b".to_owned()]), "read ahead");
}

#[test]
fn a_loss_is_left_for_a_call_that_reports_it() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.add(&["a"]);
    assert!(log.next("x", Oldest, 1).0 == ["a"]);
    log.add(&["b"]);
    clock.advance(Duration::from_secs(20));
    assert!(log.take_at_once(&"x".into(), 1, Written).unwrap().is_none());
    assert_eq!(log.next("x", Oldest, 1), (vec![], true));
}

#[test]
fn what_was_dropped_is_not_taken_at_once() {
    let bounds = Bounds::new(Some(2), None, OnFull::DropOldest);
    let log = bounded(young(10), bounds, &ManualClock::at(0));
    log.add(&["a"]);
    assert!(log.next("x", Oldest, 1).0 == ["a"]);
    log.add(&["b", "c"]);
    log.add(&["d", "e"]);
    let taken = log.take_at_once(&"x".into(), 9, Written).unwrap().unwrap();
    assert_eq!(
        (texts(&taken.items), taken.expired),
        (vec!["d".to_owned(), "e".to_owned()], true)
    );
}

#[test]
fn a_label_that_is_new_is_not_made_at_once() {
    let log = mpmc(0, &ManualClock::at(0));
    log.add(&["a"]);
    assert!(log.take_at_once(&"x".into(), 1, Written).unwrap().is_none());
    assert!(log.labels().unwrap().is_empty());
}

#[test]
fn a_write_that_fails_at_once_changes_nothing_and_later_calls_go_on() {
    let log = fifo(10);
    log.add(&["a"]);
    log.store.fail_next_write(ErrorKind::Io);
    assert!(log.append_at_once(&["b"], Written, MOST).is_err());
    assert_eq!(log.add_at_once(&["c"]), Some(()));
    assert_eq!(log.pop(9), ["a", "c"]);
}

#[test]
fn nothing_is_done_at_once_while_the_store_has_to_be_repaired() {
    let log = fifo(10);
    log.store.fail_until_mended(ErrorKind::Io);
    assert_eq!(log.add_at_once(&["a"]), None);
    log.store.mend();
    assert_eq!(log.add_at_once(&["a"]), Some(()));
}
