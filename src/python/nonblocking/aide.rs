//! The thread that does for others what needs the GIL: making large answers into Python objects,
//! calling callbacks, logging.
//!
//! So the workers never wait for the GIL, and an event loop is not held up by copying. There is one
//! in a process, from the first time it is needed; it sleeps when there is nothing to do. Nothing
//! here is touched in a forked child, where every response is answered already.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock, Weak};

use pyo3::prelude::*;

use super::bell::Rope;
use super::callbacks;
use super::pending::Pending;
use crate::events::{Event, Level};
use crate::python::logging;

/// Something for the aide to do.
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

static ERRANDS: OnceLock<Sender<Errand>> = OnceLock::new();

/// Has something done soon. Does not wait for the GIL.
pub(super) fn send(errand: Errand) {
    if ERRANDS.get_or_init(begin).send(errand).is_err() {
        Event::at(Level::Error).tell("the thread that calls back to Python is not there");
    }
}

/// Has [`logging::come`] called soon. Does not wait for the GIL.
pub(in crate::python) fn call_to_log() {
    send(Errand::Log);
}

/// Waits until everything sent so far is done.
pub(in crate::python) fn finish(py: Python<'_>) {
    let Some(errands) = ERRANDS.get() else {
        return;
    };
    let (done, report) = channel();
    if errands.send(Errand::Report(done)).is_ok() {
        // It fails when the thread is gone, and then there is nothing to wait for.
        py.detach(move || report.recv()).unwrap_or_default();
    }
}

fn begin() -> Sender<Errand> {
    let (sender, errands) = channel();
    // Without a thread nobody receives, and whoever sends says so.
    let _ = std::thread::Builder::new()
        .name("rocksq-aide".to_owned())
        .spawn(|| work(errands));
    sender
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
