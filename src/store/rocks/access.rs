//! Why the operating system denies access, for people: to what, whose that is, and who asks.

use std::path::Path;

/// What is to be said of a path that may not be used.
#[cfg(unix)]
pub(super) fn denial(path: &Path) -> String {
    let file = unix::culprit(path);
    let user = unix::user();
    match unix::owner(&file) {
        Some(owner) => format!(
            "permission denied for {}, which belongs to {owner}; this process runs as {user}",
            file.display()
        ),
        None => format!(
            "permission denied for {}; this process runs as {user}",
            file.display()
        ),
    }
}

#[cfg(not(unix))]
pub(super) fn denial(path: &Path) -> String {
    format!("permission denied for {}", path.display())
}

#[cfg(unix)]
mod unix {
    use std::ffi::CString;
    use std::fs;
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    use crate::store::rocks::names::{self, ENGINE_LOCK, HOLDER};

    /// What this process may not use of `path`: a directory above it, itself, or a file in it.
    pub(super) fn culprit(path: &Path) -> PathBuf {
        let above = path.ancestors().collect::<Vec<_>>();
        let hidden = above.iter().rev().find(|step| fs::metadata(step).is_err());
        if let Some(hidden) = hidden {
            return names::parent(hidden);
        }
        if !may(path, libc::R_OK | libc::X_OK) {
            return path.to_owned();
        }
        let mut locks = [HOLDER, ENGINE_LOCK]
            .map(|name| path.join(name))
            .into_iter();
        let locked = locks.find(|file| file.exists() && !may(file, libc::R_OK | libc::W_OK));
        let names = names::list(path).unwrap_or_default();
        let ours = names.iter().filter(|name| names::is_ours(name));
        let mut files = ours.map(|name| path.join(name));
        let denied = locked.or_else(|| files.find(|file| !may(file, libc::R_OK)));
        denied.unwrap_or_else(|| path.to_owned())
    }

    /// Whether this process may do so with what has this name.
    fn may(path: &Path, what: libc::c_int) -> bool {
        let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
            return false;
        };
        // SAFETY: `name` ends in NUL, and the call keeps nothing.
        let outcome =
            unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), what, libc::AT_EACCESS) };
        outcome == 0 || io::Error::last_os_error().kind() != io::ErrorKind::PermissionDenied
    }

    pub(super) fn owner(file: &Path) -> Option<String> {
        let metadata = fs::metadata(file).ok()?;
        let mode = metadata.mode() & 0o7777;
        Some(format!("{} and has mode {mode:04o}", named(metadata.uid())))
    }

    pub(super) fn user() -> String {
        // SAFETY: the call has no preconditions.
        named(unsafe { libc::geteuid() })
    }

    fn named(id: u32) -> String {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        match name_in(&users, id) {
            Some(name) => format!("{name} (user {id})"),
            None => format!("user {id}"),
        }
    }

    fn name_in(users: &str, id: u32) -> Option<&str> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then_some(name)
        })
    }

    #[test]
    fn a_user_has_the_name_that_the_list_of_users_gives() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:501:20::/:/bin/sh\n";
        assert_eq!(name_in(users, 501), Some("app"));
        assert_eq!(name_in(users, 20), None);
    }
}
