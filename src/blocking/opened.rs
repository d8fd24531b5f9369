//! The queues that are open in this process. Each is shared by those who have opened its path in
//! the same way.
//!
//! An opening is a [`Handle`]; what they share is the log and its worker. The last of them to be
//! closed closes the log. Whoever touches the table is counted as a user of what the process shares:
//! a child that was forked meanwhile leaves it alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::handle::Handle;
use super::origin::Origin;
use super::terms::Terms;
use crate::error::{Error, ErrorKind, Result};
use crate::fork::{self, Use};
use crate::log::Log;
use crate::store::rocks::{self, RocksStore};
use crate::worker::Worker;

/// How long an opening under way is waited for by one who would not wait for a holder: until then
/// nobody holds the path.
const PATIENCE: Duration = Duration::from_secs(1);

/// A log that is open, and what does its nonblocking operations.
pub(crate) struct Opened {
    pub log: Arc<Log<RocksStore>>,
    pub worker: Worker,
    terms: Terms,
}

impl Opened {
    pub(super) fn new(log: Arc<Log<RocksStore>>, terms: Terms) -> Self {
        let given_up = Arc::clone(&log);
        Self {
            log,
            worker: Worker::new(move || given_up.give_back()),
            terms,
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// As the operating system names it.
    fn directory(&self) -> &Path {
        self.log.store().directory()
    }
}

/// What is at a path.
enum Place {
    /// A queue is being opened or closed there.
    Moving,
    Open(Shared),
}

struct Shared {
    opened: Arc<Opened>,
    openings: Vec<Opening>,
}

/// Dropping the last share in a handle closes it, which takes the lock of the table. So nobody who
/// has that lock takes a share.
struct Opening {
    handle: Weak<Handle>,
    origin: Origin,
}

static TABLE: Mutex<BTreeMap<PathBuf, Place>> = Mutex::new(BTreeMap::new());
static CHANGED: Condvar = Condvar::new();

/// How an opening is to go on.
enum Way {
    /// The queue is open.
    Shared(Arc<Handle>),
    /// It is open otherwise: so it must be closed first.
    Refused(String),
    /// Nobody has it.
    Free(Marker),
}

/// Opens the queue at `path`, or shares the one that is open there; `open` opens its log.
pub(super) fn open(
    path: &Path,
    terms: Terms,
    timeout: Option<Duration>,
    origin: Origin,
    open: impl FnOnce() -> Result<Arc<Log<RocksStore>>>,
) -> Result<Arc<Handle>> {
    fork::claim_engine()?;
    let _used = Use::begin();
    let (refusal, _marker) = match way(path, &terms, timeout, &origin)? {
        Way::Shared(handle) => return Ok(handle),
        Way::Refused(difference) => (Some(difference), None),
        Way::Free(marker) => (None, Some(marker)),
    };
    match (open(), refusal) {
        (Ok(log), _) => Ok(enter(path, Opened::new(log, terms), origin)),
        (Err(error), Some(difference)) if error.kind() == ErrorKind::Busy => {
            Err(otherwise(path, &difference))
        }
        (Err(error), _) => Err(error),
    }
}

fn way(path: &Path, terms: &Terms, timeout: Option<Duration>, origin: &Origin) -> Result<Way> {
    let key = key(path);
    let patience = timeout.map_or(PATIENCE, |timeout| timeout.max(PATIENCE));
    let end = Instant::now().checked_add(patience);
    let mut table = TABLE.lock();
    loop {
        match table.get_mut(&key) {
            Some(Place::Open(shared)) => {
                return Ok(match shared.refusal(terms) {
                    None => Way::Shared(shared.add(path, origin)),
                    Some(difference) => Way::Refused(difference),
                });
            }
            Some(Place::Moving) => {
                let is_late = end.is_none_or(|end| CHANGED.wait_until(&mut table, end).timed_out());
                if is_late {
                    return Err(being_opened(path));
                }
            }
            None => {
                table.insert(key.clone(), Place::Moving);
                return Ok(Way::Free(Marker(key)));
            }
        }
    }
}

impl Shared {
    /// Why an opening on these terms cannot share it.
    fn refusal(&self, terms: &Terms) -> Option<String> {
        let difference = self.opened.terms.difference(terms);
        // What was moved or made anew is not what is open.
        let is_there = rocks::is_held_as_it_is(self.opened.directory());
        let origin = self.openings.first().map(|first| &first.origin);
        let origin = origin.map_or_else(String::new, |origin| format!(" (opened at {origin})"));
        match (difference, is_there) {
            (Some(difference), _) => Some(format!("{origin} {difference}")),
            (None, true) => None,
            (None, false) => Some(format!(
                "{origin}, and its directory was moved or deleted since"
            )),
        }
    }

    fn add(&mut self, path: &Path, origin: &Origin) -> Arc<Handle> {
        let handle = Arc::new(Handle::new(Arc::clone(&self.opened), path, origin.clone()));
        self.openings.push(Opening {
            handle: Arc::downgrade(&handle),
            origin: origin.clone(),
        });
        handle
    }
}

/// Notes a queue that was just opened.
fn enter(path: &Path, opened: Opened, origin: Origin) -> Arc<Handle> {
    let key = opened.directory().to_owned();
    rocks::note_origin(&key, origin.to_string());
    let mut shared = Shared {
        opened: Arc::new(opened),
        openings: Vec::new(),
    };
    let handle = shared.add(path, &origin);
    TABLE.lock().insert(key, Place::Open(shared));
    CHANGED.notify_all();
    handle
}

/// What an opening leaves behind that ends.
pub(super) enum Left {
    /// Nobody else has the queue: its log must be closed. Until this is dropped, those who want to
    /// open the queue wait for that.
    Nobody(Option<Marker>),
    /// Others have the queue open.
    Others,
}

/// Strikes off an opening.
pub(super) fn leave(handle: &Handle) -> Left {
    let key = handle.opened().directory();
    let mut table = TABLE.lock();
    let Some(Place::Open(shared)) = table.get_mut(key) else {
        return Left::Nobody(None);
    };
    if !Arc::ptr_eq(&shared.opened, handle.opened()) {
        return Left::Nobody(None);
    }
    let is_other = |other: &Opening| !std::ptr::eq(other.handle.as_ptr(), handle);
    shared.openings.retain(is_other);
    if !shared.openings.is_empty() {
        return Left::Others;
    }
    let last = table.insert(key.to_owned(), Place::Moving);
    drop(table);
    // Not under the lock: the log may go with it.
    drop(last);
    Left::Nobody(Some(Marker(key.to_owned())))
}

/// Those who have a queue open, in the order of the paths.
pub(super) fn openings() -> Vec<Arc<Handle>> {
    if !fork::is_sound() {
        return Vec::new();
    }
    let _used = Use::begin();
    let table = TABLE.lock();
    let open = table.values().filter_map(|place| match place {
        Place::Open(shared) => Some(&shared.openings),
        Place::Moving => None,
    });
    let handles = open.flatten().map(|opening| &opening.handle);
    // In one go, so that none is dropped under the lock.
    handles.filter_map(Weak::upgrade).collect()
}

/// Says, as long as it is there, that a queue is being opened or closed.
pub(super) struct Marker(PathBuf);

impl Drop for Marker {
    fn drop(&mut self) {
        let mut table = TABLE.lock();
        if matches!(table.get(&self.0), Some(Place::Moving)) {
            table.remove(&self.0);
        }
        drop(table);
        CHANGED.notify_all();
    }
}

/// The path without links and dots, as far as it is there.
fn key(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = absolute.ancestors().find_map(|above| {
        let rest = absolute.strip_prefix(above).ok()?;
        Some(fs::canonicalize(above).ok()?.join(rest))
    });
    real.unwrap_or(absolute)
}

fn being_opened(path: &Path) -> Error {
    let message = format!(
        "Cannot open the queue at {}: another thread is opening or closing it, wait for that with a longer \
         open_timeout",
        path.display()
    );
    Error::new(ErrorKind::Busy, message).at(path)
}

fn otherwise(path: &Path, difference: &str) -> Error {
    let message = format!(
        "Cannot open the queue at {}: it is open in this process already{difference}: open it in the \
         same way to share it, or close that one first",
        path.display()
    );
    Error::new(ErrorKind::Busy, message).at(path)
}
