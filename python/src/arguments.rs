//! Numbers, timeouts and choices from Python.

use std::time::Duration;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString, PyType};

use super::errors::exception;
use super::kept::{self, Choice};
use rocksq::{Durability, OnFull, StartPosition};
use rocksq::{Error, ErrorKind};
use rocksq::{Wait, Watermark};

/// How long a call may wait; `None` for as long as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeout(pub Option<Duration>);

impl Timeout {
    pub(super) const NEVER: Self = Self(Some(Duration::ZERO));
    pub(super) const FOREVER: Self = Self(None);

    /// Whether the call may wait at all.
    pub(super) fn waits(self) -> bool {
        self != Self::NEVER
    }

    pub(super) fn wait(self) -> Wait<'static> {
        self.0.map_or(Wait::FOREVER, Wait::from)
    }
}

/// Seconds, or None for ever.
pub(super) fn timeout(value: &Bound<'_, PyAny>) -> PyResult<Timeout> {
    if value.is_none() {
        return Ok(Timeout::FOREVER);
    }
    if value.is_instance_of::<PyBool>() {
        let message = "'bool' object cannot be interpreted as a number of seconds";
        return Err(PyTypeError::new_err(message));
    }
    let seconds: f64 = value.extract()?;
    if seconds.is_nan() || seconds < 0.0 {
        let message = format!("a timeout is 0 or more seconds, or None for ever, not {value}");
        return Err(PyValueError::new_err(message));
    }
    // What a Duration cannot hold is for ever.
    Ok(Timeout(Duration::try_from_secs_f64(seconds).ok()))
}

/// The argument `name`, a number that is not negative. What is out of range is an `OverflowError` too,
/// as it was in rocksq 0.3.0.
fn number(value: &Bound<'_, PyAny>, name: &str) -> PyResult<u64> {
    value.extract::<u64>().map_err(|error: PyErr| {
        match error.is_instance_of::<PyOverflowError>(value.py()) {
            true => out_of_range(value, name).unwrap_or_else(|failure| failure),
            false => error,
        }
    })
}

fn out_of_range(value: &Bound<'_, PyAny>, name: &str) -> PyResult<PyErr> {
    let class = kept::error(value.py(), "OutOfRange")?;
    // Python writes out no number of thousands of digits.
    let digits = value
        .str()
        .map_or_else(|_| String::new(), |digits| digits.to_string());
    let given = match digits.len() {
        1..=30 => digits.as_str(),
        _ => "a number of many digits",
    };
    let message = format!(
        "{name} is a number from 0 to {} (2**64 - 1), not {given}",
        u64::MAX
    );
    Ok(PyErr::from_value(class.call1((message,))?))
}

/// One function for each name of a number, which `from_py_with` calls.
macro_rules! numbers {
    ($($name:ident),*) => {
        /// Arguments that are numbers.
        pub(crate) mod number {
            use super::*;

            $(pub(crate) fn $name(value: &Bound<'_, PyAny>) -> PyResult<u64> {
                number(value, stringify!($name))
            })*
        }

        /// Arguments that are numbers, or None.
        pub(crate) mod optional {
            use super::*;

            $(pub(crate) fn $name(value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
                match value.is_none() {
                    true => Ok(None),
                    false => number(value, stringify!($name)).map(Some),
                }
            })*
        }
    };
}

#[allow(dead_code, reason = "not each of them comes in both ways")]
mod numbers {
    use super::*;

    numbers!(
        bytes,
        elements,
        high_bytes,
        high_elements,
        low_bytes,
        low_elements,
        max_bytes,
        max_elements,
        max_inflight_ops,
        n,
        size,
        ttl
    );
}
pub(super) use numbers::{number, optional};

/// How many items a call is about: the argument, or its other name if that is given.
pub(super) fn either(argument: u64, other_name: Option<u64>) -> PyResult<u64> {
    match other_name {
        None => Ok(argument),
        Some(_) if argument != 1 => Err(PyTypeError::new_err(
            "n and max_elements are two names of one number: give one of them",
        )),
        Some(number) => Ok(number),
    }
}

