//! What the extension module of the Python package needs beyond the public interface. It is for that
//! alone and promises nothing: it may change with any version.

pub use crate::blocking::{checked, opening_at};
pub use crate::events::{Event, Level};
pub use crate::fork::{Birthplace, is_sound};
pub use crate::log::Few;
pub use crate::log::bounds::Amount;
pub use crate::log::read::Taken;
pub use crate::log::state::ONLY_LABEL;
pub use crate::memory::bytes_of;
pub use crate::nonblocking::{Asked, Asking, Effect, Entry, Face, Open, Payload, Watch};
pub use crate::threads::spawn;

use crate::error::ErrorKind;

/// The Python class of an error of this kind. Here, since only this crate can list all kinds.
pub fn exception_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Full => "Full",
        ErrorKind::Closed => "Closed",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Forked => "Forked",
        ErrorKind::InvalidArgument => "InvalidArgument",
        ErrorKind::Busy => "Busy",
        ErrorKind::WrongKind => "WrongKind",
        ErrorKind::UnsupportedFormat => "UnsupportedFormat",
        ErrorKind::Path => "PathError",
        ErrorKind::DiskFull => "DiskFull",
        ErrorKind::Io => "IOFailure",
        ErrorKind::Corrupt => "Corrupt",
        ErrorKind::OutcomeUnknown => "OutcomeUnknown",
        ErrorKind::OutOfMemory => "OutOfMemory",
        // A response raises what fits its caller in its place.
        ErrorKind::Cancelled => "Error",
        // `call::waiting` raises what the signal handler raised in its place.
        ErrorKind::Interrupted => "Error",
    }
}
