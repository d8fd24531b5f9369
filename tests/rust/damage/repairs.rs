//! Verifying and repairing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rocksq::maintenance::{repair, verify};
use rocksq::mpmc::MpmcQueue;
use rocksq::{ErrorKind, StartPosition};

use super::history::{self, number};
use super::image::Image;
use crate::support::tree::{assert_unchanged, names, picture};
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, kind};

fn numbers(items: &rocksq::Items) -> Vec<usize> {
    items.iter().map(number).collect()
}

fn run(from: usize, until: usize) -> Vec<usize> {
    (from..until).collect()
}

/// Item 600 is damaged in the table that has it: the others of its block go with it.
fn damaged_table() -> Home {
    let mut image = history::in_tables().image;
    let item = history::item(600);
    for table in image.named(".sst") {
        let bytes = image.bytes_mut(&table);
        let at = bytes.windows(item.len()).position(|window| window == item);
        if let Some(at) = at {
            bytes[at + 1] ^= 8;
        }
    }
    let home = Home::new();
    image.write_to(&home.queue());
    home
}

#[test]
fn an_intact_queue_is_intact_and_stays_as_it_is() {
    let home = Home::new();
    history::in_tables().image.write_to(&home.queue());
    let before = picture(&home.queue());
    let report = verify(home.queue()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.items, 1750 - 85);
    let bytes: usize = (85..1750).map(|number| history::item(number).len()).sum();
    assert_eq!(report.bytes, bytes as u64);
    assert_eq!(report.labels, [""; 0]);
    assert_unchanged(&before, &home.queue());
}

#[test]
fn a_report_names_the_labels() {
    let home = Home::new();
    history::with_labels().image.write_to(&home.queue());
    let report = verify(home.queue()).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.labels, ["even", "late"]);
    assert_eq!(report.items, 620);
}

