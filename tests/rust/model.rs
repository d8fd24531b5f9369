//! Random operations on queues on disk and on plain models of them, with openings in between.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use rocksq::StartPosition::{self, Newest, Oldest};
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{ErrorKind, Wait};

use crate::support::Home;

const CAPACITY: u64 = 40;

#[derive(Clone, Debug)]
enum Step {
    /// Items of these lengths.
    Push(Vec<usize>),
    Take(&'static str, StartPosition, u64),
    Read(&'static str, u64),
    ReadAndCommit(&'static str, u64),
    RemoveLabel(&'static str),
    Peek(&'static str, u64),
    Flush,
    Close,
    Drop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let label = || prop_oneof![Just("x"), Just("y"), Just("")];
    let start = prop_oneof![Just(Oldest), Just(Newest)];
    let max = || prop_oneof![8 => 0..12u64, 1 => Just(u64::MAX)];
    let len = prop_oneof![6 => 0..40usize, 2 => 0..70_000usize, 1 => 0..1_500_000usize];
    let step = prop_oneof![
        6 => prop::collection::vec(len, 0..8).prop_map(Step::Push),
        5 => (label(), start, max()).prop_map(|(l, s, n)| Step::Take(l, s, n)),
        1 => (label(), max()).prop_map(|(l, n)| Step::Read(l, n)),
        2 => (label(), max()).prop_map(|(l, n)| Step::ReadAndCommit(l, n)),
        1 => label().prop_map(Step::RemoveLabel),
        1 => (label(), max()).prop_map(|(l, n)| Step::Peek(l, n)),
        1 => Just(Step::Flush),
        1 => Just(Step::Close),
        1 => Just(Step::Drop),
    ];
    prop::collection::vec(step, 1..80)
}

/// Items of these lengths that differ from each other.
fn items(from: usize, lens: &[usize]) -> Vec<Vec<u8>> {
    let item = |(n, &len): (usize, &usize)| {
        let mut item = vec![(from + n) as u8; len];
        let number = (from + n).to_le_bytes();
        let named = number.len().min(len);
        item[..named].copy_from_slice(&number[..named]);
        item
    };
    lens.iter().enumerate().map(item).collect()
}

fn few_cases() -> ProptestConfig {
    ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn a_fifo_queue_is_a_bounded_deque(steps in steps()) {
        let home = Home::new();
        let open = || Fifo::new(home.queue(), CAPACITY).unwrap();
        let mut queue = open();
        let mut model = VecDeque::<Vec<u8>>::new();
        let (mut pushed, mut popped) = (0, 0);
        let up_to = |model: &VecDeque<_>, max: u64| model.len().min(max as usize);
        for step in steps {
            match step {
                Step::Push(lens) => {
                    let items = items(pushed, &lens);
                    match queue.push(&items) {
                        Ok(()) => { pushed += items.len(); model.extend(items); }
                        Err(error) => {
                            prop_assert_eq!(error.kind(), ErrorKind::Full);
                            prop_assert!(model.len() + lens.len() > CAPACITY as usize);
                        }
                    }
                }
                Step::Take(_, _, max) => {
                    let taken: Vec<_> = model.drain(..up_to(&model, max)).collect();
                    popped += taken.len() as u64;
                    prop_assert!(queue.pop(max).unwrap() == taken);
                }
                Step::Read(_, max) | Step::Peek(_, max) => {
                    let batch = queue.read(max, Wait::NEVER).unwrap();
                    let expected: Vec<_> = model.iter().take(up_to(&model, max)).collect();
                    prop_assert!(*batch.items() == expected);
                    prop_assert!(queue.peek(max).unwrap() == expected);
                    prop_assert_eq!(batch.first(), popped);
                }
                Step::ReadAndCommit(_, max) => {
                    let batch = queue.read(max, Wait::NEVER).unwrap();
                    queue.commit(&batch).unwrap();
                    let taken: Vec<_> = model.drain(..up_to(&model, max)).collect();
                    popped += taken.len() as u64;
                    prop_assert!(*batch.items() == taken);
                    prop_assert_eq!(batch.next(), popped);
                }
                Step::Flush => queue.flush().unwrap(),
                Step::Close => { queue.close().unwrap(); queue = open(); }
                Step::Drop => { drop(queue); queue = open(); }
                Step::RemoveLabel(_) => {}
            }
            let bytes: usize = model.iter().map(Vec::len).sum();
            prop_assert_eq!(queue.len().unwrap(), model.len() as u64);
            prop_assert_eq!(queue.payload_size().unwrap(), bytes as u64);
        }
        let all: Vec<_> = queue.iter().map(Result::unwrap).collect();
        prop_assert!(model == all);
    }

    #[test]
    fn an_mpmc_queue_is_a_list_with_a_place_for_each_label(steps in steps()) {
        let home = Home::new();
        let open = || MpmcQueue::new(home.queue(), Duration::ZERO).unwrap();
        let mut queue = open();
        let mut model = Vec::<Vec<u8>>::new();
        let mut places = BTreeMap::<&str, usize>::new();
        for step in steps {
            let begin = |label: &str, start: StartPosition| {
                let new = match start {
                    Oldest => 0,
                    Newest => model.len().saturating_sub(1),
                };
                *places.get(label).unwrap_or(&new)
            };
            let until = |from: usize, max: u64| model.len().min(from.saturating_add(max as usize));
            match step {
                Step::Push(lens) => {
                    let items = items(model.len(), &lens);
                    queue.add(&items).unwrap();
                    model.extend(items);
                }
                Step::Take(label, start, max) => {
                    let from = begin(label, start);
                    let next = queue.next(label, start, max).unwrap();
                    prop_assert!(next.items == model[from..until(from, max)]);
                    prop_assert!(!next.expired);
                    let place = until(from, max);
                    places.insert(label, place);
                }
                Step::Read(label, max) | Step::Peek(label, max) => {
                    let from = begin(label, Oldest);
                    let batch = queue.read(label, Oldest, max, Wait::NEVER).unwrap();
                    prop_assert!(*batch.items() == model[from..until(from, max)]);
                    prop_assert_eq!(batch.first(), from as u64);
                    let peeked = queue.peek(label, Oldest, max).unwrap();
                    prop_assert!(peeked == model[from..until(from, max)]);
                }
                Step::ReadAndCommit(label, max) => {
                    let from = begin(label, Oldest);
                    let batch = queue.read(label, Oldest, max, Wait::NEVER).unwrap();
                    queue.commit(&batch).unwrap();
                    let place = until(from, max);
                    prop_assert_eq!(batch.next(), place as u64);
                    places.insert(label, place);
                }
                Step::RemoveLabel(label) => {
                    let known = places.remove(label).is_some();
                    prop_assert_eq!(queue.remove_label(label).unwrap(), known);
                }
                Step::Flush => queue.flush().unwrap(),
                Step::Close => { queue.close().unwrap(); queue = open(); }
                Step::Drop => { drop(queue); queue = open(); }
            }
            let bytes: usize = model.iter().map(Vec::len).sum();
            prop_assert_eq!(queue.len().unwrap(), model.len() as u64);
            prop_assert_eq!(queue.payload_size().unwrap(), bytes as u64);
            prop_assert_eq!(queue.labels().unwrap(), places.keys().copied().collect::<Vec<_>>());
        }
        let all: Vec<_> = queue.iter().map(Result::unwrap).collect();
        prop_assert!(all == model);
    }
}
