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
