//! A disk whose power can be cut: ext4 in a file, on a loop device.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::waiting::{PATIENCE, until};
use super::{KIB, MIB};

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;
static WITHOUT_JOURNAL: u32 = 2;

pub struct Disk {
    home: tempfile::TempDir,
}

impl Disk {
    /// A mounted disk of so many bytes, or why there can be none here.
    pub fn new(bytes: u64) -> Result<Self, String> {
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            return Err("only root can mount".to_owned());
        }
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = Self { home };
        let image = File::create(disk.image()).map_err(|error| error.to_string())?;
        image.set_len(bytes).map_err(|error| error.to_string())?;
        fs::create_dir(disk.root()).map_err(|error| error.to_string())?;
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    /// A small file system in memory, or why there can be none here. Its power cannot be cut.
    pub fn in_memory(bytes: u64) -> Result<Self, String> {
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            return Err("only root can mount".to_owned());
        }
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = Self { home };
        fs::create_dir(disk.root()).map_err(|error| error.to_string())?;
        let size = format!("size={bytes}");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &size, "rocksq-test"]);
        run(command.arg(disk.root()))?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn root(&self) -> PathBuf {
        self.home.path().join("mount")
    }

    /// Loses what is not on the device. Everything fails until [`restart`](Self::restart).
    pub fn cut(&self) {
        let root = File::open(self.root()).unwrap();
        // SAFETY: the request reads one u32, which outlives the call.
        let outcome =
            unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const WITHOUT_JOURNAL) };
        assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
    }

    /// Mounts anew, which replays the journal.
    pub fn restart(&self) {
        self.unmount();
        self.mount().unwrap();
    }

    /// Changes how it is mounted while nothing on it is open.
    pub fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        run(Command::new("mount").args(["-o", &how]).arg(self.root())).unwrap();
    }

    /// Leaves so many bytes free; the file that takes the others is returned.
    pub fn stuff(&self, free: u64) -> PathBuf {
        let path = self.root().join("stranger");
        let file = fill(&path);
        let taken = file.metadata().unwrap().len();
        file.set_len(taken - free).unwrap();
        path
    }

    /// Has others take whatever is left now.
    pub fn fill_up(&self) {
        let names = fs::read_dir(self.root()).unwrap().count();
        let path = self.root().join(format!("stranger-{names}"));
        drop(fill(&path));
    }

    pub fn clear(&self) {
        for entry in fs::read_dir(self.root()).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("lost+found") {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }

    fn image(&self) -> PathBuf {
        self.home.path().join("image")
    }

    fn mount(&self) -> Result<(), String> {
        let mut command = Command::new("mount");
        command.args(["-t", "ext4", "-o", "loop,errors=remount-ro"]);
        run(command.arg(self.image()).arg(self.root()))
    }

    /// The process that was killed may still be letting go.
    fn unmount(&self) {
        until(PATIENCE, "the disk is free", || {
            run(Command::new("umount").arg(self.root())).is_ok()
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if is_mounted(&self.root()) {
            let _ends_anyway = run(Command::new("umount").arg("--lazy").arg(self.root()));
        }
    }
}

/// A file that takes all there is.
fn fill(path: &Path) -> File {
    let mut file = File::create_new(path).unwrap();
    for size in [MIB as usize, 4 * KIB as usize, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    // What is not allocated yet may not fit.
    let _full = file.sync_all();
    file
}

fn is_mounted(root: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.contains(&format!(" {} ", root.display()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}
