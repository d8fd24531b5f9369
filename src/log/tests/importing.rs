//! Taking over a queue of another format.

use super::*;
use crate::error::Result;
use crate::log::chunk::MAX_CHUNK_PAYLOAD;
use crate::log::import::import;
use crate::store::{Place, RunVisitor, Source};

const SECOND: i64 = 1_000_000;

/// Runs with their times, and labels: how many items before them, and whether they lost some.
struct Other {
    runs: Vec<(Vec<Vec<u8>>, Option<i64>)>,
    labels: Vec<(&'static str, u64, bool)>,
}

impl Source for Other {
    fn labels(&self) -> Vec<Place> {
        let place = |(label, items_before, lost): &(&str, u64, bool)| Place {
            label: (*label).to_owned(),
            items_before: *items_before,
            lost: *lost,
        };
        self.labels.iter().map(place).collect()
    }

    fn visit_items(&mut self, visitor: &mut RunVisitor<'_>) -> Result<()> {
        for (items, time) in &self.runs {
            let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
            visitor(&items, *time)?;
        }
        Ok(())
    }
}

fn run(items: &[&str], second: i64) -> (Vec<Vec<u8>>, Option<i64>) {
    let items = items.iter().map(|item| item.as_bytes().to_vec());
    (items.collect(), Some(second * SECOND))
}

fn imported(mut other: Other, retention: Retention, clock: &ManualClock) -> Arc<MemoryLog> {
    let store = MemoryStore::default();
    import(&store, &mut other, 5 * SECOND).unwrap();
    open(store, retention, clock)
}

fn at(second: i64) -> ManualClock {
    ManualClock::at(second * SECOND)
}

#[test]
fn labels_stand_where_they_stood() {
    let other = Other {
        runs: vec![
            run(&["a", "bb"], 1),
            run(&["ccc"], 2),
            run(&["dddd", ""], 2),
        ],
        labels: vec![
            ("end", 5, false),
            ("start", 0, false),
            ("middle", 3, false),
            ("within", 1, false),
        ],
    };
    let log = imported(other, young(0), &at(10));
    assert_eq!(log.size().unwrap(), (5, 10));
    assert_eq!(
        log.next("start", StartPosition::Oldest, 9).0,
        ["a", "bb", "ccc", "dddd", ""]
    );
    assert_eq!(
        log.next("within", StartPosition::Oldest, 9).0,
        ["bb", "ccc", "dddd", ""]
    );
    assert_eq!(log.next("middle", StartPosition::Oldest, 9).0, ["dddd", ""]);
    assert!(log.next("end", StartPosition::Oldest, 9).0.is_empty());
    log.add(&["new"]);
    assert_eq!(
        log.next("end", StartPosition::Oldest, 9),
        (vec!["new".into()], false)
    );
}

#[test]
fn a_label_that_has_lost_items_is_told_once() {
    for ttl in [0, 100] {
        let other = Other {
            runs: vec![run(&["a", "b"], 1)],
            labels: vec![("behind", 0, true), ("end", 2, true), ("fine", 1, false)],
        };
        let log = imported(other, young(ttl), &at(10));
        assert_eq!(log.len(), 2);
        assert_eq!(
            log.next("fine", StartPosition::Oldest, 9),
            (vec!["b".into()], false)
        );
        let all = vec!["a".into(), "b".into()];
        assert_eq!(
            log.next("behind", StartPosition::Oldest, 9),
            (all.clone(), true)
        );
        assert_eq!(log.next("end", StartPosition::Oldest, 9), (vec![], true));
        for label in ["behind", "end"] {
            assert_eq!(log.next(label, StartPosition::Oldest, 9), (vec![], false));
        }
        assert_eq!(log.next("new", StartPosition::Oldest, 9), (all, false));
    }
}

/// Nothing is there for it, so it sleeps and does not wake over and over.
#[test]
fn a_label_that_is_to_be_told_of_a_loss_can_wait_for_items() {
    let other = Other {
        runs: vec![],
        labels: vec![("x", 0, true)],
    };
    let log = imported(other, young(0), &at(10));
    let mut state = log.state.lock();
    state.waiting = 1;
    let line = crate::log::state::LineOf::Label("x".into());
    let ticket = state.join(&line, 1.into(), None);
    state.call_waiters();
    drop(state);
    let deadline = Wait::NEVER.begin();
    assert!(
        !ticket.wait(&deadline).unwrap(),
        "called for an item that is gone"
    );
}

#[test]
fn items_keep_their_age_and_times_never_decrease() {
    for (second, live) in [(100, 5), (101, 3), (109, 3), (110, 1), (120, 0)] {
        let other = Other {
            runs: vec![
                run(&["a", "b"], 1),
                run(&["c"], 10),
                run(&["d"], 6),
                run(&["e"], 20),
            ],
            labels: vec![],
        };
        let log = imported(other, young(100), &at(second));
        assert_eq!(log.len(), live, "after {second} s");
    }
}

#[test]
fn items_without_a_time_are_as_old_as_the_import() {
    let mut other = Other {
        runs: vec![run(&["a"], 0)],
        labels: vec![],
    };
    other.runs[0].1 = None;
    let log = imported(other, young(10), &at(14));
    assert_eq!(log.len(), 1);
}

#[test]
fn a_fifo_queue_begins_at_its_oldest_item() {
    let other = Other {
        runs: vec![run(&["a", "b"], 1), run(&["c"], 1)],
        labels: vec![],
    };
    let log = imported(other, Retention::Unread, &at(10));
    assert_eq!(log.size().unwrap(), (3, 3));
    log.add(&["d"]);
    assert_eq!(log.pop(9), ["a", "b", "c", "d"]);
    assert_eq!(after_kill(&log, &at(10)).len(), 0);
}

#[test]
fn long_runs_become_chunks_of_the_usual_size() {
    let item = vec![b'x'; MAX_CHUNK_PAYLOAD / 3];
    let other = Other {
        runs: vec![(vec![item; 10], None)],
        labels: vec![("x", 7, false)],
    };
    let log = imported(other, young(0), &at(10));
    assert_eq!(log.store.chunk_positions(), [0, 3, 6, 9]);
    assert_eq!(log.next("x", StartPosition::Oldest, 9).0.len(), 3);
}

#[test]
fn nothing_becomes_nothing() {
    let other = Other {
        runs: vec![],
        labels: vec![("x", 0, false)],
    };
    let log = imported(other, young(0), &at(10));
    assert_eq!(log.labels().unwrap(), ["x"]);
    assert_eq!(log.len(), 0);
    log.add(&["a"]);
    assert_eq!(log.next("x", StartPosition::Oldest, 9).0, ["a"]);
}
