//! Telling a callback when a queue is filled beyond one mark, and when it is below another again.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::handle::Site;
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Level};
use crate::log::fill::{Fill, Watermark};
use crate::log::wait::Ring;
use crate::threads;

/// A callback that is told how full a queue is. It is told until [`stop`](Self::stop), or until the
/// queue is closed; dropping the `Watch` changes nothing.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Signal>);

impl Watch {
    /// Tells the callback nothing more, once a call of it that is under way has returned.
    pub fn stop(&self) {
        self.0.change(|seen| seen.stopped = true);
    }
}

/// What the thread of a watch sleeps on.
#[derive(Debug, Default)]
struct Signal {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    rung: bool,
    stopped: bool,
}

impl Signal {
    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock());
        self.changed.notify_one();
    }

    fn is_stopped(&self) -> bool {
        self.seen.lock().stopped
    }

    fn wait(&self) {
        let mut seen = self.seen.lock();
        while !std::mem::take(&mut seen.rung) && !seen.stopped {
            self.changed.wait(&mut seen);
        }
    }
}

impl Ring for Signal {
    fn ring(self: Arc<Self>) {
        self.change(|seen| seen.rung = true);
    }
}

/// Has a thread of its own tell `callback` true when the queue reaches `high`, and false when it is
/// below `low` after that. It begins with the first, if it is so already.
pub(super) fn watch(
    site: &Arc<Site>,
    high: Watermark,
    low: Watermark,
    callback: impl FnMut(bool) + Send + 'static,
) -> Result<Watch> {
    high.check()?;
    low.check()?;
    low.check_not_above(high)?;
    site.with(|log| log.check_usable())?;
    let signal = Arc::new(Signal::default());
    let (site, told) = (Arc::clone(site), Arc::clone(&signal));
    let work = move || tell(&site, &told, high, low, callback);
    threads::spawn("rocksq-watch", work).map_err(|error| {
        let message = format!("Failed to start the thread that watches the queue: {error}");
        Error::new(ErrorKind::Io, message)
    })?;
    Ok(Watch(signal))
}

/// Ends when it is stopped, and when the queue is closed.
fn tell(
    site: &Site,
    signal: &Arc<Signal>,
    high: Watermark,
    low: Watermark,
    mut callback: impl FnMut(bool),
) {
    let mut is_high = false;
    loop {
        let fill = match is_high {
            false => Fill::Reaches(high),
            true => Fill::Below(low),
        };
        match comes_to_be(site, signal, fill) {
            Ok(true) => {
                is_high = !is_high;
                callback(is_high);
            }
            Ok(false) => return,
            Err(error) => {
                if error.kind() != ErrorKind::Closed {
                    let text = format_args!("cannot watch the queue any more: {error}");
                    Event::at(Level::Warn).about(site.path()).tell(text);
                }
                return;
            }
        }
    }
}

/// Waits until the queue is filled so; false when it was stopped.
fn comes_to_be(site: &Site, signal: &Arc<Signal>, fill: Fill) -> Result<bool> {
    let told: Arc<dyn Ring> = signal.clone();
    let mut place = None;
    loop {
        if signal.is_stopped() || site.check_open().is_err() {
            site.log().leave(&mut place);
            return Ok(false);
        }
        let tried = site.log().try_in_line(&mut place, &told, false, |turn| {
            site.log().try_until(fill, turn)
        });
        if let Some(is_so) = tried? {
            return Ok(is_so);
        }
        if site.check_open().is_ok() {
            signal.wait();
        }
    }
}
