use super::*;
use crate::error::ErrorKind;
use crate::housekeeping::Chore;
use crate::log::attempt::{Tried, Turn};
use crate::log::fill::{Fill, Watermark};
use crate::log::read::Claim;

/// A wait that ends at some time.
const A_WHILE: Duration = Duration::from_secs(1);

#[test]
fn every_item_wakes_one_who_waits() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            let consumers = [(); 3].map(|()| scope.spawn(|| log.wait_for(1)));
            scope.spawn(|| log.push(&["a", "b"], Written));
            scope.spawn(|| log.push(&["c"], Written));
            let mut taken = consumers.map(|consumer| consumer.join().unwrap()).concat();
            taken.sort_unstable();
            assert_eq!(taken, ["a", "b", "c"]);
        });
    });
}

#[test]
fn whoever_takes_much_leaves_the_rest_to_those_who_wait() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            scope.spawn(|| log.wait_for_all(2));
            scope.spawn(|| log.wait_for_all(1));
            scope.spawn(|| log.wait_for_all(1));
            for items in [&["a"][..], &["b", "c", "d"]] {
                scope.spawn(move || log.push(items, Written));
            }
        });
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn producers_who_wait_for_room_all_get_it() {
    explore(|| {
        let log = fifo(2);
        let log = &log;
        thread::scope(|scope| {
            for items in [&["a0", "a1"][..], &["b"], &["c0", "c1"]] {
                scope.spawn(move || log.append(items, Wait::FOREVER, Written).unwrap());
            }
            let mut taken = Vec::new();
            while taken.len() < 5 {
                assert!(log.len() <= 2);
                taken.extend(log.wait_for(any_of(&[1, 2])));
            }
            for push in ["a", "c"] {
                let at = taken.iter().position(|item| item.starts_with(push));
                assert_eq!(taken[at.unwrap() + 1], format!("{push}1"));
            }
        });
    });
}

#[test]
fn one_whose_time_is_over_passes_its_item_on() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            let gives_up = scope.spawn(|| {
                let wait = A_WHILE.into();
                let taken = log.take(&ONLY_LABEL.into(), Oldest, 1, wait, Written);
                taken.unwrap().items.len() as u64
            });
            let waits = scope.spawn(|| log.wait_for(1));
            log.push(&["a"], Written);
            log.push(&["b"], Written);
            waits.join().unwrap();
            assert_eq!(gives_up.join().unwrap() + log.len(), 1);
        });
    });
}

#[test]
fn one_whose_time_is_over_lets_those_behind_have_the_room() {
    explore(|| {
        let log = fifo(2);
        log.push(&["a"], Written);
        let log = &log;
        thread::scope(|scope| {
            let large = scope.spawn(|| log.append(&["x"; 2], A_WHILE.into(), Written));
            let small = scope.spawn(|| log.append(&["y"], Wait::FOREVER, Written));
            match large.join().unwrap() {
                Ok(()) => panic!("there was never room for it"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Full),
            }
            small.join().unwrap().unwrap();
        });
        assert_eq!(log.pop(9), ["a", "y"]);
    });
}

#[test]
fn what_is_done_at_once_wakes_those_who_wait() {
    explore(|| {
        let log = fifo(1);
        let log = &log;
        thread::scope(|scope| {
            scope.spawn(|| {
                for item in ["a", "b", "c"] {
                    let at_once = log.append_at_once(&[item], Written, 100).unwrap();
                    if at_once.is_none() {
                        log.append(&[item], Wait::FOREVER, Written).unwrap();
                    }
                }
            });
            let mut taken = Vec::new();
            while taken.len() < 3 {
                match log.take_at_once(&ONLY_LABEL.into(), 1, Written).unwrap() {
                    Some(at_once) if !at_once.items.is_empty() => {
                        taken.extend(texts(&at_once.items));
                    }
                    _ => taken.extend(log.wait_for(1)),
                }
            }
            assert_eq!(taken, ["a", "b", "c"]);
        });
    });
}

