//! RocksDB's tables: which session of it wrote them.
//!
//! A session is one opening of one database, so its number tells a table from those of other
//! queues. The table has it as 20 digits of base 36 among its properties, which lie near its
//! end; the MANIFEST has the lower 64 bits of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The properties of a table, and what is behind them, take less.
const TAIL: u64 = 16 << 10;
/// The end of the property's name: the start is left out, since the one before has the same.
const PROPERTY: &[u8] = b"session.identity";
const DIGITS: usize = 20;
/// The digits that the lower bits are in, but for the highest two.
const LOWER: usize = 12;

/// The session that wrote the table, as the MANIFEST knows it; `None` where the table does not
/// tell, or cannot be read.
pub(crate) fn session(table: &Path) -> Option<u64> {
    find(&tail(table).ok()?)
}

fn tail(table: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(table)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

fn find(tail: &[u8]) -> Option<u64> {
    let mut places = tail.windows(PROPERTY.len());
    let name = places.rposition(|place| place == PROPERTY)?;
    let digits = tail.get(name.checked_add(PROPERTY.len())?..)?;
    let (upper, lower) = digits.get(..DIGITS)?.split_at_checked(DIGITS - LOWER)?;
    let lower = number(lower)? & (u64::MAX >> 2);
    Some(lower | number(upper)?.wrapping_shl(62))
}

fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    u64::from_str_radix(text, 36).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_bits_are_those_of_the_last_twelve_digits_and_two_before() {
        let tail = b"host.identity....session.identity00000003000000000010rest";
        assert_eq!(find(tail), Some(36 | 3 << 62));
    }

    #[test]
    fn what_is_no_session_tells_nothing() {
        assert_eq!(find(b""), None);
        assert_eq!(find(b"session.identity123"), None);
        assert_eq!(find(b"session.identity-------3000000000010"), None);
    }
}
