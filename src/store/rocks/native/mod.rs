//! RocksDB's C interface, where rust-rocksdb does not do: files kept off the standard descriptors,
//! and reads that fail when memory runs out.
//!
//! A C++ exception must not pass through Rust. RocksDB throws one where the memory for a block is
//! not to be had, and a block is as large as a chunk, whose size callers decide. So each step of a
//! reader of chunks goes through a function of ours that catches it (`shim.cc`).

mod rows;

use rust_rocksdb::{AsRawPtr, Options, ffi_raw};

pub(super) use rows::Rows;

unsafe extern "C" {
    fn rocksq_guard_descriptors(options: *mut ffi_raw::rocksdb_options_t);
    fn rocksq_occupy_standard_descriptors();
}

/// Has a database opened with `options` keep its files off the descriptors 0 to 2, also when the
/// program has closed them.
pub(super) fn guard_descriptors(options: &mut Options) {
    // SAFETY: the pointer is valid as long as `options`, and the environment that is set lives as
    // long as the process.
    unsafe { rocksq_guard_descriptors(options.as_raw_ptr()) };
}

/// Makes sure that the descriptors 0 to 2 are taken, if need be by `/dev/null`, so that a file that
/// is opened next gets none of them. To be called before a file of a queue is opened without
/// RocksDB.
pub(super) fn occupy_standard_descriptors() {
    // SAFETY: it looks at three descriptors and opens those that are closed.
    unsafe { rocksq_occupy_standard_descriptors() };
}
