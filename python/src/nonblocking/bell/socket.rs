//! The pair of sockets of a bell: the event loop watches one end, the worker writes to the other.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

/// The end that the event loop watches.
pub(super) struct Near(UnixStream);

/// The end that is written to.
pub(super) struct Far(UnixStream);

/// A pair, where this system has sockets that every event loop can watch.
pub(super) fn pair() -> io::Result<Option<(Near, Far)>> {
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    Ok(Some((Near(near), Far(far))))
}

impl Near {
    pub(super) fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Takes the bytes that have come.
    pub(super) fn drain(&self) {
        let mut bytes = [0; 64];
        while (&self.0)
            .read(&mut bytes)
            .is_ok_and(|read| read == bytes.len())
        {}
    }
}

impl Far {
    pub(super) fn write(&self) {
        // The pair holds many bytes; one more than enough is none too few.
        let _ = (&self.0).write(&[1]);
    }
}
