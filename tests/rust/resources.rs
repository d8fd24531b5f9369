//! What open queues take: threads, memory, disk.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rocksq::StartPosition::Oldest;
use rocksq::Wait;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use crate::support::figures::{allocated, resident, sizes, sleeps_of_others, threads};
use crate::support::random::Random;
use crate::support::waiting::until;
use crate::support::{Home, KIB, MIB, ROOMY};

const QUEUES: usize = 50;

/// A queue that has been used a little and is empty again.
fn used(home: &Home, name: &str) -> Fifo {
    let queue = Fifo::new(home.at(name), ROOMY).unwrap();
    queue.push(&[b"item"; 10]).unwrap();
    assert_eq!(queue.pop(10).unwrap().len(), 10);
    queue
}

/// One MiB of items that do not compress.
fn mebibyte(random: &mut Random) -> Vec<Vec<u8>> {
    (0..16).map(|_| random.bytes(64 * KIB as usize)).collect()
}

/// Waits until the directory takes less than this; otherwise says what is in it.
fn until_below(limit: u64, directory: &Path) -> Duration {
    let begin = Instant::now();
    while allocated(directory) >= limit {
        let files = || sizes(directory).into_iter().filter(|(_, size)| *size > MIB);
        assert!(
            begin.elapsed() < Duration::from_secs(100),
            "not below {:.0} MiB after 100 s: {:?}",
            in_mib(limit),
            files().collect::<Vec<_>>()
        );
        thread::sleep(Duration::from_millis(2));
    }
    begin.elapsed()
}

fn in_mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

#[test]
fn fifty_open_queues_share_a_few_threads() {
    let home = Home::new();
    let _open: Vec<_> = (0..QUEUES).map(|n| used(&home, &n.to_string())).collect();
    eprintln!(
        "{QUEUES} open queues: {} threads in the process",
        threads().len()
    );
    assert!(threads().len() < 60, "{:?}", threads());
}

#[test]
fn a_blocking_queue_has_no_thread_of_its_own() {
    let home = Home::new();
    let _first = [used(&home, "one"), used(&home, "two")];
    let before = threads().len();
    let _more: Vec<_> = (0..20).map(|n| used(&home, &n.to_string())).collect();
    assert_eq!(threads().len(), before, "{:?}", threads());
}

#[test]
fn an_idle_queue_costs_less_than_two_mebibytes() {
    let home = Home::new();
    let _warm = [used(&home, "one"), used(&home, "two")];
    let before = resident();
    let _open: Vec<_> = (0..QUEUES).map(|n| used(&home, &n.to_string())).collect();
    let each = resident().saturating_sub(before) / QUEUES as u64;
    eprintln!("an idle open queue: {:.2} MiB", in_mib(each));
    assert!(each < 2 * MIB, "{each} bytes");
}

#[test]
fn an_idle_mpmc_queue_costs_less_than_two_mebibytes() {
    let home = Home::new();
    let open = |name: &str| {
        let queue = MpmcQueue::new(home.at(name), Duration::from_secs(3600)).unwrap();
        queue.add(&[b"item"; 10]).unwrap();
        assert_eq!(queue.next("label", Oldest, 10).unwrap().items.len(), 10);
        queue
    };
    let _warm = [open("one"), open("two")];
    let before = resident();
    let _open: Vec<_> = (0..QUEUES).map(|n| open(&n.to_string())).collect();
    let each = resident().saturating_sub(before) / QUEUES as u64;
    eprintln!("an idle open MPMC queue: {:.2} MiB", in_mib(each));
    assert!(each < 2 * MIB, "{each} bytes");
}

#[test]
fn queues_that_are_left_alone_move_their_items_out_of_memory() {
    let home = Home::new();
    let mut random = Random::new(1);
    let queues: Vec<_> = (0..8)
        .map(|n| {
            let queue = Fifo::new(home.at(&n.to_string()), ROOMY).unwrap();
            (0..8).for_each(|_| queue.push(&mebibyte(&mut random)).unwrap());
            queue
        })
        .collect();
    // What is in memory is in the log too.
    let logged = || -> u64 {
        let files = queues.iter().flat_map(|queue| sizes(queue.path()));
        files
            .filter(|(name, _)| name.ends_with(".log"))
            .map(|(_, size)| size)
            .sum()
    };
    until(Duration::from_secs(100), "the logs are empty", || {
        logged() < MIB
    });
    assert!(queues.iter().all(|queue| queue.len().unwrap() == 8 * 16));
}

#[test]
fn a_drained_queue_gives_its_disk_back_without_reopening() {
    let home = Home::new();
    let queue = home.fifo();
    let mut random = Random::new(2);
    for _ in 0..300 {
        queue.push(&mebibyte(&mut random)).unwrap();
    }
    let full = queue.disk_size().unwrap();
    assert!(full > 290 * MIB, "{full}");
    let mut taken = 0;
    while taken < 300 * 16 {
        taken += queue.pop(64).unwrap().len();
    }
    let took = until_below(32 * MIB, &home.queue());
    let left = queue.disk_size().unwrap();
    until(
        Duration::from_secs(60),
        "disk_size is what the files have",
        || queue.disk_size().unwrap() == allocated(queue.path()),
    );
    eprintln!(
        "300 MiB drained: {:.1} MiB on disk after {took:?}",
        in_mib(left)
    );
    queue.push(&[b"goes on"]).unwrap();
    let batch = queue.read(1, Wait::NEVER).unwrap();
    assert_eq!(batch.first(), 300 * 16);
}

