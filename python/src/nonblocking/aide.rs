//! The threads that do for others what needs the GIL: making large answers into Python objects, calling
//! callbacks, logging.
//!
//! So the workers never wait for the GIL, and an event loop is not held up by copying. There are two
//! in a process, from the first time that each is needed; they sleep when there is nothing to do. What
//! is called may wait for an event loop, and that for a large answer, so who calls makes none. A forked
//! child has threads of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::bell::Rope;
use super::callbacks;
use super::pending::Pending;
use crate::logging;
use rocksq::extension::{Birthplace, spawn};

/// What takes longer does not hold up the exit.
const PATIENCE: Duration = Duration::from_secs(5);

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aide {
    /// Runs our own code, and of others nothing that waits.
    Maker,
    /// Calls what others have written.
    Caller,
}

/// Something for an aide to do.
pub(super) enum Errand {
    /// Make the value of an answer, then ring for the coroutine that waits for it.
    Make(Weak<Pending>, Arc<Rope>, u64),
    /// Call an event loop that watches no socket.
    Ring(Arc<Rope>),
    /// Call a callback.
    CallBack(u64),
    /// Hand over to `logging` what was noted for it.
    Log,
    /// Say when everything before it is done.
    Report(Sender<()>),
}

/// The thread of an aide.
struct Thread {
    birthplace: Birthplace,
    errands: Sender<Errand>,
}

impl Thread {
    /// Whether it is one of this process.
    fn is_here(&self) -> bool {
        self.birthplace.is_here()
    }
}

impl Aide {
    const ALL: [Self; 2] = [Self::Maker, Self::Caller];

    fn name(self) -> &'static str {
        match self {
            Self::Maker => "rocksq-maker",
            Self::Caller => "rocksq-caller",
        }
    }

    fn errands(self) -> &'static Mutex<Option<Thread>> {
        static MAKER: Mutex<Option<Thread>> = Mutex::new(None);
        static CALLER: Mutex<Option<Thread>> = Mutex::new(None);
        match self {
            Self::Maker => &MAKER,
            Self::Caller => &CALLER,
        }
    }

    /// Has something done soon. Does not wait for the GIL while there is a thread to do it;
    /// otherwise the calling thread does it.
    pub(super) fn send(self, errand: Errand) {
        if let Err(errand) = self.try_send(errand) {
            Python::try_attach(|py| errand.run(py));
        }
    }

    /// Hands the errand back when no thread is to be had for it. The next one may have it.
    fn try_send(self, errand: Errand) -> Result<(), Errand> {
        let mut errands = self.errands().lock();
        if !errands.as_ref().is_some_and(Thread::is_here) {
            // The thread of a parent cannot be told that nothing more comes.
            std::mem::forget(errands.take());
            *errands = self.begin();
        }
        match &*errands {
            Some(thread) => thread.errands.send(errand).map_err(|refused| refused.0),
            None => Err(errand),
        }
    }

    fn begin(self) -> Option<Thread> {
        let birthplace = Birthplace::here();
        let (sender, errands) = channel();
        spawn(self.name(), || work(errands)).ok()?;
        Some(Thread {
            birthplace,
            errands: sender,
        })
    }

    /// Waits until everything sent to it so far is done, for some seconds: a callback that never
    /// returns does not hold up the exit.
    fn finish(self, py: Python<'_>) {
        let (done, report) = channel();
        let sent = match &*self.errands().lock() {
            Some(thread) if thread.is_here() => thread.errands.send(Errand::Report(done)).is_ok(),
            _ => false,
        };
        if sent {
            let _ = py.detach(move || report.recv_timeout(PATIENCE));
        }
    }
}

/// Has [`logging::come`] called soon. Does not wait for the GIL. Returns whether there is a thread
/// for that.
pub(crate) fn call_to_log() -> bool {
    Aide::Caller.try_send(Errand::Log).is_ok()
}

/// Waits until everything sent so far is done.
pub(crate) fn finish(py: Python<'_>) {
    Aide::ALL.into_iter().for_each(|aide| aide.finish(py));
}

fn work(errands: Receiver<Errand>) {
    for errand in errands {
        // Without an interpreter nobody is left to do anything for.
        if Python::try_attach(|py| errand.run(py)).is_none() {
            return;
        }
    }
}

impl Errand {
    fn run(self, py: Python<'_>) {
        match self {
            Self::Make(pending, rope, waiter) => {
                if let Some(pending) = pending.upgrade()
                    && let Err(error) = pending.make(py)
                {
                    error.write_unraisable(py, None);
                }
                rope.pull(waiter);
            }
            Self::Ring(rope) => rope.call(py),
            Self::CallBack(callback) => callbacks::call(py, callback),
            Self::Log => logging::come(py),
            // Who asked may have given up waiting.
            Self::Report(done) => done.send(()).unwrap_or_default(),
        }
    }
}
