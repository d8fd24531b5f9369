//! Responses as futures: waiting without a thread, and giving up without losing anything.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use pollster::block_on;
use rocksq::StartPosition::Oldest;
use rocksq::nonblocking::{MpmcQueue, PersistentQueueWithCapacity as Fifo, Response};
use rocksq::{ErrorKind, Items, Wait};

use crate::support::random::Random;
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, ROOMY, kind, numbered, numbers};

fn fifo(home: &Home) -> Fifo {
    Fifo::new(home.queue(), ROOMY, 1000).unwrap()
}

fn items(from: usize, count: usize) -> Vec<Vec<u8>> {
    let items = numbered(from, count).into_iter();
    items.map(String::into_bytes).collect()
}

/// Counts how often it was woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<T: Clone>(response: &mut Response<T>, alarm: &Arc<Alarm>) -> Option<rocksq::Result<T>> {
    let waker = Waker::from(Arc::clone(alarm));
    match Pin::new(response).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Returns when everything asked for before was tried.
fn until_tried(queue: &Fifo) {
    queue.len().unwrap().get().unwrap();
}

#[test]
fn responses_are_futures() {
    let home = Home::new();
    let queue = fifo(&home);
    block_on(async {
        queue.push(items(0, 3)).unwrap().await.unwrap();
        assert_eq!(queue.len().unwrap().await.unwrap(), 3);
        assert!(!queue.is_empty().unwrap().await.unwrap());
        let batch = queue.read(1, Wait::NEVER).unwrap().await.unwrap();
        queue.commit(&batch).unwrap().await.unwrap();
        assert_eq!(
            kind(queue.commit(&batch).unwrap().await),
            ErrorKind::Conflict
        );
        assert_eq!(numbers(&queue.peek(9).unwrap().await.unwrap()), [1, 2]);
        queue.flush().unwrap().await.unwrap();
        assert_eq!(numbers(&queue.pop(9).unwrap().await.unwrap()), [1, 2]);
    });
}

#[test]
fn a_future_is_woken_once_its_item_is_there() {
    let home = Home::new();
    let queue = fifo(&home);
    let alarm = Arc::<Alarm>::default();
    let mut popped = queue.pop_wait(1, Wait::FOREVER).unwrap();
    assert!(poll(&mut popped, &alarm).is_none());
    until_tried(&queue);
    assert_eq!(alarm.0.load(Ordering::SeqCst), 0);
    queue.blocking().push(&["7"]).unwrap();
    until(PATIENCE, "it is woken", || {
        alarm.0.load(Ordering::SeqCst) == 1
    });
    assert_eq!(numbers(&poll(&mut popped, &alarm).unwrap().unwrap()), [7]);
}

#[test]
fn each_clone_of_a_response_is_woken() {
    let home = Home::new();
    let queue = fifo(&home);
    let popped = queue.pop_wait(1, Wait::FOREVER).unwrap();
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let popped = popped.clone();
                scope.spawn(|| numbers(&block_on(popped).unwrap()))
            })
            .collect();
        queue.push(items(7, 1)).unwrap();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), [7]);
        }
    });
}

#[test]
fn ten_thousand_operations_wait_without_a_thread() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), ROOMY, 10).unwrap();
    let mut waiting: Vec<_> = (0..10_000)
        .map(|_| queue.pop_wait(1, Wait::FOREVER).unwrap())
        .collect();
    until_tried(&queue);
    assert_eq!(queue.inflight_ops().unwrap(), 0);
    queue.push(items(0, 5_000)).unwrap();
    for (n, popped) in waiting.drain(..5_000).enumerate() {
        assert_eq!(numbers(&popped.get().unwrap()), [n]);
    }
    drop(waiting);
    queue.push(items(0, 1)).unwrap();
    assert_eq!(numbers(&queue.pop(9).unwrap().get().unwrap()), [0]);
}

#[test]
fn a_wait_ends_at_its_deadline() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 1, 10).unwrap();
    let soon = || Wait::from(Duration::from_millis(10));
    assert!(queue.pop_wait(1, soon()).unwrap().get().unwrap().is_empty());
    assert!(
        queue
            .read(1, soon())
            .unwrap()
            .get()
            .unwrap()
            .items()
            .is_empty()
    );
    queue.push(items(0, 1)).unwrap().get().unwrap();
    let full = queue.push_wait(items(1, 1), soon()).unwrap();
    assert_eq!(kind(full.get()), ErrorKind::Full);
}

#[test]
fn a_push_that_nobody_waits_for_is_done_when_there_is_room() {
    let home = Home::new();
    let queue = Fifo::new(home.queue(), 1, 10).unwrap();
    for n in 0..3 {
        drop(queue.push_wait(items(n, 1), Wait::FOREVER).unwrap());
    }
    for n in 0..3 {
        let popped = queue.pop_wait(1, PATIENCE.into()).unwrap();
        assert_eq!(numbers(&popped.get().unwrap()), [n]);
    }
}

#[test]
fn what_is_dropped_or_cancelled_unclaimed_comes_back_in_front() {
    let home = Home::new();
    let queue = fifo(&home);
    queue.push(items(0, 6)).unwrap();
    let taken: Vec<_> = (0..4).map(|_| queue.pop(1).unwrap()).collect();
    until_tried(&queue);
    let [first, second, third, fourth]: [Response<Items>; 4] = taken.try_into().unwrap();
    assert_eq!(numbers(&second.get().unwrap()), [1]);
    assert!(!second.cancel());
    drop(first);
    assert!(third.cancel() && third.cancel() && third.is_cancelled());
    assert_eq!(kind(third.get()), ErrorKind::Cancelled);
    drop(fourth.clone());
    assert_eq!(numbers(&queue.pop(9).unwrap().get().unwrap()), [0, 2, 4, 5]);
    assert_eq!(numbers(&fourth.get().unwrap()), [3]);
}