#[test]
fn a_close_at_any_moment_ends_every_wait() {
    explore(|| {
        let log = fifo(2);
        log.push(&["a"], Written);
        let log = &log;
        let is_over = |error: crate::error::Error| error.kind() == ErrorKind::Closed;
        thread::scope(|scope| {
            scope.spawn(move || {
                let waits = log.append(&["x"; 2], Wait::FOREVER, Written);
                assert!(waits.map_or_else(is_over, |()| true));
            });
            scope.spawn(move || {
                let mark = Watermark::elements(1);
                let waits = log.wait_until(Fill::Below(mark), Wait::FOREVER);
                assert!(waits.unwrap_or_else(is_over));
            });
            for _ in 0..2 {
                scope.spawn(move || {
                    let waits = log.take(&ONLY_LABEL.into(), Oldest, 1, Wait::FOREVER, Written);
                    assert!(waits.map_or_else(is_over, |taken| taken.items.len() == 1));
                });
            }
            log.close().unwrap();
        });
    });
}

#[test]
fn what_is_given_back_wakes_one_who_waits() {
    explore(|| {
        let log = fifo(100);
        log.push(&["a"], Written);
        let log = &log;
        thread::scope(|scope| {
            let waits = scope.spawn(|| log.wait_for(1));
            let later = log
                .try_take(
                    &ONLY_LABEL.into(),
                    Oldest,
                    1,
                    Written,
                    Claim::Later,
                    Turn::Last,
                )
                .unwrap();
            let Tried::Done(later) = later else { panic!() };
            if let Some(unclaimed) = later.unclaimed {
                assert!(unclaimed.give_up());
                log.give_back().unwrap();
            }
            assert_eq!(waits.join().unwrap(), ["a"]);
        });
    });
}

#[test]
fn one_who_waits_under_a_label_that_is_removed_begins_anew() {
    explore(|| {
        let log = mpmc(0, &ManualClock::at(0));
        let log = &log;
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let taken = log.take(&"x".into(), Oldest, 1, Wait::FOREVER, Written);
                texts(&taken.unwrap().items)
            });
            scope.spawn(|| log.push(&["a"], Written));
            log.remove_label(&"x".into(), Written).unwrap();
            assert_eq!(waits.join().unwrap(), ["a"]);
        });
    });
}

#[test]
fn each_label_is_woken_for_each_item() {
    explore(|| {
        let log = mpmc(0, &ManualClock::at(0));
        let log = &log;
        thread::scope(|scope| {
            for label in ["x", "y"] {
                scope.spawn(move || {
                    let mut taken = Vec::new();
                    while taken.len() < 2 {
                        let next = log.take(&label.into(), Oldest, 1, Wait::FOREVER, Written);
                        taken.extend(texts(&next.unwrap().items));
                    }
                    assert_eq!(taken, ["a", "b"]);
                });
            }
            log.push(&["a"], Written);
            log.push(&["b"], Written);
        });
    });
}

#[test]
fn those_who_watch_how_full_a_queue_is_see_it_change() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        let one = Watermark::elements(1);
        thread::scope(|scope| {
            scope.spawn(move || {
                assert!(log.wait_until(Fill::Reaches(one), Wait::FOREVER).unwrap());
                assert_eq!(log.wait_for(1), ["a"]);
            });
            scope.spawn(move || {
                log.push(&["a"], Written);
                assert!(log.wait_until(Fill::Below(one), Wait::FOREVER).unwrap());
            });
        });
    });
}

#[test]
fn items_that_expire_make_room_for_one_who_waits() {
    explore(|| {
        let clock = ManualClock::at(0);
        let bounds = Bounds::new(Some(1), None, OnFull::Error);
        let log = bounded(young(10), bounds, &clock);
        log.push(&["old"], Written);
        let log = &log;
        thread::scope(|scope| {
            let producer = scope.spawn(|| log.append(&["new"], Wait::FOREVER, Written));
            clock.advance(Duration::from_secs(20));
            log.run();
            producer.join().unwrap().unwrap();
        });
        assert_eq!(log.next("x", Oldest, 9).0, ["new"]);
    });
}
