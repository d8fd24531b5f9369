//! Random operations at all levels, with kills, power cuts and failing writes in between. What is
//! found afterwards is what the queue was after one of the operations, none of them in part, and
//! not before one that must have survived.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::error::{ErrorKind, Result};
use crate::housekeeping::Chore;
use crate::log::bounds::Amount;
use crate::options::Durability::{self, Buffered, Synced};
use crate::options::StartPosition::Oldest;

const LABELS: [&str; 2] = ["x", "y"];

#[derive(Clone, Debug)]
enum Step {
    Push(usize, Durability),
    Take(&'static str, u64, Durability),
    ReadAndCommit(&'static str, u64, Durability),
    RemoveLabel(&'static str, Durability),
    Flush,
    Tidy,
    Housekeeping(u64),
    /// The next write is refused, or fails so that nobody knows whether it was made.
    FailNextWrite(WriteFailure),
    Kill,
    PowerCut(usize),
    Close,
}

#[derive(Clone, Copy, Debug)]
enum WriteFailure {
    Refused,
    Lost,
    Made,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let label = || prop::sample::select(&LABELS[..]);
    let level = || prop::sample::select(&[Buffered, Buffered, Written, Synced][..]);
    let failure = prop_oneof![
        Just(WriteFailure::Refused),
        Just(WriteFailure::Lost),
        Just(WriteFailure::Made)
    ];
    let step = prop_oneof![
        8 => (0..4usize, level()).prop_map(|(n, level)| Step::Push(n, level)),
        6 => (label(), 0..4u64, level()).prop_map(|(l, n, level)| Step::Take(l, n, level)),
        2 => (label(), 0..4u64, level()).prop_map(|(l, n, level)| Step::ReadAndCommit(l, n, level)),
        1 => (label(), level()).prop_map(|(label, level)| Step::RemoveLabel(label, level)),
        1 => Just(Step::Flush),
        2 => Just(Step::Tidy),
        1 => (0..1_500u64).prop_map(Step::Housekeeping),
        1 => failure.prop_map(Step::FailNextWrite),
        1 => Just(Step::Kill),
        1 => (0..6usize).prop_map(Step::PowerCut),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a queue is for those who look at it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    items: Vec<String>,
    /// For each label, how many items it has not read.
    unread: BTreeMap<&'static str, usize>,
}

impl Content {
    fn of_fifo(log: &MemoryLog) -> Self {
        let items = texts(&log.browse(0, u64::MAX).unwrap().0);
        assert_eq!(log.len(), items.len() as u64);
        Self {
            items,
            unread: BTreeMap::new(),
        }
    }

    fn of_mpmc(log: &MemoryLog) -> Self {
        let items = texts(&log.browse(0, u64::MAX).unwrap().0);
        let known = log.labels().unwrap();
        let unread = |label: &'static str| {
            let unread = texts(&log.peek(&label.into(), Oldest, u64::MAX).unwrap());
            assert!(items.ends_with(&unread));
            (label, unread.len())
        };
        let labels = LABELS
            .into_iter()
            .filter(|label| known.iter().any(|k| k == label));
        Self {
            unread: labels.map(unread).collect(),
            items,
        }
    }
}

/// An item is the number of its push and a letter of its own.
fn push_of(item: &str) -> &str {
    item.trim_end_matches(char::is_alphabetic)
}

impl Content {
    /// Leaves out the oldest pushes until the rest fits.
    fn drop_oldest(&mut self, max: Amount) {
        let bytes = |items: &[String]| items.iter().map(String::len).sum::<usize>() as u64;
        while self.items.len() as u64 > max.items || bytes(&self.items) > max.bytes {
            let oldest = push_of(&self.items[0]).to_owned();
            self.items.retain(|item| push_of(item) != oldest);
        }
        let there = self.items.len();
        for unread in self.unread.values_mut() {
            *unread = there.min(*unread);
        }
    }
}

/// A queue, what it has been since the last crash, and what of that must survive.
struct History {
    log: Arc<MemoryLog>,
    clock: ManualClock,
    look: fn(&MemoryLog) -> Content,
    been: Vec<Content>,
    written: usize,
    synced: usize,
    pushed: usize,
}

impl History {
    fn new(retention: Retention, bounds: Bounds, look: fn(&MemoryLog) -> Content) -> Self {
        let clock = ManualClock::at(0);
        Self {
            log: bounded(retention, bounds, &clock),
            clock,
            look,
            been: vec![Content::default()],
            written: 0,
            synced: 0,
            pushed: 0,
        }
    }

    fn now(&self) -> Content {
        self.been.last().unwrap().clone()
    }

    /// Notes what came of an operation that should have made the queue `next`.
    fn note<T: Debug>(
        &mut self,
        outcome: Result<T>,
        next: Content,
        level: Durability,
    ) -> Result<(), TestCaseError> {
        match outcome {
            Ok(_) => self.did(next, level),
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => self.find_out(next)?,
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::DiskFull),
        }
        prop_assert_eq!((self.look)(&self.log), self.now());
        Ok(())
    }

    fn did(&mut self, next: Content, level: Durability) {
        self.been.push(next);
        let last = self.been.len() - 1;
        if level >= Written {
            self.written = last;
        }
        if level >= Synced {
            self.synced = last;
        }
    }

    /// After an unknown outcome the operation is done or not, and everything before it is.
    fn find_out(&mut self, next: Content) -> Result<(), TestCaseError> {
        self.log.flush().unwrap();
        let found = (self.look)(&self.log);
        prop_assert!(found == next || found == self.now(), "{:?}", found);
        self.did(found, Synced);
        Ok(())
    }

    fn reopen(&mut self, store: MemoryStore, at_least: usize) -> Result<(), TestCaseError> {
        self.log = reopen(&self.log, store, &self.clock);
        let found = (self.look)(&self.log);
        let allowed = &self.been[at_least..];
        prop_assert!(
            allowed.contains(&found),
            "{:?} is none of {:?}",
            found,
            allowed
        );
        self.been = vec![found];
        (self.written, self.synced) = (0, 0);
        Ok(())
    }

    fn push(&mut self, count: usize, level: Durability) -> Result<(), TestCaseError> {
        let item = |letter| format!("{}{letter}", self.pushed);
        let items: Vec<_> = ('a'..).take(count).map(item).collect();
        self.pushed += 1;
        let mut next = self.now();
        next.items.extend(items.clone());
        next.unread.values_mut().for_each(|unread| *unread += count);
        next.drop_oldest(self.log.bounds.max);
        let outcome = self.log.append(&items, Wait::NEVER, level);
        let level = if count == 0 { Buffered } else { level };
        self.note(outcome, next, level)
    }

    fn do_to_all(&mut self, step: &Step) -> Result<bool, TestCaseError> {
        match step {
            Step::Push(count, level) => self.push(*count, *level)?,
            Step::Flush => {
                let outcome = self.log.flush();
                self.note(outcome, self.now(), Synced)?;
            }
            Step::Tidy => drop(self.log.tidy()),
            Step::Housekeeping(millis) => {
                self.clock.advance(Duration::from_millis(*millis));
                self.log.run();
            }
            Step::FailNextWrite(WriteFailure::Refused) => {
                self.log.store.fail_next_write(ErrorKind::DiskFull);
            }
            Step::FailNextWrite(WriteFailure::Lost) => {
                self.log.store.fail_next_write(ErrorKind::OutcomeUnknown);
            }
            Step::FailNextWrite(WriteFailure::Made) => {
                self.log.store.fail_next_write_after_making_it();
            }
            Step::Kill => self.reopen(self.log.store.after_kill(), self.written)?,
            Step::PowerCut(kept) => {
                let store = self.log.store.after_power_cut(*kept);
                self.reopen(store, self.synced)?;
            }
            Step::Close => {
                let last = self.been.len() - 1;
                let at_least = match self.log.close() {
                    Ok(()) => last,
                    Err(_) => self.written,
                };
                self.reopen(self.log.store.after_power_cut(0), at_least.min(last))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Takes up to `max` items in one way or the other.
fn take(
    log: &MemoryLog,
    label: &str,
    max: u64,
    level: Durability,
    in_two_steps: bool,
) -> Result<Vec<String>> {
    let label = label.into();
    if !in_two_steps {
        let taken = log.take(&label, Oldest, max, Wait::NEVER, level)?;
        return Ok(texts(&taken.items));
    }
    let batch = log.read(&label, Oldest, max, Wait::NEVER)?;
    log.commit(&batch, level)?;
    Ok(texts(batch.items()))
}

fn run_on_fifo(bounds: Bounds, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut history = History::new(Retention::Unread, bounds, Content::of_fifo);
    for step in steps {
        if history.do_to_all(&step)? {
            continue;
        }
        let (max, level, in_two_steps) = match step {
            Step::Take(_, max, level) => (max, level, false),
            Step::ReadAndCommit(_, max, level) => (max, level, true),
            _ => continue,
        };
        let mut next = history.now();
        let count = next.items.len().min(max as usize);
        let expected: Vec<_> = next.items.drain(..count).collect();
        let outcome = take(&history.log, ONLY_LABEL, max, level, in_two_steps);
        if let Ok(items) = &outcome {
            prop_assert_eq!(items, &expected);
        }
        history.note(outcome, next, if count == 0 { Buffered } else { level })?;
    }
    Ok(())
}

fn run_on_mpmc(bounds: Bounds, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut history = History::new(young(0), bounds, Content::of_mpmc);
    for step in steps {
        if history.do_to_all(&step)? {
            continue;
        }
        let mut next = history.now();
        match step {
            Step::Take(label, max, level) | Step::ReadAndCommit(label, max, level) => {
                let known = next.unread.get(label).copied();
                let unread = known.unwrap_or(next.items.len());
                let count = unread.min(max as usize);
                let from = next.items.len() - unread;
                let expected = next.items[from..from + count].to_vec();
                next.unread.insert(label, unread - count);
                let in_two_steps = matches!(step, Step::ReadAndCommit(..));
                let outcome = take(&history.log, label, max, level, in_two_steps);
                if let Ok(items) = &outcome {
                    prop_assert_eq!(items, &expected);
                }
                let moves = count > 0 || known.is_none();
                history.note(outcome, next, if moves { level } else { Buffered })?;
            }
            Step::RemoveLabel(label, level) => {
                let known = next.unread.remove(label).is_some();
                let outcome = history.log.remove_label(&label.into(), level);
                if let Ok(removed) = &outcome {
                    prop_assert_eq!(*removed, known);
                }
                history.note(outcome, next, if known { level } else { Buffered })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Holds any push of the steps, and not many.
fn narrow() -> Bounds {
    Bounds::new(Some(6), Some(13), OnFull::DropOldest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_fifo_queue_is_after_a_crash_what_it_was_after_an_operation(steps in steps()) {
        run_on_fifo(Bounds::default(), steps)?;
    }

    #[test]
    fn an_mpmc_queue_is_after_a_crash_what_it_was_after_an_operation(steps in steps()) {
        run_on_mpmc(Bounds::default(), steps)?;
    }

    #[test]
    fn a_fifo_queue_drops_the_oldest_with_the_push_or_not_at_all(steps in steps()) {
        run_on_fifo(narrow(), steps)?;
    }

    #[test]
    fn an_mpmc_queue_drops_the_oldest_with_the_push_or_not_at_all(steps in steps()) {
        run_on_mpmc(narrow(), steps)?;
    }
}
