//! The classes of `rocksq.nonblocking`.

mod fifo;
mod mpmc;
mod pending;
mod reply;
mod response;

pub(super) use fifo::PersistentQueueWithCapacity;
pub(super) use mpmc::MpmcQueue;
pub(super) use response::{MpmcResponse, MpmcResponseVariant, Response, ResponseVariant};

/// The limit of a worker. 0 is taken as 1: with rocksq 0.3.0 it meant one operation after the
/// other.
fn inflight_limit(max_inflight_ops: u64) -> usize {
    usize::try_from(max_inflight_ops.max(1)).unwrap_or(usize::MAX)
}
