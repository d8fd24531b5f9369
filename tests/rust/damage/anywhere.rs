//! Any damage to any file, at random. `ROCKSQ_DAMAGE_CASES` sets how many cases of each history:
//! `ROCKSQ_DAMAGE_CASES=1000 cargo nextest run --release --profile long damage::anywhere`.

use std::path::Path;

use rocksq::maintenance::{Recovery, repair, verify};
use rocksq::{Error, ErrorKind, StartPosition};

use super::history::{self, History, number};
use super::image::{Damage, How, Image};
use crate::support::Home;
use crate::support::random::{Random, seed};
use crate::support::tree::{assert_unchanged, picture};

const CASES: u64 = 8;

/// What came out of a queue.
#[derive(Debug, Default)]
struct Outcome {
    items: Vec<usize>,
    /// What ended it; `None` when the queue was empty at the end.
    error: Option<Error>,
    recovery: Option<Recovery>,
}

type Drain = fn(&Path) -> rocksq::Result<Outcome>;

fn drain_fifo(path: &Path) -> rocksq::Result<Outcome> {
    let queue = history::fifo(path)?;
    let mut outcome = Outcome {
        recovery: queue.recovery(),
        ..Outcome::default()
    };
    loop {
        match queue.pop(7) {
            Ok(items) if items.is_empty() => return Ok(outcome),
            Ok(items) => outcome.items.extend(items.iter().map(number)),
            Err(error) => {
                outcome.error = Some(error);
                return Ok(outcome);
            }
        }
    }
}

fn drain_mpmc(path: &Path) -> rocksq::Result<Outcome> {
    let queue = history::mpmc(path)?;
    let mut outcome = Outcome {
        recovery: queue.recovery(),
        ..Outcome::default()
    };
    loop {
        match queue.next("even", StartPosition::Oldest, 7) {
            Ok(next) if next.items.is_empty() => return Ok(outcome),
            Ok(next) => outcome.items.extend(next.items.iter().map(number)),
            Err(error) => {
                outcome.error = Some(error);
                return Ok(outcome);
            }
        }
    }
}

fn cases() -> u64 {
    std::env::var("ROCKSQ_DAMAGE_CASES")
        .map_or(CASES, |text| text.parse().expect("a number of cases"))
}

fn damage_at_random(history: &History, drain: Drain) {
    let mut seeds = Random::new(seed());
    for case in 0..cases() {
        let case_seed = seeds.next();
        let mut image = history.image.clone();
        let damage = image.damage(&mut Random::new(case_seed));
        eprintln!("case {case}: {damage}");
        check(history, &image, &damage, drain);
    }
}

fn check(history: &History, image: &Image, damage: &Damage, drain: Drain) {
    let home = Home::in_memory();
    let opened = home.at("opened");
    image.write_to(&opened);
    let intact = verify_changes_nothing(&opened);
    let outcome = drain(&opened);
    match &outcome {
        Ok(outcome) => check_delivered(history, outcome, damage.is_torn_log()),
        Err(error) => check_refused(error),
    }
    let found = outcome.as_ref().map_or(0, |outcome| outcome.items.len());
    if intact && !damage.is_torn_log() {
        let outcome = outcome.as_ref().unwrap();
        assert!(outcome.error.is_none(), "{outcome:?}");
        assert_eq!(
            outcome.items.last(),
            Some(&(history.pushed - 1)),
            "verify has missed it"
        );
    }
    let repaired = home.at("repaired");
    image.write_to(&repaired);
    let lossless = !damage.is_torn_log();
    check_repaired(history, &repaired, drain, found, lossless);
    if outcome.is_err() {
        // The refused opening destroyed nothing that a repair would have saved.
        check_repaired(history, &opened, drain, found, lossless);
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
/// reported, unless the log is torn as a crash tears it.
fn check_delivered(history: &History, outcome: &Outcome, torn: bool) {
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
    let next = items.last().map_or(history.taken, |last| last + 1);
    assert!(next <= history.pushed);
    match &outcome.error {
        Some(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            let text = error.to_string();
            let says = ["position", "rocksq.repair"].map(|what| text.contains(what));
            assert!(says.contains(&true), "{error}");
        }
        None if next == history.pushed || torn => {}
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

fn check_repaired(history: &History, path: &Path, drain: Drain, at_least: usize, told: bool) {
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
    if lost > 0 && told {
        assert!(!report.is_intact(), "{lost} items are gone: {report:?}");
    }
}

/// Cut wherever it is, it is an older one, or none.
#[test]
fn a_table_of_contents_without_its_end_is_told() {
    let history = history::in_the_log();
    let file = history.image.named("MANIFEST-").remove(0);
    let len = history.image.bytes(&file).len() as u64;
    let cuts = cases();
    for cut in 0..cuts {
        let how = How::Truncate(len * cut / cuts);
        let damage = Damage {
            file: file.clone(),
            how,
        };
        eprintln!("{damage}");
        let mut image = history.image.clone();
        image.apply(&damage);
        check(&history, &image, &damage, drain_fifo);
    }
}

/// Behind its items a table has an index of its blocks, its properties and a footer. Few cases, since
/// RocksDB waits for a second after a merge that has failed.
#[test]
fn damage_to_the_end_of_a_table_is_told() {
    let history = history::in_tables();
    for file in history.image.named(".sst") {
        let len = history.image.bytes(&file).len() as u64;
        for byte in [1310, 900, 500, 200, 30].map(|from_end| len - from_end) {
            let damage = Damage {
                file: file.clone(),
                how: How::Flip(byte, 0),
            };
            eprintln!("{damage}");
            let mut image = history.image.clone();
            image.apply(&damage);
            check(&history, &image, &damage, drain_fifo);
        }
    }
}

#[test]
fn damage_to_a_queue_in_its_log_is_told() {
    damage_at_random(&history::in_the_log(), drain_fifo);
}

#[test]
fn damage_to_a_queue_in_tables_is_told() {
    damage_at_random(&history::in_tables(), drain_fifo);
}

#[test]
fn damage_to_a_queue_with_labels_is_told() {
    damage_at_random(&history::with_labels(), drain_mpmc);
}
