use std::sync::{Arc, mpsc};
use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::store::Records;

/// Something is wrong with what takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_batch_is_there_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let mut batch = store.batch(0);
    batch.put_chunk(0, &[b"head", b"", b"tail"]).unwrap();
    batch.put(Records::System, b"trim", b"1");
    batch.put(Records::Reader, b"cursor", b"2");
    store.write(batch).unwrap();
    drop(store);

    let store = fifo(&path);
    let mut seen = Vec::new();
    store
        .visit_chunks(0, 0, &mut |first, bytes| {
            seen.push((first, bytes.to_vec()));
            Ok(Visit::Next)
        })
        .unwrap();
    assert_eq!(seen, [(0, b"headtail".to_vec())]);
    let trim = store.get(Records::System, b"trim").unwrap();
    assert_eq!(trim.as_deref(), Some(&b"1"[..]));
    assert_eq!(store.get(Records::System, b"cursor").unwrap(), None);
}

#[test]
fn records_are_scanned_by_prefix_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    let mut batch = store.batch(0);
    for key in [&b"b2"[..], b"a", b"b1", b"c", b"b\xff"] {
        batch.put(Records::Reader, key, key);
    }
    batch.delete(Records::Reader, b"c");
    store.write(batch).unwrap();
    let keys = |prefix: &[u8]| -> Vec<Vec<u8>> {
        let rows = store.scan(Records::Reader, prefix).unwrap();
        rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(
        keys(b"b"),
        [b"b1".to_vec(), b"b2".to_vec(), b"b\xff".to_vec()]
    );
    assert_eq!(keys(b"c"), Vec::<Vec<u8>>::new());
    assert_eq!(keys(b"").len(), 4);
}

#[test]
fn a_visit_begins_with_the_chunk_that_holds_the_position() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    for position in [10, 20, 300] {
        push(&store, position, b"x").unwrap();
    }
    assert_eq!(visit(&store, 0, 25), [20, 300]);
    assert_eq!(visit(&store, 0, 20), [20, 300]);
    assert_eq!(visit(&store, 0, 5), [10, 20, 300]);
    assert_eq!(visit(&store, 15, 15), [20, 300]);
    assert_eq!(visit(&store, 20, 299), [20, 300]);
    assert_eq!(visit(&store, 301, u64::MAX), Vec::<u64>::new());
}

#[test]
fn a_visitor_stops_and_its_error_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    push(&store, 0, b"x").unwrap();
    push(&store, 1, b"x").unwrap();
    let mut calls = 0;
    store
        .visit_chunks(0, 0, &mut |_, _| {
            calls += 1;
            Ok(Visit::Stop)
        })
        .unwrap();
    assert_eq!(calls, 1);
    let error = store
        .visit_chunks(0, 0, &mut |_, _| Err(crate::error::Error::corrupt("no")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_closed_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let prepared = store.batch(0);
    store.close().unwrap();
    store.close().unwrap();
    for error in [
        store.write(prepared).unwrap_err(),
        push(&store, 0, b"x").unwrap_err(),
        store.sync().unwrap_err(),
        store.get(Records::System, b"x").unwrap_err(),
        store.disk_size().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    fifo(&path).close().unwrap();
}

#[test]
fn an_idle_queue_takes_little_disk_and_no_log_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    for _ in 0..5 {
        let store = fifo(&path);
        push(&store, 0, b"x").unwrap();
        assert!(store.disk_size().unwrap() < 256 * 1024);
    }
    let names = super::super::names::list(&path).unwrap();
    assert!(
        names
            .iter()
            .all(|name| !name.display().to_string().starts_with("LOG"))
    );
}

#[test]
fn chunks_are_visited_while_others_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(fifo(&dir.path().join("q")));
    push(&store, 0, b"x").unwrap();
    let visitor = &mut |_, _: &[u8]| {
        let (other, (done, seen)) = (Arc::clone(&store), mpsc::channel());
        thread::spawn(move || done.send(visit(&other, 0, 0)));
        assert_eq!(seen.recv_timeout(PATIENCE), Ok(vec![0]));
        Ok(Visit::Next)
    };
    store.visit_chunks(0, 0, visitor).unwrap();
}
