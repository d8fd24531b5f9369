//! Counting how often RocksDB made the queue's writes wait, as told to `tracing`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

struct Listener(Arc<AtomicU64>);

/// From here on, how many stalls there were.
pub fn count() -> Arc<AtomicU64> {
    let stalls = Arc::default();
    tracing::subscriber::set_global_default(Listener(Arc::clone(&stalls))).unwrap();
    stalls
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "rocksq" && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = Told(String::new());
        event.record(&mut told);
        if told.0.contains("background work is behind") {
            self.0.fetch_add(1, Ordering::Relaxed);
        } else {
            eprintln!("{}", told.0);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Told(String);

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
