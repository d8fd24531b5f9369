//! The classes of `rocksq.nonblocking`.
//!
//! | file | job |
//! |---|---|
//! | `fifo`, `mpmc` | the queues |
//! | `asking`, `reply` | what is asked for, and what is answered |
//! | `response`, `pending`, `variant` | what a call hands back |
//! | `awaiting`, `bell` | `await`: coroutines, and waking their event loop |
//! | `coroutine` | a response that a task drives |
//! | `batch` | batches, and `async for` over them |
//! | `consumer` | `async for`, `async with` |
//! | `callbacks`, `aide` | what is called from, or made by, threads of their own |

pub(super) mod aide;
mod asking;
mod awaiting;
mod batch;
mod bell;
mod callbacks;
mod consumer;
mod coroutine;
mod fifo;
mod mpmc;
mod pending;
mod reply;
mod response;
mod variant;

pub(super) use batch::{AsyncBatches, Batch};
pub(super) use consumer::AsyncConsumer;
pub(super) use fifo::PersistentQueueWithCapacity;
pub(super) use mpmc::MpmcQueue;
pub(super) use response::{MpmcResponse, Response, ResponseBase};
pub(super) use variant::{MpmcResponseVariant, ResponseVariant};

/// The limit of a worker. 0 is taken as 1: with rocksq 0.3.0 it meant one operation after the
/// other.
fn inflight_limit(max_inflight_ops: u64) -> usize {
    usize::try_from(max_inflight_ops.max(1)).unwrap_or(usize::MAX)
}
