//! Callbacks that are called when an answer is there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Wake, Waker};

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::aide::{Aide, Errand};
use super::reply::Reply;
use rocksq::nonblocking::Response;

/// A callback, and the response that it is given. Both are kept until it is called.
struct Callback {
    function: Py<PyAny>,
    argument: Py<PyAny>,
    /// A clone of its own, which remembers whom to wake.
    _response: Arc<Response<Reply>>,
}

/// Callbacks that were not called yet. Locked for a few steps by threads that are attached to the
/// interpreter.
static CALLBACKS: LazyLock<Mutex<HashMap<u64, Callback>>> = LazyLock::new(Mutex::default);

struct Call(u64);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        Aide::Caller.send(Errand::CallBack(self.0));
    }
}

/// Has `function` called with `argument`, by an aide, when `response` is there.
pub(super) fn add(
    py: Python<'_>,
    response: &Response<Reply>,
    function: Py<PyAny>,
    argument: Py<PyAny>,
) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = LAST.fetch_add(1, Ordering::Relaxed);
    let response = Arc::new(response.clone());
    let callback = Callback {
        function,
        argument,
        _response: Arc::clone(&response),
    };
    CALLBACKS.lock().insert(id, callback);
    let waker = Waker::from(Arc::new(Call(id)));
    if !py.detach(|| response.wake_when_ready(&waker)) {
        call(py, id);
    }
}

/// Calls a callback, once. What it raises is reported as Python reports errors that nobody can
/// catch.
pub(super) fn call(py: Python<'_>, id: u64) {
    let callback = CALLBACKS.lock().remove(&id);
    let Some(callback) = callback else {
        return;
    };
    if let Err(error) = callback
        .function
        .call1(py, (callback.argument.clone_ref(py),))
    {
        error.write_unraisable(py, Some(callback.function.bind(py)));
    }
}
