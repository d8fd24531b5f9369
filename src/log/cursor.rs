//! Cursors: how far a consumer has come, and the record that keeps it.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use bincode::{Decode, Encode};

use super::bounds::Amount;
use crate::error::{Error, ErrorKind, Result};

/// A place in the log: a position, and the payload bytes of all items before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Mark {
    pub position: u64,
    pub bytes: u64,
}

impl Mark {
    /// The later of two places.
    pub(crate) fn max(self, other: Self) -> Self {
        match other.position > self.position {
            true => other,
            false => self,
        }
    }

    /// What lies between an earlier place and this one.
    pub(crate) fn since(self, earlier: Self) -> Amount {
        Amount {
            items: self.position.saturating_sub(earlier.position),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }
}

/// A run of items: from `first` up to, but not including, `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Run {
    pub first: Mark,
    pub next: Mark,
}

impl Run {
    pub(crate) fn items(&self) -> u64 {
        self.next.position.saturating_sub(self.first.position)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.next.bytes.saturating_sub(self.first.bytes)
    }
}

/// What a consumer has still to read: the runs it gave back, then everything from `mark` on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub mark: Mark,
    /// Items below `mark` that were taken and given back, in order.
    pub owed: Owed,
}

/// Runs that are owed. Normally there are none, and each call copies cursors: so it is a pointer.
#[derive(Clone, Debug, Default)]
#[allow(clippy::box_collection, reason = "a list itself is four words")]
pub(crate) struct Owed(Option<Box<VecDeque<Run>>>);

static NOTHING: VecDeque<Run> = VecDeque::new();

impl Deref for Owed {
    type Target = VecDeque<Run>;

