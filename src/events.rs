//! What the crate tells `tracing`, and the only place below the Python face that names it.
//!
//! Whoever listens there may do anything, call a queue too, so nothing is told from under a lock.
//! The log and the store may hold one, of ours or RocksDB's, when there is something to tell: they
//! [post](Event::post) it, and a [teller](Teller) tells it at once, or the end of an opening or closing
//! does.

use std::collections::VecDeque;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::fork;
use crate::threads;

/// Posted events beyond this many are dropped, and counted.
const MAX_POSTED: usize = 1_000;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was lost, or may be.
    Error,
    /// Something needs somebody's attention.
    Warn,
    /// A queue was opened, closed or repaired.
    Info,
    /// Of use to those who look for a fault.
    Debug,
    /// RocksDB's own details.
    Trace,
}

/// Who has something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Queue,
    Engine,
}

/// Something that has happened.
#[derive(Debug)]
pub struct Event {
    level: Level,
    source: Source,
    path: Option<PathBuf>,
}

/// An event with its text.
struct Told {
    event: Event,
    text: String,
}

/// Calls a macro of `tracing`, which wants levels and targets to be constants.
macro_rules! tracing_at {
    ($level:expr, $call:ident($target:literal $(, $($rest:tt)+)?)) => {
        match $level {
            Level::Error => tracing::$call!(target: $target, tracing::Level::ERROR $(, $($rest)+)?),
            Level::Warn => tracing::$call!(target: $target, tracing::Level::WARN $(, $($rest)+)?),
            Level::Info => tracing::$call!(target: $target, tracing::Level::INFO $(, $($rest)+)?),
            Level::Debug => tracing::$call!(target: $target, tracing::Level::DEBUG $(, $($rest)+)?),
            Level::Trace => tracing::$call!(target: $target, tracing::Level::TRACE $(, $($rest)+)?),
        }
    };
}

impl Event {
    /// An event about no queue yet.
    pub const fn at(level: Level) -> Self {
        Self {
            level,
            source: Source::Queue,
            path: None,
        }
    }

    /// What RocksDB itself has to tell.
    #[cfg_attr(not(feature = "rocksdb"), allow(dead_code))]
    pub(crate) const fn of_the_engine(level: Level) -> Self {
        Self {
            level,
            source: Source::Engine,
            path: None,
        }
    }

    /// The same about the queue at `path`.
    #[cfg_attr(not(feature = "rocksdb"), allow(dead_code))]
    pub fn about(self, path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Whether anybody listens.
    pub fn is_wanted(&self) -> bool {
        match self.source {
            Source::Queue => tracing_at!(self.level, enabled("rocksq")),
            Source::Engine => tracing_at!(self.level, enabled("rocksq::rocksdb")),
        }
    }

    /// Tells it now. For one who holds no lock.
    pub fn tell(self, text: impl Display) {
        let path = self.path.as_ref();
        let path = path.map(|path| tracing::field::display(path.display()));
        match self.source {
            Source::Queue => tracing_at!(self.level, event("rocksq", path, "{text}")),
            Source::Engine => tracing_at!(self.level, event("rocksq::rocksdb", path, "{text}")),
        }
    }

    /// Has it told soon, by somebody who holds no lock.
    pub fn post(self, text: impl Display) {
        if self.leave(text) {
            Teller::call();
        }
    }

    /// Has it told with the next that is told. Returns whether anybody listens.
    pub(crate) fn leave(self, text: impl Display) -> bool {
        let wanted = self.is_wanted() && is_home();
        if wanted {
            let text = text.to_string();
            POSTED.lock().put(Told { event: self, text });
        }
        wanted
    }
}

/// Events that are to be told.
#[derive(Default)]
struct Posted {
    events: VecDeque<Told>,
    dropped: u64,
    /// Whether a teller is on its way, who tells all of them.
    has_teller: bool,
}

static POSTED: Mutex<Posted> = Mutex::new(Posted {
    events: VecDeque::new(),
    dropped: 0,
    has_teller: false,
});

/// Whether the lock may be taken: it may have been held when this child was forked.
fn is_home() -> bool {
    fork::is_sound()
}

impl Posted {
    fn put(&mut self, told: Told) {
        match self.events.len() < MAX_POSTED {
            true => self.events.push_back(told),
            false => self.dropped = self.dropped.saturating_add(1),
        }
    }

    fn take(&mut self) -> (VecDeque<Told>, u64) {
        let Self {
            events, dropped, ..
        } = self;
        (std::mem::take(events), std::mem::take(dropped))
    }
}

/// Tells what was posted. For one who holds no lock.
pub(crate) fn tell_posted() {
    if !is_home() {
        return;
    }
    let (events, dropped) = POSTED.lock().take();
    for told in events {
        told.event.tell(told.text);
    }
    if dropped > 0 {
        Event::at(Level::Warn).tell(format_args!("{dropped} events came too fast to be told"));
    }
}

/// Tells what was posted in a thread of its own, which ends when there is nothing more. The threads
/// that there are may be waiting for the very disk that there is something to tell about.
struct Teller;

impl Teller {
    /// Sends one, unless one is on its way.
    fn call() {
        if std::mem::replace(&mut POSTED.lock().has_teller, true) {
            return;
        }
        let teller = Self;
        // Without a thread it is told with the next that is posted.
        let _ = threads::spawn("rocksq-teller", move || teller.tell());
    }

    fn tell(self) {
        while !self.is_done() {
            tell_posted();
        }
        // From here on there may be another.
        std::mem::forget(self);
    }

    /// Whether there is nothing more to tell. What is posted from then on is told by another.
    fn is_done(&self) -> bool {
        let mut posted = POSTED.lock();
        posted.has_teller = !posted.events.is_empty();
        !posted.has_teller
    }
}

impl Drop for Teller {
    /// When there is no thread for it, or a subscriber panicked.
    fn drop(&mut self) {
        POSTED.lock().has_teller = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    /// Posts once more what it hears, so it would hang if it were told from under the lock.
    struct Echo(Sender<String>);

    impl Subscriber for Echo {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "rocksq"
        }

        fn event(&self, event: &tracing::Event<'_>) {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default().to_owned();
            if *event.metadata().level() == tracing::Level::WARN {
                Event::at(Level::Info).post("echo");
            }
            let _ = self.0.send(name);
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    fn listen() -> Receiver<String> {
        let (sender, heard) = channel();
        // The other tests of this process tell nothing that is waited for.
        tracing::subscriber::set_global_default(Echo(sender)).unwrap();
        heard
    }

    #[test]
    fn what_is_posted_is_told_by_another_thread_and_may_lead_to_more() {
        let heard = listen();
        let own_lock = Mutex::new(());
        let held = own_lock.lock();
        Event::at(Level::Warn)
            .about(Path::new("queue"))
            .post("something");
        assert_eq!(heard.recv().unwrap(), "rocksq-teller");
        drop(held);
        assert_eq!(heard.recv().unwrap(), "rocksq-teller");
    }
}
