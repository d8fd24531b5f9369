//! Reading RocksDB's log files, and its MANIFEST, record by record, without RocksDB.
//!
//! RocksDB stops its replay at the first bad record and deletes the log. This reader goes on behind
//! it, so that what RocksDB is about to drop can be told, and saved.
//!
//! ```text
//! file      blocks of 32 KiB; a record never begins in the last 6 bytes of one
//! fragment  masked CRC-32C of type and payload u32, length u16, type u8, payload
//! type      1 a whole record; 2, 3, 4 the first, a middle, the last fragment of one
//! record    in a log a write batch: sequence u64, number of changes u32, the changes
//! ```
//!
//! All integers are little-endian.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const BLOCK: usize = 32 * 1024;
const HEADER: usize = 7;
/// Sequence and count at the start of a record.
const BATCH_HEADER: usize = 12;
/// A power cut loses whole sectors.
const SECTOR: u64 = 512;
/// So many zeros at the end of a sector may be what was written there.
const WRITTEN_ZEROS: u64 = 64;

/// Types of records in log files that are used again, which ours never are. When one follows on a
/// record of another type, RocksDB's reader neither takes it nor gets past it.
const RECYCLED: [u8; 6] = [5, 6, 7, 8, 11, 131];

/// Types of this range may be skipped by those who do not know them.
const SKIPPABLE: u8 = 0x80;

/// A record whose checksums are right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// All of it, or its first bytes when only those were asked for.
    pub bytes: &'a [u8],
}

impl Record<'_> {
    /// Sequence number of its first change.
    pub(crate) fn sequence(&self) -> u64 {
        self.bytes
            .first_chunk()
            .copied()
            .map_or(0, u64::from_le_bytes)
    }

    /// How many changes it has: none where RocksDB notes no more than where a log begins.
    pub(crate) fn changes(&self) -> u64 {
        let changes = self.bytes.get(8..).and_then(|rest| rest.first_chunk());
        changes.copied().map_or(0, u32::from_le_bytes).into()
    }

    /// Sequence number of its last change, or of the last one before it if it has none.
    pub(crate) fn last(&self) -> u64 {
        let next = self.sequence().saturating_add(self.changes());
        next.saturating_sub(1)
    }
}

/// What a reader comes upon.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    Record(Record<'a>),
    /// Bytes from this offset on that are no record.
    Bad(u64),
    /// The file ends within a record, as a crash or a power cut leaves it.
    Torn(u64),
    /// A header at this offset that RocksDB's reader would look at for ever.
    Endless(u64),
}

/// How much of a record its visitor wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The numbers alone: as fast as the checksums.
    Numbers,
    Whole,
}

