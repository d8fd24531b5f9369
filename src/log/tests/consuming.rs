use super::*;
use crate::error::ErrorKind;
use crate::log::chunk::MAX_CHUNK_PAYLOAD;
use crate::log::tail::MAX_KEPT_PAYLOAD;
use crate::options::StartPosition::{Newest, Oldest};

fn clock() -> ManualClock {
    ManualClock::at(1_000_000)
}

#[test]
fn items_come_out_in_the_order_of_their_push() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.add(&["c"]);
    assert_eq!(log.pop(1), ["a"]);
    assert_eq!(log.pop(9), ["b", "c"]);
    assert_eq!(log.pop(9), [""; 0]);
}

#[test]
fn a_huge_number_means_all_there_is_and_zero_means_none() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    assert_eq!(log.pop(0), [""; 0]);
    assert_eq!(log.pop(u64::MAX), ["a", "b"]);
}

#[test]
fn length_and_payload_count_what_is_left() {
    let log = fifo(10);
    log.add(&["a", "bb", "ccc"]);
    assert_eq!(log.size().unwrap(), (3, 6));
    log.pop(2);
    assert_eq!(log.size().unwrap(), (1, 3));
}

#[test]
fn a_push_that_does_not_fit_changes_nothing() {
    let log = fifo(2);
    log.add(&["a"]);
    let error = log.append(&["b", "c"], Wait::NEVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(error.to_string(), "Failed to push item: Queue is full");
    assert_eq!(log.pop(9), ["a"]);
}

#[test]
fn a_push_larger_than_the_capacity_fails_without_waiting() {
    let log = fifo(2);
    let error = log.append(&["a"; 3], Wait::FOREVER, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
}

#[test]
fn large_chunks_come_out_one_after_another() {
    let log = fifo(10);
    let large: Vec<_> = (0..6u8)
        .map(|item| vec![item; MAX_KEPT_PAYLOAD as usize + 1])
        .collect();
    for item in &large {
        log.append(&[item], Wait::NEVER, Written).unwrap();
    }
    log.add(&["a", "b"]);
    for item in &large {
        let batch = log
            .read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
            .unwrap();
        assert_eq!(*batch.items(), [item]);
        log.commit(&batch, Written).unwrap();
    }
    assert_eq!(log.pop(9), ["a", "b"]);
}

#[test]
fn a_large_chunk_that_is_damaged_is_told_when_it_is_its_turn() {
    let log = fifo(10);
    for _ in 0..4 {
        let large = vec![7u8; MAX_KEPT_PAYLOAD as usize + 1];
        log.append(&[large], Wait::NEVER, Written).unwrap();
    }
    log.store.damage_chunk(2);
    let read = |max| log.read(&ONLY_LABEL.into(), Oldest, max, Wait::NEVER);
    let batch = read(9).unwrap();
    assert_eq!(batch.items().len(), 2);
    log.commit(&batch, Written).unwrap();
    let error = read(9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("position 2"), "{error}");
}

#[test]
fn a_store_that_fails_is_asked_once() {
    let log = fifo(10);
    for _ in 0..9 {
        let large = vec![7u8; MAX_KEPT_PAYLOAD as usize + 1];
        log.append(&[large], Wait::NEVER, Written).unwrap();
    }
    log.pop(8);
    log.store.close().unwrap();
    let before = log.store.visits();
    let error = log.peek(&ONLY_LABEL.into(), Oldest, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(log.store.visits(), before + 1);
}

#[test]
fn a_push_of_several_chunks_comes_out_whole() {
    let log = fifo(10);
    let big = vec![7u8; MAX_CHUNK_PAYLOAD / 2 + 1];
    log.append(&[&big[..], b"small", &big], Wait::NEVER, Written)
        .unwrap();
    assert_eq!(log.store.chunk_positions(), [0, 2]);
    let taken = log
        .take(&ONLY_LABEL.into(), Oldest, 9, Wait::NEVER, Written)
        .unwrap();
    assert_eq!(taken.items, [&big[..], b"small", &big]);
}

#[test]
fn a_batch_that_was_not_committed_is_read_again() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    let batch = log
        .read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
        .unwrap();
    assert_eq!((batch.first(), batch.next()), (0, 1));
    let log = after_kill(&log, &clock());
    assert_eq!(log.pop(9), ["a", "b"]);
}

#[test]
fn only_one_of_two_commits_of_the_same_items_succeeds() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    let read = || {
        log.read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
            .unwrap()
    };
    let (one, other) = (read(), read());
    log.commit(&one, Written).unwrap();
    assert_eq!(
        log.commit(&other, Written).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(log.pop(9), ["b"]);
}

#[test]
fn a_batch_of_another_queue_is_refused() {
    let (log, other) = (fifo(10), fifo(10));
    log.add(&["a"]);
    other.add(&["a"]);
    let batch = other
        .read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
        .unwrap();
    let error = log.commit(&batch, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(log.len(), 1);
}

#[test]
fn peeking_and_browsing_take_nothing() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.pop(1);
    assert_eq!(log.peek(&ONLY_LABEL.into(), Oldest, 9).unwrap(), ["b"]);
    assert_eq!(log.browse(0, 9).unwrap().0, ["b"]);
    assert_eq!(log.len(), 1);
}

#[test]
fn every_label_reads_every_item_once() {
    let log = mpmc(0, &clock());
    log.add(&["a", "b"]);
    assert_eq!(log.next("x", Oldest, 1).0, ["a"]);
    assert_eq!(log.next("y", Oldest, 9).0, ["a", "b"]);
    assert_eq!(log.next("x", Oldest, 9).0, ["b"]);
    assert_eq!(log.labels().unwrap(), ["x", "y"]);
}

#[test]
fn a_new_label_can_begin_at_the_last_item() {
    let log = mpmc(0, &clock());
    log.add(&["a", "b", "c"]);
    assert_eq!(log.next("x", Newest, 9).0, ["c"]);
}

#[test]
fn a_label_that_began_on_an_empty_queue_misses_nothing() {
    let log = mpmc(0, &clock());
    assert_eq!(log.next("x", Newest, 9), (vec![], false));
    log.add(&["a", "b"]);
    assert_eq!(log.next("x", Newest, 9).0, ["a", "b"]);
}

#[test]
fn a_removed_label_begins_anew() {
    let log = mpmc(0, &clock());
    log.add(&["a"]);
    log.next("x", Oldest, 9);
    assert!(log.remove_label(&"x".into(), Written).unwrap());
    assert!(!log.remove_label(&"x".into(), Written).unwrap());
    assert_eq!(log.next("x", Oldest, 9).0, ["a"]);
}

#[test]
fn places_survive_a_kill() {
    let log = mpmc(0, &clock());
    log.add(&["a", "b", "c"]);
    log.next("x", Oldest, 2);
    let log = after_kill(&log, &clock());
    assert_eq!(log.next("x", Oldest, 9).0, ["c"]);
    assert_eq!(log.labels().unwrap(), ["x"]);
}

#[test]
fn an_emptied_queue_goes_on_at_its_position() {
    let log = fifo(10);
    log.add(&["a", "b"]);
    log.pop(2);
    log.tidy().unwrap();
    assert!(log.store.chunk_positions().is_empty());
    let log = after_kill(&log, &clock());
    log.add(&["c"]);
    assert_eq!(log.store.chunk_positions(), [2]);
    assert_eq!(log.size().unwrap(), (1, 1));
}

#[test]
fn tidying_keeps_the_chunk_that_is_half_read() {
    let log = fifo(10);
    log.add(&["a"]);
    log.add(&["b", "c"]);
    log.pop(2);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [1]);
    assert_eq!(after_kill(&log, &clock()).pop(9), ["c"]);
}

#[test]
fn the_epoch_grows_with_an_unclean_stop_alone() {
    let log = fifo(10);
    let killed = after_kill(&log, &clock());
    assert_eq!(killed.epoch(), log.epoch() + 1);
    killed.close().unwrap();
    let closed = after_kill(&killed, &clock());
    assert_eq!(closed.epoch(), killed.epoch());
    assert_eq!(closed.uuid, log.uuid);
}

#[test]
fn a_closed_log_refuses_everything() {
    let log = fifo(10);
    log.add(&["a"]);
    log.close().unwrap();
    log.close().unwrap();
    let label = ONLY_LABEL.into();
    let errors = [
        log.append(&["b"], Wait::NEVER, Written).unwrap_err(),
        log.append::<&str>(&[], Wait::NEVER, Written).unwrap_err(),
        log.take(&label, Oldest, 1, Wait::FOREVER, Written)
            .unwrap_err(),
        log.peek(&label, Oldest, 1).unwrap_err(),
        log.size().unwrap_err(),
        log.flush().unwrap_err(),
        log.labels().unwrap_err(),
    ];
    assert_eq!(errors.map(|e| e.kind()), [ErrorKind::Closed; 7]);
}
