//! Paths as they come in: made absolute once, so that they mean the same for as long as a queue is
//! open, and so that a queue has one path in every error and event.
//!
//! Nothing is shortened that a link could give another meaning: `a/../b` stays as it is, since `a`
//! may be a link.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::survey;
use crate::error::{Error, ErrorKind, Result};

/// Does `work` with what `given` means; its errors name that path.
pub(crate) fn entering<T>(given: &Path, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let path = normalise(given).map_err(|error| error.at(given))?;
    let done = work(&path).map_err(|error| error.at(&path));
    match names_a_home(given) {
        true => done.map_err(|error| error.add(NO_HOME)),
        false => done,
    }
}

const NO_HOME: &str = "; a ~ is not expanded, give the full path (os.path.expanduser in Python)";

/// Whether a shell would take the path for one in somebody's home.
fn names_a_home(given: &Path) -> bool {
    let first = given.components().next();
    matches!(first, Some(Component::Normal(name)) if name.as_encoded_bytes().starts_with(b"~"))
}

/// Whether there is nothing between `path` and the root of its file system.
pub(super) fn is_root(path: &Path) -> bool {
    path.parent().is_none()
}

/// An absolute path that ends in a name, without `.` and separators that say nothing.
fn normalise(given: &Path) -> Result<PathBuf> {
    if given.as_os_str().is_empty() {
        return Err(nameless(given));
    }
    let path = std::path::absolute(given).map_err(|error| no_working_directory(given, &error))?;
    let path: PathBuf = path.components().collect();
    if path.file_name().is_some() {
        return Ok(path);
    }
    // It ends in `..`, or is a root.
    match fs::canonicalize(&path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(nameless(given)),
        Err(error) => Err(survey::unusable(&path, &error)),
    }
}

fn nameless(given: &Path) -> Error {
    let given = given.display();
    let message = format!("Cannot use '{given}' for a queue: the path must end in a name");
    Error::new(ErrorKind::Path, message)
}

fn no_working_directory(given: &Path, error: &io::Error) -> Error {
    let path = given.display();
    let message = format!("Cannot use {path} for a queue: no working directory: {error}");
    Error::new(ErrorKind::Path, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_separators_that_say_nothing_go() {
        let here = std::env::current_dir().unwrap();
        for given in ["q", "./q", "q/", "q/.", "./q/./"] {
            assert_eq!(
                normalise(Path::new(given)).unwrap(),
                here.join("q"),
                "{given}"
            );
        }
        assert_eq!(normalise(Path::new(".")).unwrap(), here);
        assert_eq!(normalise(Path::new("/a//b/")).unwrap(), Path::new("/a/b"));
    }

    #[cfg(unix)]
    #[test]
    fn the_name_above_two_points_is_kept_since_it_may_be_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (there, link) = (dir.path().join("there"), dir.path().join("link"));
        fs::create_dir_all(there.join("within")).unwrap();
        std::os::unix::fs::symlink(there.join("within"), &link).unwrap();
        let given = link.join("../q");
        assert_eq!(normalise(&given).unwrap(), given);
        let end = normalise(&link.join("..")).unwrap();
        assert_eq!(end, fs::canonicalize(there).unwrap());
    }

    #[test]
    fn a_home_is_named_by_the_first_part_alone() {
        assert!(names_a_home(Path::new("~/q")) && names_a_home(Path::new("~user")));
        assert!(!names_a_home(Path::new("/~/q")) && !names_a_home(Path::new("q/~")));
        assert!(!names_a_home(Path::new("./~")), "who says so means it");
    }
}
