use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::options::StartPosition::Oldest;

const THREADS: usize = 8;
const PUSHES: usize = 200;

#[test]
fn pushes_of_many_threads_are_whole_and_in_each_threads_order() {
    let log = fifo(1_000_000);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (log, start) = (&log, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..PUSHES {
                    let items = [0, 1, 2].map(|part| format!("{thread} {n} {part}"));
                    log.append(&items, Wait::NEVER, Written).unwrap();
                }
            });
        }
    });
    let items = log.pop(u64::MAX);
    assert_eq!(items.len(), THREADS * PUSHES * 3);
    let mut seen = BTreeMap::<usize, Vec<(usize, usize)>>::new();
    for item in &items {
        let [thread, n, part] = [0, 1, 2].map(|at| item.split(' ').nth(at).unwrap());
        let place = (n.parse().unwrap(), part.parse().unwrap());
        seen.entry(thread.parse().unwrap()).or_default().push(place);
    }
    assert!(seen.values().all(|places| places.is_sorted()));
    assert!(
        items
            .chunks(3)
            .all(|push| push[0].ends_with('0') && push[2].ends_with('2'))
    );
}

#[test]
fn every_item_goes_to_exactly_one_of_many_consumers() {
    let log = fifo(1_000_000);
    let total = THREADS * PUSHES;
    let taken = parking_lot::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while taken.lock().len() < total {
                    let wait = Duration::from_millis(5).into();
                    let items = log
                        .take(&ONLY_LABEL.into(), Oldest, 3, wait, Written)
                        .unwrap()
                        .items;
                    taken.lock().extend(items.to_vecs());
                }
            });
        }
        for n in 0..total {
            log.add(&[&n.to_string()]);
        }
    });
    let mut numbers: Vec<usize> = taken
        .into_inner()
        .iter()
        .map(|item| std::str::from_utf8(item).unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..total));
    assert_eq!(log.len(), 0);
}

#[test]
fn a_bounded_queue_never_holds_more_than_its_capacity() {
    let log = fifo(4);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..PUSHES {
                    log.append(&["a", "b"], Wait::FOREVER, Written).unwrap();
                }
            });
        }
        let mut left = THREADS * PUSHES * 2;
        while left > 0 {
            assert!(log.len() <= 4);
            let wait = Wait::FOREVER;
            left -= log
                .take(&ONLY_LABEL.into(), Oldest, 3, wait, Written)
                .unwrap()
                .items
                .len();
        }
    });
}

#[test]
fn looking_at_items_that_others_take_and_trim_never_fails() {
    let log = fifo(1_000_000);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    log.read(&ONLY_LABEL.into(), Oldest, 9, Wait::NEVER)
                        .unwrap();
                    log.peek(&ONLY_LABEL.into(), Oldest, 9).unwrap();
                    log.browse(0, 9).unwrap();
                }
            });
        }
        for _ in 0..5_000 {
            log.add(&["a", "b"]);
            log.pop(2);
            log.tidy().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
