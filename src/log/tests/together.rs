use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::log::read::Taken;
use crate::log::together::{Addition, Request};
use crate::options::Durability::{self, Buffered, Synced};
use crate::options::StartPosition::Oldest;

pub(super) fn addition<'a>(items: &[&'a str], level: Durability) -> Addition<'a> {
    Addition {
        items: items.iter().map(|item| item.as_bytes()).collect(),
        level,
    }
}

fn request(max: u64) -> Request {
    Request {
        start: Oldest,
        max,
        level: Written,
    }
}

fn texts(taken: &Taken) -> Vec<String> {
    let items = taken.items.iter();
    items
        .map(|item| String::from_utf8(item.to_vec()).unwrap())
        .collect()
}

#[test]
fn pushes_share_a_write_and_each_has_its_own_outcome() {
    let log = fifo(4);
    let before = log.store.writes();
    let results = log.append_all(&[
        addition(&["a", "b"], Written),
        addition(&["too", "many", "now"], Written),
        addition(&[], Written),
        addition(&["c"], Written),
        addition(&["1", "2", "3", "4", "5"], Written),
        addition(&["d"], Written),
    ]);
    assert_eq!(log.store.writes(), before + 1);
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind()))
        .collect();
    let full = Some(ErrorKind::Full);
    assert_eq!(kinds, [None, full, None, None, full, None]);
    assert_eq!(log.pop(9), ["a", "b", "c", "d"]);
}

#[test]
fn pushes_of_several_levels_keep_their_order() {
    let log = fifo(100);
    let results = log.append_all(&[
        addition(&["a"], Buffered),
        addition(&["b"], Buffered),
        addition(&["c"], Synced),
        addition(&["d"], Buffered),
    ]);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(log.pop(9), ["a", "b", "c", "d"]);
}

#[test]
fn all_that_want_it_share_a_sync() {
    let log = fifo(1_000);
    let before = log.store.syncs();
    let additions: Vec<_> = (0..500).map(|_| addition(&["item"], Synced)).collect();
    let committed = log.append_all(&additions).into_iter().map(Result::unwrap);
    let settled = log.settle_all(committed.map(|committed| (committed, Synced)));
    assert!(settled.len() == 500 && settled.iter().all(Result::is_ok));
    assert_eq!(log.store.syncs(), before + 1);
    assert_eq!(log.store.unsynced(), 0);
}

#[test]
fn a_sync_that_fails_leaves_the_outcome_of_all_unknown() {
    let log = fifo(1_000);
    let additions = [
        addition(&["a"], Synced),
        addition(&["b"], Written),
        addition(&["c"], Synced),
    ];
    let committed: Vec<_> = log.append_all(&additions);
    let levels = additions.iter().map(|addition| addition.level);
    log.store.fail_next_sync(0);
    let committed = committed.into_iter().map(Result::unwrap);
    let settled = log.settle_all(committed.zip(levels));
    let kinds: Vec<_> = settled
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind()))
        .collect();
    let unknown = Some(ErrorKind::OutcomeUnknown);
    assert_eq!(kinds, [unknown, None, unknown]);
}

#[test]
fn a_write_that_fails_fails_all_that_shared_it() {
    let log = fifo(1_000);
    log.store.fail_next_write(ErrorKind::DiskFull);
    let results = log.append_all(&[addition(&["a"], Written), addition(&["b"], Written)]);
    let full = |result: &Result<_, crate::Error>| {
        result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::DiskFull)
    };
    assert!(results.iter().all(full));
    assert_eq!(log.len(), 0);
}

#[test]
fn pops_share_a_write_and_each_gets_what_follows_on_the_one_before() {
    let log = fifo(100);
    log.add(&["a", "b", "c"]);
    log.add(&["d"]);
    let before = log.store.writes();
    let requests = [2, 0, 1, 5, 3].map(request);
    let taken = log.take_all(&ONLY_LABEL.into(), &requests).unwrap();
    assert_eq!(log.store.writes(), before + 1);
    let items: Vec<_> = taken
        .iter()
        .map(|taken| texts(taken.as_ref().unwrap()))
        .collect();
    assert_eq!(
        items,
        [vec!["a", "b"], vec![], vec!["c"], vec!["d"], vec![]]
    );
    assert_eq!(log.len(), 0);
    // The one in the middle is given up.
    let middle = taken.get(2).and_then(|taken| taken.as_ref().ok()).unwrap();
    assert!(middle.unclaimed.as_ref().unwrap().give_up());
    log.give_back().unwrap();
    assert_eq!(log.pop(9), ["c"]);
}

