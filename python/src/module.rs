//! What `rocksq._native` exports.

use pyo3::prelude::*;

/// The compiled part of rocksq. Import `rocksq`, not this.
#[pymodule(gil_used = false)]
mod _native {
    use std::path::PathBuf;

    use pyo3::prelude::*;

    use crate::arguments::number;
    use crate::call::{self, released};
    use crate::errors::exception;
    #[pymodule_export]
    use crate::migration::Migrated;
    #[pymodule_export]
    use crate::open_queues::OpenQueue;
    use crate::{exit, kept, logging, migration};
    use rocksq::{blocking, memory};

    #[pymodule(name = "blocking")]
    mod blocking_classes {
        #[pymodule_export]
        use crate::batch::{Batch, BatchBase};
        #[pymodule_export]
        use crate::blocking::{MpmcQueue, PersistentQueueWithCapacity};
        #[pymodule_export]
        use crate::iterators::{Batches, Consumer, LiveItems};
        #[pymodule_export]
        use crate::stats::{LabelStats, Stats};
        #[pymodule_export]
        use crate::watch::Watch;
    }

    #[pymodule(name = "nonblocking")]
    mod nonblocking_classes {
        #[pymodule_export]
        use crate::nonblocking::{
            AsyncBatches, AsyncConsumer, Batch, MpmcQueue, MpmcResponse, MpmcResponseVariant,
            PersistentQueueWithCapacity, Response, ResponseBase, ResponseVariant,
        };
    }

    #[pymodule(name = "maintenance")]
    mod maintenance_classes {
        #[pymodule_export]
        use crate::maintenance::{Missing, Recovery, Report, repair, verify};
    }

    /// Return the version of rocksq.
    ///
    /// >>> import rocksq
    /// >>> rocksq.version().count(".")
    /// 2
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Delete the persistent queue at `path` for good. No queue there is no error.
    ///
    /// The directory goes too, unless it holds other files. Raises `Busy` when somebody has it open
    /// and `WrongKind` when another kind of queue is there, or one so damaged that its kind cannot be
    /// told, and then deletes nothing. After a crash in the middle it can be called again.
    ///
    /// >>> import tempfile
    /// >>> import rocksq
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     rocksq.remove_queue(f"{directory}/none")
    #[pyfunction]
    fn remove_queue(py: Python<'_>, path: PathBuf) -> PyResult<()> {
        released(py, || blocking::remove_queue(&path))
    }

    /// Delete the MPMC queue at `path` for good; otherwise like `remove_queue`.
    #[pyfunction]
    fn remove_mpmc_queue(py: Python<'_>, path: PathBuf) -> PyResult<()> {
        released(py, || blocking::remove_mpmc_queue(&path))
    }

    /// Convert a queue of rocksq 0.3.0 at `path`. None when it is one of this format already.
    ///
    /// Opening such a queue does the same; this function is for doing it beforehand and seeing it
    /// advance. `progress(done, total)` is called now and then with the items that were written and
    /// those that there are; while the old files are checked `done` is 0 and `total` grows. What it
    /// raises stops the conversion, as Ctrl-C does, and the old queue stays as it is.
    ///
    /// Items, their order and age, labels and their places are kept. It takes as much room as the items
    /// once more. A crash at any moment leaves the old queue, or the new one, or an exchange of their
    /// files that the next open finishes.
    ///
    /// Raises `Corrupt` when the old queue is damaged, `DiskFull` when there is no room and `Busy` when
    /// somebody has it open, and then nothing has changed; `WrongKind`, `UnsupportedFormat` or
    /// `PathError` when no queue is there.
    ///
    /// >>> import tempfile
    /// >>> import rocksq
    /// >>> with tempfile.TemporaryDirectory() as directory:
    /// ...     rocksq.blocking.PersistentQueueWithCapacity(f"{directory}/queue").close()
    /// ...     print(rocksq.migrate(f"{directory}/queue"))
    /// None
    #[pyfunction]
    #[pyo3(signature = (path, progress = None))]
    fn migrate(
        py: Python<'_>,
        path: PathBuf,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Option<Migrated>> {
        migration::migrate(py, path, progress)
    }

    /// Return how many bytes of memory the queues of this process may use together.
    ///
    /// >>> import rocksq
    /// >>> rocksq.memory_budget()
    /// 134217728
    #[pyfunction]
    fn memory_budget() -> u64 {
        memory::budget()
    }

    /// Set how many bytes of memory the queues of this process may use together.
    ///
    /// All open queues share this one budget, and those to come. It is for what they keep from one
    /// call to the next, over what the process takes without them: what is not in files yet, the
    /// newest items, what was read ahead, caches. What a call carries comes on top while it
    /// lasts. The default is 128 MiB; each open queue takes 0.4 to 0.6 MiB of it by being open.
    ///
    /// It can be set at any time. A smaller one is kept to within a second or two of the next
    /// operations, and nothing is lost by it: a backlog goes to more and smaller files, and a push
    /// waits sooner for a slow disk. What was cached of files is forgotten each time.
    ///
    /// Raises `InvalidArgument` for less than 16 MiB, and then changes nothing.
    ///
    /// >>> import rocksq
    /// >>> rocksq.set_memory_budget(32 << 20)
    /// >>> rocksq.memory_budget() >> 20
    /// 32
    /// >>> rocksq.set_memory_budget(128 << 20)
    #[pyfunction]
    fn set_memory_budget(
        py: Python<'_>,
        #[pyo3(from_py_with = number::size)] size: u64,
    ) -> PyResult<()> {
        memory::set_budget(size).map_err(|error| exception(py, &error))
    }

    /// Return the queues that are open in this process, in the order of their directories.
    ///
    /// For a program that has lost hold of one: a cell of a notebook that ran twice, an exception
    /// that keeps a queue, a test that failed. `close_all` closes them.
    ///
    /// >>> import tempfile
    /// >>> import rocksq
    /// >>> queue = rocksq.blocking.PersistentQueueWithCapacity(tempfile.mkdtemp())
    /// >>> [each.kind for each in rocksq.open_queues() if each.path == queue.path]
    /// ['persistent']
    /// >>> rocksq.close_all()
    /// >>> queue.closed
    /// True
    #[pyfunction]
    fn open_queues(py: Python<'_>) -> Vec<OpenQueue> {
        let open = py.detach(blocking::open_queues);
        open.into_iter().map(OpenQueue::from).collect()
    }

    /// Close every queue that is open in this process, whoever has it.
    ///
    /// As `close` of each would: operations under way finish, calls that wait raise `Closed`, and
    /// everything is synced. Raises what the first failed with that could not be closed in order,
    /// when all are closed.
    #[pyfunction]
    fn close_all(py: Python<'_>) -> PyResult<()> {
        logging::heard(py, blocking::close_all)
    }

    /// Close every queue that is open in this process, for good; runs at the interpreter's exit.
    #[pyfunction]
    fn close_at_exit(py: Python<'_>) {
        exit::close_all(py);
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        module.add("kept_modules", kept::modules(py)?)?;
        call::look_up(py)?;
        logging::install(py)?;
        let hook = wrap_pyfunction!(close_at_exit, module)?;
        py.import("atexit")?.call_method1("register", (hook,))?;
        Ok(())
    }
}
