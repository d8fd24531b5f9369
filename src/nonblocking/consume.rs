//! Taking item after item, and reading batch after batch, without a thread.

use super::Response;
use crate::error::{ErrorKind, Result};
use crate::log::items::Items;
use crate::log::read::Batch;
use crate::mpmc::Next;

/// Asks for one answer after another.
struct Asking<T> {
    ask: Ask<T>,
    /// The response that a poll of the stream has left under way.
    asked: Option<Response<T>>,
}

/// Asks for the next, waiting for it.
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
///
/// With the feature `stream` it is a stream of `futures-core`. What a stream that was polled has
/// taken is given back when it is dropped.
pub struct Consume<T = Items>(Asking<T>);

/// Reads batch after batch without taking them, until the queue is closed or nothing came as long
/// as it was to wait. `commit` of the queue takes one; one that was not committed is read again.
///
/// ```
/// use std::time::Duration;
/// use rocksq::nonblocking::PersistentQueueWithCapacity;
///
/// let dir = tempfile::tempdir()?;
/// let queue = PersistentQueueWithCapacity::new(dir.path().join("queue"), 10, 100)?;
/// queue.push(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()])?;
/// pollster::block_on(async {
///     let mut batches = queue.batches(2, Duration::from_millis(1).into());
///     while let Some(batch) = batches.next().await {
///         queue.commit(&batch?)?.await?;
///     }
///     Ok::<(), rocksq::Error>(())
/// })?;
/// assert_eq!(queue.len()?.get()?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With the feature `stream` it is a stream of `futures-core`.
pub struct Batches(Asking<Batch>);

/// An answer of which one thing is wanted.
trait One: Clone {
    type Thing;

    /// None at the end.
    fn one(self) -> Option<Self::Thing>;
}

impl One for Items {
    type Thing = Vec<u8>;

    fn one(self) -> Option<Vec<u8>> {
        self.iter().next().map(<[u8]>::to_vec)
    }
}

impl One for Next {
    type Thing = Vec<u8>;

    fn one(self) -> Option<Vec<u8>> {
        self.items.one()
    }
}

impl One for Batch {
    type Thing = Self;

    fn one(self) -> Option<Self> {
        (!self.items().is_empty()).then_some(self)
    }
}

impl<T: One> Asking<T> {
    fn new(ask: impl FnMut() -> Result<Response<T>> + Send + 'static) -> Self {
        Self {
            ask: Box::new(ask),
            asked: None,
        }
    }

    /// The response that is under way, or a new one.
    fn response(&mut self) -> Result<Response<T>> {
        self.asked.take().map_or_else(|| (self.ask)(), Ok)
    }

    async fn next(&mut self) -> Option<Result<T::Thing>> {
        thing(match self.response() {
            Ok(response) => response.await,
            Err(error) => Err(error),
        })
    }
}

fn thing<T: One>(answer: Result<T>) -> Option<Result<T::Thing>> {
    match answer {
        Ok(answer) => answer.one().map(Ok),
        Err(error) if error.kind() == ErrorKind::Closed => None,
        Err(error) => Some(Err(error)),
    }
}

#[expect(private_bounds, reason = "it comes from the two queues alone")]
impl<T: One> Consume<T> {
    pub(super) fn new(ask: impl FnMut() -> Result<Response<T>> + Send + 'static) -> Self {
        Self(Asking::new(ask))
    }
}

#[expect(private_bounds, reason = "it comes from the two queues alone")]
impl<T: One<Thing = Vec<u8>>> Consume<T> {
    /// The next item, once there is one; `None` when the queue is closed. Dropping the future
    /// before it is ready takes nothing.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        self.0.next().await
    }
}

impl Batches {
    pub(super) fn new(ask: impl FnMut() -> Result<Response<Batch>> + Send + 'static) -> Self {
        Self(Asking::new(ask))
    }

    /// The next batch, once there is one; `None` when the queue is closed, or nothing came in time.
    pub async fn next(&mut self) -> Option<Result<Batch>> {
        self.0.next().await
    }
}

#[cfg(feature = "stream")]
mod stream {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, ready};

    use futures_core::Stream;

    use super::{Asking, Batch, Batches, Consume, One, thing};
    use crate::error::Result;

    impl<T: One> Asking<T> {
        fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T::Thing>>> {
            let mut response = match self.response() {
                Ok(response) => response,
                Err(error) => return Poll::Ready(thing::<T>(Err(error))),
            };
            let polled = pin!(&mut response).poll(context);
            if polled.is_pending() {
                self.asked = Some(response);
            }
            Poll::Ready(thing(ready!(polled)))
        }
    }

    impl<T: One<Thing = Vec<u8>>> Stream for Consume<T> {
        type Item = Result<Vec<u8>>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.get_mut().0.poll_next(context)
        }
    }

    impl Stream for Batches {
        type Item = Result<Batch>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.get_mut().0.poll_next(context)
        }
    }
}
