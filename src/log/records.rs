//! The log's records about itself, and the keys of all its records.
//!
//! ```text
//! meta    offset  size  field (integers little-endian)
//!              0     1  version of this layout: 1
//!              1     1  1 while the queue is open, 0 after a clean close
//!              2     2  zero
//!              4     4  epoch: grows at each open after an unclean stop
//!              8    16  uuid of the queue
//!             24     8  time of the write, microseconds since 1970
//!
//! trim         0     1  version of this layout: 1
//!              1     7  zero
//!              8     8  position of the first item that is kept
//!             16     8  items before it since the queue was made
//!             24     8  payload bytes of those items
//!
//! home         0     1  version of this layout: 1
//!              1     7  zero
//!              8     8  inode of the file `HOLDER`
//!             16     8  when it was made, nanoseconds since 1970; 0 where that cannot be told
//!             24     8  zero
//!
//! floor        like trim: the position below which items were dropped to make room, though their
//!              chunk may be kept for the sake of others
//! ```
//!
//! Keys begin with the id of the queue within its database, a big-endian u32: 0.

use smallvec::SmallVec;
use uuid::Uuid;

use super::cursor::Mark;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Home;

const VERSION: u8 = 1;
const RECORD_LEN: usize = 32;
const QUEUE_ID: u32 = 0;

/// The key of a record; most need no memory of their own.
pub(crate) type Key = SmallVec<[u8; 32]>;

/// What the log knows about itself between two opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub open: bool,
    pub epoch: u32,
    pub uuid: Uuid,
    /// Microseconds since 1970.
    pub time: i64,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [
            [VERSION, self.open.into(), 0, 0].as_slice(),
            &self.epoch.to_le_bytes(),
            self.uuid.as_bytes(),
            &self.time.to_le_bytes(),
        ]
        .concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let [fixed, low, high, time] = words(bytes, "meta")?;
        let uuid = u128::from(low) | u128::from(high) << 64;
        Ok(Self {
            open: fixed.to_le_bytes()[1] != 0,
            epoch: (fixed >> 32) as u32,
            uuid: Uuid::from_bytes(uuid.to_le_bytes()),
            time: time as i64,
        })
    }
}

pub(crate) fn encode_home(home: Home) -> Vec<u8> {
    let words = [u64::from(VERSION), home.inode, home.born, 0];
    words.map(u64::to_le_bytes).concat()
}

pub(crate) fn decode_home(bytes: &[u8]) -> Result<Home> {
    let [_, inode, born, _] = words(bytes, "home")?;
    Ok(Home { born, inode })
}

/// Everything below this mark is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trim {
    pub mark: Mark,
}

impl Trim {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [
            u64::from(VERSION),
            self.mark.position,
            self.mark.position,
            self.mark.bytes,
        ]
        .map(u64::to_le_bytes)
        .concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let [_, position, _items, bytes] = words(bytes, "trim")?;
        Ok(Self {
            mark: Mark { position, bytes },
        })
    }
}

/// The four words of a record whose version is checked.
fn words(bytes: &[u8], record: &str) -> Result<[u64; 4]> {
    match bytes.first() {
        Some(&VERSION) if bytes.len() >= RECORD_LEN => {}
        Some(&version) if version > VERSION => {
            return Err(Error::new(
                ErrorKind::UnsupportedFormat,
                format!(
                    "The queue's {record} record has layout {version}, which this version of \
                     rocksq cannot read: use a newer one"
                ),
            ));
        }
        _ => {
            return Err(Error::corrupt(format!(
                "The queue's {record} record is damaged"
            )));
        }
    }
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    Ok(words)
}

pub(crate) fn meta_key() -> Key {
    key(b"meta")
}

pub(crate) fn home_key() -> Key {
    key(b"home")
}

pub(crate) fn trim_key() -> Key {
    key(b"trim")
}

pub(crate) fn floor_key() -> Key {
    key(b"floor")
}

pub(crate) fn label_key(label: &str) -> Key {
    key(label.as_bytes())
}

/// What the keys of this queue's records begin with.
pub(crate) fn key_prefix() -> [u8; 4] {
    QUEUE_ID.to_be_bytes()
}

/// The label of a cursor record's key.
pub(crate) fn label_of(key: &[u8]) -> Result<String> {
    key.strip_prefix(&key_prefix())
        .and_then(|label| String::from_utf8(label.to_vec()).ok())
        .ok_or_else(|| Error::corrupt("A label of the queue is not text"))
}

fn key(name: &[u8]) -> Key {
    let mut key = Key::from_slice(&key_prefix());
    key.extend_from_slice(name);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_survives_its_record() {
        let meta = Meta {
            open: true,
            epoch: 0xdead_beef,
            uuid: Uuid::new_v4(),
            time: -5,
        };
        assert_eq!(Meta::decode(&meta.encode()).unwrap(), meta);
    }

    #[test]
    fn trim_survives_its_record() {
        let trim = Trim {
            mark: Mark {
                position: 7,
                bytes: 70,
            },
        };
        assert_eq!(Trim::decode(&trim.encode()).unwrap(), trim);
    }

    #[test]
    fn a_newer_record_is_refused_and_a_short_one_is_damaged() {
        let newer = Trim::decode(&[2; RECORD_LEN]).unwrap_err();
        assert_eq!(newer.kind(), ErrorKind::UnsupportedFormat);
        let short = Trim::decode(&[1; RECORD_LEN - 1]).unwrap_err();
        assert_eq!(short.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn a_label_survives_its_key() {
        assert_eq!(label_of(&label_key("läbel")).unwrap(), "läbel");
    }
}
