//! What is in a queue and what has happened to it, for Python.

use pyo3::prelude::*;

/// What is in a queue and what has happened to it since it was opened.
///
/// What is in it and how many items came and went belong to one moment; the object does not change.
///
/// >>> import tempfile
/// >>> from rocksq.blocking import PersistentQueueWithCapacity
/// >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
/// >>> queue.push([b"first", b"other"])
/// >>> queue.pop()
/// [b'first']
/// >>> stats = queue.stats()
/// >>> stats.items, stats.payload_bytes, stats.pushed_items, stats.popped_items
/// (1, 5, 2, 1)
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct Stats(rocksq::Stats);

impl From<rocksq::Stats> for Stats {
    fn from(stats: rocksq::Stats) -> Self {
        Self(stats)
    }
}

#[pymethods]
impl Stats {
    /// Items in the queue.
    #[getter]
    fn items(&self) -> u64 {
        self.0.items
    }

    /// Their bytes.
    #[getter]
    fn payload_bytes(&self) -> u64 {
        self.0.payload_bytes
    }

    /// Bytes that the queue takes on the file system, at most a second ago.
    #[getter]
    fn disk_bytes(&self) -> u64 {
        self.0.disk_bytes
    }

    /// Seconds since the oldest item was pushed.
    ///
    /// None when the queue is empty, or when that cannot be read now.
    #[getter]
    fn oldest_age(&self) -> Option<f64> {
        self.0.oldest_age.map(|age| age.as_secs_f64())
    }

    /// Items pushed since the queue was opened.
    #[getter]
    fn pushed_items(&self) -> u64 {
        self.0.pushed_items
    }

    /// Items taken since then; of an MPMC queue, read under labels, once for each.
    #[getter]
    fn popped_items(&self) -> u64 {
        self.0.popped_items
    }

    /// Those of them that were given back since nobody came for them.
    ///
    /// They count again when they are taken again.
    #[getter]
    fn returned_items(&self) -> u64 {
        self.0.returned_items
    }

    /// Items dropped since then to make room for others.
    #[getter]
    fn dropped_items(&self) -> u64 {
        self.0.dropped_items
    }

    /// Items lost to the TTL since then, as far as was noticed.
    #[getter]
    fn expired_items(&self) -> u64 {
        self.0.expired_items
    }

    /// Items since then that were to be pushed and are not in the queue.
    ///
    /// They did not fit, or could not be written.
    #[getter]
    fn rejected_items(&self) -> u64 {
        self.0.rejected_items
    }

    /// Bytes written to RocksDB's log since then.
    #[getter]
    fn log_bytes(&self) -> u64 {
        self.0.log_bytes
    }

    /// Bytes written to its tables since then.
    #[getter]
    fn table_bytes(&self) -> u64 {
        self.0.table_bytes
    }

    /// Writes, syncs and background work that have failed since then.
    #[getter]
    fn errors(&self) -> u64 {
        self.0.errors
    }

    fn __repr__(&self) -> String {
        let stats = &self.0;
        let age = stats.oldest_age;
        let age = age.map_or_else(
            || "None".to_owned(),
            |age| format!("{:.6}", age.as_secs_f64()),
        );
        format!(
            "Stats(items={}, payload_bytes={}, disk_bytes={}, oldest_age={age}, pushed_items={}, \
             popped_items={}, returned_items={}, dropped_items={}, expired_items={}, \
             rejected_items={}, log_bytes={}, table_bytes={}, errors={})",
            stats.items,
            stats.payload_bytes,
            stats.disk_bytes,
            stats.pushed_items,
            stats.popped_items,
            stats.returned_items,
            stats.dropped_items,
            stats.expired_items,
            stats.rejected_items,
            stats.log_bytes,
            stats.table_bytes,
            stats.errors,
        )
    }
}

/// How much a label of an MPMC queue has still to read.
#[pyclass(frozen, module = "rocksq.blocking")]
pub struct LabelStats(rocksq::LabelStats);

impl From<rocksq::LabelStats> for LabelStats {
    fn from(stats: rocksq::LabelStats) -> Self {
        Self(stats)
    }
}

#[pymethods]
impl LabelStats {
    /// The label.
    #[getter]
    fn label(&self) -> &str {
        &self.0.label
    }

    /// Live items that it has not read.
    #[getter]
    fn items(&self) -> u64 {
        self.0.items
    }

    /// Their bytes.
    #[getter]
    fn payload_bytes(&self) -> u64 {
        self.0.payload_bytes
    }

    fn __repr__(&self) -> String {
        format!(
            "LabelStats(label={:?}, items={}, payload_bytes={})",
            self.0.label, self.0.items, self.0.payload_bytes
        )
    }
}
