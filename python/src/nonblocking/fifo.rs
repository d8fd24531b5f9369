//! `rocksq.nonblocking.PersistentQueueWithCapacity`.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

use super::asking::ask;
use super::batch::{self, AsyncBatches};
use super::consumer::{self, AsyncConsumer, Ready};
use super::pending::Keeper;
use super::reply::Reply;
use super::{Response, inflight_limit};
use crate::arguments::{
    Timeout, at_least_one, durability, durability_object, either, no_gil, number, on_full,
    on_full_object, optional, timeout, watermark,
};
use crate::batch::BatchBase;
use crate::blocking::{leave, state, stays_here};
use crate::call::released;
use crate::items::{Copied, items};
use crate::logging::heard;
use crate::shared::Shared;
use crate::stats::Stats;
use rocksq::Result;
use rocksq::StartPosition::Oldest;
use rocksq::extension::Asking;
use rocksq::extension::Effect::{self, Changes, Takes};
use rocksq::extension::ONLY_LABEL;
use rocksq::extension::{Asked, Entry};
use rocksq::{Durability, OnFull, QueueOptions, Wait};
use rocksq::{blocking, nonblocking};

type Face = rocksq::extension::Face<blocking::PersistentQueueWithCapacity>;
type Answer = nonblocking::Response<Reply>;

/// The persistent queue with methods that return at once.
///
/// The constructor opens the queue like that of the blocking class. In a `with` statement the
/// queue is closed at the end.
///
/// >>> import tempfile
/// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
/// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
/// >>> pushed = queue.push([b"item"])
/// >>> queue.pop().get().data
/// [b'item']
/// >>> queue.close()
#[pyclass(frozen, weakref, module = "rocksq.nonblocking")]
pub struct PersistentQueueWithCapacity {
    queue: Shared<nonblocking::PersistentQueueWithCapacity>,
}

impl PersistentQueueWithCapacity {
    pub(crate) fn over(
        py: Python<'_>,
        queue: &blocking::PersistentQueueWithCapacity,
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
    ) -> PyResult<Py<Response>> {
        let answer = ask(py, |entry| operation(self.queue.face(), entry))?;
        Response::new(py, answer, keeper)
    }

    /// What keeps the queue open.
    fn keeper(&self) -> Keeper {
        Keeper::Fifo(self.queue.clone())
    }

    /// Asks for something that never waits and takes nothing.
    fn ask_once(
        &self,
        py: Python<'_>,
        effect: Effect,
        operation: impl Fn(Asking<'_>) -> Result<Reply> + Send + 'static,
    ) -> PyResult<Py<Response>> {
        self.ask(py, Keeper::None, |face, entry| {
            face.ask(Asked::new(effect, entry), operation)
        })
    }
}

#[pymethods]
impl PersistentQueueWithCapacity {
    #[new]
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (path, max_elements = 1_000_000_000, max_inflight_ops = 1_000, *, max_bytes = None, on_full = OnFull::Error, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, max_elements=1000000000, max_inflight_ops=1000, *, max_bytes=None, on_full=None, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        #[pyo3(from_py_with = number::max_elements)] max_elements: u64,
        #[pyo3(from_py_with = number::max_inflight_ops)] max_inflight_ops: u64,
        #[pyo3(from_py_with = optional::max_bytes)] max_bytes: Option<u64>,
        #[pyo3(from_py_with = on_full)] on_full: OnFull,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        type Blocking = crate::blocking::PersistentQueueWithCapacity;
        let mut options = QueueOptions::default();
        options.max_elements = max_elements;
        options.max_bytes = max_bytes;
        options.on_full = on_full;
        options.durability = durability.unwrap_or_default();
        let queue = Blocking::open(py, &path, options, open_timeout)?;
        Self::over(py, &queue, max_inflight_ops)
    }

