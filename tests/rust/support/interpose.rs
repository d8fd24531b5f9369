//! The system calls that write, so that a test can make them fail, or syncs take their time.
//!
//! The functions of the C library that are defined here take the place of its own in the whole
//! test program, RocksDB included. They do what those do, except where a [`Fault`] or a [`Slow`] says
//! otherwise.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use libc::{c_char, c_int, c_uint, c_void, off_t, size_t, ssize_t};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `write` and `pwrite`.
    Write,
    /// `fsync` and `fdatasync`.
    Sync,
    /// `open` for writing.
    Open,
    Rename,
}

/// Makes calls fail as long as it lives.
pub struct Fault(u64);

#[derive(Clone, Debug)]
struct Rule {
    id: u64,
    directory: PathBuf,
    name: fn(&str) -> bool,
    calls: &'static [Call],
    errno: c_int,
    /// Calls that still succeed.
    skip: u64,
    /// Calls that still fail.
    times: u64,
    met: u64,
}

static ARMED: AtomicBool = AtomicBool::new(false);
static RULES: Mutex<Vec<Rule>> = Mutex::new(Vec::new());

impl Fault {
    /// `calls` on files in `directory` whose name `fits` fail with `errno`, all of them.
    pub fn new(
        directory: &Path,
        name: fn(&str) -> bool,
        calls: &'static [Call],
        errno: c_int,
    ) -> Self {
        Self::counted(directory, name, calls, errno, 0, u64::MAX)
    }

    /// The same for so many `times` after the first `skip` calls.
    pub fn counted(
        directory: &Path,
        name: fn(&str) -> bool,
        calls: &'static [Call],
        errno: c_int,
        skip: u64,
        times: u64,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        RULES.lock().unwrap().push(Rule {
            id,
            directory: directory.to_owned(),
            name,
            calls,
            errno,
            skip,
            times,
            met: 0,
        });
        ARMED.store(true, Ordering::Release);
        Self(id)
    }

    /// How many calls have failed.
    pub fn met(&self) -> u64 {
        let rules = RULES.lock().unwrap();
        rules.iter().find(|rule| rule.id == self.0).unwrap().met
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        let mut rules = RULES.lock().unwrap();
        rules.retain(|rule| rule.id != self.0);
        ARMED.store(!rules.is_empty(), Ordering::Release);
    }
}

/// A slow disk, as long as it lives: syncs of files in a directory take time, and are counted.
pub struct Slow(PathBuf);

#[derive(Debug)]
struct Disk {
    directory: PathBuf,
    takes: Option<Duration>,
    syncs: u64,
}

static SLOW: Mutex<Vec<Disk>> = Mutex::new(Vec::new());
static SYNC: Condvar = Condvar::new();

impl Slow {
    /// Each sync `takes` so long; `None` for as long as this lives.
    pub fn new(directory: &Path, takes: Option<Duration>) -> Self {
        let directory = directory.to_owned();
        disks().push(Disk {
            directory: directory.clone(),
            takes,
            syncs: 0,
        });
        SLOWED.store(true, Ordering::Release);
        Self(directory)
    }

    /// How many syncs have begun.
    pub fn syncs(&self) -> u64 {
        disk(&mut disks(), &self.0).map_or(0, |disk| disk.syncs)
    }

    /// Waits until a sync has begun.
    pub fn until_sync(&self) {
        let is_idle = |disks: &mut Vec<Disk>| disk(disks, &self.0).is_some_and(|d| d.syncs == 0);
        drop(SYNC.wait_while(disks(), is_idle).unwrap());
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        disks().retain(|disk| disk.directory != self.0);
        SYNC.notify_all();
    }
}

static SLOWED: AtomicBool = AtomicBool::new(false);

fn disks() -> MutexGuard<'static, Vec<Disk>> {
    SLOW.lock().unwrap()
}

fn disk<'d>(disks: &'d mut [Disk], path: &Path) -> Option<&'d mut Disk> {
    disks
        .iter_mut()
        .find(|disk| path.starts_with(&disk.directory))
}

