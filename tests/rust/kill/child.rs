//! The process that is killed: threads that use one queue and tell what they do.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Batch, ErrorKind, Items, Result, Wait};

use super::items::{ItemId, PushId, Sizes};
use crate::support::MIB;
use crate::support::random::Random;

pub const TASK: &str = "ROCKSQ_TEST_TASK";
/// The line that says that the queue is open.
pub const OPENED: &str = "opened";

/// Items that expire live so long.
pub const TTL: Duration = Duration::from_secs(1);
/// Label of one thread, which never removes it.
pub const OWN: &str = "own";
/// Label of two threads.
pub const SHARED: &str = "shared";
/// Label that is removed now and then by its one thread.
pub const FLEETING: &str = "fleeting";

/// Bytes that one process adds to a queue from which nothing is taken.
const ENOUGH: u64 = 40 * MIB;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Fifo,
    Mpmc,
    MpmcWithTtl,
}

impl Kind {
    pub fn ttl(self) -> Duration {
        match self {
            Self::MpmcWithTtl => TTL,
            _ => Duration::ZERO,
        }
    }
}

/// What a process is to do.
#[derive(Clone, Debug)]
pub struct Task {
    pub path: PathBuf,
    pub kind: Kind,
    pub sizes: Sizes,
    pub session: u16,
    pub seed: u64,
}

impl Task {
    pub fn to_text(&self) -> String {
        let kind = self.kind as u8;
        let sizes = self.sizes as u8;
        let (session, seed) = (self.session, self.seed);
        format!("{kind} {sizes} {session} {seed} {}", self.path.display())
    }

    fn from_text(text: &str) -> Self {
        let words: Vec<_> = text.splitn(5, ' ').collect();
        let [kind, sizes, session, seed, path] = words[..] else {
            panic!("{text}");
        };
        Self {
            path: path.into(),
            kind: [Kind::Fifo, Kind::Mpmc, Kind::MpmcWithTtl][kind.parse::<usize>().unwrap()],
            sizes: [Sizes::Small, Sizes::Mixed, Sizes::Large][sizes.parse::<usize>().unwrap()],
            session: session.parse().unwrap(),
            seed: seed.parse().unwrap(),
        }
    }

    /// Items that a FIFO queue can hold: few enough that it is full now and then.
    pub fn capacity(&self) -> u64 {
        match self.sizes {
            Sizes::Small | Sizes::Mixed => 5_000,
            Sizes::Large => 400,
        }
    }
}

#[test]
#[ignore = "the process that the tests of `kill` kill"]
fn works_until_it_is_killed() {
    let Ok(text) = std::env::var(TASK) else {
        return;
    };
    let task = Task::from_text(&text);
    match task.kind {
        Kind::Fifo => use_fifo(&task),
        Kind::Mpmc | Kind::MpmcWithTtl => use_mpmc(&task),
    }
}

