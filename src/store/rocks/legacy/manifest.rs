//! The table of contents of an old database, which RocksDB reads up to the first record that is
//! incomplete. That is right after a power cut, since the tables of such a record are still unused
//! then. If the file was cut off or changed later, tables would be forgotten without a word.
//!
//! The file consists of blocks, and those of records: CRC (4 bytes), length (2 bytes, little-endian),
//! type (1 byte), payload. A block ends in zeros if there is no room for another header.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const BLOCK: u64 = 32 << 10;
const HEADER: u64 = 7;

/// Whether the file ends with a whole record. Reads no payload: RocksDB checks that.
pub(super) fn is_whole(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let mut at = 0u64;
    while at < end {
        let room = BLOCK.saturating_sub(at % BLOCK);
        let step = match room {
            0..HEADER => room,
            _ if end.saturating_sub(at) < HEADER => return Ok(false),
            _ => record_len(&mut file)?,
        };
        if step > room {
            return Ok(false);
        }
        let unread = if room < HEADER { step } else { step - HEADER };
        file.seek_relative(unread as i64)?;
        at = at.saturating_add(step);
    }
    Ok(at == end)
}

/// The length of the record that begins here, of which the header is read.
fn record_len(file: &mut impl Read) -> io::Result<u64> {
    let mut header = [0; HEADER as usize];
    file.read_exact(&mut header)?;
    let [_, _, _, _, low, high, _] = header;
    Ok(HEADER.saturating_add(u16::from_le_bytes([low, high]).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A file of records with so much payload each.
    fn file(payloads: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for len in payloads {
            let room = BLOCK as usize - bytes.len() % BLOCK as usize;
            if room < HEADER as usize {
                bytes.extend(vec![0; room]);
            }
            bytes.extend([1, 2, 3, 4]);
            bytes.extend(u16::try_from(*len).unwrap().to_le_bytes());
            bytes.extend(vec![7; len + 1]);
        }
        bytes
    }

    fn judge(bytes: &[u8]) -> bool {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        is_whole(file.path()).unwrap()
    }

    #[test]
    fn whole_records_are_whole() {
        assert!(judge(&[]));
        assert!(judge(&file(&[5, 0, 9])));
        let full_block = BLOCK as usize - 7;
        assert!(judge(&file(&[full_block, 3])));
        for padding in 0..HEADER as usize {
            assert!(judge(&file(&[full_block - 10 - padding, 3 + padding])));
            assert!(judge(&file(&[full_block - padding, 3])), "{padding}");
        }
    }

    #[test]
    fn a_record_that_is_cut_off_or_reaches_too_far_is_not_whole() {
        let whole = file(&[5, 9]);
        for len in 13..whole.len() {
            assert!(!judge(&whole[..len]), "{len}");
        }
        let mut longer = whole;
        longer[4] ^= 0x40;
        assert!(!judge(&longer));
    }
}
