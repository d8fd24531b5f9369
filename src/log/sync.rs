//! The sync stage: callers who want their writes on the device share one sync.
//!
//! A caller joins the round that has not begun yet, since a running sync may have missed its
//! writes. One member leads the round; the others wait for its result. Writers are not held up.
//!
//! A sync vouches for what was written in its own generation of the store and for nothing else: a
//! store that had to reopen itself between the write and the sync may have lost the write.

use std::sync::Arc;

use super::Log;
use super::commit::Committed;
use crate::error::{Error, ErrorKind, Result};
use crate::options::Durability;
use crate::primitives::atomic::{AtomicUsize, Ordering};
use crate::primitives::{Condvar, Mutex, MutexGuard, yield_now};
use crate::store::Store;

#[derive(Debug, Default)]
pub(crate) struct SyncStage {
    stage: Mutex<Stage>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Stage {
    running: bool,
    /// The round that begins next.
    next: Arc<Round>,
    /// How many shared the last round.
    last: usize,
}

/// Those who share a sync.
#[derive(Debug, Default)]
struct Round {
    members: AtomicUsize,
    /// The generation that was synced, once the round has ended.
    result: Mutex<Option<Result<u64>>>,
}

impl Round {
    fn members(&self) -> usize {
        self.members.load(Ordering::Relaxed)
    }
}

impl SyncStage {
    /// Returns when a sync that began after this call has ended, with its result: the generation
    /// of the store in which it ran.
    pub(crate) fn sync(&self, sync: impl FnOnce() -> Result<u64>) -> Result<u64> {
        let mut stage = self.stage.lock();
        let round = Arc::clone(&stage.next);
        round.members.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(result) = &*round.result.lock() {
                return result.clone();
            }
            if !stage.running {
                break;
            }
            self.ended.wait(&mut stage);
        }
        stage.running = true;
        gather(&round, &mut stage);
        stage.last = round.members();
        stage.next = Arc::default();
        drop(stage);
        let result = sync();
        *round.result.lock() = Some(result.clone());
        self.stage.lock().running = false;
        self.ended.notify_all();
        result
    }
}

/// Lets those join whom the last round has just let go and who are about to write again: as long
/// as somebody comes whenever the processor is given away, and no more than there were. It waits
/// for nobody. Where a sync is quick, twice as many share it so (16 threads: 15 instead of 8).
fn gather(round: &Round, stage: &mut MutexGuard<'_, Stage>) {
    let mut members = round.members();
    while members < stage.last {
        MutexGuard::unlocked(stage, yield_now);
        if round.members() == members {
            break;
        }
        members = round.members();
    }
}

impl<S: Store> Log<S> {
    /// Returns when what was committed is as durable as `level` says. It is visible before.
    pub(crate) fn settle(&self, committed: Option<Committed>, level: Durability) -> Result<()> {
        match committed {
            Some(committed) if level == Durability::Synced => self.sync(committed),
            _ => Ok(()),
        }
    }

    fn sync(&self, committed: Committed) -> Result<()> {
        let synced = self.syncs.sync(|| {
            self.store.recover()?;
            self.store.sync()?;
            // Read last: equal to that of the write, it was the same during the sync.
            Ok(self.store.generation())
        });
        let synced = match synced {
            Err(error) if error.kind() == ErrorKind::Closed => self.synced_by_close(),
            synced => synced,
        };
        match synced {
            Ok(generation) if generation == committed.generation => Ok(()),
            Ok(_) => Err(unsynced("the queue was opened anew after an error")),
            Err(error) => Err(unsynced(&error.to_string())),
        }
    }

    /// A close that overtook a caller on its way to the sync has synced for it: the store takes
    /// nothing more, and the caller's change came before.
    fn synced_by_close(&self) -> Result<u64> {
        let closing = self.closing.lock();
        closing.clone().unwrap_or_else(|| Err(Error::closed()))
    }
}

fn unsynced(why: &str) -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        format!(
            "The change was made, but whether it survives is not known, since it could not be \
             synced: {why}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn callers_who_come_during_a_sync_share_the_next_one() {
        let stage = SyncStage::default();
        let (begun, go_on) = (Barrier::new(2), Barrier::new(2));
        let syncs = AtomicUsize::new(0);
        let joined = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                stage.sync(|| {
                    begun.wait();
                    go_on.wait();
                    Ok(0)
                })
            });
            begun.wait();
            for _ in 0..8 {
                scope.spawn(|| {
                    joined.fetch_add(1, Ordering::SeqCst);
                    stage.sync(|| {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(0)
                    })
                });
            }
            while stage.stage.lock().next.members() < 8 {
                std::thread::yield_now();
            }
            go_on.wait();
        });
        assert_eq!(joined.into_inner(), 8);
        assert_eq!(syncs.into_inner(), 1);
    }
}
