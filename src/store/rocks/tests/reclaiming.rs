use std::time::Instant;

use super::*;
use crate::store::{Occasion, Records};

const CHUNK: usize = 256 * 1024;
const MIB: u64 = 1024 * 1024;

/// Reclaims until nothing is left that could be given back; says how many calls that took. A table
/// is dropped once RocksDB has moved it out of level 0, in its own time; the housekeeping waits a
/// second between two calls, this a millisecond.
fn reclaim_all(store: &RocksStore, floor: u64) -> u64 {
    let mut calls = 1;
    while reclaim(store, floor, true) {
        std::thread::sleep(std::time::Duration::from_millis(1));
        calls += 1;
    }
    calls
}

/// Says in one batch that everything below `floor` was taken, and reclaims.
fn reclaim(store: &RocksStore, floor: u64, resting: bool) -> bool {
    let mut batch = store.batch(64);
    batch.put(Records::System, b"trim", &floor.to_be_bytes());
    let occasion = match resting {
        true => Occasion::Resting,
        false => Occasion::Busy,
    };
    store.reclaim(batch, floor, occasion).unwrap()
}

fn take(store: &RocksStore, position: u64) {
    let mut batch = store.batch(64);
    batch.put(Records::Reader, b"cursor", &position.to_be_bytes());
    store.write(batch).unwrap();
}

fn payload(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..CHUNK / 8).flat_map(|_| next()).collect()
}

fn tables(path: &Path) -> (usize, u64) {
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let tables = names.filter(|entry| entry.path().extension().is_some_and(|end| end == "sst"));
    tables.fold((0, 0), |(count, bytes), entry| {
        (
            count + 1,
            bytes + entry.metadata().map_or(0, |data| data.len()),
        )
    })
}

#[test]
fn a_drained_backlog_gives_its_space_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let end = 120 * MIB / CHUNK as u64;
    for position in 0..end {
        push(&store, position, &payload(position)).unwrap();
        if store.unreclaimed() >= store.reclaim_after() {
            reclaim(&store, 0, false);
        }
    }
    assert!(store.disk_size().unwrap() > 110 * MIB);
    for position in 0..end {
        take(&store, position + 1);
        if position % 64 == 63 {
            reclaim(&store, position + 1, false);
            assert_eq!(
                visit(&store, position + 1, position + 1).len() as u64,
                end - position - 1
            );
        }
    }
    let begin = Instant::now();
    reclaim_all(&store, end);
    let left = store.disk_size().unwrap();
    assert!(left < 16 * MIB, "{left} bytes after {:?}", begin.elapsed());
    drop(store);
    assert_eq!(visit(&fifo(&path), end, end), Vec::<u64>::new());
}

#[test]
fn a_consumer_that_keeps_up_writes_no_payload_to_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let mut largest = 0;
    for position in 0..100 * MIB / CHUNK as u64 {
        push(&store, position, &payload(position)).unwrap();
        take(&store, position + 1);
        if store.unreclaimed() >= store.reclaim_after() {
            reclaim(&store, position + 1, true);
            largest = largest.max(tables(&path).1);
        }
    }
    let written = store.traffic();
    assert!(largest < MIB, "{largest} bytes in tables");
    assert!(written.tables < MIB, "{written:?}");
    let left = store.disk_size().unwrap();
    assert!(left < 32 * MIB, "{left}");
}

#[test]
fn tables_are_moved_not_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let mut floor = 0;
    let end = 100 * MIB / CHUNK as u64;
    for position in 0..end {
        push(&store, position, &payload(position)).unwrap();
        // A consumer that lags by about half, so that range deletions and tables mix.
        if position % 3 != 0 {
            floor += 1;
            take(&store, floor);
        }
        if store.unreclaimed() >= store.reclaim_after() {
            reclaim(&store, floor, false);
        }
    }
    let written = store.traffic();
    assert!(written.tables > 20 * MIB, "{written:?}");
    assert!(written.rewritten < MIB, "{written:?}");
    assert_eq!(visit(&store, floor, floor).len() as u64, end - floor);
}

#[test]
fn a_drained_queue_keeps_little_memory_and_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    for position in 0..20 {
        push(&store, position, &payload(position)).unwrap();
    }
    take(&store, 20);
    let calls = reclaim_all(&store, 20);
    // What each call writes, a trim mark of some 50 bytes, may be all that is in the log.
    let (left, most) = (store.unreclaimed(), calls * 100);
    assert!(left <= most, "{left} bytes after {calls} calls");
    assert!(store.traffic().tables < MIB);
    let left = store.disk_size().unwrap();
    assert!(left < MIB, "{left}");
}
