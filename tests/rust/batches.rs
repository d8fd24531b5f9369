//! Batch after batch: each is committed after what was done with it, and read again otherwise.

use std::thread;
use std::time::Duration;

use pollster::block_on;
use rocksq::StartPosition::Oldest;
use rocksq::Wait;
use rocksq::nonblocking;

use crate::support::Home;

#[test]
fn batches_come_until_there_is_nothing_more() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&[b"a", b"b", b"c"]).unwrap();
    let mut seen = Vec::new();
    for batch in queue.batches(2, Wait::NEVER) {
        let batch = batch.unwrap();
        seen.push(batch.items().to_vecs());
        queue.commit(&batch).unwrap();
    }
    assert_eq!(seen, [vec![b"a", b"b"], vec![b"c"]]);
    assert!(queue.is_empty().unwrap());
}

#[test]
fn a_batch_that_was_not_committed_comes_again() {
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&[b"a"]).unwrap();
    let mut batches = queue.batches(2, Wait::NEVER);
    let first = batches.next().unwrap().unwrap();
    let again = batches.next().unwrap().unwrap();
    assert_eq!((again.first(), again.next()), (first.first(), first.next()));
    assert_eq!(queue.len().unwrap(), 1);
}

#[test]
fn batches_wait_until_the_queue_is_closed() {
    let home = Home::new();
    let queue = home.fifo();
    let consumer = {
        let queue = queue.clone();
        thread::spawn(move || {
            let mut items = Vec::new();
            for batch in queue.batches(10, Wait::FOREVER) {
                let batch = batch.unwrap();
                queue.commit(&batch).unwrap();
                items.extend(batch.items().to_vecs());
            }
            items
        })
    };
    for item in [b"a", b"b"] {
        queue.push(&[item]).unwrap();
        assert!(
            queue
                .wait_below(rocksq::Watermark::elements(1), Wait::FOREVER)
                .unwrap()
        );
    }
    queue.close().unwrap();
    assert_eq!(consumer.join().unwrap(), [b"a", b"b"]);
}

#[test]
fn batches_of_a_label_move_the_label() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&[b"a", b"b", b"c"]).unwrap();
    let mut seen = Vec::new();
    for batch in queue.batches("label", Oldest, 2, Wait::NEVER) {
        let batch = batch.unwrap();
        seen.push(batch.items().len());
        queue.commit(&batch).unwrap();
    }
    assert_eq!(seen, [2, 1]);
    assert!(queue.next("label", Oldest, 1).unwrap().items.is_empty());
}

#[test]
fn batches_of_the_nonblocking_faces_wait_without_a_thread() {
    let home = Home::new();
    let queue = nonblocking::PersistentQueueWithCapacity::new(home.at("fifo"), 10, 10).unwrap();
    let labels = nonblocking::MpmcQueue::new(home.at("mpmc"), Duration::ZERO, 10).unwrap();
    block_on(async {
        let mut batches = queue.batches(10, Wait::FOREVER);
        queue.push(vec![b"a".to_vec()]).unwrap();
        let batch = batches.next().await.unwrap().unwrap();
        queue.commit(&batch).unwrap().await.unwrap();
        queue.close().unwrap();
        assert!(batches.next().await.is_none());
        labels.add(vec![b"a".to_vec()]).unwrap();
        let mut batches = labels.batches("label", Oldest, 10, Wait::NEVER);
        let batch = batches.next().await.unwrap().unwrap();
        labels.commit(&batch).unwrap().await.unwrap();
        assert!(batches.next().await.is_none());
    });
}

/// With the feature `stream`, which `make test-rust` has on.
#[cfg(feature = "stream")]
mod stream {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use futures_core::Stream;

    use super::*;

    async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
        poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
    }

    fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
        Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn fifo(home: &Home) -> nonblocking::PersistentQueueWithCapacity {
        nonblocking::PersistentQueueWithCapacity::new(home.queue(), 10, 10).unwrap()
    }

    #[test]
    fn what_consumes_is_a_stream_that_ends_with_the_queue() {
        let home = Home::new();
        let queue = fifo(&home);
        let mut items = queue.consume();
        assert!(poll(&mut items).is_pending());
        queue.push(vec![b"a".to_vec(), b"b".to_vec()]).unwrap();
        block_on(async {
            assert_eq!(next(&mut items).await.unwrap().unwrap(), b"a");
            assert_eq!(items.next().await.unwrap().unwrap(), b"b");
            queue.close().unwrap();
            assert!(next(&mut items).await.is_none());
        });
    }

    #[test]
    fn a_stream_that_is_dropped_gives_back_what_it_had_taken() {
        let home = Home::new();
        let queue = fifo(&home);
        let mut items = queue.consume();
        assert!(poll(&mut items).is_pending());
        queue.push(vec![b"a".to_vec()]).unwrap().get().unwrap();
        drop(items);
        assert_eq!(queue.pop(1).unwrap().get().unwrap(), [b"a"]);
    }

    #[test]
    fn batches_are_a_stream() {
        let home = Home::new();
        let queue = fifo(&home);
        queue.push(vec![b"a".to_vec()]).unwrap();
        block_on(async {
            let mut batches = queue.batches(10, Wait::NEVER);
            let batch = next(&mut batches).await.unwrap().unwrap();
            queue.commit(&batch).unwrap().await.unwrap();
            assert!(next(&mut batches).await.is_none());
        });
    }
}