/// The moment between a read and its commit is short, so others try often to be quicker.
#[test]
fn what_is_taken_behind_one_that_others_were_quicker_with_is_given_back() {
    const ITEMS: u64 = 20_000;
    let log = fifo(ITEMS);
    let items: Vec<_> = (0..ITEMS).map(|item| item.to_string()).collect();
    let items: Vec<_> = items.iter().map(String::as_str).collect();
    log.add(&items);
    let label = &ONLY_LABEL.into();
    let (committed, together) = thread::scope(|scope| {
        let committing = scope.spawn(|| {
            let mut taken = 0;
            while log.len() > 0 {
                let batch = log.read(label, Oldest, 1, Wait::NEVER).unwrap();
                if log.commit(&batch, Written).is_ok() {
                    taken += batch.items().len();
                }
            }
            taken
        });
        let mut taken = 0;
        while log.len() > 0 {
            let together = log.take_all(label, &[request(1); 8]).unwrap();
            taken += together
                .iter()
                .map(|taken| taken.as_ref().unwrap().items.len())
                .sum::<usize>();
            log.give_back().unwrap();
        }
        (committing.join().unwrap(), taken)
    });
    assert_eq!(committed + together, ITEMS as usize);
}

#[test]
fn labels_are_begun_and_losses_reported_once() {
    let clock = ManualClock::at(1_000_000);
    let log = mpmc(10, &clock);
    let label = "label".into();
    log.add(&["old"]);
    let first = log.take_all(&label, &[request(0), request(0)]).unwrap();
    assert!(first.iter().all(|taken| !taken.as_ref().unwrap().expired));
    assert_eq!(log.labels().unwrap(), ["label"]);
    clock.advance(Duration::from_secs(11));
    log.add(&["new"]);
    let taken = log.take_all(&label, &[request(1), request(1)]).unwrap();
    let outcomes: Vec<_> = taken
        .iter()
        .map(|taken| {
            taken
                .as_ref()
                .map(|taken| (texts(taken), taken.expired))
                .unwrap()
        })
        .collect();
    assert_eq!(outcomes, [(vec!["new".to_owned()], true), (vec![], false)]);
}

#[test]
fn those_who_come_together_and_those_who_come_alone_share_everything_out() {
    const EACH: usize = 300;
    let log = fifo(1_000_000);
    let taken = parking_lot::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..2 {
            let (log, taken) = (&log, &taken);
            scope.spawn(move || {
                for n in 0..EACH {
                    let items = [0, 1, 2].map(|part| format!("{thread} {n} {part}"));
                    let additions = items.each_ref().map(|item| addition(&[item], Written));
                    assert!(log.append_all(&additions).iter().all(Result::is_ok));
                    log.add(&[&format!("{thread} {n} 3")]);
                }
            });
            scope.spawn(move || {
                while taken.lock().len() < 2 * EACH * 4 {
                    let together = log.take_all(&ONLY_LABEL.into(), &[request(1); 5]).unwrap();
                    let together = together.iter().map(|taken| texts(taken.as_ref().unwrap()));
                    taken.lock().extend(together.flatten().collect::<Vec<_>>());
                    taken.lock().extend(log.pop(1));
                }
            });
        }
    });
    let mut taken = taken.into_inner();
    taken.sort_unstable();
    let mut pushed: Vec<_> = (0..2)
        .flat_map(|thread| (0..EACH).map(move |n| (thread, n)))
        .flat_map(|(thread, n)| (0..4).map(move |part| format!("{thread} {n} {part}")))
        .collect();
    pushed.sort_unstable();
    assert_eq!(taken, pushed);
}