#[test]
fn what_was_given_back_is_there_after_a_reopen() {
    let home = Home::new();
    let queue = fifo(&home);
    queue.push(items(0, 5)).unwrap();
    let dropped = queue.pop(2).unwrap();
    assert_eq!(numbers(&queue.pop(1).unwrap().get().unwrap()), [2]);
    drop(dropped);
    queue.close().unwrap();
    assert_eq!(numbers(&home.fifo().pop(9).unwrap()), [0, 1, 3, 4]);
}

#[test]
fn closing_ends_every_wait_and_takes_back_what_is_unclaimed() {
    let home = Home::new();
    let queue = fifo(&home);
    queue.push(items(0, 2)).unwrap();
    let unclaimed = queue.pop(2).unwrap();
    let waiting: Vec<_> = (0..10)
        .map(|_| queue.pop_wait(1, Wait::FOREVER).unwrap())
        .collect();
    until_tried(&queue);
    queue.close().unwrap();
    for popped in waiting {
        assert_eq!(kind(popped.try_get().unwrap()), ErrorKind::Closed);
    }
    assert_eq!(kind(unclaimed.get()), ErrorKind::Closed);
    assert_eq!(numbers(&home.fifo().pop(9).unwrap()), [0, 1]);
}

#[test]
fn dropping_the_last_face_ends_those_that_wait() {
    let home = Home::new();
    let queue = fifo(&home);
    let waiting = queue.pop_wait(1, Wait::FOREVER).unwrap();
    until_tried(&queue);
    drop(queue);
    assert_eq!(kind(waiting.get()), ErrorKind::Closed);
}

#[test]
fn closing_in_the_background_can_be_awaited() {
    let home = Home::new();
    let queue = fifo(&home);
    queue.push(items(0, 1)).unwrap();
    block_on(queue.close_in_background().unwrap()).unwrap();
    assert_eq!(kind(queue.len()), ErrorKind::Closed);
    assert_eq!(home.fifo().len().unwrap(), 1);
}

#[test]
fn consuming_takes_what_comes_until_the_queue_is_closed() {
    let home = Home::new();
    let queue = fifo(&home);
    let (sender, taken) = channel();
    thread::scope(|scope| {
        let mut consumed = queue.consume();
        scope.spawn(move || {
            block_on(async {
                while let Some(item) = consumed.next().await {
                    sender.send(item.unwrap()).unwrap();
                }
            })
        });
        for n in 0..10 {
            queue.push(items(n, 1)).unwrap();
        }
        assert_eq!(taken.iter().take(10).collect::<Vec<_>>(), items(0, 10));
        queue.close().unwrap();
    });
    assert!(taken.iter().next().is_none());
}

#[test]
fn a_next_that_is_given_up_moves_no_label() {
    let home = Home::new();
    let queue = MpmcQueue::new(home.queue(), Duration::ZERO, 10).unwrap();
    queue.add(items(0, 3)).unwrap();
    drop(queue.next("x", Oldest, 2).unwrap());
    let mut consumed = queue.consume("x", Oldest);
    for n in 0..3 {
        assert_eq!(block_on(consumed.next()).unwrap().unwrap(), items(n, 1)[0]);
    }
    {
        let mut waiting = pin!(consumed.next());
        let waker = Waker::noop();
        let polled = waiting.as_mut().poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    queue.add(items(3, 1)).unwrap();
    assert_eq!(block_on(consumed.next()).unwrap().unwrap(), items(3, 1)[0]);
}

#[test]
fn random_cancellation_loses_and_doubles_nothing() {
    const ITEMS: usize = 5_000;
    let home = Home::new();
    let queue = fifo(&home);
    let seed = 0x5eed;
    let taken = thread::scope(|scope| {
        let consumers: Vec<_> = (0..3)
            .map(|n| {
                let queue = &queue;
                scope.spawn(move || take_and_give_up(queue, &mut Random::new(seed + n), ITEMS / 4))
            })
            .collect();
        for n in (0..ITEMS).step_by(5) {
            queue.push(items(n, 5)).unwrap().get().unwrap();
        }
        let taken = consumers.into_iter();
        taken
            .flat_map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    let left = numbers(&queue.pop(u64::MAX).unwrap().get().unwrap());
    assert!(left.is_sorted());
    let mut all = [taken, left].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..ITEMS));
}

/// Asks for items, gives up half of the answers at whatever stage they are, claims the others.
fn take_and_give_up(queue: &Fifo, random: &mut Random, wanted: usize) -> Vec<usize> {
    let mut taken = Vec::new();
    let mut asked = Vec::new();
    while taken.len() < wanted {
        let wait = [
            Wait::NEVER,
            Wait::FOREVER,
            Duration::from_micros(200).into(),
        ];
        let wait = wait[random.within(0..3) as usize];
        asked.push(queue.pop_wait(random.within(1..4), wait).unwrap());
        if asked.len() < 20 {
            continue;
        }
        let response = asked.swap_remove(random.within(0..20) as usize);
        if random.percent(50) {
            drop(response);
        } else if random.percent(50) && response.cancel() {
            assert_eq!(kind(response.get()), ErrorKind::Cancelled);
        } else if let Some(answer) = response.try_get() {
            taken.extend(numbers(&answer.unwrap()));
        }
    }
    taken
}
