//! Batches of the nonblocking faces, and reading one after the other.

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;

use super::asking::ask;
use super::awaiting::{Awaiting, Outcome};
use super::consumer::Ready;
use super::pending::{Keeper, Pending};
use super::reply::Reply;
use super::{MpmcResponse, Response};
use crate::arguments::durability;
use crate::batch::{BatchBase, Last};
use rocksq::Durability;
use rocksq::extension::Effect::Changes;
use rocksq::extension::{Asked, Entry, Face, Open};
use rocksq::nonblocking;
use rocksq::{Error, ErrorKind, Result};

type Answer = nonblocking::Response<Reply>;

/// Items that were read but not taken. `commit` takes them.
///
/// In an `async with` statement they are taken when the block ends well, and stay when it raises. A
/// `with` statement does the same and waits for it, which holds up an event loop.
///
/// >>> import asyncio, tempfile
/// >>> from rocksq.nonblocking import PersistentQueueWithCapacity
/// >>> async def main() -> None:
/// ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
/// ...         await queue.push([b"a", b"b"])
/// ...         async with await queue.read(2) as batch:
/// ...             print(batch[0], list(batch))
/// ...         print(await queue.len)
/// >>> asyncio.run(main())
/// b'a' [b'a', b'b']
/// 0
#[pyclass(frozen, extends = BatchBase, module = "rocksq.nonblocking")]
pub struct Batch(Keeper);

impl Batch {
    pub(super) fn new(py: Python<'_>, batch: rocksq::Batch, queue: Keeper) -> PyResult<Py<Self>> {
        let base = BatchBase::new(py, batch)?;
        Py::new(py, PyClassInitializer::from(base).add_subclass(Self(queue)))
    }

    /// Asks for the commit.
    fn ask(slf: &Bound<'_, Self>, durability: Option<Durability>) -> PyResult<Answer> {
        let (batch, keeper) = (slf.as_super().get().to_commit(), &slf.get().0);
        ask(slf.py(), |entry| match keeper {
            Keeper::Fifo(queue) => commit(queue.face(), entry, batch, durability),
            Keeper::Mpmc(queue) => commit(queue.face(), entry, batch, durability),
            Keeper::None => Err(Error::new(
                ErrorKind::Closed,
                "the queue of the batch is closed",
            )),
        })
    }
}

/// Has the items of `batch` taken.
pub(super) fn commit<Q: Open>(
    face: &Face<Q>,
    entry: Entry<'_>,
    batch: &rocksq::Batch,
    durability: Option<Durability>,
) -> Result<Answer> {
    let (level, batch) = (face.level(durability), batch.clone());
    face.ask(Asked::new(Changes, entry), move |queue| {
        queue.commit(&batch, level).map(Reply::done)
    })
}

#[pymethods]
impl Batch {
    /// Take the items, as `commit` of the queue does.
    #[pyo3(signature = (*, durability = None))]
    fn commit(
        slf: &Bound<'_, Self>,
        #[pyo3(from_py_with = durability)] durability: Option<Durability>,
    ) -> PyResult<Py<PyAny>> {
        let (py, answer) = (slf.py(), Self::ask(slf, durability)?);
        match &slf.get().0 {
            Keeper::Mpmc(_) => Ok(MpmcResponse::new(py, answer, Keeper::None)?.into_any()),
            _ => Ok(Response::new(py, answer, Keeper::None)?.into_any()),
        }
    }

    fn __aenter__(slf: Bound<'_, Self>) -> Ready {
        slf.as_super().get().seen_to();
        Ready(slf.into_any().unbind())
    }

    #[pyo3(signature = (exc_type, *_exception))]
    fn __aexit__(
        slf: &Bound<'_, Self>,
        exc_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if !exc_type.is_none() {
            return Ok(Py::new(py, Ready(py.None()))?.into_any());
        }
        let pending = Pending::new(Self::ask(slf, None)?, Keeper::None);
        Ok(Py::new(py, Awaiting::new(&pending, Outcome::Value))?.into_any())
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> Bound<'py, Self> {
        slf.as_super().get().seen_to();
        slf
    }

    #[pyo3(signature = (exc_type, *_exception))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        exc_type: &Bound<'_, PyAny>,
        _exception: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match exc_type.is_none() {
            true => Self::commit(slf, None)?
                .call_method0(slf.py(), "result")
                .map(drop),
            false => Ok(()),
        }
    }
}

/// Asks for one batch, waiting for it.
type Read = Box<dyn Fn(Entry<'_>) -> Result<Answer> + Send + Sync>;

/// Reads batch after batch until the queue is closed, or nothing came in time.
///
/// A batch whose block raised is read again.
#[pyclass(frozen, module = "rocksq.nonblocking")]
pub struct AsyncBatches {
    read: Read,
    queue: Keeper,
    last: Last,
}

impl AsyncBatches {
    pub(super) fn new(
        queue: Keeper,
        read: impl Fn(Entry<'_>) -> Result<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self {
            read: Box::new(read),
            queue,
            last: Last::default(),
        }
    }
}

#[pymethods]
impl AsyncBatches {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Awaiting> {
        self.last.check()?;
        let mut closed = false;
        let asked = ask(py, |entry| {
            let asked = (self.read)(entry);
            closed = matches!(&asked, Err(error) if error.kind() == ErrorKind::Closed);
            asked
        });
        let response = match asked {
            Err(_) if closed => return Err(PyStopAsyncIteration::new_err(())),
            asked => asked?,
        };
        let pending = Pending::new(response, self.queue.clone());
        let outcome = Outcome::Batch(self.last.clone());
        Ok(Awaiting::new(&pending, outcome))
    }
}
