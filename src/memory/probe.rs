//! Memory whose size a caller or a file decides: it is asked for in a way that may fail.

use std::hint::black_box;

use crate::error::{Error, Result};

/// Fails if memory for `bytes` is not to be had now, to `what`. For what allocates where failing is
/// no answer: RocksDB ends the process, in the middle of a write that others wait for.
pub(crate) fn probe(bytes: u64, what: &str) -> Result<()> {
    let bytes = usize::try_from(bytes).map_err(|_| Error::out_of_memory(what))?;
    // The optimizer must not leave out memory that nobody uses.
    bytes_of(bytes, what).map(|memory| drop(black_box(memory)))
}

/// An empty vector with room for `len` bytes.
pub fn bytes_of(len: usize, what: &str) -> Result<Vec<u8>> {
    let mut memory = Vec::new();
    memory
        .try_reserve_exact(len)
        .map_err(|_| Error::out_of_memory(what))?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn memory_that_is_not_to_be_had_is_an_error() {
        let refused = probe(u64::MAX, "try").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::OutOfMemory);
        let refused = bytes_of(isize::MAX as usize, "try").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::OutOfMemory);
    }

    #[test]
    fn memory_that_is_to_be_had_is_none() {
        probe(1 << 20, "try").unwrap();
        assert!(bytes_of(1 << 20, "try").unwrap().capacity() >= 1 << 20);
    }
}
