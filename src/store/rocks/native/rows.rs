//! A reader of one family.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::slice;

use rust_rocksdb::{AsColumnFamilyRef, AsRawPtr, ColumnFamily, DB, ffi_raw};

use crate::error::{Error, ErrorKind, Result};

/// How a step ended; `rocksq_step` in `shim.h`.
type Step = i32;
const ROW: Step = 0;
const END: Step = 1;
const NO_MEMORY: Step = 3;

unsafe extern "C" {
    fn rocksq_seek(
        rows: *mut ffi_raw::rocksdb_iterator_t,
        key: *const c_char,
        length: usize,
    ) -> Step;
    fn rocksq_seek_for_prev(
        rows: *mut ffi_raw::rocksdb_iterator_t,
        key: *const c_char,
        length: usize,
    ) -> Step;
    fn rocksq_next(rows: *mut ffi_raw::rocksdb_iterator_t) -> Step;
}

/// Rows of one family from `floor` on, which are read once: they are not cached, and range
/// deletions are not weighed, since no reader looks below the bound at which they end.
pub(in crate::store::rocks) struct Rows<'d> {
    rows: *mut ffi_raw::rocksdb_iterator_t,
    how: *mut ffi_raw::rocksdb_readoptions_t,
    /// The reader has a pointer to it.
    _floor: Box<[u8; 8]>,
    is_at_row: bool,
    database: PhantomData<&'d DB>,
}

impl<'d> Rows<'d> {
    pub(in crate::store::rocks) fn of(db: &'d DB, family: &ColumnFamily, floor: [u8; 8]) -> Self {
        let floor = Box::new(floor);
        // SAFETY: database and family outlive the reader by its lifetime; options and floor are
        // its own, and go after it.
        unsafe {
            let how = ffi_raw::rocksdb_readoptions_create();
            ffi_raw::rocksdb_readoptions_set_fill_cache(how, 0);
            ffi_raw::rocksdb_readoptions_set_ignore_range_deletions(how, 1);
            let bound = floor.as_ptr().cast();
            ffi_raw::rocksdb_readoptions_set_iterate_lower_bound(how, bound, floor.len());
            let rows = ffi_raw::rocksdb_create_iterator_cf(db.as_raw_ptr(), how, family.inner());
            Self {
                rows,
                how,
                _floor: floor,
                is_at_row: false,
                database: PhantomData,
            }
        }
    }

    /// Goes to the first row at `key` or behind it. Returns whether there is one.
    pub(in crate::store::rocks) fn seek(&mut self, key: &[u8]) -> Result<bool> {
        // SAFETY: the reader is valid, and the key is for the call.
        let step = unsafe { rocksq_seek(self.rows, key.as_ptr().cast(), key.len()) };
        self.settle(step)
    }

    /// Goes to the last row at `key` or before it. Returns whether there is one.
    pub(in crate::store::rocks) fn seek_for_prev(&mut self, key: &[u8]) -> Result<bool> {
        // SAFETY: the reader is valid, and the key is for the call.
        let step = unsafe { rocksq_seek_for_prev(self.rows, key.as_ptr().cast(), key.len()) };
        self.settle(step)
    }

    /// Goes to the next row. Returns whether there is one.
    pub(in crate::store::rocks) fn next(&mut self) -> Result<bool> {
        if !self.is_at_row {
            return Ok(false);
        }
        // SAFETY: the reader is at a row.
        let step = unsafe { rocksq_next(self.rows) };
        self.settle(step)
    }

    /// Key and value of the row that it is at.
    pub(in crate::store::rocks) fn row(&self) -> Option<(&[u8], &[u8])> {
        self.is_at_row.then(|| {
            // SAFETY: the reader is at a row, whose memory stays until it moves, and `self` is
            // borrowed until then.
            unsafe {
                (
                    self.bytes(ffi_raw::rocksdb_iter_key),
                    self.bytes(ffi_raw::rocksdb_iter_value),
                )
            }
        })
    }

    /// # Safety
    ///
    /// The reader must be at a row.
    unsafe fn bytes(
        &self,
        part: unsafe extern "C" fn(*const ffi_raw::rocksdb_iterator_t, *mut usize) -> *const c_char,
    ) -> &[u8] {
        let mut length = 0;
        // SAFETY: the caller's; the length is that of the memory at the pointer.
        unsafe {
            let start = part(self.rows, &raw mut length);
            slice::from_raw_parts(start.cast(), length)
        }
    }

    fn settle(&mut self, step: Step) -> Result<bool> {
        self.is_at_row = step == ROW;
        match step {
            ROW | END => Ok(self.is_at_row),
            NO_MEMORY => Err(Error::out_of_memory("read a chunk")),
            _ => Err(Error::new(ErrorKind::Io, self.status())),
        }
    }

    /// RocksDB's text for the failure of the last step.
    pub(in crate::store::rocks) fn status(&self) -> String {
        let mut text: *mut c_char = std::ptr::null_mut();
        // SAFETY: the reader is valid; the text, if there is one, is ours to free.
        unsafe {
            ffi_raw::rocksdb_iter_get_error(self.rows, &raw mut text);
            if text.is_null() {
                return String::new();
            }
            let status = CStr::from_ptr(text).to_string_lossy().into_owned();
            ffi_raw::rocksdb_free(text.cast());
            status
        }
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        // SAFETY: both were made with the reader and are used by nothing else.
        unsafe {
            ffi_raw::rocksdb_iter_destroy(self.rows);
            ffi_raw::rocksdb_readoptions_destroy(self.how);
        }
    }
}
