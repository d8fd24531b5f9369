//! Bounds by items and bytes, and what is dropped to keep within them.

use std::sync::mpsc::channel;
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity;
use rocksq::mpmc::{MpmcQueue, StartPosition};
use rocksq::{
    CallOptions, Durability, ErrorKind, MpmcOptions, OnFull, QueueOptions, Wait, Watermark,
};

use crate::support::Home;

const PATIENCE: Duration = Duration::from_secs(60);

fn fifo(home: &Home, max_bytes: u64, on_full: OnFull) -> PersistentQueueWithCapacity {
    let mut options = QueueOptions::default();
    options.max_bytes = Some(max_bytes);
    options.on_full = on_full;
    PersistentQueueWithCapacity::open(home.queue(), options).unwrap()
}

#[test]
fn a_backlog_larger_than_memory_is_dropped_from_its_oldest_end() {
    let home = Home::new();
    let queue = fifo(&home, 4 << 20, OnFull::DropOldest);
    for n in 0..100u32 {
        let item = [&n.to_le_bytes()[..], &vec![7; (100 << 10) - 4]].concat();
        let level = match n % 3 {
            0 => Durability::Buffered,
            _ => Durability::Written,
        };
        queue.push_with(&[item], level).unwrap();
    }
    let stats = queue.stats().unwrap();
    assert_eq!((stats.items, stats.dropped_items), (40, 60));
    assert_eq!(stats.payload_bytes, 40 * (100 << 10));
    assert!(stats.log_bytes > 9 << 20);
    let queue = {
        queue.close().unwrap();
        fifo(&home, 1, OnFull::Error)
    };
    let items = queue.pop(u64::MAX).unwrap().to_vecs();
    let numbers = items.iter().map(|item| item[0]);
    assert!(numbers.eq(60..100));
}

#[test]
fn items_dropped_from_an_mpmc_queue_stay_dropped() {
    let home = Home::new();
    let queue = home.dropping(3);
    queue.next("label", StartPosition::Oldest, 0).unwrap();
    queue.add(&[b"a"]).unwrap();
    queue.add(&[b"b"]).unwrap();
    queue.add(&[b"c", b"d"]).unwrap();
    queue.close().unwrap();
    let queue = home.dropping(9);
    assert_eq!(queue.len().unwrap(), 3);
    let next = queue.next("label", StartPosition::Oldest, 9).unwrap();
    assert_eq!(next.items, [b"b", b"c", b"d"]);
    assert!(next.expired);
}

#[test]
fn a_push_waits_for_bytes_on_either_face() {
    let home = Home::new();
    let queue = fifo(&home, 4, OnFull::Error);
    queue.push(&[b"aaaa"]).unwrap();
    let forever = CallOptions::new().wait(Wait::FOREVER);
    let error = queue.push_with(&[b"aaaaa"], forever).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    let pushed = queue.nonblocking(10).unwrap();
    let pushed = pushed.push_wait(vec![b"bb".to_vec()], Wait::FOREVER).unwrap();
    assert!(pushed.get_wait(Duration::from_millis(5).into()).unwrap().is_none());
    queue.pop(1).unwrap();
    pushed.get().unwrap();
    assert_eq!(queue.pop(9).unwrap(), [b"bb"]);
}

#[test]
fn a_watch_tells_of_high_and_low_until_it_is_stopped() {
    let home = Home::new();
    let queue = fifo(&home, 99, OnFull::Error);
    let (sender, told) = channel();
    let (high, low) = (Watermark::elements(2), Watermark::elements(1));
    let watch = queue
        .watch(high, low, move |is_high| sender.send(is_high).unwrap())
        .unwrap();
    queue.push(&[b"a", b"b"]).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(true));
    queue.pop(2).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(false));
    watch.stop();
    assert!(told.recv_timeout(PATIENCE).is_err(), "the callback is not dropped");
}

#[test]
fn a_task_waits_until_there_is_less() {
    let home = Home::new();
    let queue = fifo(&home, 99, OnFull::Error);
    queue.push(&[b"a", b"b"]).unwrap();
    let less = queue
        .nonblocking(10)
        .unwrap()
        .wait_below(Watermark::bytes(2), Wait::FOREVER)
        .unwrap();
    assert!(!less.is_ready());
    queue.pop(1).unwrap();
    assert!(pollster::block_on(less).unwrap());
}

#[test]
fn a_repair_brings_nothing_back_that_was_dropped() {
    let home = Home::new();
    let queue = home.dropping(3);
    queue.add(&[b"a"]).unwrap();
    queue.add(&[b"b", b"c"]).unwrap();
    queue.add(&[b"d"]).unwrap();
    queue.close().unwrap();
    rocksq::maintenance::repair(home.queue()).unwrap();
    let items: Vec<_> = home.dropping(3).iter().map(Result::unwrap).collect();
    assert_eq!(items, [b"b", b"c", b"d"]);
}
