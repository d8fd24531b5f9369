//! What to do when files are damaged: look at a queue, repair it, see what was lost.
//!
//! ```
//! use rocksq::blocking::PersistentQueueWithCapacity;
//! use rocksq::maintenance;
//!
//! let dir = tempfile::tempdir()?;
//! let path = dir.path().join("queue");
//! let queue = PersistentQueueWithCapacity::new(&path, 1_000)?;
//! queue.push(&[b"one", b"two"])?;
//! queue.close()?;
//! let report = maintenance::verify(&path)?;
//! assert!(report.is_intact());
//! assert_eq!(report.items, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

mod recovery;
mod report;
mod rewrite;
mod walk;

pub use recovery::Recovery;
pub use report::{Missing, Report};

use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::store::Store;
use crate::store::rocks::{self, Rebuild, Salvage};
use rewrite::Rewrite;
use walk::{Count, Plan};

/// Reads everything that the queue at `path` holds, and says what is damaged. Changes nothing. The
/// queue, of either kind, must be closed.
///
/// # Errors
///
/// `Busy` when somebody has the queue open; `WrongKind` or `Path` when there is none;
/// `UnsupportedFormat` when it is of a newer version, or of rocksq 0.3.0; `Io` when the operating system refuses to read. Damage is no error: it is in the
/// report.
pub fn verify(path: impl AsRef<Path>) -> Result<Report> {
    rocks::entering(path.as_ref(), inspect)
}

/// Writes a new queue with every item that can still be read in the place of the one at `path`, and
/// says what is gone. The queue, of either kind, must be closed.
///
/// Items keep their order and their push times. They are numbered anew, without gaps, in a new
/// epoch; labels stand before the item that they would have read next. What an earlier opening had
/// to leave out of a damaged log comes back, and is read next by every label that was past
/// it. An item that was taken shortly before the damage may come again, if the note of its
/// taking is what was damaged.
///
/// The damaged files go to the directory that the report names, within the queue's own, and can be
/// deleted. It takes as much disk space as the intact items once more. A crash at any moment
/// leaves the old queue or the new one.
///
/// # Errors
///
/// As for [`verify`]; `Corrupt` when not even the kind of queue can be told; `DiskFull`. Then the
/// old queue is as it was.
pub fn repair(path: impl AsRef<Path>) -> Result<Report> {
    rocks::entering(path.as_ref(), rebuild)
}

fn inspect(path: &Path) -> Result<Report> {
    let rebuild = Rebuild::look(path)?;
    if rebuild.is_moving()? {
        return Ok(cut_short());
    }
    let mut report = match rebuild.source() {
        Ok(source) => count(&rebuild, &source)?,
        // The problems say why.
        Err(error) if error.kind() == ErrorKind::Corrupt => Report::default(),
        Err(error) => return Err(error),
    };
    report.problems.extend(rebuild.problems()?);
    Ok(report)
}

/// The report on a queue whose files are half way between the old one and the repaired one.
fn cut_short() -> Report {
    let problem = "A repair was cut short when it had written everything: open the queue, or \
                   repair it again, to carry it to its end";
    Report {
        problems: vec![problem.to_owned()],
        ..Report::default()
    }
}

fn rebuild(path: &Path) -> Result<Report> {
    let rebuild = Rebuild::begin(path)?;
    match write_anew(&rebuild) {
        Ok(mut report) => {
            report.kept = Some(rebuild.commit()?);
            Ok(report)
        }
        Err(error) => {
            rebuild.abandon();
            Err(error)
        }
    }
}

fn write_anew(rebuild: &Rebuild) -> Result<Report> {
    let source = best_source(rebuild)?;
    let target = rebuild.target()?;
    let plan = Plan::read(&source, rebuild.kind())?;
    let mut rewrite = Rewrite::new(&target, &plan);
    let mut report = plan.walk(&source, &mut rewrite)?;
    rewrite.finish(&plan)?;
    target.close()?;
    drop((source, target));
    report.problems.extend(rebuild.problems()?);
    Ok(report)
}

/// The table of contents may be damaged, or older than the tables: then more is found without it.
fn best_source(rebuild: &Rebuild) -> Result<Salvage> {
    let listed = match rebuild.source() {
        Ok(source) => source,
        Err(error) if error.kind() == ErrorKind::Corrupt => return fragments(rebuild, error),
        Err(error) => return Err(error),
    };
    let found = count(rebuild, &listed)?;
    if found.is_intact() && rebuild.problems()?.is_empty() {
        return Ok(listed);
    }
    let fragments = rebuild.source_from_fragments()?;
    let more = count(rebuild, &fragments)?.items > found.items;
    Ok(if more { fragments } else { listed })
}

fn fragments(rebuild: &Rebuild, error: Error) -> Result<Salvage> {
    Event::at(Level::Warn).about(rebuild.path()).tell(error);
    rebuild.source_from_fragments()
}

fn count(rebuild: &Rebuild, source: &Salvage) -> Result<Report> {
    Plan::read(source, rebuild.kind())?.walk(source, &mut Count)
}
