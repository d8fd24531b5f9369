//! Queues whose methods return at once.

use std::thread;
use std::time::Duration;

use rocksq::StartPosition::Oldest;
use rocksq::nonblocking::{MpmcQueue, PersistentQueueWithCapacity as Fifo};
use rocksq::{ErrorKind, Wait};

use crate::support::waiting::{PATIENCE, spawn_waiting, until};
use crate::support::{Home, LEVELS, ROOMY, kind, numbered, numbers};

fn fifo(home: &Home, max_inflight_ops: usize) -> Fifo {
    Fifo::new(home.queue(), ROOMY, max_inflight_ops).unwrap()
}

fn items(from: usize, count: usize) -> Vec<Vec<u8>> {
    numbered(from, count)
        .into_iter()
        .map(String::into_bytes)
        .collect()
}

/// A push that keeps the worker busy for a while.
fn long_push() -> Vec<Vec<u8>> {
    vec![vec![7; 96 << 20]]
}

#[test]
fn operations_are_done_in_the_order_of_the_calls() {
    let home = Home::new();
    let queue = fifo(&home, 1000);
    let responses: Vec<_> = (0..200)
        .map(|n| {
            queue.push(items(n * 3, 3)).unwrap();
            (queue.len().unwrap(), queue.pop(2).unwrap())
        })
        .collect();
    for (n, (len, popped)) in responses.into_iter().enumerate() {
        assert_eq!(len.get().unwrap(), n as u64 + 3);
        assert_eq!(numbers(&popped.get().unwrap()), [n * 2, n * 2 + 1]);
    }
}

#[test]
fn all_operations_of_an_mpmc_queue_answer() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), Duration::ZERO, 100).unwrap();
    queue.add(items(0, 5)).unwrap().get().unwrap();
    let next = queue.next("x", Oldest, 2).unwrap().get().unwrap();
    assert_eq!((numbers(&next.items), next.expired), (vec![0, 1], false));
    assert_eq!(queue.len().unwrap().get().unwrap(), 5);
    assert_eq!(queue.payload_size().unwrap().get().unwrap(), 5);
    assert!(queue.disk_size().unwrap().get().unwrap() > 0);
    assert_eq!(queue.labels().unwrap().get().unwrap(), ["x"]);
    assert!(queue.remove_label("x").unwrap().get().unwrap());
    assert!(!queue.remove_label("x").unwrap().get().unwrap());
    assert_eq!(queue.inflight_ops().unwrap(), 0);
}

#[test]
fn the_next_call_waits_while_too_many_operations_are_under_way() {
    let home = Home::new();
    let queue = fifo(&home, 2);
    for n in 0..300u64 {
        queue.push(items(n as usize, 1)).unwrap();
        // All but the last two must be done.
        assert!(queue.blocking().len().unwrap() + 2 > n);
        assert!(queue.inflight_ops().unwrap() <= 2);
    }
}

#[test]
fn a_call_that_waits_for_room_goes_on_when_there_is_some() {
    let home = Home::new();
    let queue = fifo(&home, 1);
    let long = queue.push(long_push()).unwrap();
    let next = queue.push(items(1, 1)).unwrap();
    // Room was there only because the long one is done.
    assert_eq!(
        queue
            .blocking()
            .peek(1)
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .len(),
        96 << 20
    );
    long.get().unwrap();
    next.get().unwrap();
}

#[test]
fn many_threads_share_one_limit() {
    let home = Home::new();
    let queue = fifo(&home, 3);
    thread::scope(|scope| {
        for thread in 0..6 {
            let queue = &queue;
            scope.spawn(move || {
                for n in 0..100 {
                    queue.push(items(thread * 100 + n, 1)).unwrap();
                    assert!(queue.inflight_ops().unwrap() <= 3);
                }
            });
        }
    });
    let mut all = numbers(&queue.pop(u64::MAX).unwrap().get().unwrap());
    all.sort_unstable();
    assert!(all.into_iter().eq(0..600));
}

