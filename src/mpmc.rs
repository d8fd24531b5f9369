//! The MPMC queue and what belongs to it, under the name that users of `queue_rs` know.

pub use crate::blocking::{MpmcQueue, Next};
pub use crate::options::{MpmcOptions, StartPosition};
