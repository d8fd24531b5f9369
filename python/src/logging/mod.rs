//! What the crate tells `tracing` goes on to Python's `logging`.
//!
//! Events come from any thread, RocksDB's too, and nobody may wait for the GIL there. So they are
//! [noted](notes), and the thread of a call that opens or closes hands over its own before it
//! returns; an aide hands over the others. Which levels Python wants is [remembered](levels), so
//! that what nobody wants costs a look at an atomic.
//!
//! | file | job |
//! |---|---|
//! | `listener` | the subscriber of `tracing` |
//! | `levels` | what Python's loggers want |
//! | `notes` | what is on its way |

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use self::levels::Logger;
use self::notes::Note;
use super::call::released;
use super::gate::Gate;
use super::nonblocking::aide;
use rocksq::Result;

mod levels;
mod listener;
mod notes;

/// Those who call Python's handlers.
static HANDLERS: Gate = Gate::new();

/// Whether an aide was called and has not come yet.
static CALLED: AtomicBool = AtomicBool::new(false);

/// Has Python's `logging` hear what the crate tells, unless somebody else listens already. Nothing
/// is printed before the program sets up `logging`.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    let handler = py.import("logging")?.getattr("NullHandler")?.call0()?;
    logger(py, Logger::Queue)?.call_method1("addHandler", (handler,))?;
    let engine = logger(py, Logger::Engine)?;
    // Hundreds of lines for each opening are more than those want who want to see everything else.
    if !engine.getattr("level")?.is_truthy()? {
        engine.call_method1("setLevel", (levels::WARNING,))?;
    }
    levels::look(py)?;
    // In a Python process nobody else does, and if so it is theirs.
    let _ = tracing::subscriber::set_global_default(listener::Listener);
    Ok(())
}

/// Does `work` without the GIL, and hands over what this thread has told meanwhile.
pub(super) fn heard<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    heard_by(py, |py| released(py, work))
}

/// Does `work`, and hands over what this thread has told meanwhile.
pub(super) fn heard_by<T>(
    py: Python<'_>,
    work: impl FnOnce(Python<'_>) -> PyResult<T>,
) -> PyResult<T> {
    let Some(_inside) = HANDLERS.enter() else {
        return work(py);
    };
    levels::look(py)?;
    let own = notes::keep();
    let outcome = work(py);
    drop(own);
    let handed_over = hand_over(py);
    // What the work raises comes first.
    let outcome = outcome?;
    handed_over.map(|()| outcome)
}

/// Calls for an aide, which hands over what was noted. Without one it waits for the next call, or
/// for the next opening or closing.
fn call_aide() {
    if !CALLED.swap(true, Ordering::AcqRel) && !aide::call_to_log() {
        CALLED.store(false, Ordering::Release);
    }
}

/// What the aide does when it was called.
pub(super) fn come(py: Python<'_>) {
    CALLED.store(false, Ordering::Release);
    let Some(_inside) = HANDLERS.enter() else {
        return;
    };
    if let Err(error) = levels::look(py).and_then(|()| hand_over(py)) {
        error.write_unraisable(py, None);
    }
}

/// Hands over what was noted.
fn hand_over(py: Python<'_>) -> PyResult<()> {
    while let Some(note) = notes::next() {
        note.hand_over(py)?;
    }
    Ok(())
}

/// Hands nothing over any more: the interpreter is about to end.
pub(super) fn end(py: Python<'_>) {
    py.detach(|| HANDLERS.shut());
}

impl Note {
    fn hand_over(self, py: Python<'_>) -> PyResult<()> {
        let logger = logger(py, self.logger)?;
        let level = self.level;
        if !logger.call_method1("isEnabledFor", (level,))?.is_truthy()? {
            return Ok(());
        }
        let name = self.logger.name();
        let arguments = (name, level, "rocksq", 0, &self.text, (), py.None());
        let record = logger.call_method1("makeRecord", arguments)?;
        self.date(&record)?;
        logger.call_method1("handle", (record,)).map(drop)
    }

    /// When and where it happened, not when and where it is handed over.
    fn date(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let since = self.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        record.setattr("created", since.as_secs_f64())?;
        record.setattr("msecs", f64::from(since.subsec_millis()))?;
        record.setattr("path", self.path.as_deref())?;
        match &self.thread {
            Some(thread) => record.setattr("threadName", thread),
            None => Ok(()),
        }
    }
}

fn logger(py: Python<'_>, logger: Logger) -> PyResult<&Bound<'_, PyAny>> {
    static LOGGERS: [PyOnceLock<Py<PyAny>>; Logger::ALL.len()] =
        [const { PyOnceLock::new() }; Logger::ALL.len()];
    let [queue, engine] = &LOGGERS;
    let place = match logger {
        Logger::Queue => queue,
        Logger::Engine => engine,
    };
    let logger = place.get_or_try_init(py, || {
        let logging = py.import("logging")?;
        let found = logging.call_method1("getLogger", (logger.name(),))?;
        PyResult::Ok(found.unbind())
    })?;
    Ok(logger.bind(py))
}
