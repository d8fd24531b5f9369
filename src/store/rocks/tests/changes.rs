use rust_rocksdb::WriteBatch;

use crate::store::files::changes::{Change, of};

#[test]
fn changes_are_those_of_the_batch() {
    let long = vec![7; 300];
    let mut batch = WriteBatch::default();
    batch.put(b"k", &long);
    batch.delete(b"gone");
    batch.delete_range(b"a", b"b");
    batch.put(b"last", b"");
    let changes: Vec<_> = of(batch.data()).collect();
    let expected = [
        Change::Put {
            family: 0,
            key: b"k",
            value: &long,
        },
        Change::Delete {
            family: 0,
            key: b"gone",
        },
        Change::Other,
        Change::Put {
            family: 0,
            key: b"last",
            value: b"",
        },
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_cut_record_gives_what_is_whole() {
    let mut batch = WriteBatch::default();
    batch.put(b"one", b"1");
    batch.put(b"two", b"2");
    let data = batch.data();
    for len in 0..data.len() {
        assert!(of(&data[..len]).count() < 2);
    }
}