#[test]
fn a_response_that_is_dropped_unread_harms_nothing() {
    for level in LEVELS {
        let home = Home::new();
        let queue = home.fifo_at(level).nonblocking(10).unwrap();
        for n in 0..500 {
            drop(queue.push(items(n, 1)).unwrap());
            if n % 10 == 0 {
                drop(queue.len().unwrap());
                drop(queue.pop(2).unwrap());
            }
        }
        let all = queue.pop(u64::MAX).unwrap().get().unwrap();
        assert!(numbers(&all).into_iter().eq(0..500), "{level:?}");
    }
}

#[test]
fn an_error_is_visible_in_the_response() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 1, 10).unwrap();
    queue.push(items(0, 1)).unwrap().get().unwrap();
    let response = queue.push(items(1, 1)).unwrap();
    let error = response.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(error.to_string(), "Failed to push item: Queue is full");
    assert_eq!(
        response.try_get().unwrap().unwrap_err().kind(),
        ErrorKind::Full
    );
    queue.pop(1).unwrap().get().unwrap();
    queue.push(items(2, 1)).unwrap().get().unwrap();
}

#[test]
fn the_number_of_operations_under_way_is_exact() {
    let home = Home::new();
    let queue = fifo(&home, 100);
    for n in 0..200 {
        queue.push(items(n, 1)).unwrap().get().unwrap();
        assert_eq!(queue.inflight_ops().unwrap(), 0);
    }
    let mut seen = 0;
    for _ in 0..5 {
        let long = queue.push(long_push()).unwrap();
        let rest: Vec<_> = (0..5).map(|_| queue.len().unwrap()).collect();
        let inflight = queue.inflight_ops().unwrap();
        if !long.is_ready() {
            assert_eq!(inflight, 6);
            seen += 1;
        }
        assert!(rest.into_iter().all(|response| response.get().is_ok()));
        assert_eq!(queue.inflight_ops().unwrap(), 0);
        queue.pop(u64::MAX).unwrap().get().unwrap();
    }
    assert!(seen > 0, "the long push was never seen under way");
}

#[test]
fn a_response_can_be_asked_again_and_by_others() {
    let home = Home::new();
    let queue = fifo(&home, 10);
    queue.push(items(0, 2)).unwrap();
    let response = queue.pop(1).unwrap();
    let other = response.clone();
    thread::scope(|scope| {
        let asked = scope.spawn(|| numbers(&other.get().unwrap()));
        assert_eq!(numbers(&response.get().unwrap()), [0]);
        assert_eq!(asked.join().unwrap(), [0]);
    });
    assert!(response.is_ready());
    assert_eq!(numbers(&response.try_get().unwrap().unwrap()), [0]);
    assert_eq!(queue.len().unwrap().get().unwrap(), 1);
}

#[test]
fn waiting_for_a_response_can_end_before_it_is_there() {
    let home = Home::new();
    let queue = fifo(&home, 10);
    let response = queue.push(long_push()).unwrap();
    let answer = response.get_wait(Duration::from_micros(10).into()).unwrap();
    assert!(answer.is_none());
    assert!(response.get_wait(Wait::NEVER).unwrap().is_none());
    let asked = || true;
    let wait = Wait::FOREVER.interruptible(Duration::from_micros(10), &asked);
    assert_eq!(kind(response.get_wait(wait)), ErrorKind::Interrupted);
    assert!(response.get_wait(PATIENCE.into()).unwrap().unwrap().is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_queue_has_one_worker_thread_while_it_is_open() {
    use crate::support::figures::threads;
    let workers = || {
        let names = threads();
        names.iter().filter(|name| *name == "rocksq-worker").count()
    };
    let home = Home::new();
    let queues: Vec<_> = (0..3)
        .map(|n| Fifo::new(home.at(&n.to_string()), ROOMY, 10).unwrap())
        .collect();
    for queue in &queues {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20).for_each(|n| drop(queue.push(items(n, 1)).unwrap())));
            }
        });
        queue.len().unwrap().get().unwrap();
    }
    assert_eq!(workers(), 3);
    queues[0].close().unwrap();
    drop(queues);
    until(PATIENCE, "the workers are gone", || workers() == 0);
}

