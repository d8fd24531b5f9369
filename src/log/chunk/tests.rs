use super::new::Bytes;
use super::*;

fn header_of(chunk: &NewChunk<'_>) -> Header {
    Header {
        epoch: 3,
        items: chunk.items,
        time: 1_700_000_000_000_000,
        bytes_before: 77,
        unit: chunk.unit,
    }
}

fn stored(items: &[&[u8]]) -> Vec<u8> {
    let mut chunk = cut(items).unwrap().remove(0);
    chunk.begin_with(&header_of(&chunk));
    chunk.parts().concat()
}

#[test]
fn a_chunk_gives_back_its_items() {
    let chunk = Chunk::decode(10, &stored(&[b"one", b"", b"three"])).unwrap();
    let items: Vec<_> = (10..13).map(|position| chunk.item(position)).collect();
    assert_eq!(items, [b"one".as_slice(), b"", b"three"]);
    assert_eq!(chunk.next(), 13);
    assert_eq!(chunk.item(9), b"");
    assert_eq!(chunk.item(13), b"");
}

#[test]
fn a_chunk_counts_the_bytes_before_each_position() {
    let chunk = Chunk::decode(10, &stored(&[b"one", b"", b"three"])).unwrap();
    let before: Vec<_> = (9..15).map(|at| chunk.bytes_before(at)).collect();
    assert_eq!(before, [77, 77, 80, 80, 85, 85]);
}

#[test]
fn a_reader_skips_header_bytes_that_it_does_not_know() {
    let mut bytes = stored(&[b"item"]);
    bytes.splice(HEADER_LEN..HEADER_LEN, [9; 8]);
    bytes[4] += 8;
    let chunk = Chunk::decode(0, &bytes).unwrap();
    assert_eq!(chunk.item(0), b"item");
}

#[test]
fn a_chunk_says_how_much_of_its_push_comes_behind_it() {
    let items = vec![b"ab"; 2 * MAX_CHUNK_ITEMS + 3];
    let chunks = cut(&items).unwrap();
    let rest: Vec<_> = chunks.iter().map(|chunk| chunk.unit.rest()).collect();
    let count = MAX_CHUNK_ITEMS as u64;
    let expected = [(count + 3, 2 * count + 6), (3, 6), (0, 0)].map(Amount::from);
    assert_eq!(rest, expected);
    for (mut chunk, rest) in chunks.into_iter().zip(expected) {
        chunk.begin_with(&header_of(&chunk));
        let read = Chunk::decode(10, &chunk.parts().concat()).unwrap();
        assert_eq!(read.header.unit, Unit::Push { rest });
        assert_eq!(
            (read.item(10), read.item(9 + u64::from(chunk.items))),
            (&b"ab"[..], &b"ab"[..])
        );
        assert_eq!(read.bytes_before(11), 79);
        let end = (10 + u64::from(chunk.items), 77 + chunk.payload);
        assert_eq!((read.end().position, read.end().bytes), end);
        assert_eq!(read.bytes(), chunk.parts().concat());
    }
}

#[test]
fn the_bytes_of_a_push_of_one_chunk_are_those_of_earlier_versions() {
    let bytes = stored(&[b"one", b"three"]);
    let header = "01000000200000000300000002000000\
                  00401e18240a06004d00000000000000";
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    assert_eq!(hex(&bytes[..32]), header);
    assert_eq!(bytes.len(), 32 + 8 + 8);
}

#[test]
fn a_reader_of_earlier_versions_finds_the_items_of_a_push_of_many_chunks() {
    let items = vec![b"ab"; MAX_CHUNK_ITEMS + 1];
    let mut chunk = cut(&items).unwrap().remove(0);
    chunk.begin_with(&header_of(&chunk));
    let bytes = chunk.parts().concat();
    // What it must know is as before; it goes to the items by the length of the header.
    assert_eq!(bytes[..4], [1, 0, 0, 0]);
    let header = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    let body = &bytes[header..];
    assert_eq!(body.len(), (4 + 2) * MAX_CHUNK_ITEMS);
    assert_eq!(body[..8], [2, 0, 0, 0, 4, 0, 0, 0]);
}

