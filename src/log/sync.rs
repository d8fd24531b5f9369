//! The sync stage: callers who want their writes on the device share one sync.
//!
//! A caller joins the round that has not begun yet, since a running sync may have missed its
//! writes. One member leads the round; the others wait for its result. Writers are not held up.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::error::Result;

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
}

type Round = Mutex<Option<Result<()>>>;

impl SyncStage {
    /// Returns when a sync that began after this call has ended, with its result.
    pub(crate) fn sync(&self, sync: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut stage = self.stage.lock();
        let round = Arc::clone(&stage.next);
        loop {
            if let Some(result) = &*round.lock() {
                return result.clone();
            }
            if !stage.running {
                break;
            }
            self.ended.wait(&mut stage);
        }
        stage.running = true;
        stage.next = Arc::default();
        drop(stage);
        let result = sync();
        *round.lock() = Some(result.clone());
        self.stage.lock().running = false;
        self.ended.notify_all();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
                    Ok(())
                })
            });
            begun.wait();
            for _ in 0..8 {
                scope.spawn(|| {
                    joined.fetch_add(1, Ordering::SeqCst);
                    stage.sync(|| {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                });
            }
            while Arc::strong_count(&stage.stage.lock().next) < 9 {
                std::thread::yield_now();
            }
            go_on.wait();
        });
        assert_eq!(joined.into_inner(), 8);
        assert_eq!(syncs.into_inner(), 1);
    }
}
