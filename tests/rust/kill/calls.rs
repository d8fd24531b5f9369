//! The calls of the processes that were killed, as far as their lines tell.

use std::collections::HashMap;
use std::time::Duration;

use rocksq::Durability;

use super::child::LEVELS;
use super::items::{ItemId, PushId};

/// A call: announced, and perhaps acknowledged, both at a line counted over all processes.
///
/// The announcement was written before the call and the acknowledgement after it, so a call that
/// was acknowledged before another was announced was over before that one began. A call without
/// acknowledgement has taken effect before its process died, if at all.
#[derive(Clone, Debug)]
pub struct Call {
    pub begin: u64,
    pub end: u64,
    pub level: Durability,
    pub what: What,
    pub outcome: Option<Outcome>,
}

impl Call {
    /// Whether an error says that this has not happened.
    pub fn has_failed(&self) -> bool {
        match &self.outcome {
            Some(Outcome::Failed(kind)) => kind != "OutcomeUnknown",
            Some(Outcome::Full | Outcome::Conflict) => true,
            _ => false,
        }
    }

    /// Whether nobody knows if this has happened.
    pub fn is_unknown(&self) -> bool {
        self.outcome.is_none()
            || matches!(self.outcome, Some(Outcome::Failed(_))) && !self.has_failed()
    }

    /// Whether this was over before `other` began.
    pub fn is_before(&self, other: &Self) -> bool {
        self.end < other.begin
    }
}

#[derive(Clone, Debug)]
pub enum What {
    /// Announced so long after 1970.
    Push {
        id: PushId,
        count: u8,
        at: Duration,
    },
    Pop {
        max: u64,
    },
    Next {
        label: String,
        max: u64,
    },
    Read,
    /// Of the batch that its thread has read just before.
    Commit {
        label: String,
        first: u64,
        items: Vec<ItemId>,
    },
    Remove {
        label: String,
    },
    Flush,
    Open,
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Full,
    Conflict,
    Items(Vec<ItemId>),
    Batch {
        first: u64,
        items: Vec<ItemId>,
    },
    Removed(bool),
    /// Has not happened, or `OutcomeUnknown`.
    Failed(String),
}

#[derive(Debug, Default)]
pub struct History {
    pub calls: Vec<Call>,
    lines: u64,
    /// The last line that had certainly come when the process was struck.
    pub struck: u64,
}

impl History {
    /// How many items a push had.
    pub fn count_of(&self, push: PushId) -> u8 {
        let mut counts = self.calls.iter().filter_map(|call| match call.what {
            What::Push { id, count, .. } if id == push => Some(count),
            _ => None,
        });
        counts.next_back().unwrap()
    }

    /// Nothing has failed, except for the queue having been closed meanwhile.
    pub fn assert_no_errors(&self) {
        let closed = Outcome::Failed("Closed".to_owned());
        let fails = |call: &&Call| matches!(&call.outcome, Some(outcome @ Outcome::Failed(_)) if *outcome != closed);
        assert_eq!(format!("{:?}", self.calls.iter().find(fails)), "None");
    }

    /// Adds what a process has written, of which so much before it was struck.
    pub fn add(&mut self, session: u16, lines: &[String], before: usize) {
        self.struck = self.lines + before as u64;
        let mut pending = HashMap::new();
        let mut batches = HashMap::new();
        let first_call = self.calls.len();
        for line in lines {
            self.lines += 1;
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["?", thread, level, ref what @ ..] => {
                    let thread = thread.parse().unwrap();
                    let level = LEVELS[level.parse::<usize>().unwrap()];
                    let what = announced(session, thread, what, &mut batches);
                    pending.insert(thread, self.calls.len());
                    self.calls.push(Call {
                        begin: self.lines,
                        end: u64::MAX,
                        level,
                        what,
                        outcome: None,
                    });
                }
                ["!", thread, ref outcome @ ..] => {
                    let thread: u8 = thread.parse().unwrap();
                    let call = &mut self.calls[pending.remove(&thread).unwrap()];
                    let outcome = acknowledged(outcome);
                    if let Outcome::Batch { first, items } = &outcome {
                        batches.insert(thread, (*first, items.clone()));
                    }
                    call.outcome = Some(outcome);
                    call.end = self.lines;
                }
                _ => panic!("the process says: {}", lines.join("\n")),
            }
        }
        self.lines += 1;
        for call in &mut self.calls[first_call..] {
            call.end = call.end.min(self.lines);
        }
    }
}

fn announced(
    session: u16,
    thread: u8,
    what: &[&str],
    batches: &mut HashMap<u8, (u64, Vec<ItemId>)>,
) -> What {
    let number = |text: &str| text.parse::<u64>().unwrap();
    match *what {
        ["push", id, count, at] => What::Push {
            id: PushId {
                session,
                thread,
                number: id.parse().unwrap(),
            },
            count: count.parse().unwrap(),
            at: Duration::from_micros(number(at)),
        },
        ["pop", max] => What::Pop { max: number(max) },
        ["next", label, max] => What::Next {
            label: label.to_owned(),
            max: number(max),
        },
        ["read"] => What::Read,
        ["commit", label] => {
            let (first, items) = batches.remove(&thread).unwrap();
            What::Commit {
                label: label.to_owned(),
                first,
                items,
            }
        }
        ["remove", label] => What::Remove {
            label: label.to_owned(),
        },
        ["flush"] => What::Flush,
        ["open"] => What::Open,
        ["close"] => What::Close,
        _ => panic!("{what:?}"),
    }
}

fn acknowledged(outcome: &[&str]) -> Outcome {
    let ids = |texts: &[&str]| texts.iter().map(|text| ItemId::from_text(text)).collect();
    match *outcome {
        ["done"] => Outcome::Done,
        ["full"] => Outcome::Full,
        ["conflict"] => Outcome::Conflict,
        ["items", ref items @ ..] => Outcome::Items(ids(items)),
        ["batch", first, ref items @ ..] => Outcome::Batch {
            first: first.parse().unwrap(),
            items: ids(items),
        },
        ["removed", known] => Outcome::Removed(known == "true"),
        ["failed", kind] => Outcome::Failed(kind.to_owned()),
        _ => panic!("{outcome:?}"),
    }
}

/// Whether calls can have taken effect in this order: none was over before one ahead of it began.
/// Says which two cannot.
pub fn find_disorder<'c>(
    calls: impl DoubleEndedIterator<Item = &'c Call>,
) -> Option<(&'c Call, &'c Call)> {
    let mut earliest: Option<&Call> = None;
    for call in calls.rev() {
        if let Some(behind) = earliest
            && behind.is_before(call)
        {
            return Some((call, behind));
        }
        if earliest.is_none_or(|earliest| call.end < earliest.end) {
            earliest = Some(call);
        }
    }
    None
}
