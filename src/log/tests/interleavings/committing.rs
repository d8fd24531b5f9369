use super::*;
use crate::error::ErrorKind;
use crate::log::bounds::Amount;
use crate::options::Durability::{Buffered, Synced};

const LEVELS: [Durability; 3] = [Buffered, Written, Synced];

/// The two items of a push.
fn push_of(thread: usize, push: usize) -> [String; 2] {
    ["first", "second"].map(|part| format!("{thread} {push} {part}"))
}

/// Fails unless `items` are whole pushes, those of each thread in its order.
fn check_pushes(items: &[String]) {
    let pushes: Vec<(usize, usize)> = items
        .chunks(2)
        .map(|push| {
            let mut words = push[0].split(' ').map(str::parse);
            let (thread, number) = (words.next().unwrap(), words.next().unwrap());
            let (thread, number) = (thread.unwrap(), number.unwrap());
            assert_eq!(push, push_of(thread, number));
            (thread, number)
        })
        .collect();
    for thread in 0..LEVELS.len() {
        let own = pushes.iter().filter(|push| push.0 == thread);
        assert!(own.is_sorted());
    }
}

#[test]
fn pushes_of_all_levels_are_whole_and_in_order() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            for (thread, level) in LEVELS.into_iter().enumerate() {
                scope.spawn(move || {
                    for push in 0..2 {
                        let items = push_of(thread, push);
                        log.append(&items, Wait::NEVER, level).unwrap();
                    }
                });
            }
            check_pushes(&log.wait_for_all(2 * 2 * LEVELS.len()));
        });
        assert_eq!(log.len(), 0);
    });
}

#[test]
fn every_item_goes_to_one_consumer_and_none_overtakes_another() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        let taken = thread::scope(|scope| {
            let consumers = [(); 2].map(|()| scope.spawn(|| log.wait_for_all(3)));
            for push in [["0", "1"], ["2", "3"], ["4", "5"]] {
                log.push(&push, any_of(&LEVELS));
            }
            consumers.map(|consumer| consumer.join().unwrap())
        });
        assert!(taken.iter().all(|items| items.is_sorted()));
        let mut all = taken.concat();
        all.sort_unstable();
        assert_eq!(all, ["0", "1", "2", "3", "4", "5"]);
    });
}

#[test]
fn a_write_that_fails_leaves_all_or_none_of_each_push() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        let outcomes = thread::scope(|scope| {
            let pushes = [0, 1, 2].map(|thread| {
                let level = any_of(&LEVELS);
                scope.spawn(move || log.append(&push_of(thread, 0), Wait::NEVER, level))
            });
            match any_of(&[0, 1, 2, 3]) {
                0 => log.store.fail_next_write(ErrorKind::Io),
                1 => log.store.fail_next_write(ErrorKind::OutcomeUnknown),
                2 => log.store.fail_next_write_after_making_it(),
                _ => log.store.stop_before_next_write(),
            }
            pushes.map(|push| push.join().unwrap())
        });
        // The failure is met at the latest here.
        let _ = log.append(&push_of(0, 1), Wait::NEVER, Written);
        log.flush().unwrap();
        let died = texts(&after_kill(log, &ManualClock::at(0)).browse(0, 9).unwrap().0);
        let there = log.pop(u64::MAX);
        assert_eq!(died, there);
        check_pushes(&there);
        for (thread, outcome) in outcomes.into_iter().enumerate() {
            let is_there = there.contains(&push_of(thread, 0)[0]);
            match outcome {
                Ok(()) => assert!(is_there),
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {}
                Err(_) => assert!(!is_there),
            }
        }
    });
}

#[test]
fn a_close_at_any_moment_keeps_what_was_acknowledged() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        let outcomes = thread::scope(|scope| {
            let pushes = [0, 1, 2].map(|thread| {
                scope.spawn(move || log.append(&push_of(thread, 0), Wait::NEVER, LEVELS[thread]))
            });
            log.close().unwrap();
            pushes.map(|push| push.join().unwrap())
        });
        let store = log.store.after_power_cut(0);
        let there = reopen(log, store, &ManualClock::at(0)).pop(u64::MAX);
        check_pushes(&there);
        for (thread, outcome) in outcomes.into_iter().enumerate() {
            let is_there = there.contains(&push_of(thread, 0)[0]);
            match outcome {
                Ok(()) => assert!(is_there),
                Err(error) => assert!(error.kind() == ErrorKind::Closed && !is_there),
            }
        }
    });
}

#[test]
fn what_is_dropped_to_make_room_is_the_oldest() {
    explore(|| {
        let bounds = Bounds::new(Some(3), None, OnFull::DropOldest);
        let log = bounded(Retention::Unread, bounds, &ManualClock::at(0));
        let log = &log;
        let taken = thread::scope(|scope| {
            let producer = scope.spawn(|| {
                for push in [["0", "1"], ["2", "3"], ["4", "5"]] {
                    log.push(&push, any_of(&[Buffered, Written]));
                }
            });
            let mut taken = log.wait_for(2);
            producer.join().unwrap();
            assert!(Amount::from((log.len(), 0)).fits(log.bounds.max));
            taken.extend(log.pop(u64::MAX));
            taken
        });
        assert!(taken.is_sorted_by(|before, after| before < after));
        assert!(taken.ends_with(&["4".to_owned(), "5".to_owned()]));
    });
}

#[test]
fn what_is_looked_at_while_it_is_taken_and_trimmed_is_never_missing() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 {
                    log.push(&["a", "b"], any_of(&[Buffered, Written]));
                    log.pop(2);
                    log.tidy().unwrap();
                }
            });
            for _ in 0..2 {
                log.read(&ONLY_LABEL.into(), Oldest, 9, Wait::NEVER)
                    .unwrap();
                log.browse(0, 9).unwrap();
            }
        });
    });
}
