//! One thread for the whole process that does what no caller should have to wait for.
//!
//! It exists while a queue is open that has asked for it, and sleeps until the next chore is due.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::events::{Event, Level};

/// Something to be done now and then.
pub(crate) trait Chore: Send + Sync {
    /// Does it, and says when it is to be done again unless something asks for it earlier.
    fn run(&self) -> Option<Duration>;
}

/// Not due at any time.
const NEVER: u64 = u64::MAX;

/// A chore's place with the housekeeping.
pub(crate) struct Registration {
    with: &'static Housekeeping,
    entry: Arc<Entry>,
}

struct Entry {
    chore: Weak<dyn Chore>,
    /// When it is due, in microseconds of [`now`]. Changed only under the lock of the rota.
    due: AtomicU64,
    /// Set when it was taken off the rota, under the lock of the rota.
    ended: AtomicBool,
}

struct Housekeeping {
    rota: Mutex<Rota>,
    changed: Condvar,
}

struct Rota {
    /// By time and identity.
    due: BTreeMap<(u64, usize), Arc<Entry>>,
    registered: usize,
    thread: Option<JoinHandle<()>>,
}

/// The housekeeping of this process.
static HOUSEKEEPING: Housekeeping = Housekeeping::new();

impl Housekeeping {
    const fn new() -> Self {
        Self {
            rota: Mutex::new(Rota {
                due: BTreeMap::new(),
                registered: 0,
                thread: None,
            }),
            changed: Condvar::new(),
        }
    }
}

impl Registration {
    /// A chore that is not due yet.
    pub(crate) fn new(chore: Weak<dyn Chore>) -> Self {
        Self::with(&HOUSEKEEPING, chore)
    }

    fn with(with: &'static Housekeeping, chore: Weak<dyn Chore>) -> Self {
        with.rota.lock().registered += 1;
        Self {
            with,
            entry: Arc::new(Entry {
                chore,
                due: AtomicU64::new(NEVER),
                ended: AtomicBool::new(false),
            }),
        }
    }

    /// Has the chore done within `delay`, or earlier if it was to be done earlier anyway.
    pub(crate) fn run_within(&self, delay: Duration) {
        let due = now().saturating_add(delay.as_micros().try_into().unwrap_or(NEVER - 1));
        if self.entry.due.load(Ordering::Relaxed) <= due {
            return;
        }
        let mut rota = self.with.rota.lock();
        if self.entry.ended.load(Ordering::Relaxed) {
            return;
        }
        rota.schedule(&self.entry, due);
        if rota.thread.is_none() {
            rota.thread = start(self.with);
        }
        self.with.changed.notify_all();
    }

    /// Whether the chore is due at some time.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.entry.due.load(Ordering::Relaxed) != NEVER
    }

    /// Takes the chore off the rota. The last to go waits for the thread to end.
    pub(crate) fn end(&self) {
        let mut rota = self.with.rota.lock();
        rota.unschedule(&self.entry);
        if self.entry.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        rota.registered = rota.registered.saturating_sub(1);
        if rota.registered > 0 {
            return;
        }
        let thread = rota.thread.take();
        drop(rota);
        self.with.changed.notify_all();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            Event::at(Level::Error).leave("the housekeeping thread panicked");
        }
    }
}

impl Rota {
    fn schedule(&mut self, entry: &Arc<Entry>, due: u64) {
        self.unschedule(entry);
        entry.due.store(due, Ordering::Relaxed);
        self.due.insert((due, identity(entry)), Arc::clone(entry));
    }

    fn unschedule(&mut self, entry: &Arc<Entry>) {
        let due = entry.due.swap(NEVER, Ordering::Relaxed);
        self.due.remove(&(due, identity(entry)));
    }

    /// The next chore, if it is due; otherwise when it will be.
    fn next(&mut self) -> Result<Arc<Entry>, Option<u64>> {
        match self.due.first_key_value() {
            Some((&(due, _), entry)) if due <= now() => {
                let entry = Arc::clone(entry);
                self.unschedule(&entry);
                Ok(entry)
            }
            Some((&(due, _), _)) => Err(Some(due)),
            None => Err(None),
        }
    }

    /// Whether the calling thread is still the one that does the chores.
    fn is_mine(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| thread.thread().id() == std::thread::current().id())
    }
}

fn identity(entry: &Arc<Entry>) -> usize {
    Arc::as_ptr(entry).addr()
}

fn start(housekeeping: &'static Housekeeping) -> Option<JoinHandle<()>> {
    if cfg!(all(test, shuttle)) {
        return None; // where a test decides which thread goes on, there are none but its own
    }
    std::thread::Builder::new()
        .name("rocksq-housekeeping".to_owned())
        .spawn(|| housekeeping.work())
        .inspect_err(|error| {
            let text = format_args!("could not start the housekeeping thread: {error}");
            Event::at(Level::Warn).leave(text);
        })
        .ok()
}

impl Housekeeping {
    fn work(&'static self) {
        let mut rota = self.rota.lock();
        while rota.is_mine() {
            match rota.next() {
                Ok(entry) => MutexGuard::unlocked(&mut rota, || self.do_chore(&entry)),
                Err(None) => self.changed.wait(&mut rota),
                Err(Some(due)) => {
                    let left = Duration::from_micros(due.saturating_sub(now()));
                    self.changed.wait_for(&mut rota, left);
                }
            }
        }
    }

    fn do_chore(&'static self, entry: &Arc<Entry>) {
        let Some(chore) = entry.chore.upgrade() else {
            return;
        };
        if let Some(again) = chore.run() {
            let registration = Registration {
                with: self,
                entry: Arc::clone(entry),
            };
            registration.run_within(again);
        }
    }
}

/// Microseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    elapsed.as_micros().try_into().unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A chore that says when it is done, and wants to be done again at once.
    struct Bell(Mutex<Sender<()>>);

    impl Chore for Bell {
        fn run(&self) -> Option<Duration> {
            self.0.lock().send(()).ok().map(|()| Duration::ZERO)
        }
    }

    fn bell() -> (Arc<Bell>, Registration, Receiver<()>) {
        let (sender, rung) = channel();
        let bell = Arc::new(Bell(Mutex::new(sender)));
        let chore: Weak<Bell> = Arc::downgrade(&bell);
        let own = Box::leak(Box::new(Housekeeping::new()));
        let registration = Registration::with(own, chore);
        (bell, registration, rung)
    }

    #[test]
    fn a_chore_is_done_again_as_it_wants_until_its_registration_ends() {
        let (bell, registration, rung) = bell();
        registration.run_within(Duration::ZERO);
        rung.recv().unwrap();
        rung.recv().unwrap();
        registration.end();
        registration.run_within(Duration::ZERO);
        assert!(!registration.is_scheduled());
        drop(bell);
        while rung.recv().is_ok() {}
    }

    #[test]
    fn the_thread_ends_with_the_last_registration() {
        let (_bell, registration, rung) = bell();
        registration.run_within(Duration::ZERO);
        rung.recv().unwrap();
        registration.end();
        assert!(registration.with.rota.lock().thread.is_none());
    }

    #[test]
    fn the_earlier_time_counts() {
        let (_bell, registration, _rung) = bell();
        registration.run_within(Duration::from_secs(3600));
        let due = registration.entry.due.load(Ordering::Relaxed);
        registration.run_within(Duration::from_secs(7200));
        assert_eq!(registration.entry.due.load(Ordering::Relaxed), due);
        registration.end();
    }
}
