//! Items to Python: one copy, and none of more than 64 KiB with the GIL held.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use rocksq::Items;

/// More bytes than this are not copied with the GIL held.
const COPIED_WITH_GIL: usize = 64 << 10;

/// Objects made before other threads get the GIL again, so that they wait a few milliseconds at
/// most.
const MADE_AT_ONCE: usize = 1 << 16;

/// So many small items are copied one by one.
const FEW: usize = 256;

/// A list of bytes objects.
pub(super) fn list(py: Python<'_>, items: Items) -> PyResult<Bound<'_, PyList>> {
    if items.len() <= FEW && items.bytes() <= COPIED_WITH_GIL as u64 {
        let mut objects = items.iter().map(|item| PyBytes::new(py, item));
        return match (objects.next(), items.len()) {
            (Some(only), 1) => PyList::new(py, [only]),
            (first, _) => PyList::new(py, first.into_iter().chain(objects).collect::<Vec<_>>()),
        };
    }
    PyList::new(py, objects(py, items)?)
}

/// The first of `items`, or None.
pub(super) fn first(py: Python<'_>, items: Items) -> PyResult<Option<Bound<'_, PyBytes>>> {
    Ok(objects(py, items)?.into_iter().next())
}

fn objects(py: Python<'_>, items: Items) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let mut objects = Vec::with_capacity(items.len());
    let mut left = items.iter();
    loop {
        let run: Vec<&[u8]> = left.by_ref().take(MADE_AT_ONCE).collect();
        if run.is_empty() {
            break;
        }
        objects.extend(copies(py, &run)?);
    }
    drop(left);
    if items.iter().map(<[u8]>::len).sum::<usize>() > COPIED_WITH_GIL {
        // Giving much memory back takes as long as filling it.
        py.detach(|| drop(items));
    }
    Ok(objects)
}

fn copies<'py>(py: Python<'py>, items: &[&[u8]]) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let (objects, blanks) = items
        .iter()
        .map(|item| blank(py, item.len()))
        .collect::<PyResult<(Vec<_>, Vec<_>)>>()?;
    let fill = || {
        blanks
            .into_iter()
            .zip(items)
            .for_each(|(blank, item)| blank.fill(item))
    };
    match items.iter().map(|item| item.len()).sum() {
        ..=COPIED_WITH_GIL => fill(),
        _ => py.detach(fill),
    }
    Ok(objects)
}

/// The memory of a bytes object whose content is still to come.
struct Blank {
    start: *mut u8,
    len: usize,
}

// SAFETY: nothing but the blank reaches the memory until it was filled; see `blank`.
unsafe impl Send for Blank {}

/// A bytes object of `len` bytes that nobody else has seen, and its memory.
fn blank(py: Python<'_>, len: usize) -> PyResult<(Bound<'_, PyBytes>, Blank)> {
    let size = ffi::Py_ssize_t::try_from(len)?;
    // SAFETY: without a source the function makes a new object of that size and leaves its bytes
    // alone, and a new object may be written to until it is handed out. The one object that it
    // shares is the empty one, to which nothing is written. On failure it returns null and raises.
    unsafe {
        let object = ffi::PyBytes_FromStringAndSize(std::ptr::null(), size);
        let object = Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyBytes>();
        let start = ffi::PyBytes_AsString(object.as_ptr()).cast();
        Ok((object, Blank { start, len }))
    }
}

impl Blank {
    fn fill(self, item: &[u8]) {
        let len = self.len.min(item.len());
        // SAFETY: the memory has `self.len` bytes, is reached through this blank alone, and its
        // object is kept alive by the caller of `copies`.
        unsafe { std::ptr::copy_nonoverlapping(item.as_ptr(), self.start, len) };
    }
}
