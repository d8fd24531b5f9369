//! The process that is killed: threads that use one queue and tell what they do.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{
    Batch, CallOptions, Durability, ErrorKind, Items, MpmcOptions, QueueOptions, Result, Wait,
};

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

/// The thread that opens and closes the queue.
const FOREMAN: u8 = 9;

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
    /// That of the queue, from which some calls differ; without one all calls are at `Written`.
    pub level: Option<Durability>,
    pub session: u16,
    pub seed: u64,
}

pub const LEVELS: [Durability; 3] = [
    Durability::Buffered,
    Durability::Written,
    Durability::Synced,
];

impl Task {
    pub fn to_text(&self) -> String {
        let kind = self.kind as u8;
        let sizes = self.sizes as u8;
        let level = self.level.map_or(LEVELS.len(), |level| level as usize);
        let (session, seed) = (self.session, self.seed);
        let path = self.path.display();
        format!("{kind} {sizes} {level} {session} {seed} {path}")
    }

    fn from_text(text: &str) -> Self {
        let words: Vec<_> = text.splitn(6, ' ').collect();
        let [kind, sizes, level, session, seed, path] = words[..] else {
            panic!("{text}");
        };
        Self {
            path: path.into(),
            kind: [Kind::Fifo, Kind::Mpmc, Kind::MpmcWithTtl][kind.parse::<usize>().unwrap()],
            sizes: [Sizes::Small, Sizes::Mixed, Sizes::Large][sizes.parse::<usize>().unwrap()],
            level: LEVELS.get(level.parse::<usize>().unwrap()).copied(),
            session: session.parse().unwrap(),
            seed: seed.parse().unwrap(),
        }
    }

    pub fn open_fifo(&self) -> Result<Fifo> {
        let mut options = QueueOptions::default();
        options.max_elements = self.capacity();
        options.durability = self.level.unwrap_or_default();
        Fifo::open(&self.path, options)
    }

    pub fn open_mpmc(&self) -> Result<MpmcQueue> {
        let mut options = MpmcOptions::default();
        options.ttl = Some(self.kind.ttl()).filter(|ttl| !ttl.is_zero());
        options.durability = self.level.unwrap_or_default();
        MpmcQueue::open(&self.path, options)
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
    let work = |pushes: u64, pops: u64, flushes: u64| {
        move |worker: &mut Worker, queue: &Fifo| match worker.random.within(0..100) {
            choice if choice < pushes => worker.push_to(queue),
            choice if choice < pushes + pops => worker.pop_from(queue),
            choice if choice < pushes + pops + flushes => worker.flush(|| queue.flush()),
            _ => worker.read_from(queue),
        }
    };
    let works = [
        work(100, 0, 0),
        work(70, 20, 0),
        work(0, 100, 0),
        work(30, 30, 10),
    ];
    work_in_shifts(task, &works, || task.open_fifo(), Fifo::close);
}

fn use_mpmc(task: &Task) {
    type Work<'w> = Box<dyn Fn(&mut Worker, &MpmcQueue) -> Outlook + Sync + 'w>;
    let added = AtomicU64::new(0);
    let add = || -> Work<'_> {
        let added = &added;
        Box::new(move |worker, queue| worker.add_to(queue, added))
    };
    let consume = |label: &'static str, commits: u64, removes: u64, flushes: u64| -> Work<'_> {
        Box::new(move |worker, queue| match worker.random.within(0..100) {
            choice if choice < commits => worker.read_under(queue, label),
            choice if choice < commits + removes => worker.remove(queue, label),
            choice if choice < commits + removes + flushes => worker.flush(|| queue.flush()),
            _ => worker.next_under(queue, label),
        })
    };
    let works = [
        add(),
        add(),
        consume(OWN, 0, 0, 0),
        consume(SHARED, 10, 0, 0),
        consume(SHARED, 80, 0, 10),
        consume(FLEETING, 20, 5, 0),
    ];
    work_in_shifts(task, &works, || task.open_mpmc(), MpmcQueue::close);
}

/// Opens the queue again and again; each time threads use it until it is closed under them.
fn work_in_shifts<Q: Sync>(
    task: &Task,
    works: &[impl Fn(&mut Worker, &Q) -> Outlook + Sync],
    open: impl Fn() -> Result<Q>,
    close: impl Fn(&Q) -> Result<()>,
) {
    let mut foreman = Worker::new(task, FOREMAN);
    let mut workers: Vec<_> = (0..)
        .zip(works)
        .map(|(number, work)| (Worker::new(task, number), work))
        .collect();
    loop {
        foreman.announce("open");
        let queue = open();
        if foreman.acknowledge_done(queue.as_ref().map(drop).map_err(Clone::clone)) == Outlook::Bad
        {
            return;
        }
        let queue = queue.unwrap();
        say(OPENED);
        thread::scope(|scope| {
            for (worker, work) in &mut workers {
                let queue = &queue;
                scope.spawn(move || while work(worker, queue) == Outlook::Good {});
            }
            thread::sleep(Duration::from_millis(foreman.random.within(20..300)));
            foreman.announce("close");
            foreman.acknowledge_done(close(&queue));
        });
    }
}

/// Whether it makes sense to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    Good,
    Bad,
}

