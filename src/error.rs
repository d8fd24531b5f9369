//! One error type for the whole crate, sorted by what the caller does next.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, grouped by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No room for the items. Take some out, wait with a timeout, or raise the capacity.
    Full,
    /// The queue was closed. Open it again.
    Closed,
    /// Another consumer moved the cursor since the batch was read. Read again.
    Conflict,
    /// The queue was opened before this process was forked off. Open queues after forking.
    Forked,
    /// A wait was given up because the caller's interrupt said so.
    Interrupted,
    /// The operation was cancelled before its outcome was claimed; it has changed nothing.
    Cancelled,
    /// An argument cannot be used. Fix the call.
    InvalidArgument,
    /// The path is open in another process, or here with other options. Close that one.
    Busy,
    /// The path holds something else: the other kind of queue, or a database of another program.
    WrongKind,
    /// The path holds a queue in a format that this version cannot read.
    UnsupportedFormat,
    /// The path cannot be used: not a directory, no permission, a parent that cannot be made.
    Path,
    /// The device has no space left. Make room and call again.
    DiskFull,
    /// The operating system refused to read or write.
    Io,
    /// The stored data are damaged: see [`maintenance`](crate::maintenance).
    Corrupt,
    /// A write failed in a way that leaves open whether it will be there after the next open.
    OutcomeUnknown,
    /// There is not enough memory. Nothing has changed: free some, or ask for less at once.
    OutOfMemory,
}

/// The error of every operation. Cheap to clone.
///
/// ```
/// use rocksq::ErrorKind;
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("q"), 1)?;
/// queue.push(&[b"fits"])?;
/// let error = queue.push(&[b"does not"]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Full);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Error(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    advice: Option<String>,
    path: Option<PathBuf>,
}

impl Error {
    /// An error of `kind` whose `message` says what was tried, why it failed and what to do.
    #[doc(hidden)]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            advice: None,
            path: None,
        }))
    }

    /// The same error, naming the queue's directory.
    pub(crate) fn at(self, path: &Path) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.path.get_or_insert_with(|| path.to_owned());
        Self(Arc::new(inner))
    }

    /// The same error with advice that its message has no place for.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.advice = Some(advice.into());
        Self(Arc::new(inner))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// Not enough memory for `what`.
    pub(crate) fn out_of_memory(what: &str) -> Self {
        let message = format!(
            "There is not enough memory to {what}: nothing has changed, free some and call again, \
             or ask for less at once"
        );
        Self::new(ErrorKind::OutOfMemory, message)
    }

    pub(crate) fn closed() -> Self {
        Self::new(
            ErrorKind::Closed,
            "The queue is closed: open it again to use it",
        )
    }

    #[doc(hidden)]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "The operation was cancelled")
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What to do about it, where the message does not say and it is not what is always done about an
    /// error of this kind: that items which do not fit can never fit, for instance.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The queue's directory, where the error belongs to one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