#[test]
fn a_chunk_whose_push_is_cut_off_has_its_items() {
    let items = vec![b"ab"; MAX_CHUNK_ITEMS + 1];
    let mut chunk = cut(&items).unwrap().remove(0);
    chunk.begin_with(&header_of(&chunk));
    let chunk = Chunk::decode(10, &chunk.parts().concat()).unwrap();
    let alone = chunk.of_push_up_to(chunk.end());
    assert_eq!(alone.header.unit, Unit::LAST);
    assert_eq!((alone.start(), alone.end()), (chunk.start(), chunk.end()));
    assert_eq!(alone.item(12), b"ab");
    let read = Chunk::decode(10, alone.bytes()).unwrap();
    assert_eq!(read.header, alone.header);
}

#[test]
fn items_that_were_not_pushed_together_stay_apart() {
    let mut chunk = cut_apart(&[b"a", b"b"]).unwrap().remove(0);
    chunk.begin_with(&header_of(&chunk));
    let bytes = chunk.parts().concat();
    assert_eq!(bytes[2..4], [0, 1]);
    assert_eq!(Chunk::decode(0, &bytes).unwrap().header.unit, Unit::Item);
}

#[test]
fn bytes_of_a_push_without_items_are_damage() {
    let items = vec![b""; MAX_CHUNK_ITEMS + 1];
    let mut chunk = cut(&items).unwrap().remove(0);
    chunk.begin_with(&header_of(&chunk));
    let mut bytes = chunk.parts().concat();
    (bytes[32], bytes[40]) = (0, 1);
    let error = Chunk::decode(0, &bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_reader_refuses_what_it_must_know() {
    for (offset, value) in [(0, 2), (1, 1), (2, 1)] {
        let mut bytes = stored(&[b"item"]);
        bytes[offset] = value;
        let error = Chunk::decode(0, &bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormat);
    }
}

#[test]
fn a_reader_skips_flags_that_it_need_not_know() {
    let mut bytes = stored(&[b"item"]);
    bytes[3] = 0xff;
    assert!(Chunk::decode(0, &bytes).is_ok());
}

#[test]
fn cut_bytes_are_damaged_and_never_panic() {
    let bytes = stored(&[b"one", b"", b"three"]);
    for len in 0..bytes.len() {
        let error = Chunk::decode(0, &bytes[..len]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {len}");
    }
}

#[test]
fn a_large_push_is_cut_at_the_payload_limit_and_a_larger_item_stays_whole() {
    let big = vec![0; MAX_CHUNK_PAYLOAD + 1];
    let half = vec![0; MAX_CHUNK_PAYLOAD / 2];
    let items = [&half, &half, &half, &big, &half];
    let counts: Vec<_> = cut(&items).unwrap().iter().map(|c| c.items).collect();
    assert_eq!(counts, [2, 1, 1, 1]);
}

#[test]
fn a_push_of_many_small_items_is_cut_at_the_item_limit() {
    let items = vec![b""; MAX_CHUNK_ITEMS + 1];
    let counts: Vec<_> = cut(&items).unwrap().iter().map(|c| c.items).collect();
    assert_eq!(counts, [MAX_CHUNK_ITEMS as u32, 1]);
}

#[test]
fn an_owned_chunk_has_the_same_bytes() {
    let half = vec![7; MAX_CHUNK_PAYLOAD / 2];
    let items = [half.as_slice(), b"two"];
    let borrowed = cut(&items).unwrap().remove(0);
    assert!(matches!(borrowed.bytes, Bytes::Borrowed(_)));
    let parts = borrowed.parts().concat();
    assert_eq!(borrowed.into_owned().unwrap().parts().concat(), parts);
}
