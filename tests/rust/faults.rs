//! Errors of the operating system: the call that meets one says so and of what kind it is, nothing
//! half written is ever seen, everything acknowledged is still there, and once the cause is gone the
//! same object works again.

mod descriptors;
mod disk_full;
mod each_call;
mod expected;
mod file_limit;
mod read_only;
mod reopened;
mod slow;
mod stopped;
mod unopened;

use std::path::Path;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, Items, MpmcOptions, QueueOptions, Result, Wait};

/// The label under which the tests of this module read.
const LABEL: &str = "reader";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fifo,
    Mpmc,
}

/// Either kind of queue, used alike.
enum Queue {
    Fifo(Fifo),
    Mpmc(MpmcQueue),
}

impl Queue {
    fn open(kind: Kind, path: &Path) -> Result<Self> {
        Self::open_at(Durability::Written, kind, path)
    }

    fn open_at(level: Durability, kind: Kind, path: &Path) -> Result<Self> {
        match kind {
            Kind::Fifo => {
                let mut options = QueueOptions::default();
                options.durability = level;
                Fifo::open(path, options).map(Self::Fifo)
            }
            Kind::Mpmc => {
                let mut options = MpmcOptions::default();
                options.durability = level;
                MpmcQueue::open(path, options).map(Self::Mpmc)
            }
        }
    }

    fn push<T: AsRef<[u8]>>(&self, items: &[T]) -> Result<()> {
        match self {
            Self::Fifo(queue) => queue.push(items),
            Self::Mpmc(queue) => queue.add(items),
        }
    }

    fn pop(&self, max: u64) -> Result<Items> {
        match self {
            Self::Fifo(queue) => queue.pop(max),
            Self::Mpmc(queue) => queue.next(LABEL, Oldest, max).map(|next| next.items),
        }
    }

    fn read_and_commit(&self, max: u64) -> Result<Items> {
        match self {
            Self::Fifo(queue) => {
                let batch = queue.read(max, Wait::NEVER)?;
                queue.commit(&batch).map(|()| batch.items().clone())
            }
            Self::Mpmc(queue) => {
                let batch = queue.read(LABEL, Oldest, max, Wait::NEVER)?;
                queue.commit(&batch).map(|()| batch.items().clone())
            }
        }
    }

    fn peek(&self) -> Result<Items> {
        match self {
            Self::Fifo(queue) => queue.peek(u64::MAX),
            Self::Mpmc(queue) => queue.peek(LABEL, Oldest, u64::MAX),
        }
    }

    fn flush(&self) -> Result<()> {
        match self {
            Self::Fifo(queue) => queue.flush(),
            Self::Mpmc(queue) => queue.flush(),
        }
    }

    fn close(&self) -> Result<()> {
        match self {
            Self::Fifo(queue) => queue.close(),
            Self::Mpmc(queue) => queue.close(),
        }
    }
}
