//! A queue as Python objects hold it.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;

use pyo3::prelude::*;

use super::exit::{self, Closing};

/// A share in an open queue. The last one to go closes the queue, without the GIL, since that
/// waits for the disk and for operations that are under way.
pub(super) struct Shared<Q: Closing>(ManuallyDrop<Arc<Q>>);

impl<Q: Closing> Shared<Q> {
    /// A queue that was just opened, which is closed at the latest when the interpreter exits.
    pub(super) fn new(py: Python<'_>, queue: Q) -> Self {
        let queue = Arc::new(queue);
        py.detach(|| exit::register(&queue));
        Self(ManuallyDrop::new(queue))
    }
}

impl<Q: Closing> Clone for Shared<Q> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Closing> Deref for Shared<Q> {
    type Target = Q;

    fn deref(&self) -> &Q {
        &self.0
    }
}

impl<Q: Closing> Drop for Shared<Q> {
    fn drop(&mut self) {
        // SAFETY: it is taken here alone, and nothing can use `self` after its destructor.
        let queue = unsafe { ManuallyDrop::take(&mut self.0) };
        let mut last = Arc::into_inner(queue);
        if last.is_some() {
            // Where there is no interpreter to attach to, no GIL is held either, and the queue goes
            // with `last`.
            Python::try_attach(|py| py.detach(|| drop(last.take())));
        }
    }
}
