use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::*;
use crate::error::ErrorKind;

#[test]
fn a_path_is_open_once_and_free_when_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    let error = open(&path, Kind::Fifo).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(
        open(&link, Kind::Fifo).err().unwrap().kind(),
        ErrorKind::Busy
    );
    let error = open(&path, Kind::Mpmc).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    drop(store);
    fifo(&link);
}

#[test]
fn opening_waits_for_the_holder_of_this_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = Arc::new(fifo(&path));
    let begin = Instant::now();
    let short = RocksStore::open(&path, Kind::Fifo, Some(Duration::from_millis(80)));
    assert_eq!(short.err().unwrap().kind(), ErrorKind::Busy);
    assert!(begin.elapsed() >= Duration::from_millis(80));
    let closer = thread::spawn({
        let store = Arc::clone(&store);
        move || {
            thread::sleep(Duration::from_millis(50));
            store.close().unwrap();
        }
    });
    RocksStore::open(&path, Kind::Fifo, None).unwrap();
    closer.join().unwrap();
}

/// The test program starts itself as the other process: see `hold_for_another_process`.
#[test]
fn another_process_is_named_and_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    drop(fifo(&path));
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(
            concat!(module_path!(), "::hold_for_another_process")
                .split_once("::")
                .unwrap()
                .1,
        )
        .env("ROCKSQ_TEST_HOLD", &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !path.join("held").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    std::fs::remove_file(path.join("held")).unwrap();
    let error = open(&path, Kind::Fifo).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(
        error.to_string().contains(&child.id().to_string()),
        "{error}"
    );
    let error = open(&path, Kind::Mpmc).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    let error = super::super::remove(&path, Kind::Fifo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    RocksStore::open(&path, Kind::Fifo, Some(Duration::from_secs(10))).unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "the other process of another_process_is_named_and_waited_for"]
fn hold_for_another_process() {
    let Some(path) = std::env::var_os("ROCKSQ_TEST_HOLD") else {
        return;
    };
    let path = Path::new(&path);
    let store = fifo(path);
    std::fs::write(path.join("held"), b"").unwrap();
    thread::sleep(Duration::from_millis(700));
    drop(store);
}