#[test]
fn a_consumer_gets_what_lies_before_the_damage_and_is_told_where_it_is() {
    let home = damaged_table();
    let queue = home.fifo();
    let mut got = Vec::new();
    let error = loop {
        match queue.pop(50) {
            Ok(items) => got.extend(numbers(&items)),
            Err(error) => break error,
        }
    };
    let next = got.len() + 85;
    assert_eq!(got, run(85, next));
    assert!((430..=600).contains(&next), "{next}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.path(), Some(&*home.queue()));
    let text = error.to_string();
    assert!(
        text.contains(&format!("position {next} ")),
        "{next}: {text}"
    );
    assert!(text.contains("rocksq.repair"), "{text}");
    // It does not skip the damage by itself.
    assert_eq!(kind(queue.pop(1)), ErrorKind::Corrupt);
    assert_eq!(queue.len().unwrap(), 1750 - next as u64);
}

/// Each push lies in a block of its own, and that of the items from 20 to 29 is damaged.
fn pushes() -> impl Iterator<Item = Vec<Vec<u8>>> {
    let firsts = (0..100u8).step_by(10);
    firsts.map(|first| {
        let items = first..first + 10;
        items.map(|item| vec![item; 30 << 10]).collect()
    })
}

fn damaged_block() -> Home {
    let home = Home::new();
    let queue = home.fifo();
    pushes().for_each(|push| queue.push(&push).unwrap());
    queue.close().unwrap();
    // To open it moves its items to tables.
    home.fifo().close().unwrap();
    with_damaged_block(&home)
}

fn with_damaged_block(home: &Home) -> Home {
    let mut image = Image::of(&home.queue());
    for table in image.named(".sst") {
        let bytes = image.bytes_mut(&table);
        let item = bytes.windows(1024).position(|window| window == [25; 1024]);
        if let Some(at) = item {
            bytes[at] ^= 8;
        }
    }
    let damaged = Home::new();
    image.write_to(&damaged.queue());
    damaged
}

#[test]
fn a_consumer_who_stands_before_the_damage_within_a_push_gets_the_rest_of_that() {
    let home = damaged_block();
    for (count, expected) in [(15, 0..15), (9, 15..20)] {
        let queue = home.fifo();
        let items = queue.pop(count).unwrap();
        let items: Vec<u8> = items.iter().map(|item| item[0]).collect();
        assert_eq!(items, Vec::from_iter(expected));
        queue.close().unwrap();
    }
    let error = home.fifo().pop(1).unwrap_err();
    assert!(error.to_string().contains("position 20 "), "{error}");
}

#[test]
fn what_is_damaged_in_a_queue_with_a_ttl_is_told_until_it_has_expired() {
    let home = Home::new();
    let queue = home.mpmc();
    pushes().for_each(|push| queue.add(&push).unwrap());
    queue.close().unwrap();
    home.mpmc().close().unwrap();
    let home = with_damaged_block(&home);
    let queue = home.mpmc();
    queue.next("x", StartPosition::Oldest, 20).unwrap();
    let error = queue.next("x", StartPosition::Oldest, 1).unwrap_err();
    assert!(error.to_string().contains("position 20 "), "{error}");
    queue.close().unwrap();
    let queue = MpmcQueue::new(home.queue(), Duration::from_secs(1)).unwrap();
    until(PATIENCE, "the damage has expired", || {
        queue.add(&["young"]).unwrap();
        let next = queue.next("x", StartPosition::Oldest, 1);
        next.is_ok_and(|next| next.items == ["young"])
    });
}

#[test]
fn a_repair_saves_what_lies_behind_the_damage() {
    let home = damaged_table();
    let found = verify(home.queue()).unwrap();
    let report = repair(home.queue()).unwrap();
    assert_eq!(found.missing, report.missing);
    let [missing] = report.missing.as_slice() else {
        panic!("{report:?}");
    };
    assert!(missing.first <= 600 && 600 < missing.next, "{missing:?}");
    assert!(
        missing.next - missing.first < 170,
        "more than its block: {missing:?}"
    );
    assert!(missing.why.contains("checksum"), "{missing:?}");
    let queue = home.fifo();
    let (first, next) = (missing.first as usize, missing.next as usize);
    let expected = [run(85, first), run(next, 1750)].concat();
    assert_eq!(report.items, expected.len() as u64);
    assert_eq!(queue.len().unwrap(), report.items);
    assert_eq!(queue.payload_size().unwrap(), report.bytes);
    assert_eq!(numbers(&queue.pop(9999).unwrap()), expected);
    assert!(verify_closed(&home, queue).is_intact());
}

fn verify_closed(
    home: &Home,
    queue: rocksq::blocking::PersistentQueueWithCapacity,
) -> rocksq::maintenance::Report {
    queue.close().unwrap();
    verify(home.queue()).unwrap()
}

#[test]
fn a_repair_keeps_the_damaged_files_until_the_queue_is_removed() {
    let home = damaged_table();
    let before = Image::of(&home.queue());
    let report = repair(home.queue()).unwrap();
    let kept = report.kept.unwrap();
    assert_eq!(kept, home.queue().join("rocksq-damaged-1"));
    for name in before.named("") {
        if name != "HOLDER" && name != "LOCK" {
            assert_eq!(
                fs::read(kept.join(&name)).unwrap(),
                before.bytes(&name),
                "{name}"
            );
        }
    }
    rocksq::blocking::remove_queue(home.queue()).unwrap();
    assert!(!home.queue().exists());
}

#[test]
fn a_directory_in_the_place_of_a_table_is_left_out_and_told() {
    let mut image = history::in_tables().image;
    let table = image.named(".sst").remove(0);
    image.delete(&table);
    let home = Home::new();
    image.write_to(&home.queue());
    fs::create_dir(home.queue().join(&table)).unwrap();
    let tells = |report: &rocksq::maintenance::Report| {
        let mut problems = report.problems.iter();
        problems.any(|problem| problem.contains(&format!("{table} has the name")))
    };
    let found = verify(home.queue()).unwrap();
    assert!(tells(&found), "{found:?}");
    let report = repair(home.queue()).unwrap();
    assert!(tells(&report), "{report:?}");
    assert_eq!(home.fifo().len().unwrap(), report.items);
}

#[test]
fn labels_stand_where_they_stood_after_a_repair() {
    let mut image = history::with_labels().image;
    let manifest = image.named("MANIFEST-").remove(0);
    image.delete(&manifest);
    let home = Home::new();
    image.write_to(&home.queue());
    assert_eq!(kind(history::mpmc(&home.queue())), ErrorKind::Corrupt);
    let report = repair(home.queue()).unwrap();
    assert!(report.missing.is_empty(), "{report:?}");
    let queue = home.mpmc();
    let even = queue.next("even", StartPosition::Oldest, 9999).unwrap();
    assert_eq!(numbers(&even.items), run(100, 620));
    let late = queue.next("late", StartPosition::Oldest, 9999).unwrap();
    assert_eq!(numbers(&late.items), run(150, 620));
    let new = queue.next("new", StartPosition::Oldest, 9999).unwrap();
    assert_eq!(numbers(&new.items), run(0, 620));
}

#[test]
fn a_label_that_has_lost_items_is_told_after_a_repair() {
    let home = Home::new();
    let queue = home.dropping(3);
    queue.add(&["0"]).unwrap();
    queue.next("label", StartPosition::Oldest, 1).unwrap();
    for item in ["1", "2", "3", "4", "5", "6"] {
        queue.add(&[item]).unwrap();
    }
    queue.close().unwrap();
    repair(home.queue()).unwrap();
    let queue = home.dropping(3);
    let next = queue.next("label", StartPosition::Oldest, 9).unwrap();
    assert_eq!(next.items, ["4", "5", "6"]);
    assert!(next.expired);
}

#[test]
fn a_label_that_has_lost_items_to_their_age_is_told_after_a_repair() {
    let home = Home::new();
    let young = Duration::from_millis(1);
    let queue = MpmcQueue::new(home.queue(), young).unwrap();
    queue.add(&["0"]).unwrap();
    queue.next("label", StartPosition::Oldest, 1).unwrap();
    queue.add(&["1"]).unwrap();
    until(PATIENCE, "the items have expired", || {
        queue.is_empty().unwrap()
    });
    queue.close().unwrap();
    repair(home.queue()).unwrap();
    let queue = home.mpmc();
    queue.add(&["2"]).unwrap();
    let next = queue.next("label", StartPosition::Oldest, 9).unwrap();
    assert_eq!(next.items, ["2"]);
    assert!(next.expired);
}

#[test]
fn a_report_names_the_label_without_a_name() {
    let home = Home::new();
    let queue = home.mpmc();
    queue.add(&["item"]).unwrap();
    queue.next("", StartPosition::Oldest, 1).unwrap();
    queue.close().unwrap();
    assert_eq!(verify(home.queue()).unwrap().labels, [""]);
}

#[test]
fn a_report_counts_no_items_that_were_dropped() {
    let home = Home::new();
    let queue = home.dropping(5);
    for item in ["a", "b", "c", "d", "e"] {
        queue.add(&[item]).unwrap();
    }
    queue.add(&["six", "seven"]).unwrap();
    queue.close().unwrap();
    for report in [verify(home.queue()), repair(home.queue())] {
        let report = report.unwrap();
        assert_eq!((report.items, report.bytes), (5, 11), "{report:?}");
    }
    assert_eq!(home.dropping(5).len().unwrap(), 5);
}

/// A queue with the items from `from` on, ten in each of three tables.
fn three_tables(from: usize) -> Image {
    let home = Home::new();
    for first in [from, from + 10, from + 20] {
        let items: Vec<_> = (first..first + 10).map(history::item).collect();
        home.fifo().push(&items).unwrap();
    }
    home.fifo().close().unwrap();
    Image::settled(&home.queue())
}

fn table_with(image: &Image, number: usize) -> String {
    let item = history::item(number);
    let holds = |table: &String| {
        let bytes = image.bytes(table);
        bytes.windows(item.len()).any(|window| window == item)
    };
    image.named(".sst").into_iter().find(holds).unwrap()
}

#[test]
fn a_repair_takes_no_table_of_another_queue() {
    let mut image = three_tables(1000);
    let other = three_tables(5000);
    let foreign = other.bytes(&table_with(&other, 5010)).to_vec();
    *image.bytes_mut(&table_with(&image, 1010)) = foreign;
    let home = Home::new();
    image.write_to(&home.queue());
    assert_eq!(kind(history::fifo(&home.queue())), ErrorKind::Corrupt);
    let report = repair(home.queue()).unwrap();
    assert_eq!(report.items, 20, "{report:?}");
    assert_eq!((report.missing[0].first, report.missing[0].next), (10, 20));
    let expected = [run(1000, 1010), run(1020, 1030)].concat();
    assert_eq!(numbers(&home.fifo().pop(99).unwrap()), expected);
}

#[test]
fn a_queue_that_is_open_is_neither_verified_nor_repaired() {
    let home = Home::new();
    let _open = home.fifo();
    assert_eq!(kind(verify(home.queue())), ErrorKind::Busy);
    assert_eq!(kind(repair(home.queue())), ErrorKind::Busy);
}

#[test]
fn what_is_no_queue_is_neither_verified_nor_repaired() {
    let home = Home::new();
    assert_eq!(kind(verify(home.queue())), ErrorKind::Path);
    assert_eq!(kind(repair(home.queue())), ErrorKind::Path);
    fs::create_dir(home.queue()).unwrap();
    fs::write(home.queue().join("letter"), "dear").unwrap();
    assert_eq!(kind(verify(home.queue())), ErrorKind::WrongKind);
    assert_eq!(kind(repair(home.queue())), ErrorKind::WrongKind);
    assert_eq!(names(&home.queue()), ["letter"]);
}

/// Every state that a crash can leave between the decision and the last step.
#[test]
fn a_repair_that_was_cut_short_is_finished_by_the_next_opening() {
    let home = damaged_table();
    let old = Image::of(&home.queue());
    let report = repair(home.queue()).unwrap();
    let new = Image::of(&home.queue());
    for moved in 0..=old.named("").len() {
        let home = Home::new();
        half_set_aside(&home.queue(), &old, &new, moved);
        says_what_to_do(&home.queue());
        assert_eq!(
            home.fifo().len().unwrap(),
            report.items,
            "{moved} set aside"
        );
    }
    for moved in 0..=new.named("").len() {
        let home = Home::new();
        half_moved_up(&home.queue(), &new, moved);
        says_what_to_do(&home.queue());
        assert_eq!(home.fifo().len().unwrap(), report.items, "{moved} moved up");
    }
}

fn says_what_to_do(path: &Path) {
    let before = Image::of(path);
    let report = verify(path).unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    let problem = &report.problems[0];
    assert!(problem.contains("A repair was cut short"), "{problem}");
    assert!(problem.contains("open the queue"), "{problem}");
    assert!(before == Image::of(path));
}

fn half_set_aside(path: &Path, old: &Image, new: &Image, moved: usize) {
    old.write_to(path);
    new.write_to(&path.join("rocksq-repaired-1"));
    fs::create_dir(path.join("rocksq-damaged-1")).unwrap();
    for name in old.named("").iter().take(moved) {
        if name != "HOLDER" && name != "LOCK" {
            fs::rename(path.join(name), path.join("rocksq-damaged-1").join(name)).unwrap();
        }
    }
}

fn half_moved_up(path: &Path, new: &Image, moved: usize) {
    fs::create_dir(path).unwrap();
    fs::write(path.join("HOLDER"), "").unwrap();
    let settling = path.join("rocksq-settling-1");
    new.write_to(&settling);
    let mut names = new.named("");
    names.sort_by_key(|name| name == "CURRENT");
    for name in names.iter().take(moved) {
        if name != "HOLDER" && name != "LOCK" {
            fs::rename(settling.join(name), path.join(name)).unwrap();
        }
    }
}

#[test]
fn a_repair_that_was_not_decided_leaves_the_old_queue() {
    let home = Home::new();
    history::in_tables().image.write_to(&home.queue());
    history::in_the_log()
        .image
        .write_to(&home.queue().join("rocksq-repairing"));
    let working = home.queue().join("rocksq-repairing");
    assert!(verify(home.queue()).unwrap().is_intact());
    assert_eq!(repair(home.queue()).unwrap().items, 1750 - 85);
    assert!(!working.exists());
}

#[test]
fn a_repair_that_was_not_decided_is_cleared_away_by_the_next_opening() {
    let home = Home::new();
    history::in_tables().image.write_to(&home.queue());
    let working = home.queue().join("rocksq-repairing");
    fs::create_dir(&working).unwrap();
    history::in_the_log().image.write_to(&working.join("queue"));
    assert_eq!(home.fifo().len().unwrap(), 1750 - 85);
    assert!(!working.exists());
}

/// What is read without the table of contents goes through a log that could set space aside.
#[test]
#[cfg(target_os = "linux")]
fn a_repair_fits_on_a_disk_with_room_for_the_items_once_more() {
    use crate::support::{MIB, disk::Disk};
    let disk = match Disk::new(16 * MIB) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let path = disk.root().join("queue");
    let mut image = history::in_tables().image;
    image.delete("CURRENT");
    image.write_to(&path);
    let report = repair(&path).unwrap();
    assert_eq!(report.items, 1750 - 85, "{report:?}");
}

#[test]
fn what_a_repair_saves_of_a_push_is_dropped_without_what_follows_on_it() {
    let item = |number: u8| vec![number; 700 << 10];
    let home = Home::new();
    let queue = home.fifo();
    queue.push(&(0..20).map(item).collect::<Vec<_>>()).unwrap();
    queue.push(&(20..22).map(item).collect::<Vec<_>>()).unwrap();
    until(PATIENCE, "it is in tables", || {
        names(&home.queue())
            .iter()
            .any(|name| name.ends_with(".sst"))
    });
    queue.close().unwrap();
    let mut image = Image::settled(&home.queue());
    for table in image.named(".sst") {
        let bytes = image.bytes_mut(&table);
        let at = bytes.windows(1000).position(|window| window == [10; 1000]);
        at.into_iter().for_each(|at| bytes[at] ^= 8);
    }
    let damaged = Home::new();
    image.write_to(&damaged.queue());
    repair(damaged.queue()).unwrap();
    assert!(verify(damaged.queue()).unwrap().is_intact());

    let mut options = rocksq::QueueOptions::default();
    options.on_full = rocksq::OnFull::DropOldest;
    let left: Vec<_> = damaged.fifo().iter().map(|item| item.unwrap()[0]).collect();
    let lost = 20 + 2 - left.len() as u8;
    assert!((1..4).contains(&lost) && !left.contains(&10), "{left:?}");
    options.max_elements = left.len() as u64;
    let queue = rocksq::blocking::PersistentQueueWithCapacity::open(damaged.queue(), options);
    let queue = queue.unwrap();
    let first_behind = *left.iter().find(|number| **number > 10).unwrap();
    queue.push(&[b"one more"]).unwrap();
    assert_eq!(queue.pop(1).unwrap().to_vecs()[0][0], first_behind);
}
