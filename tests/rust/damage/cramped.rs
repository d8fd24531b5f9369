//! A damaged log that was opened on a full disk: what is left out of it is set aside, but the log has
//! to stay in its place, and what is pushed then takes the positions of what was left out.

use std::path::PathBuf;

use rocksq::maintenance::{repair, verify};

use super::history;
use super::image::Image;
use super::logs::{missing, numbers, place, run};
use crate::support::disk::Disk;
use crate::support::tree::names;
use crate::support::{Home, KIB, MIB};

/// A queue on a disk of its own.
struct Cramped {
    disk: Disk,
    path: PathBuf,
}

impl Cramped {
    /// The files of the queue and, by their names, the directories of logs within it. `None` where
    /// there can be no such disk.
    fn of(image: &Image, set_aside: &[(String, Image)]) -> Option<Self> {
        let disk = match Disk::new(24 * MIB) {
            Ok(disk) => disk,
            Err(reason) => {
                eprintln!("skipped: {reason}");
                return None;
            }
        };
        let path = disk.root().join("queue");
        write(image, set_aside, &path);
        Some(Self { disk, path })
    }

    /// Opens the queue while there is no room for its log once more.
    fn open(&self) -> history::Fifo {
        let stranger = self.disk.stuff(320 * KIB);
        let queue = history::fifo(&self.path).unwrap();
        std::fs::remove_file(stranger).unwrap();
        queue
    }

    /// What a crash leaves now. The log that was set aside is in its place.
    fn crashed(&self) -> (Image, Vec<(String, Image)>) {
        let image = Image::of(&self.path);
        let lost = names(&self.path)
            .into_iter()
            .filter(|name| name.contains("-lost-"));
        let lost = lost.map(|name| {
            let set_aside = Image::of(&self.path.join(&name));
            (name, set_aside)
        });
        let lost: Vec<_> = lost.collect();
        for (_, set_aside) in &lost {
            assert!(image.named(".log").contains(&set_aside.named(".log")[0]));
        }
        (image, lost)
    }
}

fn write(image: &Image, set_aside: &[(String, Image)], path: &std::path::Path) {
    image.write_to(path);
    for (name, logs) in set_aside {
        logs.write_to(&path.join(name));
    }
}

/// A queue that never was anywhere but in its log, with item `number` damaged.
fn with_damage_to(number: usize) -> Image {
    let mut image = history::in_the_log().image;
    damage(&mut image, number);
    image
}

fn damage(image: &mut Image, number: usize) {
    let (log, at) = place(image, number);
    image.bytes_mut(&log)[at] ^= 1;
}

/// A repair finds these items, with and without the table of contents.
fn assert_repaired(image: &Image, set_aside: &[(String, Image)], expected: &[usize]) {
    for without_contents in [false, true] {
        let home = Home::new();
        write(image, set_aside, &home.queue());
        if without_contents {
            std::fs::remove_file(home.queue().join("CURRENT")).unwrap();
        }
        repair(home.queue()).unwrap();
        assert_eq!(numbers(&home.fifo().pop(999).unwrap()), expected);
    }
}

#[test]
fn what_was_left_out_comes_back_once_and_replaces_nothing() {
    let Some(cramped) = Cramped::of(&with_damage_to(203), &[]) else {
        return;
    };
    let queue = cramped.open();
    queue.push(&history::items(1000, 25)).unwrap();
    queue.push(&history::items(1025, 5)).unwrap();
    let (image, set_aside) = cramped.crashed();
    let expected = [run(0, 200), run(210, 410), run(1000, 1030)].concat();
    assert_repaired(&image, &set_aside, &expected);
}

#[test]
fn a_look_sees_what_is_in_the_queue_and_what_was_left_out() {
    let Some(cramped) = Cramped::of(&with_damage_to(203), &[]) else {
        return;
    };
    let queue = cramped.open();
    queue.push(&history::items(1000, 30)).unwrap();
    let (image, set_aside) = cramped.crashed();
    let home = Home::new();
    write(&image, &set_aside, &home.queue());
    let report = verify(home.queue()).unwrap();
    assert_eq!((report.items, report.set_aside), (430, 200), "{report:?}");
    assert_eq!(missing(&report), [(200, 210)], "{report:?}");
}

#[test]
fn a_damaged_last_record_stays_in_the_report() {
    let Some(cramped) = Cramped::of(&with_damage_to(405), &[]) else {
        return;
    };
    let queue = cramped.open();
    assert_eq!(queue.recovery().unwrap().first, 400);
    let (image, set_aside) = cramped.crashed();
    let home = Home::new();
    write(&image, &set_aside, &home.queue());
    let report = verify(home.queue()).unwrap();
    assert!(!report.is_intact(), "{report:?}");
}

#[test]
fn what_was_left_out_is_reported_once() {
    let Some(cramped) = Cramped::of(&with_damage_to(203), &[]) else {
        return;
    };
    let queue = cramped.open();
    assert!(queue.recovery().is_some());
    queue.push(&history::items(1000, 3)).unwrap();
    drop(queue);
    assert_eq!(cramped.open().recovery(), None);
    let queue = history::fifo(&cramped.path).unwrap();
    assert_eq!(queue.recovery(), None);
    assert_eq!(
        numbers(&queue.pop(999).unwrap()),
        [run(0, 200), run(1000, 1003)].concat()
    );
    assert!(!names(&cramped.path).contains(&"rocksq-lost-2".to_owned()));
}

#[test]
fn a_torn_end_behind_what_was_reported_is_no_damage() {
    let Some(cramped) = Cramped::of(&with_damage_to(203), &[]) else {
        return;
    };
    let queue = cramped.open();
    queue.push(&history::items(1000, 3)).unwrap();
    let (mut image, set_aside) = cramped.crashed();
    let (log, at) = place(&image, 1001);
    image.bytes_mut(&log).truncate(at);
    let home = Home::new();
    write(&image, &set_aside, &home.queue());
    let queue = home.fifo();
    assert_eq!(queue.recovery(), None);
    assert_eq!(numbers(&queue.pop(999).unwrap()), run(0, 200));
}

#[test]
fn more_damage_to_a_log_that_was_set_aside_is_reported_and_all_else_comes_back_once() {
    let Some(cramped) = Cramped::of(&with_damage_to(203), &[]) else {
        return;
    };
    let queue = cramped.open();
    queue.push(&history::items(1000, 25)).unwrap();
    let (mut image, set_aside) = cramped.crashed();
    drop(queue);
    damage(&mut image, 103);
    let Some(cramped) = Cramped::of(&image, &set_aside) else {
        return;
    };
    let queue = cramped.open();
    let recovery = queue.recovery().unwrap();
    assert_eq!((recovery.first, recovery.next), (100, Some(225)));
    queue.push(&history::items(2000, 5)).unwrap();
    let (image, set_aside) = cramped.crashed();
    let before = [run(0, 100), run(110, 200), run(210, 410)].concat();
    let expected = [before, run(1000, 1025), run(2000, 2005)].concat();
    assert_repaired(&image, &set_aside, &expected);
}