fn use_fifo(task: &Task) {
    let queue = PersistentQueueWithCapacity::new(&task.path, task.capacity()).unwrap();
    say(OPENED);
    let work = |number: u8, pushes: u64, pops: u64| {
        let mut worker = Worker::new(task, number);
        let queue = &queue;
        move || loop {
            match worker.random.within(0..100) {
                choice if choice < pushes => worker.push_to(queue),
                choice if choice < pushes + pops => worker.pop_from(queue),
                _ => worker.read_from(queue),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(work(0, 100, 0));
        scope.spawn(work(1, 70, 20));
        scope.spawn(work(2, 0, 100));
        scope.spawn(work(3, 30, 30));
    });
}

fn use_mpmc(task: &Task) {
    let queue = MpmcQueue::new(&task.path, task.kind.ttl()).unwrap();
    say(OPENED);
    let added = AtomicU64::new(0);
    let add = |number: u8| {
        let mut worker = Worker::new(task, number);
        let (queue, added) = (&queue, &added);
        move || loop {
            worker.add_to(queue, added);
        }
    };
    let consume = |number: u8, label: &'static str, commits: u64, removes: u64| {
        let mut worker = Worker::new(task, number);
        let queue = &queue;
        move || loop {
            match worker.random.within(0..100) {
                choice if choice < commits => worker.read_under(queue, label),
                choice if choice < commits + removes => worker.remove(queue, label),
                _ => worker.next_under(queue, label),
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(add(0));
        scope.spawn(add(1));
        scope.spawn(consume(2, OWN, 0, 0));
        scope.spawn(consume(3, SHARED, 10, 0));
        scope.spawn(consume(4, SHARED, 80, 0));
        scope.spawn(consume(5, FLEETING, 20, 5));
    });
}

/// A thread and what it has done.
struct Worker {
    number: u8,
    session: u16,
    sizes: Sizes,
    random: Random,
    pushes: u32,
}

impl Worker {
    fn new(task: &Task, number: u8) -> Self {
        Self {
            number,
            session: task.session,
            sizes: task.sizes,
            random: Random::new(task.seed ^ u64::from(number)),
            pushes: 0,
        }
    }

    fn announce(&self, what: &str) {
        say(&format!("? {} {what}", self.number));
    }

    fn acknowledge(&self, outcome: &str) {
        say(&format!("! {} {outcome}", self.number));
    }

    /// The items of the next push, announced.
    fn announce_push(&mut self) -> Vec<Vec<u8>> {
        let count = self.random.within(1..13) as u8;
        let push = PushId {
            session: self.session,
            thread: self.number,
            number: self.pushes,
        };
        self.pushes += 1;
        let items = (0..count)
            .map(|index| ItemId { push, index }.bytes(self.sizes, count))
            .collect();
        let now = since_1970().as_micros();
        self.announce(&format!("push {} {count} {now}", push.number));
        items
    }

    fn acknowledge_done(&self, result: Result<()>) {
        self.acknowledge(match result.map_err(|error| error.kind()) {
            Ok(()) => "done",
            Err(ErrorKind::Full) => "full",
            Err(ErrorKind::Conflict) => "conflict",
            Err(other) => panic!("{other:?}"),
        });
    }

    fn acknowledge_items(&self, items: &Items) {
        self.acknowledge(&format!("items{}", self.names(items)));
    }

    fn names(&self, items: &Items) -> String {
        items
            .iter()
            .map(|item| format!(" {}", ItemId::parse(item, self.sizes).0.to_text()))
            .collect()
    }

    fn push_to(&mut self, queue: &PersistentQueueWithCapacity) {
        let items = self.announce_push();
        let wait = Duration::from_millis(self.random.within(0..20));
        self.acknowledge_done(queue.push_wait(&items, wait.into()));
    }

    fn pop_from(&mut self, queue: &PersistentQueueWithCapacity) {
        let max = self.random.within(1..20);
        self.announce(&format!("pop {max}"));
        let wait = Duration::from_millis(self.random.within(0..20));
        self.acknowledge_items(&queue.pop_wait(max, wait.into()).unwrap());
    }

    fn read_from(&mut self, queue: &PersistentQueueWithCapacity) {
        self.announce("read");
        let batch = queue.read(self.random.within(1..20), Wait::NEVER).unwrap();
        self.acknowledge_batch(&batch);
        if self.random.percent(70) {
            self.announce("commit only");
            self.acknowledge_done(queue.commit(&batch));
        }
    }

    fn acknowledge_batch(&self, batch: &Batch) {
        self.acknowledge(&format!(
            "batch {}{}",
            batch.first(),
            self.names(batch.items())
        ));
    }

    fn add_to(&mut self, queue: &MpmcQueue, added: &AtomicU64) {
        if added.load(Ordering::Relaxed) > ENOUGH {
            thread::park();
            return;
        }
        let items = self.announce_push();
        let bytes: usize = items.iter().map(Vec::len).sum();
        added.fetch_add(bytes as u64, Ordering::Relaxed);
        self.acknowledge_done(queue.add(&items));
    }

    fn next_under(&mut self, queue: &MpmcQueue, label: &str) {
        let max = self.random.within(1..20);
        self.announce(&format!("next {label} {max}"));
        let wait = Duration::from_millis(self.random.within(0..20));
        let next = queue.next_wait(label, Oldest, max, wait.into()).unwrap();
        self.acknowledge_items(&next.items);
    }

    fn read_under(&mut self, queue: &MpmcQueue, label: &str) {
        self.announce("read");
        let max = self.random.within(1..20);
        let batch = queue.read(label, Oldest, max, Wait::NEVER).unwrap();
        self.acknowledge_batch(&batch);
        if self.random.percent(70) {
            self.announce(&format!("commit {label}"));
            self.acknowledge_done(queue.commit(&batch));
        }
    }

    fn remove(&mut self, queue: &MpmcQueue, label: &str) {
        self.announce(&format!("remove {label}"));
        let known = queue.remove_label(label).unwrap();
        self.acknowledge(&format!("removed {known}"));
    }
}

/// The time that all processes have in common.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Writes a line in one piece: the threads of a process that is killed leave no half line.
fn say(line: &str) {
    let line = format!("{line}\n");
    assert!(line.len() < libc::PIPE_BUF);
    // A slice goes to the pipe in one system call.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
