use super::*;
use crate::log::attempt::Place;
use crate::log::read::Claim;
use crate::log::wait::Ring;
use crate::primitives::{Condvar, Mutex};

/// Tells a thread that something is worth trying again, as a worker is told.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Ring for Bell {
    fn ring(self: Arc<Self>) {
        *self.rung.lock() = true;
        self.heard.notify_one();
    }
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !std::mem::take(&mut *rung) {
            self.heard.wait(&mut rung);
        }
    }
}

/// A consumer or producer that stands in the line without sleeping in it.
struct Caller<'l> {
    log: &'l MemoryLog,
    place: Option<Place>,
    bell: Arc<Bell>,
}

impl<'l> Caller<'l> {
    fn of(log: &'l MemoryLog) -> Self {
        Self {
            log,
            place: None,
            bell: Arc::default(),
        }
    }

    fn try_take(&mut self) -> Option<Vec<String>> {
        let (log, told) = (self.log, self.bell.clone() as Arc<dyn Ring>);
        let taken = log.try_in_line(&mut self.place, &told, false, |turn| {
            log.try_take(&ONLY_LABEL.into(), Oldest, 1, Written, Claim::Now, turn)
        });
        taken.unwrap().map(|taken| texts(&taken.items))
    }

    fn take(&mut self) -> Vec<String> {
        loop {
            match self.try_take() {
                Some(items) => return items,
                None => self.bell.wait(),
            }
        }
    }

    fn append(&mut self, items: &[&str]) {
        let (log, told) = (self.log, self.bell.clone() as Arc<dyn Ring>);
        while log
            .try_in_line(&mut self.place, &told, false, |turn| {
                log.try_append(items, Written, turn)
            })
            .unwrap()
            .is_none()
        {
            self.bell.wait();
        }
    }

    fn leave(&mut self) {
        self.log.leave(&mut self.place);
    }
}

#[test]
fn items_call_those_who_sleep_and_those_who_do_not() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            let sleeps = scope.spawn(|| log.wait_for(1));
            let others = [(); 2].map(|()| scope.spawn(|| Caller::of(log).take()));
            log.push(&["a"], Written);
            log.push(&["b", "c"], Written);
            let mut taken = sleeps.join().unwrap();
            taken.extend(others.map(|other| other.join().unwrap()).concat());
            taken.sort_unstable();
            assert_eq!(taken, ["a", "b", "c"]);
        });
    });
}

#[test]
fn room_calls_those_who_sleep_and_those_who_do_not() {
    explore(|| {
        let log = fifo(1);
        let log = &log;
        thread::scope(|scope| {
            scope.spawn(|| Caller::of(log).append(&["a"]));
            scope.spawn(|| log.append(&["b"], Wait::FOREVER, Written).unwrap());
            scope.spawn(|| Caller::of(log).append(&["c"]));
            let mut taken = log.wait_for_all(3);
            taken.sort_unstable();
            assert_eq!(taken, ["a", "b", "c"]);
        });
    });
}

#[test]
fn one_who_leaves_at_any_moment_passes_its_call_on() {
    explore(|| {
        let log = fifo(100);
        let log = &log;
        thread::scope(|scope| {
            let leaves = scope.spawn(|| {
                let mut caller = Caller::of(log);
                let taken = caller.try_take();
                thread::yield_now();
                caller.leave();
                taken.is_some()
            });
            scope.spawn(|| log.wait_for(1));
            log.push(&["a"], Written);
            if leaves.join().unwrap() {
                log.push(&["b"], Written);
            }
        });
        assert_eq!(log.len(), 0);
    });
}
