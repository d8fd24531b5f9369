//! Large numbers: they work, or are refused before anything is allocated.

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::{ErrorKind, StartPosition};

use crate::support::{Home, kind, numbered, numbers};

#[test]
fn the_largest_capacity_is_a_capacity() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), u64::MAX).unwrap();
    assert_eq!(queue.max_elements(), u64::MAX);
    queue.push(&numbered(0, 3)).unwrap();
    assert_eq!(queue.len().unwrap(), 3);
    assert_eq!(numbers(&queue.pop(u64::MAX).unwrap()), [0, 1, 2]);
}

#[test]
fn a_capacity_of_none_is_refused() {
    let home = Home::new();
    let refused = Fifo::new(home.queue(), 0);
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    assert!(!home.queue().exists());
}

#[test]
fn a_million_items_go_in_and_come_out_at_once() {
    let home = Home::new();
    let queue = home.fifo();
    let items: Vec<[u8; 4]> = (0..1_000_000u32).map(u32::to_be_bytes).collect();
    queue.push(&items).unwrap();
    assert_eq!(queue.len().unwrap(), 1_000_000);
    let popped = queue.pop(u64::MAX).unwrap();
    assert!(popped.iter().eq(items.iter().map(|item| &item[..])));
}

#[test]
fn a_million_empty_items_are_a_million_items() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&vec![b""; 1_000_000]).unwrap();
    let next = queue.next("a", StartPosition::Oldest, u64::MAX).unwrap();
    assert_eq!(next.items.len(), 1_000_000);
}

/// Its memory is never touched, so it costs none.
#[test]
fn an_item_that_is_too_large_is_refused_before_it_is_copied() {
    let home = Home::new();
    let queue = home.fifo();
    let item = vec![0u8; 1 << 32];
    let error = queue.push(&[item]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("4294967296 bytes"), "{error}");
    assert!(queue.is_empty().unwrap());
}

#[test]
#[ignore = "takes 5 GiB of memory and as much of the disk"]
fn an_item_of_a_gibibyte_is_an_item() {
    let home = Home::new();
    let queue = home.fifo();
    let item = vec![7u8; 1 << 30];
    queue.push(&[&item[..], b"next"]).unwrap();
    queue.close().unwrap();
    let queue = home.fifo();
    assert!(queue.pop(1).unwrap() == [&item[..]]);
    assert_eq!(queue.pop(1).unwrap(), [b"next"]);
}
