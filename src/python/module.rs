//! What `rocksq._native` exports.

use pyo3::prelude::*;

/// The compiled part of rocksq. Import `rocksq`, not this.
#[pymodule(gil_used = false)]
mod _native {
    use std::path::PathBuf;

    use pyo3::prelude::*;

    use crate::blocking;
    use crate::python::call::released;
    use crate::python::exit;

    #[pymodule(name = "blocking")]
    mod blocking_classes {
        #[pymodule_export]
        use crate::python::batch::Batch;
        #[pymodule_export]
        use crate::python::blocking::{MpmcQueue, PersistentQueueWithCapacity};
        #[pymodule_export]
        use crate::python::iterators::{Consumer, LiveItems};
    }

    #[pymodule(name = "nonblocking")]
    mod nonblocking_classes {
        #[pymodule_export]
        use crate::python::nonblocking::{
            MpmcQueue, MpmcResponse, MpmcResponseVariant, PersistentQueueWithCapacity, Response,
            ResponseVariant,
        };
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
    /// and `WrongKind` when another kind of queue is there, and then deletes nothing. After a crash in
    /// the middle it can be called again.
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

    /// Close every queue that is open in this process; runs at the interpreter's exit.
    #[pyfunction]
    fn close_all(py: Python<'_>) {
        exit::close_all(py);
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let hook = wrap_pyfunction!(close_all, module)?;
        module
            .py()
            .import("atexit")?
            .call_method1("register", (hook,))?;
        Ok(())
    }
}
