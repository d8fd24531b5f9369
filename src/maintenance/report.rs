//! What was found in a queue's files.

use std::path::PathBuf;

/// What [`verify`](super::verify) or [`repair`](super::repair) found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Items that are in the queue and can be read. With [`verify`](super::verify) 0 when the
    /// queue does not open: see `problems`.
    pub items: u64,
    /// Bytes of these items.
    pub bytes: u64,
    /// The labels that have a place in the queue; none for a persistent queue.
    pub labels: Vec<String>,
    /// Items in logs that an earlier opening had to set aside. [`repair`](super::repair) has
    /// brought them back, and counts them in `items` as well; after [`verify`](super::verify) it
    /// still can.
    pub set_aside: u64,
    /// Items that should be there and cannot be read, by their positions before a repair. What is
    /// gone of a log that an earlier opening had to set aside has the positions it had there, which
    /// items that were pushed later may have too.
    pub missing: Vec<Missing>,
    /// Whatever else is not as it should be, in words.
    pub problems: Vec<String>,
    /// The directory to which a repair moved the damaged files.
    pub kept: Option<PathBuf>,
}

/// A run of positions whose items are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// Position of the first of them.
    pub first: u64,
    /// Position after the last of them.
    pub next: u64,
    /// Why, in words.
    pub why: String,
}

impl Report {
    /// Whether nothing is missing and nothing else is wrong.
    pub fn is_intact(&self) -> bool {
        self.missing.is_empty() && self.problems.is_empty() && self.set_aside == 0
    }
}