    /// Add `items` at the end: all of them, or none. The response tells whether they fitted.
    ///
    /// When they do not fit, wait for room up to `timeout` seconds (None: for ever). The items are
    /// copied before the call returns.
    #[pyo3(
        signature = (items, no_gil = true, *, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, items, no_gil=True, *, timeout=0, durability=None)"
    )]
    fn push(
        &self,
        items: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<Response>> {
        let _ = no_gil;
        let py = items.py();
        let items = self::items("push", items)?;
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

    /// Take up to `max_elements` items, oldest first: `data` of the answer.
    ///
    /// When the queue is empty, wait for an item up to `timeout` seconds (None: for ever); the
    /// list is empty when none came.
    #[pyo3(
        signature = (max_elements = 1, no_gil = true, *, n = None, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, max_elements=1, no_gil=True, *, n=None, timeout=0, durability=None)"
    )]
    fn pop(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::max_elements)] max_elements: u64,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
        #[pyo3(from_py_with = optional::n)] n: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<Response>> {
        let _ = no_gil;
        let max_elements = either(max_elements, n)?;
        let keeper = self.keeper();
        self.ask(py, keeper, |face, entry| {
            let asked = Asked::new(Takes, entry)
                .waiting(timeout.wait())
                .at(face.level(durability));
            face.take(asked, ONLY_LABEL.into(), Oldest, max_elements, Reply::items)
        })
    }

    /// Read up to `n` items without taking them; waits like `pop`. `commit` takes them.
    #[pyo3(
        signature = (n = 1, timeout = Timeout::NEVER, *, max_elements = None),
        text_signature = "($self, n=1, timeout=0, *, max_elements=None)"
    )]
    fn read(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
    ) -> PyResult<Py<Response>> {
        let n = either(n, max_elements)?;
        self.ask(py, self.keeper(), |face, entry| {
            let asked = Asked::new(Takes, entry).waiting(timeout.wait());
            face.read(asked, ONLY_LABEL.into(), Oldest, n, Reply::Batch)
        })
    }

    /// Take the items of `batch`; fails with `Conflict` if others have taken items since.
    #[pyo3(signature = (batch, *, durability = None))]
    fn commit(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, BatchBase>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<Response>> {
        let batch = batch.get().to_commit();
        self.ask(py, Keeper::None, |face, entry| {
            batch::commit(face, entry, batch, durability)
        })
    }

    /// Return an asynchronous iterator that reads batch after batch of up to `n` items.
    ///
    /// `async with batch:` commits one when its block ends well. When the block raises, the items
    /// stay, and the next batch is the same again; leaving the loop leaves them for the next
    /// consumer. It waits for each batch up to `timeout` seconds (None: for ever), and ends when
    /// nothing came or the queue is closed. A loop that has done nothing about a batch raises
    /// `RuntimeError` at the next one. Loops of several consumers read the same items, and all but
    /// one of them get `Conflict` at the commit.
    ///
    /// >>> import asyncio, tempfile
    /// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    /// >>> async def main() -> None:
    /// ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
    /// ...         await queue.push([b"a", b"b", b"c"])
    /// ...         async for batch in queue.batches(2, timeout=0):
    /// ...             async with batch:
    /// ...                 print(list(batch))
    /// >>> asyncio.run(main())
    /// [b'a', b'b']
    /// [b'c']
    #[pyo3(
        signature = (n = 1, *, max_elements = None, timeout = Timeout::FOREVER),
        text_signature = "($self, n=1, *, max_elements=None, timeout=None)"
    )]
    fn batches(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
    ) -> PyResult<AsyncBatches> {
        let n = at_least_one(py, n, max_elements)?;
        let queue = self.queue.clone();
        Ok(AsyncBatches::new(self.keeper(), move |entry| {
            let asked = Asked::new(Takes, entry).waiting(timeout.wait());
            let label = ONLY_LABEL.into();
            queue.face().read(asked, label, Oldest, n, Reply::Batch)
        }))
    }

    /// Return the next items, up to `n`, which stay in the queue.
    #[pyo3(signature = (n = 1, *, max_elements = None))]
    fn peek(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
    ) -> PyResult<Py<Response>> {
        let n = either(n, max_elements)?;
        let label = ONLY_LABEL.into();
        self.ask_once(py, Takes, move |queue| {
            queue.peek(&label, Oldest, n).map(Reply::Peeked)
        })
    }

    /// Return an asynchronous iterator that takes item after item until the queue is closed.
    ///
    /// >>> import asyncio, tempfile
    /// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    /// >>> async def main() -> None:
    /// ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
    /// ...         await queue.push([b"work", b"stop"])
    /// ...         async for item in queue.consume():
    /// ...             if item == b"stop":
    /// ...                 break
    /// ...             print(item)
    /// >>> asyncio.run(main())
    /// b'work'
    fn consume(&self) -> AsyncConsumer {
        AsyncConsumer::new(&self.queue, |queue, entry| {
            let face = queue.face();
            let asked = Asked::new(Takes, entry)
                .waiting(Wait::FOREVER)
                .at(face.level(None));
            face.take(asked, ONLY_LABEL.into(), Oldest, 1, Reply::items)
        })
    }

    /// Whether there is no item in the queue.
    #[getter]
    fn is_empty(&self, py: Python<'_>) -> PyResult<Py<Response>> {
        self.ask_once(py, Takes, |queue| queue.is_empty().map(Reply::Flag))
    }

    /// Number of items in the queue: `len` of the answer.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<Py<Response>> {
        self.ask_once(py, Takes, |queue| queue.len().map(Reply::Len))
    }

    /// Bytes that the queue takes on the file system: `size` of the answer.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<Py<Response>> {
        self.ask_once(py, Takes, |queue| queue.disk_size().map(Reply::Size))
    }

    /// Bytes of all items in the queue: `size` of the answer.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<Py<Response>> {
        self.ask_once(py, Takes, |queue| queue.payload_size().map(Reply::Size))
    }

    /// Make everything asked for before the call survive a power cut.
    fn flush(&self, py: Python<'_>) -> PyResult<Py<Response>> {
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
    ) -> PyResult<Py<Response>> {
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

    /// Operations that were asked for and are not done, without those that wait.
    #[getter]
    fn inflight_ops(&self, py: Python<'_>) -> PyResult<usize> {
        released(py, || self.queue.inflight_ops())
    }

    /// The number of items that the queue can hold at once.
    #[getter]
    fn max_elements(&self) -> u64 {
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
    fn blocking(&self, py: Python<'_>) -> crate::blocking::PersistentQueueWithCapacity {
        crate::blocking::PersistentQueueWithCapacity::over(py, self.queue.blocking())
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
            "<rocksq.nonblocking.PersistentQueueWithCapacity path={:?} max_elements={} {state}>",
            queue.path(),
            queue.max_elements(),
        )
    }
}
