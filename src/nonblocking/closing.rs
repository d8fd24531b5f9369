//! Closing a queue without waiting for it.
//!
//! It cannot be given up: who leaves an `async with` may be cancelled at that very moment, and nobody else
//! would close the queue.

use super::face::Open;
use super::response::{Effect, Response, response};
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::threads;

/// Closes `queue` in a thread of its own.
pub(super) fn in_background<Q: Open, T: Send + Sync + 'static>(
    queue: Q,
    make: fn(()) -> T,
) -> Result<Response<T>> {
    let handle = queue.handle();
    handle.with(Log::check_usable)?;
    let (responder, response) = response(Effect::Changes, handle.worker().desk());
    responder.begin();
    let work = move || responder.answer(queue.handle().close().map(make), None);
    threads::spawn("rocksq-close", work).map_err(|error| {
        let message = format!("Failed to start the thread that closes the queue: {error}");
        Error::new(ErrorKind::Io, message)
    })?;
    Ok(response)
}
