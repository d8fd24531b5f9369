//! What the open queues of both kinds have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::opened::{self, Opened};
use super::origin::Origin;
use super::terms::Terms;
use crate::error::{Error, ErrorKind, Result};
use crate::events::{self, Event, Level};
use crate::log::Log;
use crate::log::bounds::Amount;
use crate::log::clock::SystemClock;
use crate::maintenance::Recovery;
use crate::migration;
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::store::Store;
use crate::store::rocks::{self, Kind, RocksStore};
use crate::wait::Wait;
use crate::worker::Worker;

/// An opening of a queue. It is closed when the last face of it is dropped; the last opening of a
/// queue closes the queue.
pub struct Handle {
    opened: Arc<Opened>,
    site: Arc<Site>,
    origin: Origin,
    /// Held while closing, so that a second closer returns when the first is done.
    closing: Mutex<()>,
}

/// Where the operations on a queue are done: its log. It does not keep the queue open.
pub(crate) struct Site {
    log: Arc<Log<RocksStore>>,
    path: PathBuf,
    /// Whether nothing new is begun.
    leaving: AtomicBool,
    /// Whether what waits is over too.
    left: AtomicBool,
}

impl Site {
    pub(crate) fn log(&self) -> &Log<RocksStore> {
        &self.log
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Does something with the log; its errors name the path.
    pub(crate) fn with<T>(
        &self,
        operation: impl FnOnce(&Log<RocksStore>) -> Result<T>,
    ) -> Result<T> {
        operation(&self.log).map_err(|error| self.name(error))
    }

    /// The error as one of this queue.
    pub(crate) fn name(&self, error: Error) -> Error {
        error.call(self.log.store().directory(), &self.path)
    }

    /// Fails when the opening was closed, though others may have the queue open.
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.left.load(Ordering::Acquire) {
            true => Err(self.closed()),
            false => Ok(()),
        }
    }

    fn closed(&self) -> Error {
        let forked = self.log.check_usable().err();
        forked.unwrap_or_else(Error::closed).at(&self.path)
    }
}

impl Handle {
    pub(crate) fn open(
        given: &Path,
        terms: Terms,
        open_timeout: Option<Duration>,
        origin: Origin,
    ) -> Result<Arc<Self>> {
        let checked = terms.bounds.check().map_err(|error| error.at(given));
        let opened = checked.and_then(|()| {
            rocks::entering(given, |path| {
                let open = || open_log(given, path, terms, open_timeout);
                opened::open(path, terms, open_timeout, origin, open)
            })
        });
        events::tell_posted();
        opened
    }

    pub(super) fn new(opened: Arc<Opened>, path: &Path, origin: Origin) -> Self {
        let site = Arc::new(Site {
            log: Arc::clone(&opened.log),
            path: path.to_owned(),
            leaving: AtomicBool::new(false),
            left: AtomicBool::new(false),
        });
        Self {
            opened,
            site,
            origin,
            closing: Mutex::new(()),
        }
    }

    pub(super) fn opened(&self) -> &Arc<Opened> {
        &self.opened
    }

    pub(crate) fn kind(&self) -> Kind {
        self.opened.terms().kind
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What could not be brought back, the last time that something could not. A forked child is
    /// told nothing: a lock may have been held at the fork.
    pub(crate) fn recovery(&self) -> Option<Recovery> {
        let log = &self.site.log;
        log.is_here().then(|| recovery(log)).flatten()
    }

    /// Copies the queue, as it is now, into the new directory `to`.
    pub(crate) fn back_up(&self, to: &Path) -> Result<()> {
        self.with(|log| {
            log.flush()?;
            rocks::entering(to, |to| log.store().back_up(to))
        })
    }

    /// Does something with the log; its errors name the path.
    pub(crate) fn with<T>(
        &self,
        operation: impl FnOnce(&Log<RocksStore>) -> Result<T>,
    ) -> Result<T> {
        self.check_open()?;
        self.site.with(operation)
    }

    /// Does something with the log that waits as long as `wait` says, and no longer than this is
    /// open.
    pub(crate) fn waiting<'w, T>(
        &'w self,
        wait: Wait<'w>,
        operation: impl FnOnce(&Log<RocksStore>, Wait<'w>) -> Result<T>,
    ) -> Result<T> {
        self.with(|log| operation(log, wait.unless(&self.site.left)))
    }

    /// Fails when it is closed, or about to be.
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.site.leaving.load(Ordering::Acquire) {
            true => Err(self.site.closed()),
            false => Ok(()),
        }
    }

