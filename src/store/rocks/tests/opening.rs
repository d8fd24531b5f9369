//! Every state in which a sound queue can be is opened: none is taken for a damaged one.

use super::*;

/// What a process that dies now leaves, and a backup made now, open with nothing left out.
fn assert_opens(store: &RocksStore, expected: &[u64]) {
    let dir = tempfile::tempdir().unwrap();
    let dead = dir.path().join("dead");
    copy(store.core.path(), &dead);
    let saved = dir.path().join("saved");
    store.back_up(&saved).unwrap();
    for path in [dead, saved] {
        let store = fifo(&path);
        assert_eq!(store.dropped(), None);
        assert_eq!(visit(&store, 0, 0), expected);
        drop(store);
        assert_eq!(visit(&fifo(&path), 0, 0), expected);
    }
}

fn flush(store: &RocksStore) {
    store.core.with(Engine::flush).unwrap();
}

#[test]
fn a_queue_opens_whatever_its_log_and_its_tables_have() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    assert_opens(&store, &[]);
    push(&store, 0, b"x").unwrap();
    assert_opens(&store, &[0]);
    flush(&store);
    assert_opens(&store, &[0]);
    push(&store, 1, b"y").unwrap();
    assert_opens(&store, &[0, 1]);
    flush(&store);
    flush(&store);
    assert_opens(&store, &[0, 1]);
    drop(store);
    let store = fifo(&path);
    assert_opens(&store, &[0, 1]);
    flush(&store);
    assert_opens(&store, &[0, 1]);
}

#[test]
fn a_queue_opens_after_it_was_opened_without_room_to_tidy_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    push(&fifo(&path), 0, b"x").unwrap();
    let place = super::super::Place {
        name: path.clone(),
        directory: path.clone(),
    };
    for _ in 0..2 {
        let (engine, dropped) =
            Engine::open(&place, Kind::Fifo, Opening::Sparing, &Default::default()).unwrap();
        assert_eq!(dropped, None);
        drop(engine);
        assert_opens(&fifo(&path), &[0]);
    }
}

#[test]
fn a_queue_opens_after_its_table_of_contents_was_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    for position in 0..20 {
        push(&fifo(&path), position, b"x").unwrap();
    }
    let store = fifo(&path);
    for position in 20..40 {
        push(&store, position, b"x").unwrap();
        flush(&store);
    }
    let expected: Vec<u64> = (0..40).collect();
    assert_opens(&store, &expected);
}
