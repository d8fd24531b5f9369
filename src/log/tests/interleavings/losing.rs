use super::*;
use crate::options::Durability::{Buffered, Synced};
use crate::store::Store;

/// A first-in-first-out log, or one whose items expire, all of whose items but the new ones may be
/// lost, taken, trimmed and expired.
fn with_a_past() -> Arc<MemoryLog> {
    let clock = ManualClock::at(0);
    let retention = any_of(&[Retention::Unread, young(10)]);
    let log = bounded(retention, Bounds::default(), &clock);
    log.push(&["kept"], Synced);
    log.push(&["a", "b"], Written);
    if any_of(&[true, false]) {
        log.next(ONLY_LABEL, Oldest, any_of(&[1, 3]));
    }
    clock.advance(Duration::from_secs(any_of(&[0, 20])));
    if any_of(&[true, false]) {
        log.tidy().unwrap();
    }
    log
}

#[test]
fn what_is_pushed_after_a_loss_is_delivered_once_and_in_order() {
    const NEW: [&str; 4] = ["new 0", "new 1", "new 2", "new 3"];
    explore(|| {
        let log = with_a_past();
        log.store.fail_next_sync(any_of(&[0, 1, 2]));
        let _ = log.flush();
        let log = &log;
        let mut taken = thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                let takes = [1, 9].map(|max| log.next(ONLY_LABEL, Oldest, max).0);
                takes.concat()
            });
            scope.spawn(|| match any_of(&[true, false]) {
                true => drop(log.tidy()),
                false => drop(log.store.recover()),
            });
            log.push(&NEW[..2], any_of(&[Written, Buffered]));
            log.push(&NEW[2..], Written);
            consumer.join().unwrap()
        });
        taken.extend(log.next(ONLY_LABEL, Oldest, 9).0);
        taken.retain(|item| item.starts_with("new"));
        assert_eq!(taken, NEW);
    });
}
