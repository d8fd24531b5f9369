//! One thread for the whole process that does what no caller should have to wait for.
//!
//! It exists while a queue is open that has asked for it, and sleeps until the next chore is due, or
//! until memory is short.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::events::{Event, Level};
use crate::fork::Use;
use crate::memory::Allocator;
use crate::threads;

/// Something to be done now and then.
pub(crate) trait Chore: Send + Sync {
    /// Does it, and says when it is to be done again unless something asks for it earlier.
    fn run(&self) -> Option<Duration>;

    /// Bytes of memory that [`relieve`](Self::relieve) would free, about. Waits for nothing.
    fn burden(&self) -> u64 {
        0
    }

    /// Frees memory, though it may not be due.
    fn relieve(&self) {}
}

/// Freed memory is handed back when nothing was to be done for so long.
const REST: Duration = Duration::from_secs(1);

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
    /// Whether memory is to be freed before anything else. Set under the lock of the rota.
    is_short: AtomicBool,
    /// Rung when some was, or the thread ends.
    relieved: Condvar,
}

struct Rota {
    /// By time and identity.
    due: BTreeMap<(u64, usize), Arc<Entry>>,
    /// By identity.
    registered: BTreeMap<usize, Arc<Entry>>,
    /// How often memory was freed.
    reliefs: u64,
    thread: Option<JoinHandle<()>>,
}

/// The housekeeping of this process.
static HOUSEKEEPING: Housekeeping = Housekeeping::new();

impl Housekeeping {
    const fn new() -> Self {
        Self {
            rota: Mutex::new(Rota {
                due: BTreeMap::new(),
                registered: BTreeMap::new(),
                reliefs: 0,
                thread: None,
            }),
            changed: Condvar::new(),
            is_short: AtomicBool::new(false),
            relieved: Condvar::new(),
        }
    }
}

impl Registration {
    /// A chore that is not due yet.
    pub(crate) fn new(chore: Weak<dyn Chore>) -> Self {
        Self::with(&HOUSEKEEPING, chore)
    }

    fn with(with: &'static Housekeeping, chore: Weak<dyn Chore>) -> Self {
        let entry = Arc::new(Entry {
            chore,
            due: AtomicU64::new(NEVER),
            ended: AtomicBool::new(false),
        });
        let known = Arc::clone(&entry);
        Use::begin().leave();
        with.rota.lock().registered.insert(identity(&entry), known);
        Self { with, entry }
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
        self.with.wake(&mut rota);
    }

    /// Has the allocator give memory back, if that is due.
    pub(crate) fn check_allocator(&self) {
        if Allocator::is_due() && !self.entry.ended.load(Ordering::Relaxed) {
            self.with.wake(&mut self.with.rota.lock());
        }
    }

    /// Has the chore relieved that is the greatest burden of all.
    pub(crate) fn relieve(&self) {
        if !self.with.is_short.load(Ordering::Relaxed) {
            self.ask_for_relief(&mut self.with.rota.lock());
        }
    }

    /// The same, and waits until some chore was relieved. False if none will be.
    pub(crate) fn wait_for_relief(&self) -> bool {
        let mut rota = self.with.rota.lock();
        let before = rota.reliefs;
        self.ask_for_relief(&mut rota);
        while rota.reliefs == before && self.can_be_relieved(&rota) {
            // It would not be rung if the thread had panicked.
            self.with.relieved.wait_for(&mut rota, REST);
        }
        rota.reliefs != before
    }

    fn ask_for_relief(&self, rota: &mut Rota) {
        if !self.entry.ended.load(Ordering::Relaxed) {
            self.with.is_short.store(true, Ordering::Relaxed);
            self.with.wake(rota);
        }
    }

    fn can_be_relieved(&self, rota: &Rota) -> bool {
        let works = |thread: &JoinHandle<()>| !thread.is_finished();
        let somebody_works = rota.thread.as_ref().is_some_and(works) && !rota.is_mine();
        somebody_works && !self.entry.ended.load(Ordering::Relaxed)
    }

