//! What could not be brought back from a damaged log.

use std::path::PathBuf;

use crate::log::chunk::Header;
use crate::store::Dropped;

/// What was lost because the log of a queue was damaged when it was opened, or when it had to open
/// itself anew after an error.
///
/// A log that ends in the middle of a write, as a crash or a power cut leaves it, is no damage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Items from this position on are lost; it is where the next item went after the opening.
    pub first: u64,
    /// Position after the last item that is known to be lost. `None` when the log does not tell:
    /// its damaged end may have been a push, a take, or a note of the queue's own.
    pub next: Option<u64>,
    /// Whole writes (pushes, takes and others) behind the damage, which were left out.
    pub writes: u64,
    /// Bytes of the log from the damage on.
    pub bytes: u64,
    /// The directory, within the queue's, to which the damaged log was moved;
    /// [`repair`](super::repair) brings back what it still holds.
    pub kept: PathBuf,
}

impl Recovery {
    /// What `dropped` means; nothing yet while the log has not been found again.
    pub(crate) fn of(dropped: Dropped) -> Option<Self> {
        let end = dropped.end?;
        let next = dropped.last_chunk.and_then(|(first, head)| {
            let (header, _) = Header::decode(&head).ok()?;
            Some(first.saturating_add(header.items.into()))
        });
        Some(Self {
            first: end,
            next: next.filter(|next| *next > end),
            writes: dropped.records,
            bytes: dropped.bytes,
            kept: dropped.kept,
        })
    }
}

impl std::fmt::Display for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the log was damaged: items from position {}", self.first)?;
        match self.next {
            Some(next) => write!(f, " to before {next} are left out")?,
            None => write!(f, " on may be lost")?,
        }
        write!(
            f,
            ", {} whole writes lie behind the damage; the damaged log is in {}, and rocksq.repair \
             brings back what it holds",
            self.writes,
            self.kept.display()
        )
    }
}