/// A thread and what it has done.
struct Worker {
    number: u8,
    session: u16,
    sizes: Sizes,
    /// That of the queue.
    usual: Option<Durability>,
    /// That of the next call.
    level: Durability,
    random: Random,
    pushes: u32,
}

impl Worker {
    fn new(task: &Task, number: u8) -> Self {
        Self {
            number,
            session: task.session,
            sizes: task.sizes,
            usual: task.level,
            level: task.level.unwrap_or_default(),
            random: Random::new(task.seed ^ u64::from(number)),
            pushes: 0,
        }
    }

    fn announce(&self, what: &str) {
        say(&format!("? {} {} {what}", self.number, self.level as u8));
    }

    /// Chooses how the next call is to be done.
    fn choose(&mut self) -> CallOptions<'static> {
        let wait = Duration::from_millis(self.random.within(0..20));
        self.choose_level();
        CallOptions::new().wait(wait.into()).durability(self.level)
    }

    fn choose_level(&mut self) -> Durability {
        if let Some(usual) = self.usual {
            let other = LEVELS[self.random.within(0..3) as usize];
            self.level = if self.random.percent(20) {
                other
            } else {
                usual
            };
        }
        self.level
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

    fn acknowledge_done(&self, result: Result<()>) -> Outlook {
        self.acknowledge_result(result, |()| "done".to_owned())
    }

    fn acknowledge_items(&self, result: Result<Items>) -> Outlook {
        self.acknowledge_result(result, |items| format!("items{}", self.names(&items)))
    }

    fn acknowledge_result<T>(&self, result: Result<T>, text: impl Fn(T) -> String) -> Outlook {
        let (text, outlook) = match result.map_err(|error| error.kind()) {
            Ok(result) => (text(result), Outlook::Good),
            Err(ErrorKind::Full) => ("full".to_owned(), Outlook::Good),
            Err(ErrorKind::Conflict) => ("conflict".to_owned(), Outlook::Good),
            Err(other) => (format!("failed {other:?}"), Outlook::Bad),
        };
        self.acknowledge(&text);
        outlook
    }

    fn names(&self, items: &Items) -> String {
        items
            .iter()
            .map(|item| format!(" {}", ItemId::parse(item, self.sizes).0.to_text()))
            .collect()
    }

    fn push_to(&mut self, queue: &Fifo) -> Outlook {
        let how = self.choose();
        let items = self.announce_push();
        self.acknowledge_done(queue.push_with(&items, how))
    }

    fn pop_from(&mut self, queue: &Fifo) -> Outlook {
        let how = self.choose();
        let max = self.random.within(1..20);
        self.announce(&format!("pop {max}"));
        self.acknowledge_items(queue.pop_with(max, how))
    }

    fn read_from(&mut self, queue: &Fifo) -> Outlook {
        self.announce("read");
        let batch = queue.read(self.random.within(1..20), Wait::NEVER);
        self.commit_sometimes("only", batch, |batch, level| {
            queue.commit_with(batch, level)
        })
    }

    fn commit_sometimes(
        &mut self,
        label: &str,
        batch: Result<Batch>,
        commit: impl Fn(&Batch, Durability) -> Result<()>,
    ) -> Outlook {
        let outlook = self.acknowledge_batch(&batch);
        match batch {
            Ok(batch) if self.random.percent(70) => {
                let level = self.choose_level();
                self.announce(&format!("commit {label}"));
                self.acknowledge_done(commit(&batch, level))
            }
            _ => outlook,
        }
    }

    fn acknowledge_batch(&self, batch: &Result<Batch>) -> Outlook {
        let text = |batch: &Batch| format!("batch {}{}", batch.first(), self.names(batch.items()));
        self.acknowledge_result(batch.as_ref().map_err(Clone::clone), text)
    }

    fn add_to(&mut self, queue: &MpmcQueue, added: &AtomicU64) -> Outlook {
        if added.load(Ordering::Relaxed) > ENOUGH {
            return Outlook::Bad;
        }
        let level = self.choose_level();
        let items = self.announce_push();
        let bytes: usize = items.iter().map(Vec::len).sum();
        added.fetch_add(bytes as u64, Ordering::Relaxed);
        self.acknowledge_done(queue.add_with(&items, level))
    }

    fn next_under(&mut self, queue: &MpmcQueue, label: &str) -> Outlook {
        let how = self.choose();
        let max = self.random.within(1..20);
        self.announce(&format!("next {label} {max}"));
        let next = queue.next_with(label, Oldest, max, how);
        self.acknowledge_items(next.map(|next| next.items))
    }

    fn read_under(&mut self, queue: &MpmcQueue, label: &str) -> Outlook {
        self.announce("read");
        let max = self.random.within(1..20);
        let batch = queue.read(label, Oldest, max, Wait::NEVER);
        self.commit_sometimes(label, batch, |batch, level| queue.commit_with(batch, level))
    }

    fn remove(&mut self, queue: &MpmcQueue, label: &str) -> Outlook {
        self.level = self.usual.unwrap_or_default();
        self.announce(&format!("remove {label}"));
        let text = |known| format!("removed {known}");
        self.acknowledge_result(queue.remove_label(label), text)
    }

    fn flush(&self, flush: impl Fn() -> Result<()>) -> Outlook {
        self.announce("flush");
        self.acknowledge_done(flush())
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
