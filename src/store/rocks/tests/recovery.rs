use std::fs;
use std::time::Instant;

use super::*;
use crate::error::ErrorKind;
use crate::store::files::wal;
use crate::store::{Occasion, Records};

#[test]
fn a_fatal_error_is_survived_in_the_same_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    push(&store, 0, b"before").unwrap();
    store.fail_next_write(ErrorKind::Io);
    assert_eq!(push(&store, 1, b"fails").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(
        push(&store, 1, b"stopped").unwrap_err().kind(),
        ErrorKind::Io
    );
    assert_eq!(visit(&store, 0, 0), [0]);
    assert_eq!(store.generation(), 0);
    let stale = store.batch(0);

    store.recover().unwrap();
    assert_eq!(store.generation(), 1);
    assert_eq!(store.write(stale).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(visit(&store, 0, 0), [0]);
    push(&store, 1, b"after").unwrap();
    store.recover().unwrap();
    assert_eq!(store.generation(), 1);
    assert_eq!(visit(&store, 0, 0), [0, 1]);
}

#[test]
fn a_queue_that_is_closed_while_stopped_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let mut batch = store.batch(0);
    batch.put(Records::Reader, b"k", b"v");
    store.write(batch).unwrap();
    store.fail_next_write(ErrorKind::OutcomeUnknown);
    assert_eq!(
        push(&store, 0, b"x").unwrap_err().kind(),
        ErrorKind::OutcomeUnknown
    );
    store.close().unwrap();
    let value = fifo(&path).get(Records::Reader, b"k").unwrap();
    assert_eq!(value.as_deref(), Some(&b"v"[..]));
}

/// RocksDB puts the tables of a family together when there are four, and reads them for that.
#[test]
fn damage_that_the_background_meets_is_told_as_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let write_a_table = |store: &RocksStore| {
        let mut batch = store.batch(0);
        batch.put(Records::Reader, b"k", b"v");
        store.reclaim(batch, 0, Occasion::Short)
    };
    let store = fifo(&path);
    for _ in 0..3 {
        write_a_table(&store).unwrap();
    }
    store.close().unwrap();
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|kind| kind == "sst") {
            let mut bytes = fs::read(&file).unwrap();
            bytes[3] ^= 1;
            fs::write(&file, bytes).unwrap();
        }
    }
    let store = fifo(&path);
    let begin = Instant::now();
    let error = loop {
        if let Err(error) = write_a_table(&store) {
            break error;
        }
        assert!(begin.elapsed() < Duration::from_secs(100));
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("rocksq.repair"), "{error}");
}

/// Runs in a process of its own, since a limit holds for the whole process.
#[test]
fn a_file_size_limit_is_survived_in_the_same_object() {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored"])
        .arg(
            concat!(module_path!(), "::push_against_a_limit")
                .split_once("::")
                .unwrap()
                .1,
        )
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "the process of a_file_size_limit_is_survived_in_the_same_object"]
fn push_against_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let item = vec![7; 100 * 1024];
    for position in 0..30 {
        push(&store, position, &item).unwrap();
    }
    limit_files(1024 * 1024);
    let error = push(&store, 30, &item).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(visit(&store, 0, 0).len(), 30);
    // The limit stands: what is in the log is more than a table may have.
    store.recover().unwrap();
    assert_eq!(store.generation(), 1);
    assert!(store.unreclaimed() > 3_000_000);
    push(&store, 30, &item).unwrap();
    limit_files(libc::RLIM_INFINITY);
    push(&store, 31, &item).unwrap();
    assert_eq!(visit(&store, 0, 0).len(), 32);
    store.close().unwrap();
    assert_eq!(visit(&fifo(&path), 0, 0).len(), 32);
}

/// No file of this process may grow beyond `bytes`.
fn limit_files(bytes: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: plain system calls; the signal that would end the process is ignored.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}

/// Changes a byte in the middle of the log of a queue that nobody has open.
fn damage_log(path: &Path) {
    let logs = wal::files(path).unwrap();
    let [(_, log)] = &logs[..] else {
        panic!("{} logs", logs.len());
    };
    let mut bytes = fs::read(log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(log, bytes).unwrap();
}

#[test]
fn a_loss_is_told_until_the_log_was_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    (0..3).for_each(|position| push(&store, position, &[7; 100_000]).unwrap());
    let path = dir.path().join("killed");
    copy(store.core.path(), &path);
    damage_log(&path);
    let told = || {
        fifo(&path)
            .dropped()
            .map(|loss| (loss.records, loss.last_chunk))
    };
    let loss = told();
    assert_eq!(loss.as_ref().map(|loss| loss.0), Some(1));
    assert_eq!(told(), loss);
    let store = fifo(&path);
    push(&store, 9, b"x").unwrap();
    drop(store);
    assert_eq!(told(), loss);
    fifo(&path).found(1);
    assert_eq!(told(), None);
}

#[test]
fn what_was_written_is_counted_across_a_repair() {
    let dir = tempfile::tempdir().unwrap();
    let store = fifo(&dir.path().join("q"));
    push(&store, 0, &[0; 1000]).unwrap();
    let before = store.traffic();
    assert!(before.log > 1000 && before.errors == 0);
    store.fail_next_write(ErrorKind::Io);
    push(&store, 1, b"fails").unwrap_err();
    store.recover().unwrap();
    assert_eq!(store.generation(), 1);
    push(&store, 1, &[0; 1000]).unwrap();
    let after = store.traffic();
    assert!(after.log > before.log + 1000);
}
