use std::ops::Range;

use super::*;
use crate::error::{ErrorKind, Result};
use crate::log::cursor::Mark;
use crate::options::StartPosition::Oldest;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_expired_item_is_neither_delivered_nor_counted() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.add(&["old"]);
    clock.advance(SECOND);
    log.add(&["new"]);
    clock.advance(9 * SECOND);
    assert_eq!(log.size().unwrap(), (1, 3));
    assert_eq!(log.next("x", Oldest, 9).0, ["new"]);
}

#[test]
fn a_loss_is_reported_once_to_each_label_that_had_not_read() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("missed", Oldest, 1);
    log.add(&["old"]);
    log.next("read", Oldest, 1);
    clock.advance(10 * SECOND);
    log.add(&["new"]);
    assert_eq!(log.next("missed", Oldest, 9), (vec!["new".into()], true));
    assert_eq!(log.next("read", Oldest, 9), (vec!["new".into()], false));
    assert_eq!(log.next("fresh", Oldest, 9), (vec!["new".into()], false));
    assert_eq!(log.next("missed", Oldest, 9), (vec![], false));
}

#[test]
fn a_loss_is_reported_when_nothing_is_left() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("x", Oldest, 1);
    log.add(&["old"]);
    clock.advance(10 * SECOND);
    assert_eq!(log.next("x", Oldest, 9), (vec![], true));
    assert_eq!(log.next("x", Oldest, 9), (vec![], false));
}

#[test]
fn a_loss_stays_reported_after_a_kill() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("x", Oldest, 1);
    log.add(&["old"]);
    clock.advance(10 * SECOND);
    log.next("x", Oldest, 9);
    assert_eq!(
        after_kill(&log, &clock).next("x", Oldest, 9),
        (vec![], false)
    );
}

#[test]
fn a_loss_in_an_uncommitted_batch_is_reported_again() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("x", Oldest, 1);
    log.add(&["old"]);
    clock.advance(10 * SECOND);
    let read = || log.read(&"x".into(), Oldest, 9, Wait::NEVER).unwrap();
    assert!(read().expired());
    log.commit(&read(), Written).unwrap();
    assert!(!read().expired());
}

#[test]
fn the_first_live_item_is_found_after_many_have_expired() {
    let clock = ManualClock::at(0);
    let log = mpmc(100, &clock);
    for n in 0..1_000 {
        log.add(&[&n.to_string()]);
        clock.advance(SECOND / 10);
    }
    for expected in [
        (0, 999),
        (1, 998),
        (7, 991),
        (500, 491),
        (400, 91),
        (90, 1),
        (1, 0),
    ] {
        clock.advance(SECOND / 10 * expected.0);
        assert_eq!(log.len(), expected.1);
    }
}

#[test]
fn an_expired_queue_goes_on_at_its_position() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.next("x", Oldest, 1);
    log.add(&["a", "b"]);
    clock.advance(10 * SECOND);
    log.tidy().unwrap();
    assert!(log.store.chunk_positions().is_empty());
    let log = after_kill(&log, &clock);
    log.add(&["c"]);
    assert_eq!(log.store.chunk_positions(), [2]);
    assert_eq!(log.len(), 1);
    assert_eq!(log.next("x", Oldest, 9), (vec!["c".into()], true));
}

#[test]
fn downtime_counts_and_a_clock_set_back_revives_nothing() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    log.add(&["old"]);
    clock.advance(6 * SECOND);
    log.add(&["new"]);
    let later = ManualClock::at(12_000_000);
    let log = after_kill(&log, &later);
    assert_eq!(log.len(), 1);
    log.tidy().unwrap();
    let log = after_kill(&log, &ManualClock::at(1_000_000));
    assert_eq!(log.len(), 1);
    assert_eq!(log.next("x", Oldest, 9).0, ["new"]);
}

const DAY: i64 = 24 * 3600 * 1_000_000;

#[test]
fn a_step_of_the_clock_by_a_day_changes_nothing_while_open() {
    for step in [DAY, -DAY] {
        let clock = ManualClock::at(100 * DAY);
        let log = mpmc(10, &clock);
        log.add(&["a"]);
        clock.step_wall(100 * DAY + step);
        assert_eq!(log.len(), 1);
        clock.advance(9 * SECOND);
        log.add(&["b"]);
        assert_eq!(log.len(), 2);
        clock.advance(SECOND);
        assert_eq!(log.next("x", Oldest, 9).0, ["b"]);
        clock.advance(9 * SECOND);
        assert_eq!(log.len(), 0);
    }
}

#[test]
fn a_day_back_between_opens_stops_time_and_loses_nothing() {
    let clock = ManualClock::at(100 * DAY);
    let log = mpmc(10, &clock);
    log.add(&["a"]);
    clock.advance(4 * SECOND);
    log.close().unwrap();
    let yesterday = ManualClock::at(99 * DAY);
    let log = after_kill(&log, &yesterday);
    log.add(&["b"]);
    yesterday.advance(5 * SECOND);
    assert_eq!(log.len(), 2);
    yesterday.advance(SECOND);
    assert_eq!(log.next("x", Oldest, 9).0, ["b"]);
}

