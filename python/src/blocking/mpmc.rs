//! `rocksq.blocking.MpmcQueue`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::stays_here;
use crate::arguments::{
    Timeout, at_least_one, durability, durability_object, either, no_gil, number, on_full,
    on_full_object, optional, start_position, timeout, watermark,
};
use crate::batch::{Batch, BatchBase, Commit};
use crate::call::{
    at_once_or_waiting, most_at_once, opening, options, pause_if_polling, released, waiting,
};
use crate::items::items;
use crate::iterators::{Batches, Consumer, LiveItems};
use crate::logging::heard;
use crate::maintenance::Recovery;
use crate::shared::Shared;
use crate::stats::{LabelStats, Stats};
use crate::watch::{Marks, Watch, watch};
use crate::{bytes, nonblocking};
use rocksq::blocking;
use rocksq::{Durability, MpmcOptions, OnFull, StartPosition};

/// A durable log of items for many producers and many consumers, in a directory.
///
/// Every consumer reads under a label, which keeps its own place; each label sees every item once.
///
/// The constructor opens the queue in the directory `path`, or makes it and its parents. Items live
/// for `ttl` seconds, 0 for ever. At most `max_elements` of at most `max_bytes` bytes together are
/// in the queue at once (None: any number); reopening with less drops nothing. What becomes of
/// items that do not fit is `on_full`, or `OnFull.Error`. Calls are as durable as `durability`
/// says, or `Durability.Written`.
///
/// A queue that is open in this process already is shared, if its options are the same: each of
/// the objects is closed by itself, and the last one closes the queue. When the path is open in
/// another process, or with other options than `durability`, the constructor waits for it up to
/// `open_timeout` seconds (None: for ever), then raises `Busy`. `WrongKind`, `UnsupportedFormat`
/// and `PathError` tell that the path cannot be a queue of this kind, and then nothing on disk has
/// changed.
///
/// Iterating yields the live items from the oldest on, wherever the labels are. In a `with`
/// statement the queue is closed at the end.
///
/// Opening a directory of rocksq 0.3.0 converts it, as `rocksq.migrate` does.
///
/// >>> import tempfile
/// >>> from rocksq import StartPosition
/// >>> from rocksq.blocking import MpmcQueue
/// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=3600)
/// >>> queue.add([b"first", b"other"])
/// >>> queue.next("audit", StartPosition.Oldest, 10)
/// ([b'first', b'other'], False)
/// >>> queue.next("late", StartPosition.Newest, 10)
/// ([b'other'], False)
/// >>> queue.labels
/// ['audit', 'late']
/// >>> queue.close()
#[pyclass(frozen, weakref, module = "rocksq.blocking")]
pub struct MpmcQueue {
    queue: Shared<blocking::MpmcQueue>,
}

impl MpmcQueue {
    pub(crate) fn over(py: Python<'_>, queue: blocking::MpmcQueue) -> Self {
        Self {
            queue: Shared::new(py, queue),
        }
    }

    /// What takes batches that were read from it.
    fn commits(&self) -> Commit {
        let queue = self.queue.clone();
        Arc::new(move |batch, durability| {
            queue.commit_with(batch, durability.unwrap_or(queue.durability()))
        })
    }

    /// Opens the queue for either of its faces.
    pub(crate) fn open(
        py: Python<'_>,
        path: &PathBuf,
        options: MpmcOptions,
        open_timeout: Timeout,
    ) -> PyResult<blocking::MpmcQueue> {
        opening(py, open_timeout, |open_timeout| {
            let mut options = options;
            options.open_timeout = open_timeout;
            blocking::MpmcQueue::open(path, options)
        })
    }
}

