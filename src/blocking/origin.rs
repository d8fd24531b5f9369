//! Where a queue was opened.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// The place in a program that opened a queue.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Rust(&'static Location<'static>),
    /// As another language calls it.
    Named(Arc<str>),
}

thread_local! {
    /// What this thread opens is opened there.
    static NAMED: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

impl Origin {
    /// The caller, unless it has named a place in a program of another language.
    #[track_caller]
    pub(crate) fn of_caller() -> Self {
        let here = Location::caller();
        NAMED.with_borrow(|named| match named {
            Some(name) => Self::Named(Arc::clone(name)),
            None => Self::Rust(here),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust(location) => write!(f, "{}:{}", location.file(), location.line()),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Does `open`, for a program of another language that opens queues at `place`.
#[doc(hidden)]
pub fn opening_at<T>(place: &str, open: impl FnOnce() -> T) -> T {
    let before = NAMED.replace(Some(place.into()));
    let opened = open();
    NAMED.set(before);
    opened
}
