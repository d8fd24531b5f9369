//! Random operations on the log and on a plain model of it, with kills in between.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::options::StartPosition::{Newest, Oldest};

const CAPACITY: u64 = 12;
const TTL_SECS: u64 = 10;

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Take(&'static str, StartPosition, u64),
    ReadAndCommit(&'static str, u64),
    RemoveLabel(&'static str),
    Tidy,
    Kill,
    Close,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let label = prop_oneof![Just("x"), Just("y"), Just("z")];
    let start = prop_oneof![Just(Oldest), Just(Newest)];
    let step = prop_oneof![
        4 => (0..6usize).prop_map(Step::Push),
        4 => (label.clone(), start, 0..8u64).prop_map(|(l, s, n)| Step::Take(l, s, n)),
        2 => (label.clone(), 0..8u64).prop_map(|(l, n)| Step::ReadAndCommit(l, n)),
        1 => label.prop_map(Step::RemoveLabel),
        1 => Just(Step::Tidy),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
        2 => (0..6u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

/// Numbered items, so that order and identity show.
fn numbered(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|n| n.to_string()).collect()
}

proptest! {
    #[test]
    fn a_fifo_queue_is_a_bounded_deque(steps in steps()) {
        let clock = ManualClock::at(0);
        let mut log = fifo(CAPACITY);
        let (mut queue, mut pushed) = (Vec::<String>::new(), 0);
        for step in steps {
            match step {
                Step::Push(count) => {
                    let items = numbered(pushed, count);
                    match log.append(&items, Wait::NEVER, Written) {
                        Ok(()) => { queue.extend(items); pushed += count; }
                        Err(error) => {
                            prop_assert_eq!(error.kind(), ErrorKind::Full);
                            prop_assert!(queue.len() + count > CAPACITY as usize);
                        }
                    }
                }
                Step::Take(_, _, max) => {
                    let taken = queue.drain(..queue.len().min(max as usize)).collect::<Vec<_>>();
                    prop_assert_eq!(log.pop(max), taken);
                }
                Step::ReadAndCommit(_, max) => {
                    let batch = log.read(&ONLY_LABEL.into(), Oldest, max, Wait::NEVER).unwrap();
                    log.commit(&batch, Written).unwrap();
                    let taken = queue.drain(..queue.len().min(max as usize)).collect::<Vec<_>>();
                    prop_assert_eq!(batch.items(), &taken);
                }
                Step::Tidy => {
                    log.tidy().unwrap();
                }
                Step::Kill => log = after_kill(&log, &clock),
                Step::Close => { log.close().unwrap(); log = after_kill(&log, &clock); }
                Step::RemoveLabel(_) | Step::Pass(_) => {}
            }
            let bytes: usize = queue.iter().map(String::len).sum();
            prop_assert_eq!(log.size().unwrap(), (queue.len() as u64, bytes as u64));
            prop_assert!(log.browse(0, u64::MAX).unwrap().0 == queue);
        }
    }

    #[test]
    fn an_mpmc_queue_is_a_list_with_a_place_for_each_label(steps in steps()) {
        let clock = ManualClock::at(0);
        let mut log = mpmc(TTL_SECS, &clock);
        let mut now = 0;
        let mut items = Vec::<(u64, String)>::new();
        let mut places = BTreeMap::<&str, usize>::new();
        for step in steps {
            let live = items.partition_point(|(pushed, _)| pushed + TTL_SECS <= now);
            match step {
                Step::Push(count) => {
                    let new = numbered(items.len(), count);
                    log.append(&new, Wait::NEVER, Written).unwrap();
                    items.extend(new.into_iter().map(|item| (now, item)));
                }
                Step::Take(label, start, max) => {
                    let begin = match start {
                        Oldest => live,
                        Newest => live.max(items.len().saturating_sub(1)),
                    };
                    let place = *places.get(label).unwrap_or(&begin);
                    let from = place.max(live);
                    let until = items.len().min(from + max as usize);
                    let expected: Vec<_> = items[from..until].iter().map(|i| i.1.clone()).collect();
                    prop_assert_eq!(log.next(label, start, max), (expected, place < live));
                    places.insert(label, until);
                }
                Step::ReadAndCommit(label, max) => {
                    let batch = log.read(&label.into(), Oldest, max, Wait::NEVER).unwrap();
                    log.commit(&batch, Written).unwrap();
                    let from = *places.get(label).unwrap_or(&live).max(&live);
                    prop_assert_eq!(batch.first(), from as u64);
                    places.insert(label, items.len().min(from + max as usize));
                    prop_assert_eq!(batch.next(), places[label] as u64);
                }
                Step::RemoveLabel(label) => {
                    let known = places.remove(label).is_some();
                    prop_assert_eq!(log.remove_label(&label.into(), Written).unwrap(), known);
                }
                Step::Tidy => {
                    log.tidy().unwrap();
                }
                Step::Kill => log = after_kill(&log, &clock),
                Step::Close => { log.close().unwrap(); log = after_kill(&log, &clock); }
                Step::Pass(secs) => { now += secs; clock.advance(Duration::from_secs(secs)); }
            }
            let live = items.partition_point(|(pushed, _)| pushed + TTL_SECS <= now);
            let bytes: usize = items[live..].iter().map(|item| item.1.len()).sum();
            prop_assert_eq!(log.size().unwrap(), ((items.len() - live) as u64, bytes as u64));
            prop_assert_eq!(log.labels().unwrap(), places.keys().copied().collect::<Vec<_>>());
        }
    }
}
