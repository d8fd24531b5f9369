//! Any damage to any file, at random. `ROCKSQ_DAMAGE_CASES` sets how many cases of each history:
//! `ROCKSQ_DAMAGE_CASES=1000 cargo nextest run --release --profile long damage::anywhere`.

use super::history::{self, History};
use super::image::How;
use super::judge::{Drain, check, check_damaged, drain_fifo, drain_mpmc};
use crate::support::random::{Random, seed};

const CASES: u64 = 8;

pub fn cases() -> u64 {
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
        check(history, &image, damage.untold(history), drain);
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
            check_damaged(&history, &file, How::Flip(byte, 0), drain_fifo);
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