#[test]
fn close_finishes_what_is_under_way() {
    for level in LEVELS {
        let home = Home::new();
        let queue = home.fifo_at(level).nonblocking(1000).unwrap();
        let mut responses = vec![queue.push(long_push()).unwrap()];
        responses.extend((0..100).map(|n| queue.push(items(n, 1)).unwrap()));
        queue.close().unwrap();
        assert!(
            responses
                .into_iter()
                .all(|response| response.try_get().unwrap().is_ok())
        );
        assert_eq!(kind(queue.push(items(0, 1))), ErrorKind::Closed);
        assert_eq!(kind(queue.pop(1)), ErrorKind::Closed);
        queue.close().unwrap();
        assert_eq!(home.fifo().len().unwrap(), 101, "{level:?}");
    }
}

#[test]
fn dropping_finishes_what_is_under_way() {
    for level in LEVELS {
        let home = Home::new();
        let queue = home.fifo_at(level).nonblocking(1000).unwrap();
        for n in 0..100 {
            queue.push(items(n, 1)).unwrap();
        }
        drop(queue);
        assert_eq!(home.fifo().len().unwrap(), 100, "{level:?}");
    }
}

#[test]
fn closing_wakes_a_call_that_waits_for_room() {
    let home = Home::new();
    let queue = fifo(&home, 1);
    let long = queue.push(long_push()).unwrap();
    thread::scope(|scope| {
        let waiting = spawn_waiting(scope, || queue.push(items(1, 1)));
        queue.close().unwrap();
        long.get().unwrap();
        let pushed = match waiting.join().unwrap() {
            // It found room before the queue was closed.
            Ok(response) => u64::from(response.get().is_ok()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Closed);
                0
            }
        };
        assert_eq!(home.fifo().len().unwrap(), 1 + pushed);
    });
}

#[test]
fn closing_the_blocking_face_answers_every_operation() {
    let home = Home::new();
    let queue = fifo(&home, 1000);
    queue.push(long_push()).unwrap();
    let responses: Vec<_> = (0..50).map(|n| queue.push(items(n, 1)).unwrap()).collect();
    queue.blocking().close().unwrap();
    let done = responses
        .into_iter()
        .filter(|response| match response.get() {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Closed);
                false
            }
        });
    let done = done.count() as u64;
    drop(queue);
    let queue = home.fifo();
    assert!([done, done + 1].contains(&queue.len().unwrap()));
}

#[test]
fn both_faces_see_the_same_queue() {
    let home = Home::new();
    let queue = home.fifo();
    let worker = queue.nonblocking(10).unwrap();
    queue.push(&["0"]).unwrap();
    worker.push(items(1, 1)).unwrap().get().unwrap();
    assert_eq!(numbers(&worker.pop(1).unwrap().get().unwrap()), [0]);
    assert_eq!(worker.blocking().pop(9).unwrap(), ["1"]);
    worker.close().unwrap();
    assert!(queue.is_closed());
}

#[test]
fn a_limit_of_nothing_is_refused_and_nothing_is_created() {
    let home = Home::new();
    let refused = Fifo::new(home.queue(), 10, 0).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    assert!(!home.queue().exists());
    let refused = home.fifo().nonblocking(0).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_call_returns_before_its_operation_is_done() {
    let home = Home::new();
    let queue = fifo(&home, 10);
    let response = queue.push(long_push()).unwrap();
    assert!(!response.is_ready());
    response.get().unwrap();
    assert!(response.is_ready());
}
