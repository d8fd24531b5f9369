//! This program once more, as another process.

use std::process::{Command, Stdio};

/// A command that runs one ignored test of this program in a process of its own. Its standard
/// error belongs to that test; its standard output is the harness's and goes nowhere.
pub fn another(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .stdout(Stdio::null())
        .env_remove("NEXTEST_TEST_PHASE");
    command
}

/// Runs one ignored test of this program in a process of its own, which must succeed.
pub fn assert_does(test: &str) {
    let output = another(test).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
}

/// Lowers a limit of this process until what is returned is dropped.
#[cfg(target_os = "linux")]
pub fn limit(what: libc::__rlimit_resource_t, to: u64) -> Limited {
    let mut before = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is writable.
    assert_eq!(unsafe { libc::getrlimit(what, &raw mut before) }, 0);
    set_limit(what, to, before.rlim_max);
    Limited { what, before }
}

#[cfg(target_os = "linux")]
pub struct Limited {
    what: libc::__rlimit_resource_t,
    before: libc::rlimit,
}

#[cfg(target_os = "linux")]
impl Drop for Limited {
    fn drop(&mut self) {
        set_limit(self.what, self.before.rlim_cur, self.before.rlim_max);
    }
}

#[cfg(target_os = "linux")]
fn set_limit(what: libc::__rlimit_resource_t, soft: u64, hard: u64) {
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the structure is readable.
    assert_eq!(unsafe { libc::setrlimit(what, &raw const limit) }, 0);
}
