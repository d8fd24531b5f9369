//! Queues whose methods return at once with a [`Response`]; one worker does the work.

mod fifo;
mod mpmc;
mod response;
mod worker;

pub use fifo::PersistentQueueWithCapacity;
pub use mpmc::MpmcQueue;
pub use response::Response;

pub(crate) use worker::Worker;