#[test]
fn a_queue_drained_in_small_pops_gives_its_disk_back() {
    let home = Home::new();
    let queue = home.fifo();
    let mut random = Random::new(3);
    for _ in 0..64 {
        let items: Vec<_> = (0..1024).map(|_| random.bytes(KIB as usize)).collect();
        queue.push(&items).unwrap();
    }
    for _ in 0..64 * 1024 {
        assert_eq!(queue.pop(1).unwrap().len(), 1);
    }
    let took = until_below(32 * MIB, &home.queue());
    let left = queue.disk_size().unwrap();
    eprintln!(
        "64 MiB drained one by one: {:.1} MiB after {took:?}",
        in_mib(left)
    );
}

/// Emptied while RocksDB is still moving some of it into a table.
#[test]
fn a_queue_emptied_in_one_pop_gives_its_disk_back() {
    let home = Home::new();
    let items = mebibyte(&mut Random::new(6));
    let emptied = |size: u64| {
        let queue = Fifo::new(home.at(&size.to_string()), ROOMY).unwrap();
        (0..size).for_each(|_| queue.push(&items).unwrap());
        assert_eq!(queue.pop(u64::MAX).unwrap().len() as u64, size * 16);
        queue
    };
    for queue in (80..104).map(emptied).collect::<Vec<_>>() {
        until_below(32 * MIB, queue.path());
    }
}

/// At full speed the disk lags behind the memory, by as much as RocksDB lets it.
#[test]
fn what_passes_through_a_queue_does_not_add_up_on_disk() {
    let home = Home::new();
    let queue = home.fifo();
    let mut random = Random::new(4);
    let items = mebibyte(&mut random);
    let mut largest = 0;
    for _ in 0..1600 {
        queue.push(&items).unwrap();
        assert_eq!(queue.pop(16).unwrap().len(), 16);
        largest = largest.max(queue.disk_size().unwrap());
    }
    let took = until_below(32 * MIB, queue.path());
    eprintln!(
        "1.6 GiB passed through: at most {:.1} MiB on disk, under 32 MiB {took:?} after the last",
        in_mib(largest)
    );
    assert!(largest < 512 * MIB, "{largest}");
}

#[test]
fn a_queue_emptied_by_its_ttl_gives_its_disk_back_and_goes_on_at_its_position() {
    let home = Home::new();
    let ttl = Duration::from_secs(1);
    let queue = MpmcQueue::new(home.queue(), ttl).unwrap();
    let mut random = Random::new(5);
    for _ in 0..100 {
        queue.add(&mebibyte(&mut random)).unwrap();
    }
    let took = until_below(32 * MIB, &home.queue());
    let left = in_mib(queue.disk_size().unwrap());
    eprintln!("100 MiB expired: {left:.1} MiB on disk {took:?} after the last add");
    // The first items expire some time before the last.
    until(Duration::from_secs(60), "all have expired", || {
        queue.is_empty().unwrap()
    });
    queue.close().unwrap();
    let queue = MpmcQueue::new(home.queue(), ttl).unwrap();
    assert_eq!(queue.len().unwrap(), 0);
    queue.add(&[b"goes on"]).unwrap();
    let batch = queue.read("label", Oldest, 9, Wait::NEVER).unwrap();
    assert_eq!((batch.first(), batch.next()), (1600, 1601));
    assert_eq!(*batch.items(), [b"goes on"]);
}

/// RocksDB has one thread that looks every ten seconds whether a database has something to log.
#[test]
fn an_idle_process_sleeps_but_for_rocksdb_s_timer() {
    let home = Home::new();
    let _idle: Vec<_> = (0..10).map(|n| used(&home, &n.to_string())).collect();
    let mpmc = MpmcQueue::new(home.at("mpmc"), Duration::from_secs(3600)).unwrap();
    mpmc.add(&[b"item"; 10]).unwrap();
    assert_eq!(mpmc.next("label", Oldest, 5).unwrap().items.len(), 5);
    // What the last operations have started ends.
    thread::sleep(Duration::from_secs(3));
    let before = sleeps_of_others();
    thread::sleep(Duration::from_secs(5));
    let woken: Vec<_> = sleeps_of_others()
        .into_iter()
        .zip(before)
        .map(|((name, after), (_, before))| (name, after - before))
        .filter(|(_, times)| *times > 0)
        .collect();
    eprintln!("eleven idle queues, five seconds: {woken:?}");
    assert!(woken.len() <= 1, "{woken:?}");
    assert!(woken.iter().all(|(_, times)| *times <= 11), "{woken:?}");
}