    /// How much is in the queue, if that can be told at once, without looking for what has expired.
    pub(crate) fn glance(&self) -> Option<Result<Amount>> {
        match self.site.check_open() {
            Ok(()) => self.site.log.glance(),
            Err(error) => Some(Err(error)),
        }
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    pub(crate) fn path(&self) -> &Path {
        &self.site.path
    }

    pub(crate) fn is_closed(&self) -> bool {
        let log = &self.site.log;
        log.is_here() && (self.site.leaving.load(Ordering::Acquire) || log.is_closed())
    }

    pub(crate) fn worker(&self) -> &Worker {
        &self.opened.worker
    }

    /// Lets operations finish and ends those that wait. When nobody else has the queue open, closes
    /// its log; otherwise syncs what was done.
    pub(crate) fn close(&self) -> Result<()> {
        self.site.with(|log| {
            log.check_usable()?;
            let _one_closer = self.closing.lock();
            if self.site.leaving.swap(true, Ordering::AcqRel) {
                return Ok(());
            }
            let closed = match opened::leave(self) {
                true => self.close_log(log),
                false => self.leave_log(log),
            };
            self.site.left.store(true, Ordering::Release);
            if closed.is_ok() {
                self.event(Level::Debug).tell("closed");
            }
            closed
        })
    }

    fn close_log(&self, log: &Log<RocksStore>) -> Result<()> {
        self.worker().finish();
        let closed = log.close();
        self.worker().dismiss();
        events::tell_posted();
        closed
    }

    fn leave_log(&self, log: &Log<RocksStore>) -> Result<()> {
        self.worker().settle();
        self.site.left.store(true, Ordering::Release);
        log.call_everybody();
        match log.flush() {
            // The last of the others has closed it meanwhile, which syncs: waits for that.
            Err(error) if error.kind() == ErrorKind::Closed => log.close(),
            flushed => flushed,
        }
    }

    fn event(&self, level: Level) -> Event {
        Event::at(level).about(self.path())
    }
}

/// Opens what is at `path`, which was `given` so.
fn open_log(
    given: &Path,
    path: &Path,
    terms: Terms,
    open_timeout: Option<Duration>,
) -> Result<Arc<Log<RocksStore>>> {
    let is_new = !path.exists();
    let store = open_store(path, terms.kind, open_timeout)?;
    let clock = Box::new(SystemClock::new());
    let log = Log::open(store, terms.retention, terms.bounds, clock)?;
    events::tell_posted();
    tell_opened(path, &log, recovery(&log).as_ref());
    if is_new && given.starts_with("~") {
        tell_of_home(path);
    }
    Ok(log)
}

fn tell_of_home(path: &Path) {
    Event::at(Level::Warn).about(path).tell(
        "the queue was made in a directory called ~, which is not expanded: for a home give the full \
         path",
    );
}

fn tell_opened(path: &Path, log: &Log<RocksStore>, recovery: Option<&Recovery>) {
    let event = |level| Event::at(level).about(path);
    match log.follows_unclean_stop() {
        true => event(Level::Info).tell("opened; it had not been closed in order"),
        false => event(Level::Info).tell("opened"),
    }
    if let Some(recovery) = recovery {
        event(Level::Warn).tell(recovery);
    }
}

/// Opens the store, converting a queue of rocksq 0.3.0 first.
fn open_store(path: &Path, kind: Kind, open_timeout: Option<Duration>) -> Result<RocksStore> {
    match RocksStore::open(path, kind, open_timeout) {
        Err(error) if error.kind() == ErrorKind::UnsupportedFormat => {
            migration::convert(path, kind, open_timeout, &mut |_| Ok(()))?;
            RocksStore::open(path, kind, open_timeout)
        }
        opened => opened,
    }
}

fn recovery(log: &Log<RocksStore>) -> Option<Recovery> {
    log.store().dropped().and_then(Recovery::of)
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.site.log.is_here()
            && let Err(error) = self.close()
        {
            let text = format_args!("could not close the queue in order: {error}");
            self.event(Level::Error).tell(text);
        }
    }
}