/// The log files in a directory, in the order of their numbers.
pub(crate) fn files(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if let Some(number) = number(&path) {
            files.push((number, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The number of a log file.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    name.parse().ok()
}

/// Reads a file from its start to its end.
pub(crate) fn read(
    path: &Path,
    detail: Detail,
    visitor: &mut dyn FnMut(Piece<'_>),
) -> io::Result<()> {
    read_from(&mut File::open(path)?, detail, visitor)
}

/// Reads what would be in a file.
pub(crate) fn read_from(
    file: &mut dyn Read,
    detail: Detail,
    visitor: &mut dyn FnMut(Piece<'_>),
) -> io::Result<()> {
    let mut record = Assembly::new(detail);
    let mut block = vec![0; BLOCK];
    let mut start = 0u64;
    loop {
        let filled = fill(file, &mut block)?;
        let whole = block.get(..filled).unwrap_or_default();
        let is_last = filled < BLOCK;
        read_block(whole, start, is_last, &mut record, visitor);
        start = start.saturating_add(filled as u64);
        if is_last {
            record.end(visitor);
            return Ok(());
        }
    }
}

/// The sequence number of the first change in a file. `None` if the file is empty, or begins with
/// bad bytes.
pub(crate) fn first_sequence(path: &Path) -> io::Result<Option<u64>> {
    let mut block = vec![0; BLOCK];
    let filled = fill(&mut File::open(path)?, &mut block)?;
    let block = block.get(..filled).unwrap_or_default();
    Ok(match Fragment::parse(block) {
        Parsed::Whole(Fragment {
            kind: 1 | 2,
            payload: bytes,
        }) => Some(Record { bytes }.sequence()),
        _ => None,
    })
}

/// Where RocksDB's reader would stay for ever in the file, if it has such a place.
pub(crate) fn endless(path: &Path) -> io::Result<Option<u64>> {
    let mut place = None;
    read(path, Detail::Numbers, &mut |piece| {
        if let Piece::Endless(offset) = piece {
            place.get_or_insert(offset);
        }
    })?;
    Ok(place)
}

/// Whether the file was never written from some sector behind `offset` on: a power cut leaves the
/// end of a growing file as zeros. Zeros that begin well within a sector were written.
pub(crate) fn ends_unwritten(path: &Path, offset: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut at = file.seek(SeekFrom::Start(offset))?;
    let mut written = offset;
    let mut block = vec![0; BLOCK];
    loop {
        let filled = fill(&mut file, &mut block)?;
        let bytes = block.get(..filled).unwrap_or_default();
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            written = at.saturating_add(last as u64);
        }
        at = at.saturating_add(filled as u64);
        if filled < BLOCK {
            let next = written.saturating_add(1);
            let unwritten = next.next_multiple_of(SECTOR);
            let zeros = unwritten.saturating_sub(next);
            return Ok(zeros <= WRITTEN_ZEROS && len.saturating_sub(written) > SECTOR);
        }
    }
}

fn fill(file: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_block(
    block: &[u8],
    start: u64,
    is_last: bool,
    record: &mut Assembly,
    visitor: &mut dyn FnMut(Piece<'_>),
) {
    let mut at = 0usize;
    while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
        let offset = start.saturating_add(at as u64);
        match Fragment::parse(rest) {
            Parsed::Whole(fragment) => {
                record.add(&fragment, offset, visitor);
                at = at.saturating_add(fragment.len());
            }
            Parsed::Recycled(len) => {
                record.endless(offset, visitor);
                if !begins_whole(rest.get(len..)) {
                    return;
                }
                at = at.saturating_add(len);
            }
            // The rest of a block that has no room for a header is zero.
            Parsed::Short if !is_last && rest.len() < HEADER => return,
            bad => {
                let follows = matches!(bad, Parsed::Damaged(len) if begins_whole(rest.get(len..)));
                let healed = if follows { None } else { healed(rest) };
                let ends = matches!(bad, Parsed::Short) && is_last && healed.is_none();
                if ends && !goes_on(rest) {
                    return record.cut_off(offset, visitor);
                }
                record.interrupted(offset, visitor);
                match (bad, healed) {
                    (Parsed::Damaged(len), _) if follows => at = at.saturating_add(len),
                    (_, Some(fragment)) => {
                        record.add(&fragment, offset, visitor);
                        at = at.saturating_add(fragment.len());
                    }
                    _ => return,
                }
            }
        }
    }
}

fn begins_whole(bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| matches!(Fragment::parse(bytes), Parsed::Whole(_)))
}

/// The fragment that `bytes` begin with when nothing but its length is damaged: with some other
/// length it is what its checksum says.
fn healed(bytes: &[u8]) -> Option<Fragment<'_>> {
    let (&[c0, c1, c2, c3, _, _, kind], rest) = bytes.split_first_chunk::<HEADER>()?;
    if kind == 0 {
        return None;
    }
    let wanted = u32::from_le_bytes([c0, c1, c2, c3]);
    let mut crc = crc32c::crc32c(&[kind]);
    for (at, byte) in rest.iter().enumerate() {
        crc = crc32c::crc32c_append(crc, std::slice::from_ref(byte));
        if mask(crc) == wanted {
            let payload = rest.get(..=at)?;
            return Some(Fragment { kind, payload });
        }
    }
    None
}

/// Whether records follow in the last `bytes` of a file on what is no fragment. They must go on to
/// the end, since items may hold logs.
fn goes_on(bytes: &[u8]) -> bool {
    (1..bytes.len()).any(|from| bytes.get(from..).is_some_and(is_run))
}

/// Whether there is nothing but whole fragments.
fn is_run(mut bytes: &[u8]) -> bool {
    while let Parsed::Whole(fragment) = Fragment::parse(bytes) {
        bytes = bytes.get(fragment.len()..).unwrap_or_default();
        if bytes.is_empty() {
            return true;
        }
    }
    false
}

#[derive(Debug)]
struct Fragment<'a> {
    kind: u8,
    payload: &'a [u8],
}

enum Parsed<'a> {
    /// It has a type that is not used here, and claims to be so long.
    Recycled(usize),
    Whole(Fragment<'a>),
    /// It ends behind the bytes that are there.
    Short,
    /// It is not what its checksum says, and claims to be so long.
    Damaged(usize),
}

impl<'a> Fragment<'a> {
    fn parse(bytes: &'a [u8]) -> Parsed<'a> {
        let Some((&[c0, c1, c2, c3, l0, l1, kind], rest)) = bytes.split_first_chunk::<HEADER>()
        else {
            return Parsed::Short;
        };
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        // RocksDB looks at the type before it looks at the length and the checksum.
        if RECYCLED.contains(&kind) {
            return Parsed::Recycled(HEADER.saturating_add(len));
        }
        if kind == 0 && len == 0 {
            return Parsed::Damaged(HEADER);
        }
        let Some(payload) = rest.get(..len) else {
            return Parsed::Short;
        };
        let crc = crc32c::crc32c_append(crc32c::crc32c(&[kind]), payload);
        if mask(crc) == u32::from_le_bytes([c0, c1, c2, c3]) {
            Parsed::Whole(Self { kind, payload })
        } else {
            Parsed::Damaged(HEADER.saturating_add(len))
        }
    }

    fn len(&self) -> usize {
        HEADER.saturating_add(self.payload.len())
    }
}

/// RocksDB stores no checksum as it is, since logs may hold logs.
fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A record that is put together from its fragments.
struct Assembly {
    detail: Detail,
    bytes: Vec<u8>,
    /// Where the record began that has not ended yet.
    began: Option<u64>,
}

impl Assembly {
    fn new(detail: Detail) -> Self {
        Self {
            detail,
            bytes: Vec::new(),
            began: None,
        }
    }

    fn add(&mut self, fragment: &Fragment<'_>, offset: u64, visitor: &mut dyn FnMut(Piece<'_>)) {
        match (fragment.kind, self.began) {
            (1, _) => {
                self.abandon(visitor);
                visitor(Piece::Record(Record {
                    bytes: fragment.payload,
                }));
            }
            (2, _) => {
                self.abandon(visitor);
                self.began = Some(offset);
                self.extend(fragment.payload);
            }
            (3, Some(_)) => self.extend(fragment.payload),
            (4, Some(_)) => {
                self.extend(fragment.payload);
                visitor(Piece::Record(Record { bytes: &self.bytes }));
                self.reset();
            }
            // The rest of a record whose beginning was bad, and was reported.
            (3 | 4, None) => {}
            (kind, _) if kind & SKIPPABLE != 0 => {}
            _ => self.interrupted(offset, visitor),
        }
    }

    fn extend(&mut self, payload: &[u8]) {
        let wanted = match self.detail {
            Detail::Whole => payload.len(),
            Detail::Numbers => BATCH_HEADER.saturating_sub(self.bytes.len()),
        };
        self.bytes
            .extend_from_slice(payload.get(..wanted).unwrap_or(payload));
    }

    /// Bad bytes end what was being put together.
    fn interrupted(&mut self, offset: u64, visitor: &mut dyn FnMut(Piece<'_>)) {
        visitor(Piece::Bad(self.began.unwrap_or(offset)));
        self.reset();
    }

    fn endless(&mut self, offset: u64, visitor: &mut dyn FnMut(Piece<'_>)) {
        visitor(Piece::Endless(self.began.unwrap_or(offset)));
        self.reset();
    }

    /// A record began before another one had ended.
    fn abandon(&mut self, visitor: &mut dyn FnMut(Piece<'_>)) {
        if let Some(began) = self.began {
            self.interrupted(began, visitor);
        }
    }

    fn cut_off(&mut self, offset: u64, visitor: &mut dyn FnMut(Piece<'_>)) {
        visitor(Piece::Torn(self.began.unwrap_or(offset)));
        self.reset();
    }

    fn end(&mut self, visitor: &mut dyn FnMut(Piece<'_>)) {
        if let Some(began) = self.began {
            self.cut_off(began, visitor);
        }
    }

    fn reset(&mut self) {
        self.began = None;
        self.bytes.clear();
    }
}
