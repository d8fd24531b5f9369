//! Queues whose methods return when the work is done.

mod fifo;
mod handle;
mod iter;
mod mpmc;
mod open_queues;
mod opened;
mod origin;
mod terms;
mod watch;

pub use fifo::PersistentQueueWithCapacity;
pub use iter::{Batches, Consume, Iter};
#[doc(hidden)]
pub use mpmc::checked;
pub use mpmc::{MpmcQueue, Next};
pub use open_queues::{OpenQueue, QueueKind, close_all, open_queues};
pub use watch::Watch;

#[doc(hidden)]
pub use origin::opening_at;

pub(crate) use handle::{Handle, Site};
pub(crate) use origin::Origin;

use std::path::Path;

use crate::error::Result;
use crate::store::rocks::{self, Kind};

/// Deletes the [`PersistentQueueWithCapacity`] at `path` for good, and the directory
/// unless it holds other files. No queue there is no error.
///
/// # Errors
///
/// `Busy` when somebody has it open, `WrongKind` when another kind of queue is there, or one so
/// damaged that its kind cannot be told; then nothing was deleted.
pub fn remove_queue(path: impl AsRef<Path>) -> Result<()> {
    remove(path.as_ref(), Kind::Fifo)
}

/// Deletes the [`MpmcQueue`] at `path` for good. Nothing there is no error. Errors as for
/// [`remove_queue`].
pub fn remove_mpmc_queue(path: impl AsRef<Path>) -> Result<()> {
    remove(path.as_ref(), Kind::Mpmc)
}

fn remove(path: &Path, kind: Kind) -> Result<()> {
    // No queue has an empty path, so none is there.
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    rocks::entering(path, |path| rocks::remove(path, kind))
}
