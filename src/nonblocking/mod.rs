//! Queues whose methods return at once with a [`Response`]; the queue's worker does the work.
//!
//! A response can be waited for by a thread and by a task. An operation that waits, for items or
//! for room, costs neither a thread nor any time of the processor while it does.

mod closing;
mod consume;
mod face;
mod fifo;
mod inflight;
mod mpmc;
mod operation;
mod response;
pub(crate) mod together;

pub use consume::{Batches, Consume};
pub use fifo::PersistentQueueWithCapacity;
pub use mpmc::MpmcQueue;
pub use response::Response;

#[doc(hidden)]
pub use {
    face::{Asking, Face, Open, Payload},
    inflight::Entry,
    operation::Asked,
    response::{Effect, Watch},
};
