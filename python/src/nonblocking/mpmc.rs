//! `rocksq.nonblocking.MpmcQueue`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

use super::asking::ask;
use super::batch::{self, AsyncBatches};
use super::consumer::{self, AsyncConsumer, Ready};
use super::pending::Keeper;
use super::reply::Reply;
use super::{MpmcResponse, inflight_limit};
use crate::arguments::{
    Timeout, at_least_one, durability, durability_object, either, no_gil, number, on_full,
    on_full_object, optional, start_position, timeout, watermark,
};
use crate::batch::BatchBase;
use crate::blocking::{leave, seconds, state, stays_here};
use crate::call::released;
use crate::errors::exception;
use crate::items::{Copied, items};
use crate::logging::heard;
use crate::shared::Shared;
use crate::stats::{LabelStats, Stats};
use rocksq::Result;
use rocksq::StartPosition;
use rocksq::extension::Asking;
use rocksq::extension::Effect::{self, Changes, Takes};
use rocksq::extension::checked;
use rocksq::extension::{Asked, Entry};
use rocksq::{Durability, MpmcOptions, OnFull, Wait};
use rocksq::{blocking, nonblocking};

type Face = rocksq::extension::Face<blocking::MpmcQueue>;
type Answer = nonblocking::Response<Reply>;

/// The MPMC queue with methods that return at once.
///
/// The constructor opens the queue like that of the blocking class. In a `with` statement the
/// queue is closed at the end.
///
/// >>> import tempfile
/// >>> from rocksq import StartPosition
/// >>> from rocksq.nonblocking import MpmcQueue
/// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=3600)
/// >>> added = queue.add([b"item"])
/// >>> queue.next("label", StartPosition.Oldest).get().data
/// ([b'item'], False)
/// >>> queue.close()
#[pyclass(frozen, weakref, module = "rocksq.nonblocking")]
pub struct MpmcQueue {
    queue: Shared<nonblocking::MpmcQueue>,
}

impl MpmcQueue {
    pub(crate) fn over(
        py: Python<'_>,
        queue: &blocking::MpmcQueue,
        max_inflight_ops: u64,
    ) -> PyResult<Self> {
        let queue = released(py, || queue.nonblocking(inflight_limit(max_inflight_ops)))?;
        Ok(Self {
            queue: Shared::new(py, queue),
        })
    }

