//! Waiting for what happens, and for threads that wait.

use std::sync::mpsc::channel;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Longer than anything here should take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the condition holds, and says how long that took.
pub fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
    begin.elapsed()
}

/// Spawns a thread for a call that waits, and returns when it is asleep in that call.
pub fn spawn_waiting<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    call: impl FnOnce() -> T + Send + 's,
) -> ScopedJoinHandle<'s, T> {
    let (sender, thread) = channel();
    let handle = scope.spawn(move || {
        sender.send(this_thread()).unwrap();
        call()
    });
    let thread = thread.recv().unwrap();
    let mut asleep = 0;
    until(PATIENCE, "the thread sleeps in its call", || {
        asleep = if is_asleep(thread) { asleep + 1 } else { 0 };
        asleep >= 5 || handle.is_finished()
    });
    handle
}

#[cfg(target_os = "linux")]
fn this_thread() -> i32 {
    // SAFETY: the call has no preconditions.
    unsafe { libc::gettid() }
}

#[cfg(target_os = "linux")]
fn is_asleep(thread: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat"));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit(')').next().unwrap_or_default();
        state.trim_start().starts_with('S')
    })
}

#[cfg(not(target_os = "linux"))]
fn this_thread() -> i32 {
    0
}

/// Elsewhere five times this long must do.
#[cfg(not(target_os = "linux"))]
fn is_asleep(_thread: i32) -> bool {
    thread::sleep(Duration::from_millis(20));
    true
}
