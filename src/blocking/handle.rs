//! What the open queues of both kinds have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::events::{self, Event, Level};
use crate::log::bounds::Bounds;
use crate::log::clock::SystemClock;
use crate::log::{Log, Retention};
use crate::maintenance::Recovery;
use crate::migration;
use crate::store::Store;
use crate::store::rocks::{self, Kind, RocksStore};
use crate::worker::Worker;

/// An open queue. It is closed when the last face of it is dropped.
pub(crate) struct Handle {
    site: Arc<Site>,
    worker: Worker,
}

/// Where the operations on a queue are done: its log. It does not keep the queue open.
pub(crate) struct Site {
    log: Arc<Log<RocksStore>>,
    path: PathBuf,
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
}

impl Handle {
    pub(crate) fn open(
        given: &Path,
        kind: Kind,
        retention: Retention,
        bounds: Bounds,
        open_timeout: Option<Duration>,
    ) -> Result<Arc<Self>> {
        let opened = rocks::entering(given, |path| {
            let is_new = !path.exists();
            let store = open_store(path, kind, open_timeout)?;
            let log = Log::open(store, retention, bounds, Box::new(SystemClock::new()))?;
            let path = path.to_owned();
            Ok((Site { log, path }, is_new))
        });
        events::tell_posted();
        let (site, is_new) = opened?;
        tell_opened(&site.path, &site.log, recovery(&site.log).as_ref());
        if is_new && given.starts_with("~") {
            tell_of_home(&site.path);
        }
        let site = Arc::new(site);
        let given_up = Arc::clone(&site);
        Ok(Arc::new(Self {
            site,
            worker: Worker::new(move || given_up.with(Log::give_back)),
        }))
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
        self.site.with(operation)
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    pub(crate) fn path(&self) -> &Path {
        &self.site.path
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.site.log.is_closed()
    }

    pub(crate) fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Lets nonblocking operations finish, then closes the log, which ends those that wait.
    pub(crate) fn close(&self) -> Result<()> {
        self.with(|log| {
            log.check_usable()?;
            let was_open = !log.is_closed();
            self.worker.finish();
            let closed = log.close();
            self.worker.dismiss();
            events::tell_posted();
            if closed.is_ok() && was_open {
                self.event(Level::Debug).tell("closed");
            }
            closed
        })
    }

    fn event(&self, level: Level) -> Event {
        Event::at(level).about(self.path())
    }
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