    fn deref(&self) -> &VecDeque<Run> {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Owed {
    fn deref_mut(&mut self) -> &mut VecDeque<Run> {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for Owed {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Owed {}

impl FromIterator<Run> for Owed {
    fn from_iter<T: IntoIterator<Item = Run>>(runs: T) -> Self {
        let runs = VecDeque::from_iter(runs);
        Self((!runs.is_empty()).then(|| Box::new(runs)))
    }
}

/// How a cursor is stored.
#[derive(Encode, Decode)]
enum LabelRecord {
    V1 { mark: Mark, owed: Vec<Run> },
}

impl Cursor {
    pub(crate) fn at(mark: Mark) -> Self {
        Self {
            mark,
            owed: Owed::default(),
        }
    }

    /// The position of the next item.
    pub(crate) fn first(&self) -> u64 {
        self.owed
            .front()
            .map_or(self.mark.position, |run| run.first.position)
    }

    /// Items and payload bytes still to read in a log that ends at `end`.
    pub(crate) fn remaining(&self, end: Mark) -> (u64, u64) {
        let rest = Run {
            first: self.mark,
            next: end,
        };
        self.owed
            .iter()
            .fold((rest.items(), rest.bytes()), |(items, bytes), run| {
                (
                    items.saturating_add(run.items()),
                    bytes.saturating_add(run.bytes()),
                )
            })
    }

    /// The cursor after reading up to `mark`, which lies in its first run.
    pub(crate) fn advance(&mut self, mark: Mark) {
        if self.owed.is_empty() {
            self.mark = mark;
            return;
        }
        match self.owed.front_mut() {
            Some(run) if mark.position < run.next.position => run.first = mark,
            _ => drop(self.owed.pop_front()),
        }
    }

    /// What lies between this cursor and `after`, to which it was advanced.
    pub(crate) fn runs_up_to(&self, after: &Self) -> Vec<Run> {
        let rest = |cursor: &Self| {
            let rest = Run {
                first: cursor.mark,
                next: after.mark,
            };
            cursor
                .owed
                .iter()
                .copied()
                .chain([rest])
                .collect::<Vec<_>>()
        };
        let (mut before, left) = (rest(self), rest(after));
        before.truncate(before.len().saturating_sub(left.len()).saturating_add(1));
        if let (Some(last), Some(first)) = (before.last_mut(), left.first()) {
            last.next = first.first;
        }
        before.retain(|run| run.items() > 0);
        before
    }

    /// Owes `runs` again, which were taken from this cursor.
    pub(crate) fn give_back(&mut self, runs: &[Run]) {
        let mark = self.mark.position;
        for run in runs.iter().filter(|run| run.first.position < mark) {
            let at = self
                .owed
                .partition_point(|owed| owed.first.position < run.first.position);
            self.owed.insert(at, *run);
        }
        self.merge();
    }

    /// Joins runs that touch each other, or the mark.
    fn merge(&mut self) {
        let mut merged: VecDeque<Run> = VecDeque::with_capacity(self.owed.len());
        for run in std::mem::take(&mut *self.owed) {
            match merged.back_mut() {
                Some(last) if last.next.position >= run.first.position => last.next = run.next,
                _ => merged.push_back(run),
            }
        }
        if let Some(last) = merged.back()
            && last.next.position >= self.mark.position
        {
            self.mark = last.first;
            merged.pop_back();
        }
        self.owed = Owed::from_iter(merged);
    }

    /// Leaves out everything below `live`; says whether anything unread was lost by that.
    pub(crate) fn skip_to(&mut self, live: Mark) -> bool {
        let before = self.first();
        if before < live.position && !self.owed.is_empty() {
            self.owed.retain(|run| run.next.position > live.position);
            if let Some(run) = self.owed.front_mut() {
                run.first = run.first.max(live);
            }
        }
        if self.mark.position < live.position {
            self.mark = live;
        }
        before < live.position
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let record = LabelRecord::V1 {
            mark: self.mark,
            owed: self.owed.iter().copied().collect(),
        };
        bincode::encode_to_vec(record, bincode::config::standard())
            .map_err(|e| Error::new(ErrorKind::Io, format!("Failed to encode a cursor: {e}")))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        // What a damaged length may make it allocate.
        let config = bincode::config::standard().with_limit::<{ 1 << 24 }>();
        let (LabelRecord::V1 { mark, owed }, _) = bincode::decode_from_slice(bytes, config)
            .map_err(|e| match e {
                bincode::error::DecodeError::UnexpectedVariant { found, .. } => Error::new(
                    ErrorKind::UnsupportedFormat,
                    format!("A cursor has layout {found}, which this version cannot read"),
                ),
                e => Error::corrupt(format!("A cursor of the queue is damaged: {e}")),
            })?;
        let cursor = Self {
            mark,
            owed: Owed::from_iter(owed),
        };
        cursor.check()?;
        Ok(cursor)
    }

    /// Owed runs must be in order, not empty, and below the mark.
    fn check(&self) -> Result<()> {
        let mut floor = 0;
        for run in self.owed.iter() {
            if run.first.position < floor || run.items() == 0 || run.first.bytes > run.next.bytes {
                return Err(Error::corrupt("A cursor of the queue contradicts itself"));
            }
            floor = run.next.position;
        }
        if floor > self.mark.position {
            return Err(Error::corrupt("A cursor of the queue contradicts itself"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(position: u64) -> Mark {
        Mark {
            position,
            bytes: position * 10,
        }
    }

    fn owing() -> Cursor {
        let run = |first, next| Run {
            first: mark(first),
            next: mark(next),
        };
        Cursor {
            mark: mark(20),
            owed: Owed::from_iter([run(3, 5), run(8, 9)]),
        }
    }

    #[test]
    fn a_cursor_survives_its_record() {
        assert_eq!(Cursor::decode(&owing().encode().unwrap()).unwrap(), owing());
    }

    #[test]
    fn a_record_that_claims_more_than_it_could_hold_is_refused_before_memory_is_taken() {
        let mut record = Cursor::at(mark(1)).encode().unwrap();
        assert_eq!(record.pop(), Some(0), "the count of owed runs comes last");
        record.push(253); // a count of eight bytes follows
        record.extend((1u64 << 40).to_le_bytes());
        let error = Cursor::decode(&record).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("LimitExceeded"), "{error}");
    }

    #[test]
    fn owed_items_come_first_and_count() {
        let cursor = owing();
        assert_eq!(cursor.first(), 3);
        assert_eq!(cursor.remaining(mark(25)), (8, 80));
    }

    #[test]
    fn a_cursor_advances_through_its_owed_runs_to_the_rest() {
        let mut cursor = owing();
        let mut firsts = vec![];
        for position in [4, 5, 9, 21] {
            cursor.advance(mark(position));
            firsts.push(cursor.first());
        }
        assert_eq!(firsts, [4, 8, 20, 21]);
    }

    #[test]
    fn what_was_taken_from_a_cursor_can_be_given_back() {
        for (position, runs) in [(4, 1), (5, 1), (9, 2), (22, 3)] {
            let mut cursor = owing();
            while cursor.first() < position {
                let stop = cursor
                    .owed
                    .front()
                    .map_or(position, |run| run.next.position);
                cursor.advance(mark(stop.min(position)));
            }
            let taken = owing().runs_up_to(&cursor);
            assert_eq!(taken.len(), runs);
            cursor.give_back(&taken);
            assert_eq!(cursor, owing());
        }
    }

    #[test]
    fn runs_that_are_given_back_join_their_neighbours() {
        let mut cursor = Cursor::at(mark(9));
        let run = |first, next| Run {
            first: mark(first),
            next: mark(next),
        };
        cursor.give_back(&[run(2, 3)]);
        cursor.give_back(&[run(5, 6), run(3, 4)]);
        assert_eq!(*cursor.owed, [run(2, 4), run(5, 6)]);
        cursor.give_back(&[run(6, 9)]);
        assert_eq!(*cursor.owed, [run(2, 4)]);
        assert_eq!(cursor.mark, mark(5));
    }

    #[test]
    fn skipping_says_whether_unread_items_were_lost() {
        assert!(!owing().skip_to(mark(3)));
        let mut cursor = owing();
        assert!(cursor.skip_to(mark(4)));
        assert_eq!(cursor.remaining(mark(20)), (2, 20));
        assert!(cursor.skip_to(mark(30)));
        assert_eq!(cursor, Cursor::at(mark(30)));
    }

    #[test]
    fn damaged_records_are_refused_and_never_panic() {
        let bytes = owing().encode().unwrap();
        for len in 0..bytes.len() {
            let error = Cursor::decode(&bytes[..len]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn a_record_of_a_newer_layout_is_refused() {
        let error = Cursor::decode(&[7, 0, 0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    }

    #[test]
    fn a_cursor_whose_owed_runs_are_out_of_order_is_damaged() {
        let mut cursor = owing();
        cursor.owed.swap(0, 1);
        let error = Cursor::decode(&cursor.encode().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}
