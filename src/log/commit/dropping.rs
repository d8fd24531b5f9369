//! Dropping the oldest pushes to make room for a push, in the same batch.
//!
//! What was pushed as one is dropped as one, or what is left of it. Each chunk says where its push
//! ends, so the others of it need not be read.
//!
//! Where the queue begins afterwards depends on what the items before weigh, which may have to be
//! read. The leader does that between two looks at the state: nobody else moves the end or a cursor
//! meanwhile.

use super::Operation;
use super::plan::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::log::Log;
use crate::log::bounds::Amount;
use crate::log::chunk::Unit;
use crate::log::cursor::{Cursor, Mark};
use crate::log::fetch::Source;
use crate::log::state::State;
use crate::primitives::MutexGuard;
use crate::store::Store;

impl<S: Store> Log<S> {
    /// Has `plan` drop as many of the oldest pushes as `operation` needs to fit, if it adds any
    /// items and the queue drops for that.
    pub(super) fn drop_for(
        &self,
        plan: &mut Plan<'_>,
        operation: &Operation<'_>,
        state: &mut MutexGuard<'_, State>,
    ) -> Result<()> {
        while let Some(excess) = plan.excess(operation, state) {
            let oldest = plan.oldest(state);
            let first = oldest.first();
            let looked = MutexGuard::unlocked(state, || {
                match self.leave_out(plan, oldest, excess) {
                    Err(error) if error.kind() == ErrorKind::Corrupt && !self.is_caught_up() => {
                        Err(opened_anew())
                    }
                    // What was to be dropped has expired and gone meanwhile.
                    Err(error) if self.are_gone(first, &error)? => Ok(None),
                    cursor => cursor.map(Some),
                }
            });
            match looked? {
                Some(cursor) => plan.begin_at(cursor),
                None => plan.forget_expired(state),
            }
        }
        Ok(())
    }

    /// The cursor after leaving out the smallest number of pushes that makes up for `excess`.
    fn leave_out(&self, plan: &Plan<'_>, mut cursor: Cursor, excess: Amount) -> Result<Cursor> {
        let before = Amount::from(cursor.remaining(plan.end));
        let mut lacking = excess;
        while !lacking.is_nothing() {
            let (from, until) = match cursor.owed.front() {
                Some(run) => (run.first, run.next),
                None => (cursor.mark, plan.end),
            };
            if from.position >= until.position {
                break;
            }
            let reached = self.cut(plan, from, until, lacking)?;
            // A header cannot lead behind the end of the log.
            cursor.skip_to(match reached.position < plan.end.position {
                true => reached,
                false => plan.end,
            });
            let left_out = before.minus(cursor.remaining(plan.end).into());
            lacking = excess.minus(left_out);
        }
        Ok(cursor)
    }

    /// The end of the push with the last item that has to go for the items' sake, if that is at
    /// least `excess` behind `from`. It may lie behind `until`, where the run that begins at `from`
    /// ends: what was given back of a push goes with the rest of it.
    ///
    /// Where items do not belong together, the first place with `excess` in between, or the end of
    /// their chunk.
    fn cut(&self, plan: &Plan<'_>, from: Mark, until: Mark, excess: Amount) -> Result<Mark> {
        let least = from.position.saturating_add(excess.items.max(1));
        let least = least.min(until.position);
        let last = least.saturating_sub(1);
        let bytes = from.bytes.saturating_add(excess.bytes);
        if let Some(planned) = plan.find(last) {
            return Ok(planned.end_of_push());
        }
        let chunk = self.chunk_at(last, Source::Anywhere)?;
        match chunk.header.unit {
            Unit::Push { .. } => Ok(chunk.header.end_of_push(chunk.end())),
            Unit::Item => {
                let end = chunk.next().min(until.position);
                Ok(first_behind(least, end, bytes, |position| {
                    chunk.bytes_before(position)
                }))
            }
        }
    }
}

fn opened_anew() -> Error {
    Error::new(
        ErrorKind::Io,
        "Could not make room: the queue was opened anew after an error meanwhile; nothing was \
         changed, call again",
    )
}

/// The first position in `least..=end` that has `bytes` before it, or `end`.
fn first_behind(least: u64, end: u64, bytes: u64, bytes_before: impl Fn(u64) -> u64) -> Mark {
    let (mut position, mut enough) = (least, end);
    while position < enough {
        let middle = position.midpoint(enough);
        match bytes_before(middle) >= bytes {
            true => enough = middle,
            false => position = middle.saturating_add(1),
        }
    }
    Mark {
        position,
        bytes: bytes_before(position),
    }
}
