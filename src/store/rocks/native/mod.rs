//! RocksDB's C interface, where rust-rocksdb does not do: files kept off the standard descriptors,
//! threads that a forked child can have of its own, and reads that fail when memory runs out.
//!
//! A C++ exception must not pass through Rust. RocksDB throws one where the memory for a block is
//! not to be had, and a block is as large as a chunk, whose size callers decide. So each step of a
//! reader of chunks goes through a function of ours that catches it (`shim.cc`).

mod rows;

use std::fs::File;
use std::io;

use rust_rocksdb::{AsRawPtr, Options, ffi_raw};

use crate::fork;

pub(super) use rows::Rows;

unsafe extern "C" {
    fn rocksq_use_environment(options: *mut ffi_raw::rocksdb_options_t, process: u64);
    fn rocksq_occupy_standard_descriptors();
}

/// Has a database opened with `options` use the threads of this process, which a forked child has
/// none of, and keep its files off the descriptors 0 to 2, also when the program has closed them.
pub(super) fn use_environment(options: &mut Options) {
    // SAFETY: the pointer is valid as long as `options`, and the environment that is set lives as
    // long as the process.
    unsafe { rocksq_use_environment(options.as_raw_ptr(), fork::process()) };
}

/// Makes sure that the descriptors 0 to 2 are taken, if need be by `/dev/null`, so that a file that
/// is opened next gets none of them. To be called before a file of a queue is opened without
/// RocksDB.
pub(super) fn occupy_standard_descriptors() {
    // SAFETY: it looks at three descriptors and opens those that are closed.
    unsafe { rocksq_occupy_standard_descriptors() };
}

/// Opens a file of a queue, which gets none of the descriptors 0 to 2.
pub(super) fn opened(open: impl FnOnce() -> io::Result<File>) -> io::Result<File> {
    occupy_standard_descriptors();
    above_standard_descriptors(open()?)
}

/// Another thread may have closed one of them before the file was opened.
#[cfg(unix)]
fn above_standard_descriptors(file: File) -> io::Result<File> {
    use std::os::fd::AsRawFd;

    if file.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(file);
    }
    // A clone gets none of them.
    let above = file.try_clone()?;
    drop(file);
    occupy_standard_descriptors();
    Ok(above)
}

#[cfg(not(unix))]
fn above_standard_descriptors(file: File) -> io::Result<File> {
    Ok(file)
}
