//! The flow: one thread pushes and puts, one pops and checks what comes.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use crate::bare::Bare;
use crate::latency::Latency;

/// The consumer looks so often.
const PAUSE: Duration = Duration::from_millis(1);
/// What was measured is handed over so often.
const SHARED: u64 = 1_000;

pub struct Flow {
    pub queue: Fifo,
    pub over: AtomicBool,
    pub took: Mutex<Took>,
    bare: Bare,
    size: usize,
    rate: u64,
}

/// What calls took so far.
#[derive(Default)]
pub struct Took {
    pub put: Latency,
    pub push: Latency,
    pub pop: Latency,
}

fn timed<T>(latency: &mut Latency, call: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = call();
    latency.note(begin.elapsed());
    result
}

/// Does both, the first one first every other time: it may find everything out of the caches.
fn in_turn(number: u64, first: impl FnOnce(), second: impl FnOnce()) {
    if number.is_multiple_of(2) {
        first();
        second();
    } else {
        second();
        first();
    }
}

impl Flow {
    pub fn new(home: &Path, size: usize, rate: u64) -> Self {
        Self {
            queue: Fifo::new(home.join("queue"), u64::MAX).unwrap(),
            bare: Bare::open(&home.join("bare")),
            over: AtomicBool::new(false),
            took: Mutex::default(),
            size: size.max(8),
            rate,
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Pushes numbered items, and puts them into the bare RocksDB.
    pub fn produce(&self) {
        let begin = Instant::now();
        let mut item = vec![7; self.size];
        let (mut push, mut put) = (Latency::default(), Latency::default());
        for number in 0u64.. {
            if self.is_over() {
                break;
            }
            item[..8].copy_from_slice(&number.to_le_bytes());
            let queue = || timed(&mut push, || self.queue.push(&[&item]).unwrap());
            let bare = || timed(&mut put, || self.bare.put(&item));
            in_turn(number, queue, bare);
            self.bare.clear(item.len());
            if number.is_multiple_of(SHARED) {
                let mut took = self.took.lock().unwrap();
                took.push.add(std::mem::take(&mut push));
                took.put.add(std::mem::take(&mut put));
            }
            self.pace(begin, number);
        }
    }

    /// Sleeps until the next push is due.
    fn pace(&self, begin: Instant, number: u64) {
        if self.rate == 0 {
            return;
        }
        let due = Duration::from_secs_f64(number as f64 / self.rate as f64);
        if let Some(early) = due.checked_sub(begin.elapsed()) {
            thread::sleep(early.max(PAUSE));
        }
    }

    /// Pops one by one whatever is there, and looks again.
    pub fn consume(&self) {
        let mut expected = 0u64;
        while !(self.is_over() && self.queue.is_empty().unwrap()) {
            let mut pop = Latency::default();
            while !self.queue.is_empty().unwrap() {
                let items = timed(&mut pop, || self.queue.pop(1).unwrap());
                let number = items
                    .iter()
                    .next()
                    .map(|item| item[..8].try_into().unwrap());
                assert_eq!(number.map(u64::from_le_bytes), Some(expected));
                expected += 1;
                if expected.is_multiple_of(SHARED) {
                    break;
                }
            }
            self.took.lock().unwrap().pop.add(pop);
            if self.rate > 0 {
                thread::sleep(PAUSE);
            }
        }
    }
}
