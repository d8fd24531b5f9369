//! Items that were read: runs of chunks, shared with the log instead of copied.

use std::fmt;
use std::sync::Arc;

use super::Few;
use super::chunk::Chunk;

/// Items read from a queue, oldest first.
///
/// The bytes are shared with the queue's own memory; nothing is copied until
/// [`to_vecs`](Self::to_vecs).
///
/// ```
/// use rocksq::blocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("q"), 10)?;
/// queue.push(&[b"a", b"b"])?;
/// let items = queue.pop(2)?;
/// assert_eq!(items.len(), 2);
/// assert!(items.iter().eq([b"a", b"b"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Items {
    spans: Few<Span>,
    len: usize,
}

/// Neighbours within one chunk.
#[derive(Clone)]
struct Span {
    chunk: Arc<Chunk>,
    first: u64,
    next: u64,
}

impl Span {
    fn bytes(&self) -> u64 {
        let before = self.chunk.bytes_before(self.first);
        self.chunk.bytes_before(self.next).saturating_sub(before)
    }
}

impl Items {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.spans.iter().map(Span::bytes).sum()
    }

    /// The items, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans
            .iter()
            .flat_map(|span| (span.first..span.next).map(|at| span.chunk.item(at)))
    }

    /// A copy of every item.
    pub fn to_vecs(&self) -> Vec<Vec<u8>> {
        self.iter().map(<[u8]>::to_vec).collect()
    }

    /// Adds the items of `chunk` from position `first` up to `next`.
    pub(crate) fn push(&mut self, chunk: Arc<Chunk>, first: u64, next: u64) {
        self.len = self.len.saturating_add(next.saturating_sub(first) as usize);
        self.spans.push(Span { chunk, first, next });
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("len", &self.len).finish()
    }
}

impl<T: AsRef<[u8]>> PartialEq<[T]> for Items {
    fn eq(&self, other: &[T]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<T: AsRef<[u8]>, const N: usize> PartialEq<[T; N]> for Items {
    fn eq(&self, other: &[T; N]) -> bool {
        *self == other[..]
    }
}

impl<T: AsRef<[u8]>> PartialEq<Vec<T>> for Items {
    fn eq(&self, other: &Vec<T>) -> bool {
        *self == other[..]
    }
}