    /// Asks for an operation. Its response `keeps` the queue open if it takes items.
    fn ask(
        &self,
        py: Python<'_>,
        keeper: Keeper,
        operation: impl FnOnce(&Face, Entry<'_>) -> Result<Answer> + Send,
    ) -> PyResult<Py<MpmcResponse>> {
        let answer = ask(py, |entry| operation(self.queue.face(), entry))?;
        MpmcResponse::new(py, answer, keeper)
    }

    /// What keeps the queue open.
    fn keeper(&self) -> Keeper {
        Keeper::Mpmc(self.queue.clone())
    }

    /// Asks for something that never waits and takes nothing.
    fn ask_once(
        &self,
        py: Python<'_>,
        effect: Effect,
        operation: impl Fn(Asking<'_>) -> Result<Reply> + Send + 'static,
    ) -> PyResult<Py<MpmcResponse>> {
        self.ask(py, Keeper::None, |face, entry| {
            face.ask(Asked::new(effect, entry), operation)
        })
    }
}

#[pymethods]
impl MpmcQueue {
    #[new]
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (path, ttl, max_inflight_ops = 1_000, *, max_elements = None, max_bytes = None, on_full = OnFull::Error, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, ttl, max_inflight_ops=1000, *, max_elements=None, max_bytes=None, on_full=None, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        #[pyo3(from_py_with = number::ttl)] ttl: u64,
        #[pyo3(from_py_with = number::max_inflight_ops)] max_inflight_ops: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
        #[pyo3(from_py_with = optional::max_bytes)] max_bytes: Option<u64>,
        #[pyo3(from_py_with = on_full)] on_full: OnFull,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        let mut options = MpmcOptions::default();
        options.ttl = crate::blocking::ttl(ttl);
        options.max_elements = max_elements;
        options.max_bytes = max_bytes;
        options.on_full = on_full;
        options.durability = durability.unwrap_or_default();
        let queue = crate::blocking::MpmcQueue::open(py, &path, options, open_timeout)?;
        Self::over(py, &queue, max_inflight_ops)
    }

    /// Add `items` at the end: all of them, or none.
    ///
    /// The items are copied before the call returns.
    #[pyo3(
        signature = (items, no_gil = true, *, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, items, no_gil=True, *, timeout=0, durability=None)"
    )]
    fn add(
        &self,
        items: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<MpmcResponse>> {
        let _ = no_gil;
        let py = items.py();
        let items = self::items("add", items)?;
        if let Err(refusal) = self.queue.face().check_sizes(&items) {
            return self.ask_once(py, Changes, move |_| Err(refusal.clone()));
        }
        let items = Copied::new(py, &items)?;
        self.ask(py, Keeper::None, |face, entry| {
            let asked = Asked::new(Changes, entry)
                .waiting(timeout.wait())
                .at(face.level(durability));
            face.append(asked, items, Reply::done)
        })
    }

    /// Read up to `max_elements` items under `label` and move the label behind them.
    ///
    /// When there are none, wait for one up to `timeout` seconds (None: for ever).
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (label, start_position, max_elements = 1, no_gil = true, *, n = None, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, label, start_position, max_elements=1, no_gil=True, *, n=None, timeout=0, durability=None)"
    )]
    fn next(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::max_elements)] max_elements: u64,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
        #[pyo3(from_py_with = optional::n)] n: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<MpmcResponse>> {
        let _ = no_gil;
        let max_elements = either(max_elements, n)?;
        let keeper = self.keeper();
        self.ask(py, keeper, |face, entry| {
            let asked = Asked::new(Takes, entry)
                .waiting(timeout.wait())
                .at(face.level(durability));
            face.take(
                asked,
                checked(label)?,
                start_position,
                max_elements,
                Reply::next,
            )
        })
    }

    /// Read up to `n` items under `label` without moving it; waits like `next`.
    ///
    /// `commit` moves it.
    #[pyo3(
        signature = (label, start_position, n = 1, timeout = Timeout::NEVER, *, max_elements = None),
        text_signature = "($self, label, start_position, n=1, timeout=0, *, max_elements=None)"
    )]
    fn read(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
    ) -> PyResult<Py<MpmcResponse>> {
        let n = either(n, max_elements)?;
        self.ask(py, self.keeper(), |face, entry| {
            let asked = Asked::new(Takes, entry).waiting(timeout.wait());
            face.read(asked, checked(label)?, start_position, n, Reply::Batch)
        })
    }

    /// Move the label of `batch` behind its items; fails with `Conflict` if others have.
    #[pyo3(signature = (batch, *, durability = None))]
    fn commit(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, BatchBase>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<MpmcResponse>> {
        let batch = batch.get().to_commit();
        self.ask(py, Keeper::None, |face, entry| {
            batch::commit(face, entry, batch, durability)
        })
    }

    /// Return an asynchronous iterator that reads batch after batch of up to `n` items.
    ///
    /// `async with batch:` moves the label behind one when its block ends well. When the block
    /// raises, the next batch is the same again. It waits for each batch up to `timeout` seconds
    /// (None: for ever), and ends when nothing came or the queue is closed. A loop that has done
    /// nothing about a batch raises `RuntimeError` at the next one. Loops of several consumers read
    /// the same items, and all but one of them get `Conflict` at the commit.
    #[pyo3(
        signature = (label, start_position, n = 1, *, max_elements = None, timeout = Timeout::FOREVER),
        text_signature = "($self, label, start_position, n=1, *, max_elements=None, timeout=None)"
    )]
    fn batches(
        &self,
        py: Python<'_>,
        label: String,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<AsyncBatches> {
        let n = at_least_one(py, n, max_elements)?;
        let queue = self.queue.clone();
        Ok(AsyncBatches::new(self.keeper(), move |entry| {
            let asked = Asked::new(Takes, entry).waiting(timeout.wait());
            let label = checked(&label)?;
            queue
                .face()
                .read(asked, label, start_position, n, Reply::Batch)
        }))
    }

    /// Return the next items of `label`, up to `n`, without moving or making it.
    #[pyo3(signature = (label, start_position, n = 1, *, max_elements = None))]
    fn peek(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
    ) -> PyResult<Py<MpmcResponse>> {
        let n = either(n, max_elements)?;
        let label = checked(label).map_err(|error| exception(py, &error))?;
        self.ask_once(py, Takes, move |queue| {
            queue.peek(&label, start_position, n).map(Reply::Peeked)
        })
    }

    /// Return an asynchronous iterator that reads item after item under `label`.
    ///
    /// It waits for each item and ends when the queue is closed.
    fn consume(
        &self,
        label: String,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
    ) -> AsyncConsumer {
        AsyncConsumer::new(&self.queue, move |queue, entry| {
            let (face, label) = (queue.face(), checked(&label)?);
            let asked = Asked::new(Takes, entry)
                .waiting(Wait::FOREVER)
                .at(face.level(None));
            face.take(asked, label, start_position, 1, Reply::next)
        })
    }

    /// Forget a label and its place: `removed_label` of the answer.
    #[pyo3(signature = (label, no_gil = true))]
    fn remove_label(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
    ) -> PyResult<Py<MpmcResponse>> {
        let _ = no_gil;
        let (label, level) = (label.into(), self.queue.face().level(None));
        self.ask_once(py, Changes, move |queue| {
            queue.remove_label(&label, level).map(Reply::Removed)
        })
    }

    /// The labels, in alphabetical order: `labels` of the answer.
    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Takes, |queue| queue.labels().map(Reply::Labels))
    }

    /// Whether there is no live item.
    #[getter]
    fn is_empty(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Takes, |queue| queue.is_empty().map(Reply::Flag))
    }

    /// Number of live items: `len` of the answer.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Takes, |queue| queue.len().map(Reply::Len))
    }

    /// Bytes that the queue takes on the file system: `size` of the answer.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Takes, |queue| queue.disk_size().map(Reply::Size))
    }

    /// Bytes of all live items: `size` of the answer.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Takes, |queue| queue.payload_size().map(Reply::Size))
    }

    /// Make everything asked for before the call survive a power cut.
    fn flush(&self, py: Python<'_>) -> PyResult<Py<MpmcResponse>> {
        self.ask_once(py, Changes, |queue| queue.flush().map(Reply::done))
    }

    /// Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.
    ///
    /// Either may be left out. Waits up to `timeout` seconds (None: for ever); the answer is
    /// whether it came to that. So a producer that is ahead can slow down before the queue is full.
    #[pyo3(
        signature = (*, elements = None, bytes = None, timeout = Timeout::FOREVER),
        text_signature = "($self, *, elements=None, bytes=None, timeout=None)"
    )]
    fn wait_below(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = optional::elements)] elements: Option<u64>,
        #[pyo3(from_py_with = optional::bytes)] bytes: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<Py<MpmcResponse>> {
        let mark = watermark("wait_below", elements, bytes)?;
        self.ask(py, Keeper::None, |face, entry| {
            let asked = Asked::new(Takes, entry).waiting(timeout.wait());
            face.wait_below(asked, mark, Reply::Flag)
        })
    }

    /// Return what is in the queue, and what has happened to it since it was opened.
    ///
    /// At once, whatever is under way; cheap, and may be called from anywhere.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        released(py, || self.queue.stats()).map(Stats::from)
    }

    /// Return how much each label has still to read, in alphabetical order, at once.
    fn label_stats(&self, py: Python<'_>) -> PyResult<Vec<LabelStats>> {
        let stats = released(py, || self.queue.label_stats())?;
        Ok(stats.into_iter().map(LabelStats::from).collect())
    }

    /// Operations that were asked for and are not done, without those that wait.
    #[getter]
    fn inflight_ops(&self, py: Python<'_>) -> PyResult<usize> {
        released(py, || self.queue.inflight_ops())
    }

    /// How many seconds an item lives; 0 for ever.
    #[getter]
    fn ttl(&self) -> u64 {
        seconds(self.queue.blocking().ttl())
    }

    /// The live items that the queue can hold at once, or None for any number.
    #[getter]
    fn max_elements(&self) -> Option<u64> {
        self.queue.blocking().max_elements()
    }

    /// The bytes of items that the queue can hold at once, or None for any number.
    #[getter]
    fn max_bytes(&self) -> Option<u64> {
        self.queue.blocking().max_bytes()
    }

    /// What becomes of a push that does not fit.
    #[getter]
    fn on_full<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        on_full_object(py, self.queue.blocking().on_full())
    }

    /// How durable what a call does is when it is answered, unless the call says otherwise.
    #[getter]
    fn durability<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        durability_object(py, self.queue.face().level(None))
    }

    /// The full path of the directory of the queue.
    #[getter]
    fn path(&self) -> OsString {
        self.queue.blocking().path().into()
    }

    /// Whether the queue was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.queue.blocking().is_closed())
    }

    /// Let the operations under way finish, end those that wait with `Closed`, sync and close.
    ///
    /// What was taken and not claimed is given back. Closing twice does nothing. It holds up an
    /// event loop; `async with` does not.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        heard(py, || self.queue.close())
    }

    /// Return the blocking face of the same open queue. Closing either closes the queue.
    fn blocking(&self, py: Python<'_>) -> crate::blocking::MpmcQueue {
        crate::blocking::MpmcQueue::over(py, self.queue.blocking())
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let queue = slf.get();
        released(slf.py(), || queue.queue.blocking().len())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        heard(py, || leave(self.queue.close()))
    }

    fn __aenter__(slf: Bound<'_, Self>) -> PyResult<Ready> {
        let queue = slf.get();
        released(slf.py(), || queue.queue.blocking().len())?;
        Ok(Ready(slf.into_any().unbind()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let closing = py.detach(|| self.queue.face().close_in_background(Reply::closed));
        consumer::leave(py, closing)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(stays_here(self.queue.blocking().path()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let queue = self.queue.blocking();
        let state = py.detach(|| state(queue.glance()));
        format!(
            "<rocksq.nonblocking.MpmcQueue path={:?} ttl={} {state}>",
            queue.path(),
            self.ttl(),
        )
    }
}