    /// Whether the chore is due at some time.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.entry.due.load(Ordering::Relaxed) != NEVER
    }

    /// Takes the chore off the rota. The last to go waits for the thread to end.
    pub(crate) fn end(&self) {
        // Ends when the lock of the rota was released.
        let mut _used = None;
        let mut rota = self.with.rota.lock();
        rota.unschedule(&self.entry);
        if self.entry.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        _used = Some(Use::taken_over());
        let mut rota = rota;
        rota.registered.remove(&identity(&self.entry));
        self.with.relieved.notify_all();
        if !rota.registered.is_empty() {
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
        if Allocator::has_slack() {
            Allocator::trim();
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
    threads::spawn("rocksq-housekeeping", || housekeeping.work())
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
            let relieves = self.is_short.swap(false, Ordering::Relaxed);
            if relieves {
                self.relieve_heaviest(&mut rota);
            }
            // What is due is done in between, even if memory is short all the time. It rests only when it
            // has kept the lock since it looked: a bell that rings meanwhile would not be heard.
            match rota.next() {
                Ok(entry) => MutexGuard::unlocked(&mut rota, || self.do_chore(&entry)),
                Err(_) if relieves => {}
                Err(_) if Allocator::is_due() => {
                    MutexGuard::unlocked(&mut rota, Allocator::check);
                }
                Err(due) => self.rest(due, &mut rota),
            }
        }
    }

    /// Sleeps until something is to be done.
    fn rest(&self, due: Option<u64>, rota: &mut MutexGuard<'_, Rota>) {
        let left = due.map(|due| Duration::from_micros(due.saturating_sub(now())));
        let slack = Allocator::has_slack();
        match left.into_iter().chain(slack.then_some(REST)).min() {
            None => self.changed.wait(rota),
            Some(time) => {
                let rested = self.changed.wait_for(rota, time).timed_out();
                if rested && slack && time == REST {
                    MutexGuard::unlocked(rota, Allocator::trim);
                }
            }
        }
    }

    /// Has there be a thread, awake.
    fn wake(&'static self, rota: &mut Rota) {
        if rota.thread.is_none() {
            rota.thread = start(self);
        }
        self.changed.notify_all();
    }

    /// Relieves the chore that is the greatest burden; where that does not help, the next.
    fn relieve_heaviest(&self, rota: &mut MutexGuard<'_, Rota>) {
        let entries: Vec<_> = rota.registered.values().map(Arc::clone).collect();
        MutexGuard::unlocked(rota, || {
            let mut burdens: Vec<_> = entries
                .iter()
                .map(|entry| (entry.burden(), entry))
                .collect();
            burdens.sort_unstable_by_key(|(burden, _)| std::cmp::Reverse(*burden));
            burdens
                .into_iter()
                .find(|(burden, entry)| entry.relieve(*burden));
        });
        rota.reliefs = rota.reliefs.wrapping_add(1);
        self.relieved.notify_all();
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

impl Entry {
    fn burden(&self) -> u64 {
        self.chore.upgrade().map_or(0, |chore| chore.burden())
    }

    /// Relieves it of a burden. Returns whether that has helped.
    fn relieve(&self, burden: u64) -> bool {
        let Some(chore) = self.chore.upgrade().filter(|_| burden > 0) else {
            return false;
        };
        chore.relieve();
        chore.burden() < burden
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

    /// A load that says when it is taken off, as far as it can be.
    struct Load {
        weight: AtomicU64,
        least: u64,
        taken: Mutex<Sender<u64>>,
    }

    impl Chore for Load {
        fn run(&self) -> Option<Duration> {
            None
        }

        fn burden(&self) -> u64 {
            self.weight.load(Ordering::Relaxed)
        }

        fn relieve(&self) {
            let weight = self.weight.swap(self.least, Ordering::Relaxed);
            self.taken.lock().send(weight).unwrap();
        }
    }

    fn load(weight: u64, least: u64, taken: &Sender<u64>) -> Arc<Load> {
        Arc::new(Load {
            weight: AtomicU64::new(weight),
            least,
            taken: Mutex::new(taken.clone()),
        })
    }

    #[test]
    fn the_greatest_burden_is_taken_off_first_and_where_that_fails_the_next() {
        let (sender, taken) = channel();
        let loads = [
            load(1, 0, &sender),
            load(7, 0, &sender),
            load(9, 9, &sender),
        ];
        let own = Box::leak(Box::new(Housekeeping::new()));
        let registrations = loads.each_ref().map(|load| {
            let chore: Weak<Load> = Arc::downgrade(load);
            Registration::with(own, chore)
        });
        assert!(registrations[0].wait_for_relief());
        assert_eq!(taken.try_iter().collect::<Vec<_>>(), [9, 7]);
        assert!(registrations[0].wait_for_relief());
        assert_eq!(taken.try_iter().collect::<Vec<_>>(), [9, 1]);
        registrations.iter().for_each(Registration::end);
        assert!(!registrations[0].wait_for_relief());
    }

    #[test]
    fn nobody_waits_for_relief_on_the_thread_that_gives_it() {
        struct Impatient(OnceLock<Registration>, Mutex<Sender<bool>>);
        impl Chore for Impatient {
            fn run(&self) -> Option<Duration> {
                let relieved = self.0.get().unwrap().wait_for_relief();
                self.1.lock().send(relieved).unwrap();
                None
            }
        }
        let (sender, relieved) = channel();
        let chore = Arc::new(Impatient(OnceLock::new(), Mutex::new(sender)));
        let weak: Weak<Impatient> = Arc::downgrade(&chore);
        let own = Box::leak(Box::new(Housekeeping::new()));
        let registration = chore.0.get_or_init(|| Registration::with(own, weak));
        registration.run_within(Duration::ZERO);
        assert!(!relieved.recv().unwrap());
        registration.end();
    }

    #[test]
    fn what_is_due_is_done_though_memory_is_short_all_the_time() {
        let (bell, registration, rung) = bell();
        registration.run_within(Duration::ZERO);
        for _ in 0..9 {
            registration.relieve();
            rung.recv().unwrap();
        }
        registration.end();
        drop(bell);
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
