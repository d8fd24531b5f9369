//! Paths that the operating system does not let us use: told as such, and left as they are.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rocksq::ErrorKind;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use crate::support::processes::another;
use crate::support::tree::{assert_unchanged, picture};
use crate::support::{Home, ROOMY};

/// A user without rights.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    // SAFETY: the call has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Gives up all rights. The process does it itself, since nobody may not read this program where
/// it lies in somebody's home.
fn become_nobody() {
    // SAFETY: the calls have no preconditions; this process has no thread that needs its rights.
    let outcomes = unsafe {
        [
            libc::setgroups(0, std::ptr::null()),
            libc::setgid(NOBODY),
            libc::setuid(NOBODY),
        ]
    };
    assert_eq!(outcomes, [0; 3]);
}

/// Opens the path in a process that has no rights, and checks that it is refused like this.
fn assert_refused_to_nobody(path: &Path, denied: &Path, mode: u32) {
    if !is_root() {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    let status = another("access::open_as_nobody")
        .env("QUEUE", path)
        .env(
            "SAYS",
            format!(
                "permission denied for {}, which belongs to root (user 0) and has mode {mode:04o}; this \
                 process runs as ",
                denied.display()
            ),
        )
        .env("RUST_BACKTRACE", "0")
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "the process of the tests here"]
fn open_as_nobody() {
    let path = PathBuf::from(std::env::var_os("QUEUE").unwrap());
    let says = std::env::var("SAYS").unwrap();
    become_nobody();
    let error = Fifo::new(&path, ROOMY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path, "{error}");
    assert_eq!(error.path(), Some(&*path));
    let text = error.to_string();
    assert!(text.contains(&says), "{text}");
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains(&format!("user {NOBODY}")), "{text}");
}

/// A home that nobody can enter, and a closed queue in it.
fn open_home() -> Home {
    let home = Home::new();
    set_mode(&home.at(""), 0o755);
    home.fifo().push(&["a"]).unwrap();
    home
}

#[test]
fn a_queue_that_may_not_be_written_is_refused_and_left_alone() {
    let home = open_home();
    for entry in fs::read_dir(home.queue()).unwrap() {
        set_mode(&entry.unwrap().path(), 0o444);
    }
    set_mode(&home.queue(), 0o555);
    let before = picture(&home.queue());
    assert_refused_to_nobody(&home.queue(), &home.queue().join("HOLDER"), 0o444);
    assert_unchanged(&before, &home.queue());
}

#[test]
fn a_queue_that_may_not_be_looked_at_is_refused() {
    let home = open_home();
    set_mode(&home.queue(), 0o700);
    assert_refused_to_nobody(&home.queue(), &home.queue(), 0o700);
}

#[test]
fn a_directory_in_which_nothing_may_be_made_is_refused() {
    let home = open_home();
    let (new, queue) = (home.at("new"), home.queue());
    let above = new.parent().unwrap();
    assert_refused_to_nobody(&new, above, 0o755);
    assert_refused_to_nobody(&new.join("below"), above, 0o755);
    assert!(!new.exists());
    set_mode(above, 0o700);
    assert_refused_to_nobody(&queue, above, 0o700);
}

#[test]
fn a_file_of_somebody_else_in_an_open_directory_is_refused() {
    let home = open_home();
    if is_root() {
        chown(home.queue(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    // The holder file is root's still.
    let holder = home.queue().join("HOLDER");
    set_mode(&holder, 0o600);
    let before = picture(&home.queue());
    assert_refused_to_nobody(&home.queue(), &holder, 0o600);
    assert_unchanged(&before, &home.queue());
}

/// RocksDB is denied it.
#[test]
fn a_file_of_the_database_that_may_not_be_read_is_named() {
    let home = open_home();
    if is_root() {
        chown(home.queue(), Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(home.queue()).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(home.queue().join("CURRENT"), Some(0), Some(0)).unwrap();
    }
    let current = home.queue().join("CURRENT");
    set_mode(&current, 0o600);
    assert_refused_to_nobody(&home.queue(), &current, 0o600);
}

/// A small file system of its own, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` where this is not allowed.
    fn new(path: PathBuf) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
            .arg(&path)
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(path))
    }

    fn make_read_only(&self) {
        let status = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_read_only_file_system_is_named() {
    let home = Home::new();
    let Some(mount) = Mount::new(home.at("mount")) else {
        eprintln!("skipped: mounting is not allowed here");
        return;
    };
    let path = home.at("mount/queue");
    Fifo::new(&path, ROOMY).unwrap().push(&["a"]).unwrap();
    mount.make_read_only();
    let before = picture(&path);
    for place in [path.clone(), home.at("mount/new")] {
        let error = Fifo::new(&place, ROOMY).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Path, "{error}");
        assert!(error.to_string().contains("read-only"), "{error}");
        assert_eq!(error.path(), Some(&*place));
    }
    assert_unchanged(&before, &path);
    let report = rocksq::maintenance::verify(&path).unwrap();
    assert!(report.is_intact() && report.items == 1, "{report:?}");
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let home = Home::new();
    let path = home.at(&"n".repeat(300));
    let error = Fifo::new(&path, ROOMY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path, "{error}");
    assert!(error.to_string().contains("too long"), "{error}");
}