/// The same for a call that needs items to be about.
pub(super) fn at_least_one(
    py: Python<'_>,
    argument: u64,
    other_name: Option<u64>,
) -> PyResult<u64> {
    match either(argument, other_name)? {
        0 => {
            let message = "n is a number from 1 on, not 0";
            Err(exception(
                py,
                &Error::new(ErrorKind::InvalidArgument, message),
            ))
        }
        number => Ok(number),
    }
}

/// The `no_gil` of rocksq 0.3.0, second by position, where people mean something else.
pub(super) fn no_gil(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(flag.is_true());
    }
    let hint = if value.is_none() || value.extract::<f64>().is_ok() {
        format!(": name a timeout, as in timeout={}", value.repr()?)
    } else if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        ": put several items into one list, as in [first, second]".to_owned()
    } else {
        String::new()
    };
    let given = value.get_type().name()?;
    let message = format!("no_gil, second by position, is True or False, not '{given}'{hint}");
    Err(PyTypeError::new_err(message))
}

/// A mark of so many items or so many bytes, for `method`.
pub(super) fn watermark(
    method: &str,
    elements: Option<u64>,
    bytes: Option<u64>,
) -> PyResult<Watermark> {
    match (elements, bytes) {
        (Some(elements), Some(bytes)) => Ok(Watermark::elements(elements).or_bytes(bytes)),
        (Some(elements), None) => Ok(Watermark::elements(elements)),
        (None, Some(bytes)) => Ok(Watermark::bytes(bytes)),
        (None, None) => {
            let message = format!("{method}() needs a number of elements, of bytes, or both");
            Err(PyTypeError::new_err(message))
        }
    }
}

/// A `rocksq.Durability`, or None for that of the queue.
pub(super) fn durability(value: &Bound<'_, PyAny>) -> PyResult<Option<Durability>> {
    if value.is_none() {
        return Ok(None);
    }
    let class = durability_class(value.py())?;
    if !value.is_instance(class)? {
        let given = value.get_type().name()?;
        let message = format!(
            "durability is rocksq.Durability.Buffered, .Written or .Synced, or None for that of \
             the queue, not '{given}'"
        );
        return Err(PyTypeError::new_err(message));
    }
    Ok(Some(match value.extract()? {
        0u8 => Durability::Buffered,
        1 => Durability::Written,
        _ => Durability::Synced,
    }))
}

/// A `rocksq.OnFull`, or None for an error.
pub(super) fn on_full(value: &Bound<'_, PyAny>) -> PyResult<OnFull> {
    if value.is_none() {
        return Ok(OnFull::Error);
    }
    if !value.is_instance(on_full_class(value.py())?)? {
        let given = value.get_type().name()?;
        let message =
            format!("on_full is rocksq.OnFull.Error or rocksq.OnFull.DropOldest, not '{given}'");
        return Err(PyTypeError::new_err(message));
    }
    Ok(match value.extract()? {
        0u8 => OnFull::Error,
        _ => OnFull::DropOldest,
    })
}

/// The `rocksq.OnFull` of a queue.
pub(super) fn on_full_object(py: Python<'_>, on_full: OnFull) -> PyResult<Bound<'_, PyAny>> {
    on_full_class(py)?.call1((on_full as u8,))
}

fn on_full_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    Choice::OnFull.class(py)
}

/// The `rocksq.Durability` of a queue.
pub(super) fn durability_object(
    py: Python<'_>,
    durability: Durability,
) -> PyResult<Bound<'_, PyAny>> {
    durability_class(py)?.call1((durability as u8,))
}

fn durability_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    Choice::Durability.class(py)
}

/// A `rocksq.StartPosition`; as in rocksq 0.3.0, its number alone will not do.
pub(super) fn start_position(value: &Bound<'_, PyAny>) -> PyResult<StartPosition> {
    let class = Choice::StartPosition.class(value.py())?;
    if !value.is_instance(class)? {
        let given = value.get_type().name()?;
        let message = format!("'{given}' object cannot be converted to 'StartPosition'");
        return Err(PyTypeError::new_err(message));
    }
    match value.extract()? {
        0u8 => Ok(StartPosition::Oldest),
        _ => Ok(StartPosition::Newest),
    }
}
