//! Writing a whole log into an empty store, from a source of another format.

use super::chunk::{self, Header};
use super::cursor::{Cursor, Mark, Run};
use super::records::{Trim, label_key, trim_key};
use crate::error::{Error, Result};
use crate::store::{Batch, Place, Records, Source, Store};

/// A batch is written when it is this large.
const BATCH: usize = 1 << 20;

/// Writes everything in `source`. Items without a time of their own are as old as `now`,
/// microseconds since 1970. It survives a power cut when this returns.
///
/// A label that has lost items owes one at position 0, which is trimmed: its next read says so.
pub(crate) fn import<S: Store>(store: &S, source: &mut dyn Source, now: i64) -> Result<()> {
    let mut labels = source.labels();
    labels.sort_unstable_by_key(|place| place.items_before);
    let gone = u64::from(labels.iter().any(|place| place.lost));
    let mut writer = Writer::new(store, gone, &labels);
    source.visit_items(&mut |items, time| writer.append(items, time.unwrap_or(now)))?;
    writer.finish()
}

struct Writer<'s, S: Store> {
    store: &'s S,
    batch: S::Batch,
    /// Bytes in the batch.
    filled: usize,
    /// The first position; what lies below is gone.
    start: u64,
    end: Mark,
    time: i64,
    /// Labels whose place is not reached yet, in order.
    ahead: &'s [Place],
}

impl<'s, S: Store> Writer<'s, S> {
    fn new(store: &'s S, start: u64, labels: &'s [Place]) -> Self {
        Self {
            store,
            batch: store.batch(BATCH),
            filled: 0,
            start,
            end: Mark {
                position: start,
                bytes: 0,
            },
            time: i64::MIN,
            ahead: labels,
        }
    }

    fn append(&mut self, items: &[&[u8]], time: i64) -> Result<()> {
        self.time = self.time.max(time);
        self.put_labels_among(items)?;
        for mut chunk in chunk::cut_apart(items)? {
            chunk.begin_with(&Header {
                epoch: 0,
                items: chunk.items,
                time: self.time,
                bytes_before: self.end.bytes,
                unit: chunk.unit,
            });
            self.batch.put_chunk(self.end.position, &chunk.parts())?;
            self.end = self.end.behind(chunk.items.into(), chunk.payload)?;
            self.fill(chunk.payload as usize)?;
        }
        Ok(())
    }

    /// Writes the cursors of labels that stand at one of `items`, which follow on the end.
    fn put_labels_among(&mut self, items: &[&[u8]]) -> Result<()> {
        let mut at = self.end;
        let mut rest = items.iter();
        while let Some((label, later)) = self.ahead.split_first() {
            let position = self.start.saturating_add(label.items_before);
            while at.position < position {
                let Some(item) = rest.next() else {
                    return Ok(());
                };
                at = at.behind(1, item.len() as u64)?;
            }
            self.put_label(label, at)?;
            self.ahead = later;
        }
        Ok(())
    }

    fn put_label(&mut self, label: &Place, mark: Mark) -> Result<()> {
        let mut cursor = Cursor::at(mark);
        if label.lost {
            let next = Mark {
                position: self.start,
                bytes: 0,
            };
            let first = Mark::default();
            cursor.owed.push_back(Run { first, next });
        }
        let key = label_key(&label.label);
        self.batch.put(Records::Reader, &key, &cursor.encode()?);
        self.fill(key.len())
    }

    /// Counts what was put into the batch, and writes it when it is full.
    fn fill(&mut self, bytes: usize) -> Result<()> {
        self.filled = self.filled.saturating_add(bytes);
        if self.filled < BATCH {
            return Ok(());
        }
        self.filled = 0;
        let batch = std::mem::replace(&mut self.batch, self.store.batch(BATCH));
        self.store.write(batch)
    }

    fn finish(mut self) -> Result<()> {
        self.put_labels_among(&[])?;
        if !self.ahead.is_empty() {
            return Err(Error::corrupt("A label stands behind the end of its queue"));
        }
        let mark = Mark {
            position: self.start,
            bytes: 0,
        };
        self.batch
            .put(Records::System, &trim_key(), &Trim { mark }.encode());
        self.store.write(self.batch)?;
        self.store.sync()
    }
}

impl Mark {
    /// The place behind items.
    fn behind(self, items: u64, bytes: u64) -> Result<Self> {
        match (
            self.position.checked_add(items),
            self.bytes.checked_add(bytes),
        ) {
            (Some(position), Some(bytes)) => Ok(Self { position, bytes }),
            _ => Err(Error::corrupt(
                "A queue holds more than there are positions",
            )),
        }
    }
}
