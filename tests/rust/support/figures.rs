//! What the process uses, as Linux counts it.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

/// Names of the threads of this process.
pub fn threads() -> Vec<String> {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

/// Bytes of memory that this process has resident.
pub fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    // SAFETY: the call has no preconditions.
    pages * u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap()
}

/// Bytes of memory of this process that belong to no file.
pub fn anonymous() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes: u64 = line
        .unwrap()
        .trim_matches([' ', '\t', 'k', 'B'])
        .parse()
        .unwrap();
    kibibytes * 1024
}

/// Bytes that the files of a directory have allocated.
pub fn allocated(directory: &Path) -> u64 {
    sizes(directory).into_iter().map(|(_, size)| size).sum()
}

/// The files of a directory with the bytes that each has allocated.
pub fn sizes(directory: &Path) -> Vec<(String, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            Some((name, entry.metadata().ok()?.blocks() * 512))
        })
        .collect()
}

/// System calls that write, so far.
pub fn writes() -> u64 {
    io("syscw: ")
}

/// Bytes that this process has handed to the operating system so far.
pub fn written() -> u64 {
    io("wchar: ")
}

fn io(what: &str) -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let count = io.lines().find_map(|line| line.strip_prefix(what));
    count.unwrap().parse().unwrap()
}

/// How often each other thread of this process has gone to sleep, which it does after each time that
/// it woke up.
pub fn sleeps_of_others() -> Vec<(String, u64)> {
    // SAFETY: the call has no preconditions.
    let own = unsafe { libc::gettid() }.to_string();
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap);
    tasks
        .filter(|task| task.file_name() != *own)
        .filter_map(|task| {
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
            let count = field("voluntary_ctxt_switches:")?.trim().parse().ok()?;
            Some((field("Name:")?.trim().to_owned(), count))
        })
        .collect()
}

/// Time that the threads of this process have been at work.
pub fn cpu_time() -> std::time::Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
