//! Taking item after item without a thread.

use super::Response;
use crate::error::{ErrorKind, Result};
use crate::log::items::Items;
use crate::mpmc::Next;

/// Asks for one item, waiting for it.
type Ask<T> = Box<dyn FnMut() -> Result<Response<T>> + Send>;

/// Takes item after item, waiting for each, until the queue is closed.
///
/// ```
/// use rocksq::nonblocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10, 100)?;
/// queue.push(vec![b"work".to_vec(), b"stop".to_vec()])?;
/// pollster::block_on(async {
///     let mut items = queue.consume();
///     while let Some(item) = items.next().await {
///         if item? == b"stop" {
///             break;
///         }
///     }
///     Ok::<(), rocksq::Error>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Consume<T = Items>(Ask<T>);

/// What an item comes in.
trait One {
    fn one(&self) -> Option<Vec<u8>>;
}

impl One for Items {
    fn one(&self) -> Option<Vec<u8>> {
        self.iter().next().map(<[u8]>::to_vec)
    }
}

impl One for Next {
    fn one(&self) -> Option<Vec<u8>> {
        self.items.one()
    }
}

impl<T> Consume<T> {
    pub(super) fn new(ask: impl FnMut() -> Result<Response<T>> + Send + 'static) -> Self {
        Self(Box::new(ask))
    }
}

#[expect(private_bounds, reason = "it comes from the two queues alone")]
impl<T: One + Clone> Consume<T> {
    /// The next item, once there is one; `None` when the queue is closed. Dropping the future
    /// before it is ready takes nothing.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        let asked = match (self.0)() {
            Ok(response) => response.await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(taken) => taken.one().map(Ok),
            Err(error) if error.kind() == ErrorKind::Closed => None,
            Err(error) => Some(Err(error)),
        }
    }
}
