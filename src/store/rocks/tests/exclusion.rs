use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::super::hold::Hold;
use super::super::survey::Found;
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
fn a_directory_that_was_renamed_while_its_queue_is_open_is_busy_under_both_names() {
    let dir = tempfile::tempdir().unwrap();
    let (path, renamed) = (dir.path().join("q"), dir.path().join("renamed"));
    let store = fifo(&path);
    fs::rename(&path, &renamed).unwrap();
    assert_is_taken(&renamed);
    fs::create_dir(&path).unwrap();
    assert_is_taken(&path);
    drop(store);
    fifo(&renamed);
}

#[test]
fn a_directory_that_was_deleted_and_made_anew_while_its_queue_is_open_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    fs::remove_dir_all(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_is_taken(&path);
    drop(store);
}

#[test]
fn a_copy_that_shares_the_holder_file_of_an_open_queue_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("q"), dir.path().join("copy"));
    let store = fifo(&path);
    fs::create_dir(&copy).unwrap();
    fs::hard_link(path.join("HOLDER"), copy.join("HOLDER")).unwrap();
    assert_is_taken(&copy);
    drop(store);
    fifo(&copy);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_is_mounted_at_two_paths_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let Some(_mounted) = Mounted::twice(&one, &other) else {
        eprintln!("skipped: only root can mount");
        return;
    };
    let store = fifo(&one.join("q"));
    assert_is_taken(&other.join("q"));
    let error = store.back_up(&other.join("q/copy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(error.to_string().contains("within the queue"), "{error}");
}

/// Neither opened, nor removed, nor looked at, nor repaired.
fn assert_is_taken(path: &Path) {
    let errors = [
        open(path, Kind::Fifo).err(),
        Hold::take_as_it_is(path, Kind::Fifo).err(),
        Hold::take_to_repair(path, Kind::Fifo).err(),
        Hold::take_to_remove(path, Kind::Fifo, Found::Queue).err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.to_string().contains("in this process"), "{error}");
    }
    let error = open(path, Kind::Mpmc).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
}

/// A directory with a second path, until this is dropped.
#[cfg(target_os = "linux")]
struct Mounted(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Mounted {
    fn twice(path: &Path, second: &Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        fs::create_dir(second).unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.arg("--bind").args([path, second]).output().ok()?;
        mounted.status.success().then(|| Self(second.to_owned()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().unwrap();
    }
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

/// The test program starts itself as the other process, to do what an ignored test here does.
fn another(test: &str) -> Command {
    let module = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture"]);
    command.arg(format!("{module}::{test}"));
    command
}

#[test]
fn another_process_is_named_and_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    drop(fifo(&path));
    let mut child = another("hold_for_another_process")
        .env("ROCKSQ_TEST_HOLD", &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !path.join("held").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(path.join("held")).unwrap();
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
    fs::write(path.join("enough"), b"").unwrap();
    RocksStore::open(&path, Kind::Fifo, Some(Duration::from_secs(60))).unwrap();
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
    fs::write(path.join("held"), b"").unwrap();
    while !path.join("enough").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(path.join("enough")).unwrap();
    thread::sleep(Duration::from_millis(300)); // for an opening to wait
    drop(store);
}

/// When the file, or what is in the directory, was last changed: long ago or not.
#[cfg(unix)]
fn old_files(directory: &Path) -> Vec<String> {
    let mut old = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::metadata(&path).unwrap();
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        if metadata.modified().unwrap() == epoch || metadata.accessed().unwrap() == epoch {
            old.push(path.display().to_string());
        }
        if metadata.is_dir() {
            old.extend(old_files(&path));
        }
    }
    old
}

/// Another process does it, since closing a lock file here would drop its lock.
#[cfg(unix)]
fn make_old(directory: &Path) {
    let mut find = Command::new("find");
    find.arg(directory)
        .args(["-exec", "touch", "-d", "1970-01-01T00:00:00Z", "{}", "+"]);
    assert!(find.status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn files_that_are_refreshed_look_new_and_stay_locked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q");
    let store = fifo(&path);
    push(&store, 0, b"x").unwrap();
    fs::create_dir(path.join("rocksq-lost-1")).unwrap();
    fs::write(path.join("rocksq-lost-1/000004.log"), "x").unwrap();
    fs::write(path.join("letter"), "of somebody else").unwrap();
    make_old(&path);
    assert!(old_files(&path).len() > 8);
    store.refresh();
    assert_eq!(
        old_files(&path),
        [path.join("letter").display().to_string()]
    );
    let other = another("finds_it_busy")
        .env("ROCKSQ_TEST_HOLD", &path)
        .status();
    assert!(other.unwrap().success());
    drop(store);
}

#[cfg(unix)]
#[test]
#[ignore = "the other process of files_that_are_refreshed_look_new_and_stay_locked"]
fn finds_it_busy() {
    let path = std::env::var_os("ROCKSQ_TEST_HOLD").unwrap();
    let path = Path::new(&path);
    assert_eq!(
        open(path, Kind::Fifo).err().unwrap().kind(),
        ErrorKind::Busy
    );
    let locks = ["HOLDER", "LOCK"].map(|name| super::super::lock::holder(&path.join(name)));
    assert!(locks.iter().all(Option::is_some), "{locks:?}");
}
