//! Damage where random bytes almost never hit: headers of records, and the table of contents.
//!
//! `ROCKSQ_DAMAGE_CASES` sets how often: ten times as many cases of each test, or all there are.

use super::anywhere::cases;
use super::history::{self, History};
use super::image::How;
use super::judge::{Drain, check_damaged, drain_fifo, drain_mpmc};
use crate::support::random::{Random, seed};

/// RocksDB's files of records consist of blocks; see `src/store/files/wal.rs`.
const BLOCK: usize = 32 * 1024;
const HEADER: usize = 7;

/// Where the fragments of records begin.
fn headers(bytes: &[u8]) -> Vec<usize> {
    let mut headers = Vec::new();
    let mut at = 0;
    while at + HEADER <= bytes.len() {
        let left = BLOCK - at % BLOCK;
        if left < HEADER {
            at += left;
            continue;
        }
        headers.push(at);
        at += HEADER + length(&bytes[at..]);
    }
    headers
}

fn length(header: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([header[4], header[5]]))
}

fn bits(headers: &[usize]) -> Vec<How> {
    let bytes = headers.iter().flat_map(|header| *header..header + HEADER);
    let bits = bytes.flat_map(|byte| (0..8).map(move |bit| How::Flip(byte as u64, bit)));
    bits.collect()
}

/// All, or some of them at random.
fn some(all: Vec<How>) -> impl Iterator<Item = How> {
    let (wanted, of) = (10 * cases(), all.len() as u64);
    let mut random = Random::new(seed());
    all.into_iter()
        .filter(move |_| random.within(0..of) < wanted)
}

/// The one file of this name, or the newest.
fn newest(history: &History, name: &str) -> String {
    history.image.named(name).pop().unwrap()
}

/// The last two blocks: there the reader meets the end of the file.
fn damage_the_headers_of_the_log(history: &History, drain: Drain) {
    let file = newest(history, ".log");
    let bytes = history.image.bytes(&file);
    let last_blocks = (bytes.len() / BLOCK * BLOCK).saturating_sub(BLOCK);
    let mut headers = headers(bytes);
    headers.retain(|header| *header >= last_blocks);
    for how in some(bits(&headers)) {
        check_damaged(history, &file, how, drain);
    }
}

#[test]
fn damage_to_any_header_at_the_end_of_the_log_is_told() {
    damage_the_headers_of_the_log(&history::in_the_log(), drain_fifo);
}

#[test]
fn damage_to_any_header_of_a_log_beside_tables_is_told() {
    damage_the_headers_of_the_log(&history::in_tables(), drain_fifo);
}

#[test]
fn damage_to_any_header_of_the_log_of_a_queue_with_labels_is_told() {
    damage_the_headers_of_the_log(&history::with_labels(), drain_mpmc);
}

fn damage_the_headers_of_the_table_of_contents(history: &History, drain: Drain) {
    let file = newest(history, "MANIFEST-");
    let headers = headers(history.image.bytes(&file));
    for how in some(bits(&headers)) {
        check_damaged(history, &file, how, drain);
    }
}

#[test]
fn damage_to_any_header_of_the_table_of_contents_of_a_queue_in_its_log_is_told() {
    damage_the_headers_of_the_table_of_contents(&history::in_the_log(), drain_fifo);
}

#[test]
fn damage_to_any_header_of_the_table_of_contents_of_a_queue_in_tables_is_told() {
    damage_the_headers_of_the_table_of_contents(&history::in_tables(), drain_fifo);
}

#[test]
fn damage_to_any_header_of_the_table_of_contents_of_a_queue_without_a_log_is_told() {
    damage_the_headers_of_the_table_of_contents(&history::reopened(), drain_fifo);
}

/// Cut wherever it is, it is an older one, or none.
fn cut_the_table_of_contents(history: &History, drain: Drain) {
    let file = newest(history, "MANIFEST-");
    let len = history.image.bytes(&file).len() as u64;
    for how in some((0..len).map(How::Truncate).collect()) {
        check_damaged(history, &file, how, drain);
    }
}

#[test]
fn a_table_of_contents_without_its_end_is_told() {
    cut_the_table_of_contents(&history::in_the_log(), drain_fifo);
}

#[test]
fn a_table_of_contents_of_tables_without_its_end_is_told() {
    cut_the_table_of_contents(&history::in_tables(), drain_fifo);
}

#[test]
fn a_table_of_contents_without_its_end_is_told_where_no_log_has_items() {
    cut_the_table_of_contents(&history::reopened(), drain_fifo);
}