fn take_time(file: c_int) {
    if !SLOWED.load(Ordering::Acquire) {
        return;
    }
    let Ok(path) = std::fs::read_link(format!("/proc/self/fd/{file}")) else {
        return;
    };
    let mut disks = disks();
    let Some(slow) = disk(&mut disks, &path) else {
        return;
    };
    slow.syncs += 1;
    let takes = slow.takes;
    SYNC.notify_all();
    match takes {
        Some(takes) => {
            drop(disks);
            std::thread::sleep(takes);
        }
        None => {
            let is_slow = |disks: &mut Vec<Disk>| disk(disks, &path).is_some();
            drop(SYNC.wait_while(disks, is_slow).unwrap());
        }
    }
}

pub fn is_log(name: &str) -> bool {
    name.ends_with(".log")
}

pub fn is_table(name: &str) -> bool {
    name.ends_with(".sst")
}

pub fn is_manifest(name: &str) -> bool {
    name.starts_with("MANIFEST")
}

pub fn is_any(_name: &str) -> bool {
    true
}

/// The error that a call has to end with.
fn verdict(call: Call, path: &Path) -> Option<c_int> {
    let mut rules = RULES.lock().ok()?;
    let name = path.file_name()?.to_str()?;
    let fits = |rule: &&mut Rule| {
        rule.calls.contains(&call) && path.starts_with(&rule.directory) && (rule.name)(name)
    };
    let rule = rules.iter_mut().find(fits)?;
    if rule.skip > 0 {
        rule.skip -= 1;
        return None;
    }
    if rule.times == 0 {
        return None;
    }
    rule.times -= 1;
    rule.met += 1;
    Some(rule.errno)
}

fn verdict_on(call: Call, file: c_int) -> Option<c_int> {
    if !ARMED.load(Ordering::Acquire) {
        return None;
    }
    let path = std::fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
    verdict(call, &path)
}

fn fail(errno: c_int) -> c_int {
    // SAFETY: the location belongs to this thread.
    unsafe { *libc::__errno_location() = errno };
    -1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: what the caller has promised to `write`.
    let real =
        |count: size_t| unsafe { libc::syscall(libc::SYS_write, file, bytes, count) as ssize_t };
    match verdict_on(Call::Write, file) {
        Some(errno) => {
            // A write that fails has often written something.
            real(count / 2);
            fail(errno) as ssize_t
        }
        None => real(count),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(
    file: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    match verdict_on(Call::Write, file) {
        Some(errno) => fail(errno) as ssize_t,
        // SAFETY: what the caller has promised to `pwrite`.
        None => unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, count, offset) as ssize_t },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(
    file: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    // SAFETY: the same call under another name.
    unsafe { pwrite(file, bytes, count, offset) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(file: c_int) -> c_int {
    take_time(file);
    match verdict_on(Call::Sync, file) {
        Some(errno) => fail(errno),
        // SAFETY: the call has no preconditions.
        None => unsafe { libc::syscall(libc::SYS_fsync, file) as c_int },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    take_time(file);
    match verdict_on(Call::Sync, file) {
        Some(errno) => fail(errno),
        // SAFETY: the call has no preconditions.
        None => unsafe { libc::syscall(libc::SYS_fdatasync, file) as c_int },
    }
}

/// The mode of a variadic `open` is where this function expects it, on every Linux of today.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    if ARMED.load(Ordering::Acquire) && flags & (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT) != 0
    {
        // SAFETY: the caller hands a path that ends in NUL.
        let name = unsafe { CStr::from_ptr(path) };
        if let Some(errno) = verdict(Call::Open, Path::new(OsStr::from_bytes(name.to_bytes()))) {
            return fail(errno);
        }
    }
    // SAFETY: what the caller has promised to `open`.
    unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) as c_int }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: the same call under another name.
    unsafe { open(path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    if ARMED.load(Ordering::Acquire) {
        // SAFETY: the caller hands a path that ends in NUL.
        let name = unsafe { CStr::from_ptr(to) };
        if let Some(errno) = verdict(Call::Rename, Path::new(OsStr::from_bytes(name.to_bytes()))) {
            return fail(errno);
        }
    }
    // SAFETY: what the caller has promised to `rename`.
    unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            from,
            libc::AT_FDCWD,
            to,
            0,
        ) as c_int
    }
}
