//! Hearing what is told to `tracing`.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Has `heard` told the message of each event of this process that is `wanted`, from here on.
pub fn hear(
    wanted: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    heard: impl Fn(&Metadata<'_>, String) + Send + Sync + 'static,
) {
    tracing::subscriber::set_global_default(Listener { wanted, heard }).unwrap();
}

struct Listener<W, H> {
    wanted: W,
    heard: H,
}

impl<W, H> Subscriber for Listener<W, H>
where
    W: Fn(&Metadata<'_>) -> bool + 'static,
    H: Fn(&Metadata<'_>, String) + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.wanted)(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        (self.heard)(event.metadata(), message.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
