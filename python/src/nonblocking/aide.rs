//! The threads that do for others what needs the GIL: making large answers into Python objects, calling
//! callbacks, logging.
//!
//! So the workers never wait for the GIL, and an event loop is not held up by copying. There are two
//! in a process, from the first time that each is needed; they sleep when there is nothing to do. What
//! is called may wait for an event loop, and that for a large answer, so who calls makes none. Nothing
//! here is touched in a forked child, where every response is answered already.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock, Weak};

use pyo3::prelude::*;

use super::bell::Rope;
use super::callbacks;
use super::pending::Pending;
use crate::logging;
use rocksq::extension::{Event, Level};

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aide {
    /// Runs nothing but our own code.
    Maker,
    /// Calls what others have written.
    Caller,
}

/// Something for an aide to do.
pub(super) enum Errand {
    /// Make the value of an answer, then ring for the coroutine that waits for it.
    Make(Weak<Pending>, Arc<Rope>, u64),
    /// Call a callback.
    CallBack(u64),
    /// Hand over to `logging` what was noted for it.
    Log,
    /// Say when everything before it is done.
    Report(Sender<()>),
}

impl Aide {
    const ALL: [Self; 2] = [Self::Maker, Self::Caller];

    fn name(self) -> &'static str {
        match self {
            Self::Maker => "rocksq-maker",
            Self::Caller => "rocksq-caller",
        }
    }

    fn errands(self) -> &'static OnceLock<Sender<Errand>> {
        static MAKER: OnceLock<Sender<Errand>> = OnceLock::new();
        static CALLER: OnceLock<Sender<Errand>> = OnceLock::new();
        match self {
            Self::Maker => &MAKER,
            Self::Caller => &CALLER,
        }
    }

    /// Has something done soon. Does not wait for the GIL.
    pub(super) fn send(self, errand: Errand) {
        let errands = self.errands().get_or_init(|| self.begin());
        if errands.send(errand).is_err() {
            Event::at(Level::Error).tell("the thread that calls back to Python is not there");
        }
    }

    fn begin(self) -> Sender<Errand> {
        let (sender, errands) = channel();
        // Without a thread nobody receives, and whoever sends says so.
        let _ = std::thread::Builder::new()
            .name(self.name().to_owned())
            .spawn(|| work(errands));
        sender
    }

    /// Waits until everything sent to it so far is done.
    fn finish(self, py: Python<'_>) {
        let Some(errands) = self.errands().get() else {
            return;
        };
        let (done, report) = channel();
        if errands.send(Errand::Report(done)).is_ok() {
            // It fails when the thread is gone, and then there is nothing to wait for.
            py.detach(move || report.recv()).unwrap_or_default();
        }
    }
}

/// Has [`logging::come`] called soon. Does not wait for the GIL.
pub(crate) fn call_to_log() {
    Aide::Caller.send(Errand::Log);
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
            Self::CallBack(callback) => callbacks::call(py, callback),
            Self::Log => logging::come(py),
            // Who asked may have given up waiting.
            Self::Report(done) => done.send(()).unwrap_or_default(),
        }
    }
}
