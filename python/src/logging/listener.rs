//! The subscriber of `tracing`. It takes no GIL and waits for nothing.

use std::error::Error;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::levels::{self, Logger};
use super::notes::{self, Note};
use rocksq::extension::QueuePath;

pub(super) struct Listener;

impl Subscriber for Listener {
    /// What Python wants changes, so it is to be asked for each event.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match Logger::of(metadata.target()) {
            Some(_) => Interest::sometimes(),
            None => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Logger::of(metadata.target()).is_some_and(|logger| logger.wants(metadata.level()))
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let Some(logger) = Logger::of(metadata.target()) else {
            return;
        };
        let mut said = Said::default();
        event.record(&mut said);
        let note = Note {
            logger,
            level: levels::number(metadata.level()),
            text: said.whole(),
            path: said.path,
            time: SystemTime::now(),
            thread: own_name(),
        };
        if notes::add(note) {
            super::call_aide();
        }
    }

    // We have no spans.

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The name of one of our threads; Python names its own.
fn own_name() -> Option<String> {
    let here = thread::current();
    let name = here.name().filter(|name| name.starts_with("rocksq-"))?;
    Some(name.to_owned())
}

/// What an event says.
#[derive(Default)]
struct Said {
    text: String,
    path: Option<PathBuf>,
}

impl Said {
    fn whole(&self) -> String {
        match &self.path {
            Some(path) => format!("{}: {}", path.display(), self.text),
            None => self.text.clone(),
        }
    }
}

impl Visit for Said {
    fn record_error(&mut self, _field: &Field, value: &(dyn Error + 'static)) {
        self.path = value.downcast_ref().map(|QueuePath(path)| path.clone());
    }

    fn record_debug(&mut self, _field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        write!(self.text, "{value:?}").unwrap_or_default();
    }
}