/// The TTL of so many seconds, 0 for items that never expire.
pub(crate) fn ttl(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// The TTL in seconds, 0 for items that never expire.
pub(crate) fn seconds(ttl: Option<Duration>) -> u64 {
    ttl.map_or(0, |ttl| ttl.as_secs())
}

#[pymethods]
impl MpmcQueue {
    #[new]
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (path, ttl, *, max_elements = None, max_bytes = None, on_full = OnFull::Error, durability = None, open_timeout = Timeout::NEVER),
        text_signature = "(path, ttl, *, max_elements=None, max_bytes=None, on_full=None, durability=None, open_timeout=0)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        #[pyo3(from_py_with = number::ttl)] ttl: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
        #[pyo3(from_py_with = optional::max_bytes)] max_bytes: Option<u64>,
        #[pyo3(from_py_with = on_full)] on_full: OnFull,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
        #[pyo3(from_py_with = timeout)] open_timeout: Timeout,
    ) -> PyResult<Self> {
        let mut options = MpmcOptions::default();
        options.ttl = self::ttl(ttl);
        options.max_elements = max_elements;
        options.max_bytes = max_bytes;
        options.on_full = on_full;
        options.durability = durability.unwrap_or_default();
        Self::open(py, &path, options, open_timeout).map(|queue| Self::over(py, queue))
    }

    /// Add `items` at the end: all of them, or none.
    ///
    /// When the queue is bounded and they do not fit, wait for room up to `timeout` seconds (None:
    /// for ever), then raise `Full`. Items that expire make room and nothing else does, so with a
    /// `ttl` of 0 what does not fit raises at once, as does what is more than the queue can ever
    /// hold. With `OnFull.DropOldest` nothing waits: the oldest pushes make room.
    ///
    /// Once this returns they are as durable as `durability` says (None: as the queue's). What is
    /// not bytes-like raises `TypeError`. `no_gil` is there for programs written for rocksq 0.3.0.
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
    ) -> PyResult<()> {
        let py = items.py();
        let items = self::items("add", items)?;
        let at_once = || {
            let most = most_at_once(no_gil);
            self.queue.add_at_once(&items, durability, most)
        };
        at_once_or_waiting(py, timeout, at_once, |wait| {
            self.queue.add_with(&items, options(wait, durability))
        })
    }

    /// Read up to `max_elements` items under `label` and move the label behind them.
    ///
    /// A label that is new begins at `start_position`. When there is nothing to read, wait for an
    /// item up to `timeout` seconds (None: for ever); the list is empty when none came. The second
    /// value tells, once, that items which the label had not read were lost since its last read, to
    /// the TTL or to make room. The label stays there, as durably as `durability` says (None: as
    /// the queue's).
    #[allow(clippy::too_many_arguments)] // those of Python
    #[pyo3(
        signature = (label, start_position, max_elements = 1, no_gil = true, *, n = None, timeout = Timeout::NEVER, durability = None),
        text_signature = "($self, label, start_position, max_elements=1, no_gil=True, *, n=None, timeout=0, durability=None)"
    )]
    fn next<'py>(
        &self,
        py: Python<'py>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::max_elements)] max_elements: u64,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
        #[pyo3(from_py_with = optional::n)] n: Option<u64>,
        #[pyo3(from_py_with = timeout)] timeout: Timeout,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<(Bound<'py, PyList>, bool)> {
        let _ = no_gil;
        let max_elements = either(max_elements, n)?;
        let at_once = || {
            let next = self.queue.next_at_once(label, max_elements, durability)?;
            Ok(next.filter(|next| !next.items.is_empty() || !timeout.waits()))
        };
        let next = at_once_or_waiting(py, timeout, at_once, |wait| {
            let options = options(wait, durability);
            self.queue
                .next_with(label, start_position, max_elements, options)
        })?;
        if next.items.is_empty() && max_elements > 0 {
            pause_if_polling(py, self);
        }
        Ok((bytes::list(py, next.items)?, next.expired))
    }

    /// Read up to `n` items under `label` without moving it.
    ///
    /// Waits like `next`. `commit` moves the label; a program that dies before it reads the same
    /// items again.
    ///
    /// >>> import tempfile
    /// >>> from rocksq import StartPosition
    /// >>> from rocksq.blocking import MpmcQueue
    /// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=0)
    /// >>> queue.add([b"a", b"b"])
    /// >>> batch = queue.read("label", StartPosition.Oldest)
    /// >>> batch.items, batch.first, batch.next
    /// ([b'a'], 0, 1)
    /// >>> queue.commit(batch)
    /// >>> queue.peek("label", StartPosition.Oldest)
    /// [b'b']
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
    ) -> PyResult<Py<Batch>> {
        let n = either(n, max_elements)?;
        let batch = waiting(py, timeout, |wait| {
            self.queue.read(label, start_position, n, wait)
        })?;
        Batch::new(py, batch, self.commits())
    }

    /// Move the label of `batch` behind its items.
    ///
    /// It stays there, as durably as `durability` says (None: as the queue's).
    /// Raises `Conflict` when another consumer has moved the label since, and `InvalidArgument`
    /// for a batch of another queue.
    #[pyo3(signature = (batch, *, durability = None))]
    fn commit(
        &self,
        py: Python<'_>,
        batch: &Bound<'_, BatchBase>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<()> {
        let batch = batch.get().to_commit();
        let durability = durability.unwrap_or(self.queue.durability());
        released(py, || self.queue.commit_with(batch, durability))
    }

    /// Return an iterator that reads batch after batch of up to `n` items under `label`.
    ///
    /// `with batch:` moves the label behind one when its block ends well. When the block raises,
    /// the next batch is the same again. It waits for each batch up to `timeout` seconds (None: for
    /// ever), and ends when nothing came or the queue is closed. A loop that has done nothing about
    /// a batch raises `RuntimeError` at the next one. Loops of several consumers read the same
    /// items, and all but one of them get `Conflict` at the commit.
    ///
    /// >>> import tempfile
    /// >>> from rocksq import StartPosition
    /// >>> from rocksq.blocking import MpmcQueue
    /// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=0)
    /// >>> queue.add([b"a", b"b", b"c"])
    /// >>> for batch in queue.batches("label", StartPosition.Oldest, 2, timeout=0):
    /// ...     with batch:
    /// ...         print(list(batch))
    /// [b'a', b'b']
    /// [b'c']
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
    ) -> PyResult<Batches> {
        let n = at_least_one(py, n, max_elements)?;
        let queue = self.queue.clone();
        Ok(Batches::new(self.commits(), timeout, move |wait| {
            queue.read(&label, start_position, n, wait)
        }))
    }

    /// Return the next items of `label`, up to `n`, without moving or making the label.
    #[pyo3(signature = (label, start_position, n = 1, *, max_elements = None))]
    fn peek<'py>(
        &self,
        py: Python<'py>,
        label: &str,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
        #[pyo3(from_py_with = number::n)] n: u64,
        #[pyo3(from_py_with = optional::max_elements)] max_elements: Option<u64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let n = either(n, max_elements)?;
        let items = released(py, || self.queue.peek(label, start_position, n))?;
        bytes::list(py, items)
    }

    /// The live items from the oldest on, wherever the labels are.
    fn __iter__(&self) -> LiveItems {
        LiveItems::new(&self.queue, blocking::MpmcQueue::browse)
    }

    /// Return an iterator that reads item after item under `label` until the queue is closed.
    ///
    /// It waits for each item.
    fn consume(
        &self,
        label: String,
        #[pyo3(from_py_with = start_position)] start_position: StartPosition,
    ) -> Consumer {
        Consumer::new(&self.queue, move |queue, wait| {
            Ok(queue.next_wait(&label, start_position, 1, wait)?.items)
        })
    }

    /// Whether there is no live item.
    #[getter]
    fn is_empty(&self, py: Python<'_>) -> PyResult<bool> {
        released(py, || self.queue.is_empty())
    }

    /// Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.
    ///
    /// Either may be left out. Waits up to `timeout` seconds (None: for ever); returns whether it
    /// came to that. So a producer that is ahead can slow down before the queue is full.
    ///
    /// >>> import tempfile
    /// >>> from rocksq.blocking import MpmcQueue
    /// >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=60)
    /// >>> queue.add([b"one", b"two"])
    /// >>> queue.wait_below(elements=2, timeout=0.01)
    /// False
    /// >>> queue.wait_below(elements=3, bytes=1_000_000)
    /// True
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
    ) -> PyResult<bool> {
        let mark = watermark("wait_below", elements, bytes)?;
        waiting(py, timeout, |wait| self.queue.wait_below(mark, wait))
    }

    /// Tell `callback` True when the queue fills up, and False when there is room again.
    ///
    /// It has filled up when it holds `high_elements` items or `high_bytes` bytes, and there is
    /// room again when it holds fewer than `low_elements` and fewer than `low_bytes` after that; a
    /// low number that is not given is the high one. A queue that has filled up already is told of
    /// at once. The callback is called by a thread of its own, so it may take its time and use the
    /// queue; what comes and goes meanwhile is not told. It is told until `stop` of the returned
    /// object is called or the queue is closed. Raises `InvalidArgument` for a low number above the
    /// high one.
    #[pyo3(signature = (callback, *, high_elements = None, low_elements = None, high_bytes = None, low_bytes = None))]
    fn watch(
        &self,
        callback: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = optional::high_elements)] high_elements: Option<u64>,
        #[pyo3(from_py_with = optional::low_elements)] low_elements: Option<u64>,
        #[pyo3(from_py_with = optional::high_bytes)] high_bytes: Option<u64>,
        #[pyo3(from_py_with = optional::low_bytes)] low_bytes: Option<u64>,
    ) -> PyResult<Watch> {
        let marks = Marks {
            high: (high_elements, high_bytes),
            low: (low_elements, low_bytes),
        };
        watch(callback, marks, |high, low, callback| {
            self.queue.watch(high, low, callback)
        })
    }

    /// Return what is in the queue, and what has happened to it since it was opened.
    ///
    /// Cheap, however much is in it; may be called from anywhere.
    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        released(py, || self.queue.stats()).map(Stats::from)
    }

    /// Bytes that the queue takes on the file system.
    #[getter]
    fn disk_size(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.disk_size())
    }

    /// Bytes of all live items.
    #[getter]
    fn payload_size(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.payload_size())
    }

    /// Return how much each label has still to read, in alphabetical order of the labels.
    fn label_stats(&self, py: Python<'_>) -> PyResult<Vec<LabelStats>> {
        let stats = released(py, || self.queue.label_stats())?;
        Ok(stats.into_iter().map(LabelStats::from).collect())
    }

    /// Number of live items.
    #[getter]
    fn len(&self, py: Python<'_>) -> PyResult<u64> {
        released(py, || self.queue.len())
    }

    /// The labels, in alphabetical order.
    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        released(py, || self.queue.labels())
    }

    /// Forget a label and its place; False when there is no such label.
    #[pyo3(signature = (label, no_gil = true))]
    fn remove_label(
        &self,
        py: Python<'_>,
        label: &str,
        #[pyo3(from_py_with = self::no_gil)] no_gil: bool,
    ) -> PyResult<bool> {
        let _ = no_gil;
        released(py, || self.queue.remove_label(label))
    }

    /// How many seconds an item lives; 0 for ever.
    #[getter]
    fn ttl(&self) -> u64 {
        seconds(self.queue.ttl())
    }

    /// The live items that the queue can hold at once, or None for any number.
    #[getter]
    fn max_elements(&self) -> Option<u64> {
        self.queue.max_elements()
    }

    /// The bytes of items that the queue can hold at once, or None for any number.
    #[getter]
    fn max_bytes(&self) -> Option<u64> {
        self.queue.max_bytes()
    }

    /// What becomes of a push that does not fit.
    #[getter]
    fn on_full<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        on_full_object(py, self.queue.on_full())
    }

    /// How durable what a call does is when it returns, unless the call says otherwise.
    #[getter]
    fn durability<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        durability_object(py, self.queue.durability())
    }

    /// The full path of the directory of the queue.
    #[getter]
    fn path(&self) -> &OsStr {
        self.queue.path().as_os_str()
    }

    /// Whether the queue was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.queue.is_closed())
    }

    /// Make everything done before the call survive a power cut.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.queue.flush())
    }

    /// Copy the queue into the new directory `to`, while others use it.
    ///
    /// The copy is the queue as it is at some moment during the call. It survives a power cut once
    /// this returns, and shares files with the queue where the file system has hard links.
    /// Open it like any queue. Raises `PathError` when something is at `to`, or at its name with
    /// `.tmp` behind it, or when it is within the queue.
    fn backup(&self, py: Python<'_>, to: PathBuf) -> PyResult<()> {
        released(py, || self.queue.backup(&to))
    }

    /// What was lost to a damaged log; None when nothing was.
    ///
    /// It was found when the queue was opened, or when it last had to open itself anew after an
    /// error.
    #[getter]
    fn recovery(&self) -> Option<Recovery> {
        Recovery::of(self.queue.recovery())
    }

    /// Let running operations finish, sync and close.
    ///
    /// Every call that waits raises `Closed`. The path can be opened again at once. Closing twice
    /// does nothing. Others who have opened the same queue keep it open. A queue is also closed
    /// when the last object of it goes, and at the interpreter's exit.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        heard(py, || self.queue.close())
    }

    /// Return the nonblocking face of the same open queue. Closing either closes the queue.
    #[pyo3(signature = (max_inflight_ops = 1_000))]
    fn nonblocking(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::max_inflight_ops)] max_inflight_ops: u64,
    ) -> PyResult<nonblocking::MpmcQueue> {
        nonblocking::MpmcQueue::over(py, &self.queue, max_inflight_ops)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(usize::try_from(self.len(py)?)?)
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(!self.is_empty(py)?)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().len(slf.py())?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        heard(py, || super::leave(self.queue.close()))
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(stays_here(self.queue.path()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let state = py.detach(|| super::state(self.queue.glance()));
        format!(
            "<rocksq.blocking.MpmcQueue path={:?} ttl={} {state}>",
            self.queue.path(),
            self.ttl(),
        )
    }
}
