//! Items that can be told apart and checked byte by byte.

use crate::support::random::Random;

/// How large items are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    Small,
    Mixed,
    Large,
}

/// A push: the process it was made in, the thread there, and which of its pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId {
    pub session: u16,
    pub thread: u8,
    pub number: u32,
}

/// An item: its push and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    pub push: PushId,
    pub index: u8,
}

/// Bytes that tell who an item is; the rest follows from them.
const NAME: usize = 9;

impl ItemId {
    pub fn is_first(self) -> bool {
        self.index == 0
    }

    /// The bytes of the item, which nothing else has.
    pub fn bytes(self, sizes: Sizes, count: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.push.session.to_le_bytes());
        bytes.extend(self.push.number.to_le_bytes());
        bytes.extend([self.push.thread, self.index, count]);
        let mut random = Random::new(self.seed());
        let len = match sizes {
            Sizes::Small => random.within(10..200),
            Sizes::Mixed => 10 << random.within(0..15),
            Sizes::Large => random.within(50 << 10..200 << 10),
        };
        bytes.extend(random.bytes(len as usize - NAME));
        bytes
    }

    /// Which item these bytes are, and how many its push has. Fails unless all bytes are right.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> (Self, u8) {
        let id = Self {
            push: PushId {
                session: u16::from_le_bytes(bytes[..2].try_into().unwrap()),
                number: u32::from_le_bytes(bytes[2..6].try_into().unwrap()),
                thread: bytes[6],
            },
            index: bytes[7],
        };
        let count = bytes[8];
        assert!(
            id.bytes(sizes, count) == bytes,
            "the bytes of {id:?} are damaged"
        );
        (id, count)
    }

    fn seed(self) -> u64 {
        let push = u64::from(self.push.session) << 48
            | u64::from(self.push.thread) << 40
            | u64::from(self.push.number);
        push ^ u64::from(self.index) << 32
    }

    pub fn to_text(self) -> String {
        let PushId {
            session,
            thread,
            number,
        } = self.push;
        format!("{session}.{thread}.{number}.{}", self.index)
    }

    pub fn from_text(text: &str) -> Self {
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().unwrap());
        let mut next = || numbers.next().unwrap();
        Self {
            push: PushId {
                session: next() as u16,
                thread: next() as u8,
                number: next(),
            },
            index: next() as u8,
        }
    }
}
