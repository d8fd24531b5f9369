//! Judges what is made of a damaged queue: nothing wrong comes, every loss is told, and a repair saves
//! what is intact.

use std::path::Path;

use rocksq::maintenance::{Recovery, repair, verify};
use rocksq::{Error, ErrorKind, Items, StartPosition};

use super::history::{self, History, number};
use super::image::{Damage, How, Image};
use crate::support::Home;
use crate::support::tree::{assert_unchanged, picture};

/// What came out of a queue.
#[derive(Debug, Default)]
pub struct Outcome {
    items: Vec<usize>,
    /// What ended it; `None` when the queue was empty at the end.
    error: Option<Error>,
    recovery: Option<Recovery>,
}

impl Outcome {
    /// The item that would have come next.
    fn next(&self, history: &History) -> usize {
        self.items.last().map_or(history.taken, |last| last + 1)
    }
}

pub type Drain = fn(&Path) -> rocksq::Result<Outcome>;

pub fn drain_fifo(path: &Path) -> rocksq::Result<Outcome> {
    let queue = history::fifo(path)?;
    Ok(drain(queue.recovery(), || queue.pop(7)))
}

pub fn drain_mpmc(path: &Path) -> rocksq::Result<Outcome> {
    let queue = history::mpmc(path)?;
    let take = || queue.next("even", StartPosition::Oldest, 7);
    Ok(drain(queue.recovery(), || take().map(|next| next.items)))
}

fn drain(recovery: Option<Recovery>, take: impl Fn() -> rocksq::Result<Items>) -> Outcome {
    let mut outcome = Outcome {
        recovery,
        ..Outcome::default()
    };
    loop {
        match take() {
            Ok(items) if items.is_empty() => return outcome,
            Ok(items) => outcome.items.extend(items.iter().map(number)),
            Err(error) => {
                outcome.error = Some(error);
                return outcome;
            }
        }
    }
}

/// Damages one file of the queue, of which every loss has to be told.
pub fn check_damaged(history: &History, file: &str, how: How, drain: Drain) {
    let damage = Damage {
        file: file.to_owned(),
        how,
    };
    eprintln!("{damage}");
    let mut image = history.image.clone();
    image.apply(&damage);
    check(history, &image, 0, drain);
}

/// `untold` is how many of the last items may be gone without a word.
pub fn check(history: &History, image: &Image, untold: usize, drain: Drain) {
    let home = Home::in_memory();
    let opened = home.at("opened");
    image.write_to(&opened);
    let intact = verify_changes_nothing(&opened);
    let outcome = drain(&opened);
    match &outcome {
        Ok(outcome) => check_delivered(history, outcome, untold),
        Err(error) => check_refused(error),
    }
    let found = outcome.as_ref().map_or(0, |outcome| outcome.items.len());
    if intact {
        let outcome = outcome.as_ref().unwrap();
        assert!(outcome.error.is_none(), "{outcome:?}");
        let next = outcome.next(history);
        assert!(next + untold >= history.pushed, "verify has missed it");
    }
    let repaired = home.at("repaired");
    image.write_to(&repaired);
    check_repaired(history, &repaired, drain, found, untold);
    if outcome.is_err() {
        // The refused opening destroyed nothing that a repair would have saved.
        check_repaired(history, &opened, drain, found, untold);
    }
}

/// Whether the queue is intact, by its own account.
fn verify_changes_nothing(path: &Path) -> bool {
    let before = picture(path);
    let report = verify(path);
    assert_unchanged(&before, path);
    match report {
        Ok(report) => report.is_intact(),
        Err(error) => {
            check_refused(&error);
            false
        }
    }
}

/// A gap-free run in order. Damage can undo that items were taken; what is lost at the end is
/// reported.
fn check_delivered(history: &History, outcome: &Outcome, untold: usize) {
    let items = &outcome.items;
    assert!(
        items.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "not a run: {items:?}"
    );
    let first = items.first().copied();
    assert!(
        first.is_none_or(|first| first <= history.taken),
        "skipped to {first:?}"
    );
    let next = outcome.next(history);
    assert!(next <= history.pushed);
    match &outcome.error {
        Some(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            let text = error.to_string();
            let says = ["position", "rocksq.repair"].map(|what| text.contains(what));
            assert!(says.contains(&true), "{error}");
        }
        None if next + untold >= history.pushed => {}
        None => {
            let recovery = outcome.recovery.as_ref().expect("the loss is reported");
            assert!(recovery.first <= next as u64, "{recovery}");
        }
    }
}

fn check_refused(error: &Error) {
    let kinds = [ErrorKind::Corrupt, ErrorKind::WrongKind];
    assert!(kinds.contains(&error.kind()), "{:?} {error}", error.kind());
    if error.kind() == ErrorKind::Corrupt {
        assert!(error.to_string().contains("rocksq.repair"), "{error}");
    }
}

fn check_repaired(history: &History, path: &Path, drain: Drain, at_least: usize, untold: usize) {
    let report = match repair(path) {
        Ok(report) => report,
        Err(error) => {
            check_refused(&error);
            assert_eq!(at_least, 0, "a queue that opens can be repaired: {error}");
            return;
        }
    };
    let again = verify(path).unwrap();
    assert!(again.is_intact(), "{again:?}");
    let outcome = drain(path).unwrap();
    assert!(
        outcome.error.is_none() && outcome.recovery.is_none(),
        "{outcome:?}"
    );
    let items = &outcome.items;
    assert!(items.is_sorted_by(|a, b| a < b), "out of order: {items:?}");
    assert!(items.len() >= at_least, "{} of {at_least}", items.len());
    assert!(items.iter().all(|item| *item < history.pushed));
    let lost = (history.pushed - history.taken).saturating_sub(items.len());
    if lost > untold {
        assert!(!report.is_intact(), "{lost} items are gone: {report:?}");
    }
}
