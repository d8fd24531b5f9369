//! Items from Python: borrowed from the objects that own them, or copied for a later operation.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PyMemoryView, PySet, PyString, PyTuple,
};
use rocksq::Result;
use rocksq::extension::{Few, Payload, bytes_of};

use super::errors::exception;

/// More bytes than this are not copied with the GIL held.
const COPIED_WITH_GIL: usize = 64 << 10;

/// One item, which keeps its bytes alive. Make and drop it with the GIL.
pub(super) enum Item {
    Bytes(PyBackedBytes),
    Exported(Exported),
}

/// The memory of an object other than bytes, which the object must keep in place.
pub(super) struct Exported(PyUntypedBuffer);

impl AsRef<[u8]> for Item {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Exported(exported) => exported.bytes(),
        }
    }
}

impl Exported {
    fn bytes(&self) -> &[u8] {
        let start = self.0.buf_ptr().cast::<u8>();
        if start.is_null() || self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the buffer is contiguous, and as long as it is exported the memory stays where
        // it is. Its owner may write to it meanwhile, as with every function that takes a buffer;
        // the bytes are only copied, so that changes what is stored and nothing else.
        unsafe { std::slice::from_raw_parts(start, self.0.len_bytes()) }
    }
}

/// The items that `method` was given.
pub(super) fn items(method: &str, given: &Bound<'_, PyAny>) -> PyResult<Few<Item>> {
    if let Ok(list) = given.cast_exact::<PyList>()
        && list.len() == 1
    {
        return Ok(Few::from_buf([item(list.get_item(0)?, 0)?]));
    }
    if is_single(given) {
        return Err(single(method, given)?);
    }
    if has_no_order(given) {
        let given = given.get_type().name()?;
        let message = format!(
            "{method}() takes items in their order, and a {given} is no list of them: pass a list"
        );
        return Err(PyTypeError::new_err(message));
    }
    let Ok(iterator) = given.try_iter() else {
        let given = given.get_type().name()?;
        let message = format!("{method}() takes an iterable of items, not '{given}'");
        return Err(PyTypeError::new_err(message));
    };
    let mut items = Few::with_capacity(known_length(given));
    for (index, given) in iterator.enumerate() {
        items.push(item(given?, index)?);
    }
    Ok(items)
}

/// One item in place of several.
fn single(method: &str, given: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let name = given.get_type().name()?;
    let message = match given.is_instance_of::<PyString>() {
        true => format!(
            "{method}() takes an iterable of items, which are bytes; encode the single {name} \
             object and wrap it in a list: [item.encode()]"
        ),
        false => format!(
            "{method}() takes an iterable of items; wrap the single {name} object in a list: [item]"
        ),
    };
    Ok(PyTypeError::new_err(message))
}

/// Whether its items would come in no order, or not be what is meant.
fn has_no_order(given: &Bound<'_, PyAny>) -> bool {
    given.is_instance_of::<PySet>()
        || given.is_instance_of::<PyFrozenSet>()
        || given.is_instance_of::<PyDict>()
}

fn is_single(given: &Bound<'_, PyAny>) -> bool {
    given.is_instance_of::<PyBytes>()
        || given.is_instance_of::<PyString>()
        || given.is_instance_of::<PyByteArray>()
        || given.is_instance_of::<PyMemoryView>()
}

/// The length of what surely has that many items: no number that an object makes up is trusted.
fn known_length(given: &Bound<'_, PyAny>) -> usize {
    match (given.cast::<PyList>(), given.cast::<PyTuple>()) {
        (Ok(list), _) => list.len(),
        (_, Ok(tuple)) => tuple.len(),
        _ => 0,
    }
}

fn item(given: Bound<'_, PyAny>, index: usize) -> PyResult<Item> {
    let given = match given.cast_into::<PyBytes>() {
        Ok(bytes) => return Ok(Item::Bytes(bytes.into())),
        Err(other) => other.into_inner(),
    };
    let buffer = buffer(&given).map_err(|error| not_bytes(&given, index, error))?;
    if !buffer.is_c_contiguous() {
        let message = format!("item {index} is a buffer with gaps: pass a contiguous copy of it");
        return Err(PyTypeError::new_err(message));
    }
    Ok(Item::Exported(Exported(buffer)))
}

/// The buffer of an object. Those of `ctypes` leave out the strides, without which PyO3 takes none; a
/// memoryview works them out.
fn buffer(given: &Bound<'_, PyAny>) -> PyResult<PyUntypedBuffer> {
    match PyUntypedBuffer::get(given) {
        Err(error) if error.is_instance_of::<PyBufferError>(given.py()) => {
            PyUntypedBuffer::get(PyMemoryView::from(given)?.as_any())
        }
        got => got,
    }
}

/// An object refuses to hand out a buffer in one of three ways; anything else went wrong inside it.
fn not_bytes(given: &Bound<'_, PyAny>, index: usize, error: PyErr) -> PyErr {
    let py = given.py();
    let refused = error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyBufferError>(py)
        || error.is_instance_of::<PyValueError>(py);
    if !refused {
        return error;
    }
    let hint = match given.is_instance_of::<PyString>() {
        true => ": encode it first, with item.encode()",
        false => "",
    };
    match given.get_type().name() {
        Ok(name) => {
            let message = format!("item {index} is not bytes-like but '{name}'{hint}");
            let refusal = PyTypeError::new_err(message);
            refusal.set_cause(py, Some(error));
            refusal
        }
        Err(failure) => failure,
    }
}

/// Copies of items, for an operation that is done after the call has returned.
///
/// The objects themselves are not kept until then: the worker would have to drop them without the
/// GIL, and PyO3 then takes a lock which a child that is forked at that moment would wait for.
pub(super) struct Copied {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Copied {
    pub(super) fn new(py: Python<'_>, items: &[Item]) -> PyResult<Self> {
        let copied = match items.iter().map(|item| item.as_ref().len()).sum() {
            bytes @ ..=COPIED_WITH_GIL => Self::copy(items, bytes),
            bytes => py.detach(|| Self::copy(items, bytes)),
        };
        copied.map_err(|error| exception(py, &error))
    }

    fn copy(items: &[Item], bytes: usize) -> Result<Self> {
        let mut copied = Self {
            bytes: bytes_of(bytes, "copy the items")?,
            lengths: Vec::with_capacity(items.len()),
        };
        for item in items.iter().map(Item::as_ref) {
            copied.bytes.extend_from_slice(item);
            copied.lengths.push(item.len());
        }
        Ok(copied)
    }
}

impl Payload for Copied {
    fn items(&self) -> Vec<&[u8]> {
        let mut rest = self.bytes.as_slice();
        let lengths = self.lengths.iter();
        lengths
            .map(|len| rest.split_off(..*len).unwrap_or_default())
            .collect()
    }
}
