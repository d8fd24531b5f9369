use super::new::Bytes;
use super::*;

fn stored(items: &[&[u8]]) -> Vec<u8> {
    let mut chunk = cut(items).unwrap().remove(0);
    chunk.begin_with(&Header {
        epoch: 3,
        items: chunk.items,
        time: 1_700_000_000_000_000,
        bytes_before: 77,
    });
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
