//! Converting queues of rocksq 0.3.0.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::log::clock::{Clock, SystemClock};
use crate::log::import::import;
pub use crate::store::Migrated;
use crate::store::rocks::{self, Kind};

/// How far [`migrate`] has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Items written to the new files; 0 while the old ones are checked.
    pub done: u64,
    /// Items in all; while the old files are checked, those found so far.
    pub total: u64,
}

/// Converts a queue of rocksq 0.3.0 in the directory `path` to the format of this version; `None`
/// when it has that already.
///
/// Opening such a queue does the same. This function is for those who want to do it beforehand
/// and to see it advance: `progress` is called now and then, and stops it with
/// [`ControlFlow::Break`].
///
/// Items, their order and age, labels and their places are kept. Everything is read first, which
/// finds damage. Then the new files are written beside the old ones, which takes as much room as the
/// items once more; memory peaks at about 175 MiB. At last the files are exchanged: a crash at
/// any moment leaves the old queue, or the new one, or an exchange that the next open finishes.
///
/// # Errors
///
/// `Corrupt` when the old queue is damaged, `DiskFull` when there is no room, `Busy` when a process
/// has it open, `Interrupted` when `progress` stopped it: the old queue is as it was then, and
/// rocksq 0.3.0 can open it. `WrongKind`, `UnsupportedFormat` or `Path` when there is no queue.
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// let migrated = rocksq::migrate("queue", |progress| {
///     println!("{} of {}", progress.done, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// if let Some(migrated) = migrated {
///     println!("{} items", migrated.items);
/// }
/// # Ok::<(), rocksq::Error>(())
/// ```
pub fn migrate(
    path: impl AsRef<Path>,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Migrated>> {
    rocks::entering(path.as_ref(), |path| {
        let mut report = |now| match progress(now) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(stopped(path)),
        };
        match rocks::kind_at(path)? {
            Some(kind) => convert(path, kind, Some(Duration::ZERO), &mut report),
            None => Ok(None),
        }
    })
}

/// Converts the queue of `kind` at `path` if it is one of rocksq 0.3.0. Waits up to `open_timeout`
/// for another holder.
pub(crate) fn convert(
    path: &Path,
    kind: Kind,
    open_timeout: Option<Duration>,
    report: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<Option<Migrated>> {
    let now = SystemClock::new().wall();
    let migrated = rocks::convert(
        path,
        kind,
        open_timeout,
        &mut |store, source| import(store, source, now),
        &mut |done, total| report(Progress { done, total }),
    )?;
    if let Some(migrated) = &migrated {
        let event = Event::at(Level::Info).about(path);
        event.tell(format_args!("converted from rocksq 0.3.0: {migrated}"));
    }
    Ok(migrated)
}

fn stopped(path: &Path) -> Error {
    let message = format!(
        "The conversion of the queue at {} was stopped; it is as it was",
        path.display()
    );
    Error::new(ErrorKind::Interrupted, message).at(path)
}
