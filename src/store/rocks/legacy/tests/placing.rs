//! Which items are there, in which order, how old, and where the labels stand.

use super::*;
use crate::store::rocks::legacy::format::RING;

/// What a conversion would take over.
struct Seen {
    items: Vec<String>,
    times: Vec<Option<i64>>,
    /// Label, items before it, and whether it has lost some.
    places: Vec<(String, u64, bool)>,
    outcome: Migrated,
}

fn see(path: &Path, kind: Kind) -> Seen {
    let old = OldQueue::open(path, kind).unwrap();
    let mut report = |_, _| Ok(());
    let mut found = OldItems::find(&old, &mut report).unwrap();
    let (mut items, mut times) = (Vec::new(), Vec::new());
    let mut keep = |run: &[&[u8]], time| {
        for item in run {
            items.push(String::from_utf8(item.to_vec()).unwrap());
            times.push(time);
        }
        Ok(())
    };
    found.visit_items(&mut keep).unwrap();
    let place = |place: Place| (place.label, place.items_before, place.lost);
    Seen {
        items,
        times,
        places: found.labels().into_iter().map(place).collect(),
        outcome: found.outcome(),
    }
}

fn places<const N: usize>(places: [(&str, u64, bool); N]) -> Vec<(String, u64, bool)> {
    places
        .map(|(label, before, lost)| (label.to_owned(), before, lost))
        .to_vec()
}

#[test]
fn a_fifo_queue_keeps_its_order_round_the_end_of_the_ring() {
    let home = Home::new();
    let items: Vec<(u64, String)> = (0..600)
        .map(|n| (format::after(RING - 300, n), n.to_string()))
        .collect();
    let items: Vec<(u64, &str)> = items.iter().map(|(i, text)| (*i, text.as_str())).collect();
    drop(Old::fifo(&home.queue(), RING - 300, 300, &items));
    let seen = see(&home.queue(), Kind::Fifo);
    assert_eq!(seen.items, texts(0..600));
    assert_eq!(seen.times, [None; 600]);
}

#[test]
fn an_mpmc_queue_keeps_its_order_round_the_end_of_the_ring() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), (RING - 3..RING).chain(0..3)).ends_at(3);
    let old = old.label("1 before", RING - 1, None, false);
    let old = old.label("2 after", 1, None, false);
    drop(old.label("3 end", 3, Some(SECOND), false));
    let seen = see(&home.queue(), Kind::Mpmc);
    assert_eq!(seen.items, texts((RING - 3..RING).chain(0..3)));
    let expected = [
        ("1 before", 2, false),
        ("2 after", 4, false),
        ("3 end", 6, false),
    ];
    assert_eq!(seen.places, places(expected));
}

#[test]
fn what_lies_before_the_last_gap_has_expired() {
    let home = Home::new();
    let remnants = (0..300).chain(1 << 40..(1 << 40) + 5);
    let indexes = remnants.chain(1 << 41..(1 << 41) + 700);
    let old = Old::mpmc(&home.queue(), indexes).ends_at((1 << 41) + 700);
    let old = old.label("1 remnant", 100, None, false);
    let old = old.label("2 in the gap", 1 << 30, None, false);
    drop(old.label("3 live", (1 << 41) + 256, None, false));
    let seen = see(&home.queue(), Kind::Mpmc);
    assert_eq!((seen.outcome.items, seen.outcome.left_out), (700, 305));
    assert_eq!(seen.items, texts(1 << 41..(1 << 41) + 700));
    let expected = [
        ("1 remnant", 0, true),
        ("2 in the gap", 0, true),
        ("3 live", 256, false),
    ];
    assert_eq!(seen.places, places(expected));
}

#[test]
fn remnants_of_a_queue_whose_newer_items_have_expired_are_left_out() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), 0..50).ends_at(80);
    let old = old.label("1 has read all", 80, Some(SECOND), false);
    drop(old.label("2 has not", 60, None, false));
    let seen = see(&home.queue(), Kind::Mpmc);
    assert_eq!((seen.outcome.items, seen.outcome.left_out), (0, 50));
    assert!(seen.items.is_empty());
    let expected = [("1 has read all", 0, false), ("2 has not", 0, true)];
    assert_eq!(seen.places, places(expected));
}

#[test]
fn without_counters_the_items_themselves_count() {
    let home = Home::new();
    drop(Old::mpmc(&home.queue(), 100..700).label("x", 300, None, false));
    let seen = see(&home.queue(), Kind::Mpmc);
    assert_eq!(seen.items, texts(100..700));
    assert_eq!(seen.places, places([("x", 200, false)]));
}

#[test]
fn labels_of_a_lost_numbering_begin_at_the_oldest_item() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), 0..10).ends_at(10);
    let old = old.label("1 ahead, had read all", 500, Some(SECOND - 60), false);
    let old = old.label("2 ahead, had not", 400, None, false);
    let old = old.label("3 by chance within", 5, Some(SECOND - 60), false);
    drop(old.label("4 within", 5, Some(SECOND), false));
    let seen = see(&home.queue(), Kind::Mpmc);
    assert_eq!((seen.outcome.labels, seen.outcome.moved_labels), (4, 3));
    let expected = [
        ("1 ahead, had read all", 0, false),
        ("2 ahead, had not", 0, true),
        ("3 by chance within", 0, false),
        ("4 within", 5, false),
    ];
    assert_eq!(seen.places, places(expected));
}

#[test]
fn labels_without_items_and_counters_stand_at_the_end() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), []);
    let old = old.label("1 had read all", 500, Some(SECOND), false);
    drop(old.label("2 is to be told of a loss", 500, Some(SECOND), true));
    let seen = see(&home.queue(), Kind::Mpmc);
    let expected = [
        ("1 had read all", 0, false),
        ("2 is to be told of a loss", 0, true),
    ];
    assert_eq!(seen.places, places(expected));
}

#[test]
fn items_have_the_end_of_their_second() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), []);
    let seconds = [SECOND, SECOND, SECOND + 10, SECOND + 5];
    for (index, second) in seconds.into_iter().enumerate() {
        old.add(index as u64, b"", second);
    }
    drop(old);
    let ends = seconds.map(|second| Some(i64::from(second) * 1_000_000 + 999_999));
    assert_eq!(see(&home.queue(), Kind::Mpmc).times, ends);
}

#[test]
fn large_items_among_small_ones_are_read_in_narrow_windows() {
    let home = Home::new();
    let old = Old::mpmc(&home.queue(), 0..30_000);
    let large = "x".repeat(12 << 20);
    for index in [1_000, 1_001, 1_002] {
        old.add(index, large.as_bytes(), SECOND);
    }
    drop(old);
    let items = see(&home.queue(), Kind::Mpmc).items;
    assert_eq!(items.len(), 30_000);
    for (index, item) in items.into_iter().enumerate() {
        let expected = match index {
            1_000..=1_002 => large.clone(),
            _ => index.to_string(),
        };
        assert!(item == expected, "item {index}");
    }
}