#[test]
fn a_day_forth_between_opens_counts_as_downtime() {
    let log = mpmc(10, &ManualClock::at(100 * DAY));
    log.next("x", Oldest, 1);
    log.add(&["a"]);
    let tomorrow = ManualClock::at(101 * DAY);
    let log = after_kill(&log, &tomorrow);
    assert_eq!(log.next("x", Oldest, 9), (vec![], true));
    log.add(&["b"]);
    // Set right again, the clock is behind what is stored: time stands until it is not.
    let log = after_kill(&log, &ManualClock::at(100 * DAY));
    assert_eq!(log.next("x", Oldest, 9), (vec!["b".into()], false));
}

#[test]
fn items_without_a_ttl_stay() {
    let clock = ManualClock::at(0);
    let log = mpmc(0, &clock);
    log.add(&["old"]);
    clock.advance(1_000_000_000 * SECOND);
    log.tidy().unwrap();
    assert_eq!(log.next("x", Oldest, 9).0, ["old"]);
}

/// A queue of so many items with a second between them, a TTL of ten, and damaged chunks.
fn damaged(count: u64, positions: Range<u64>, clock: &ManualClock) -> Arc<MemoryLog> {
    let log = mpmc(10, clock);
    for item in 0..count {
        log.add(&[&item.to_string()]);
        clock.advance(SECOND);
    }
    positions.for_each(|position| log.store.damage_chunk(position));
    after_kill(&log, clock)
}

fn read(log: &MemoryLog) -> Result<Vec<String>> {
    let batch = log.read(&"x".into(), Oldest, 9, Wait::NEVER)?;
    Ok(texts(batch.items()))
}

#[test]
fn an_item_that_cannot_be_read_is_as_old_as_the_one_behind_it() {
    let clock = ManualClock::at(0);
    let log = damaged(3, 1..2, &clock);
    clock.advance(7 * SECOND);
    assert_eq!(log.len(), 2);
    clock.advance(SECOND);
    assert_eq!(log.len(), 2);
    log.add(&["d"]);
    clock.advance(SECOND);
    assert_eq!(log.len(), 1);
    assert_eq!(read(&log).unwrap(), ["d"]);
}

#[test]
fn while_it_is_live_an_item_that_cannot_be_read_is_told_with_its_position() {
    for (position, size) in [(0, (3, 3)), (1, (2, 2))] {
        let clock = ManualClock::at(0);
        let log = damaged(3, position..position + 1, &clock);
        clock.advance(SECOND * (6 + position as u32));
        assert_eq!(log.size().unwrap(), size);
        let error = read(&log).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let expected = format!("position {position} ");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[test]
fn many_items_that_cannot_be_read_expire_with_the_one_behind_them() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    for n in 0..2_000 {
        log.add(&[&n.to_string()]);
    }
    (100..900).for_each(|position| log.store.damage_chunk(position));
    let log = after_kill(&log, &clock);
    clock.advance(SECOND);
    log.add(&["young"]);
    clock.advance(9 * SECOND);
    assert_eq!(read(&log).unwrap(), ["young"]);
}

#[test]
fn an_item_behind_damage_expires_when_it_should() {
    let clock = ManualClock::at(0);
    let log = damaged(5, 0..3, &clock);
    clock.advance(8 * SECOND);
    assert_eq!(log.len(), 1);
    assert_eq!(read(&log).unwrap(), ["4"]);
}

#[test]
fn what_is_damaged_is_not_held_to_be_younger_by_what_is_pushed_later() {
    let clock = ManualClock::at(0);
    let log = mpmc(10, &clock);
    for n in 0..66 {
        log.add(&[&n.to_string()]);
    }
    (0..65).for_each(|position| log.store.damage_chunk(position));
    let log = after_kill(&log, &clock);
    clock.advance(9 * SECOND);
    log.add(&["young"]);
    assert!(read(&log).is_err());
    clock.advance(SECOND);
    assert_eq!(read(&log).unwrap(), ["young"]);
}

#[test]
fn what_has_expired_before_damage_is_trimmed() {
    let clock = ManualClock::at(0);
    let log = damaged(8, 5..6, &clock);
    clock.advance(7 * SECOND);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [5, 6, 7]);
}

#[test]
fn an_item_before_damage_expires_when_it_should() {
    let clock = ManualClock::at(0);
    let bounds = Bounds::new(Some(6), None, OnFull::DropOldest);
    let log = bounded(young(10), bounds, &clock);
    log.add(&["a"]);
    log.add(&["b", "c", "d"]);
    clock.advance(SECOND);
    log.add(&["e"]);
    clock.advance(SECOND);
    log.add(&["f", "g"]);
    log.store.damage_chunk(4);
    let log = after_kill(&log, &clock);
    assert_eq!(log.len(), 6);
    clock.advance(8 * SECOND + SECOND / 2);
    assert_eq!(log.len(), 3);
}

#[test]
fn expiry_is_watched_while_somebody_looks_at_the_oldest_item() {
    let log = mpmc(10, &ManualClock::at(0));
    log.add(&["a"]);
    let head = log.expiry.as_ref().unwrap().reset(Mark::default());
    assert!(log.until_expiry().is_some());
    drop(head);
    assert!(log.until_expiry().is_none());
}
