//! Doing an operation that has to wait for nothing.
#![cfg_attr(not(feature = "rocksdb"), allow(dead_code))]

use smallvec::smallvec;

use super::{Committed, Operation};
use crate::error::Result;
use crate::log::Log;
use crate::log::state::State;
use crate::memory;
use crate::options::Durability;
use crate::primitives::atomic::Ordering;
use crate::store::Store;

impl<S: Store> Log<S> {
    /// Does an operation if nobody leads and nothing is to be waited for.
    pub(crate) fn submit_at_once<'a>(
        &self,
        operation: impl FnOnce() -> Result<Operation<'a>>,
        level: Durability,
        fits: impl FnOnce(&State) -> bool,
    ) -> Result<Option<Committed>> {
        let Some(_lead) = self.commits.try_lead() else {
            return Ok(None);
        };
        let operation = operation()?;
        let buffered = operation.is_buffered(level);
        if !self.is_free_for(operation.cost(), buffered, fits) {
            return Ok(None);
        }
        self.do_group(smallvec![operation], buffered)
            .pop()
            .transpose()
    }

    /// Whether the leader could do an operation without waiting, and without writing what others
    /// have buffered.
    fn is_free_for(&self, cost: u64, buffered: bool, fits: impl FnOnce(&State) -> bool) -> bool {
        let Some(state) = self.state.try_lock() else {
            return false;
        };
        let writes_little = match buffered {
            true => state.buffer.has_room_for(cost),
            false => state.buffer.is_empty(),
        };
        writes_little
            && !state.closed
            && fits(&state)
            && !self.in_doubt.load(Ordering::Relaxed)
            && self.is_caught_up()
            && !memory::is_used_up()
            && self.store.is_quiet(cost)
    }
}
