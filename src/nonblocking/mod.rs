//! Queues whose methods return at once with a [`Response`]; the queue's worker does the work.

mod fifo;
mod inflight;
mod mpmc;
mod response;

pub use fifo::PersistentQueueWithCapacity;
pub use mpmc::MpmcQueue;
pub use response::Response;
