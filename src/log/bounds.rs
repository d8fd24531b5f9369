//! How much a queue holds, and how much it may hold.

use crate::error::{Error, Result};
use crate::options::OnFull;

/// Items, and their payload bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many items.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    pub(crate) const UNBOUNDED: Self = Self {
        items: u64::MAX,
        bytes: u64::MAX,
    };

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_add(other.items),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_sub(other.items),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// Whether neither is more than in `room`.
    pub(crate) fn fits(self, room: Self) -> bool {
        self.items <= room.items && self.bytes <= room.bytes
    }

    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl From<u64> for Amount {
    fn from(items: u64) -> Self {
        Self { items, bytes: 0 }
    }
}

impl From<(u64, u64)> for Amount {
    fn from((items, bytes): (u64, u64)) -> Self {
        Self { items, bytes }
    }
}

/// How much a log may hold, and what becomes of a push that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub max: Amount,
    pub on_full: OnFull,
}

impl Bounds {
    pub(crate) fn new(max_items: Option<u64>, max_bytes: Option<u64>, on_full: OnFull) -> Self {
        Self {
            max: Amount {
                items: max_items.unwrap_or(u64::MAX),
                bytes: max_bytes.unwrap_or(u64::MAX),
            },
            on_full,
        }
    }

    /// Fails for bounds that let nothing in, ever.
    pub(crate) fn check(self) -> Result<()> {
        let name = match self.max {
            Amount { items: 0, .. } => "max_elements",
            Amount { bytes: 0, .. } => "max_bytes",
            _ => return Ok(()),
        };
        let message = format!("{name} is 0, so nothing could ever be pushed: choose at least 1");
        Err(Error::invalid(message))
    }

    pub(crate) fn are_there(self) -> bool {
        self.max != Amount::UNBOUNDED
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::new(None, None, OnFull::Error)
    }
}
