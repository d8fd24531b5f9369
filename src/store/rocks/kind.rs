//! The two kinds of queue, and the column families that tell them apart on disk.

/// What a directory holds a queue for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Fifo,
    Mpmc,
}

/// The number of the format that this version writes; the suffix of the families' names.
pub(super) const FORMAT: u32 = 2;

pub(super) const DEFAULT: &str = "default";
pub(super) const DATA: &str = "data.2";
pub(super) const SYSTEM: &str = "system.2";
pub(super) const READER: &str = "reader.2";

/// The number that RocksDB gave to the family of chunks: families are made in the order of
/// [`Kind::families`].
pub(super) const DATA_ID: u32 = 2;
pub(super) const SYSTEM_ID: u32 = 3;
pub(super) const READER_ID: u32 = 4;

impl Kind {
    /// The empty family whose name tells the kind.
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Fifo => "kind.fifo",
            Self::Mpmc => "kind.mpmc",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Fifo => Self::Mpmc,
            Self::Mpmc => Self::Fifo,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fifo => "a FIFO queue",
            Self::Mpmc => "an MPMC queue",
        }
    }

    /// All families of a queue. RocksDB creates them in this order, so that the kind of a queue
    /// is known as early as possible.
    pub(super) fn families(self) -> [&'static str; 5] {
        [DEFAULT, self.family(), DATA, SYSTEM, READER]
    }
}
