//! `kill -9` at any moment: what was acknowledged is there after the next open, and of what was
//! not, each call has happened as a whole or not at all.
//!
//! This program starts itself as the process that is killed ([`child`]). Its threads use one queue
//! and write a line to a pipe before each call and after each call that has returned. From the
//! lines follows what the queue may hold ([`calls`]); [`fifo`] and [`mpmc`] compare that with what
//! it does hold.
//!
//! `ROCKSQ_TEST_SEED` repeats the choices of a run (not its timing), `ROCKSQ_KILL_ROUNDS` sets the
//! number of kills for each test.

pub mod calls;
pub mod child;
pub mod fifo;
pub mod items;
pub mod mpmc;
pub mod observed;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use self::calls::{Call, History, What};
use self::child::{Kind, Task};
use self::items::{ItemId, PushId, Sizes};
use crate::support::Home;
use crate::support::processes::another;
use crate::support::random::{Random, seed};

#[test]
fn a_fifo_queue_of_small_items_survives_kills() {
    torture(Kind::Fifo, Sizes::Small);
}

#[test]
fn a_fifo_queue_of_mixed_items_survives_kills() {
    torture(Kind::Fifo, Sizes::Mixed);
}

#[test]
fn a_fifo_queue_of_large_items_survives_kills() {
    torture(Kind::Fifo, Sizes::Large);
}

#[test]
fn an_mpmc_queue_of_small_items_survives_kills() {
    torture(Kind::Mpmc, Sizes::Small);
}

#[test]
fn an_mpmc_queue_of_mixed_items_survives_kills() {
    torture(Kind::Mpmc, Sizes::Mixed);
}

#[test]
fn an_mpmc_queue_of_large_items_survives_kills() {
    torture(Kind::Mpmc, Sizes::Large);
}

#[test]
fn an_mpmc_queue_whose_items_expire_survives_kills() {
    torture(Kind::MpmcWithTtl, Sizes::Large);
}

#[test]
#[should_panic(expected = "items are lost")]
fn the_check_notices_a_lost_item() {
    sabotage(Kind::Fifo, |path, _| {
        let queue = Fifo::new(path, u64::MAX).unwrap();
        // More than the calls under way can have taken.
        assert_eq!(queue.pop(200).unwrap().len(), 200);
    });
}

#[test]
#[should_panic(expected = "ItemId { push: PushId { session: 0, thread: 0, number: 0 }")]
fn the_check_notices_an_item_that_comes_again() {
    sabotage(Kind::Fifo, |path, history| {
        let queue = Fifo::new(path, u64::MAX).unwrap();
        let all = queue.pop(u64::MAX).unwrap().to_vecs();
        let begins = |item: &Vec<u8>| ItemId::parse(item, Sizes::Small).0.is_first();
        let rest = all.iter().position(begins).unwrap();
        let push = PushId {
            session: 0,
            thread: 0,
            number: 0,
        };
        let count = history.count_of(push);
        let again = (0..count).map(|index| ItemId { push, index }.bytes(Sizes::Small, count));
        queue.push(&again.collect::<Vec<_>>()).unwrap();
        queue.push(&all[rest..]).unwrap();
        // What was read and left has moved, which is not the point.
        history
            .calls
            .retain(|call| !matches!(call.what, What::Read));
    });
}

#[test]
#[should_panic(expected = "the last push is not whole")]
fn the_check_notices_half_a_push() {
    sabotage(Kind::Fifo, |path, _| {
        let queue = Fifo::new(path, u64::MAX).unwrap();
        let push = PushId {
            session: 0,
            thread: 0,
            number: 0,
        };
        queue
            .push(&[ItemId { push, index: 0 }.bytes(Sizes::Small, 2)])
            .unwrap();
    });
}

#[test]
#[should_panic(expected = "has skipped")]
fn the_check_notices_a_label_that_has_skipped_items() {
    sabotage(Kind::Mpmc, |_, history| {
        let reads =
            |call: &Call| matches!(&call.what, What::Next { label, .. } if label == child::OWN);
        history.calls.retain(|call| !reads(call));
    });
}

#[test]
#[should_panic(expected = "went back")]
fn the_check_notices_a_label_that_went_back() {
    sabotage(Kind::Mpmc, |path, _| {
        let queue = MpmcQueue::new(path, Duration::ZERO).unwrap();
        queue.remove_label(child::OWN).unwrap();
    });
}

/// Kills a process, does something to its queue that must not happen, and checks.
fn sabotage(kind: Kind, damage: impl FnOnce(&Path, &mut History)) {
    // There is something to take, and room for something to add.
    let fits = |home: &Home, task: &Task| {
        (200..=task.capacity() - 200).contains(&home.fifo().len().unwrap())
    };
    let (_home, task, mut history) = std::iter::repeat_with(|| killed_at_work(kind))
        .find(|(home, task, _)| kind != Kind::Fifo || fits(home, task))
        .unwrap();
    damage(&task.path, &mut history);
    kind.check().check(&history, &task);
}

/// A queue whose process was killed at work, and what that process has told.
fn killed_at_work(kind: Kind) -> (Home, Task, History) {
    let home = Home::new();
    let task = Task {
        path: home.queue(),
        kind,
        sizes: Sizes::Small,
        level: None,
        session: 0,
        seed: 1,
    };
    let mut history = History::default();
    run_and_kill(
        &task,
        Moment::AtWork(Duration::from_millis(150)),
        &mut history,
        || {},
    );
    (home, task, history)
}

/// Something that knows what a queue may hold and compares.
trait Check {
    /// Opens the queue, compares and closes it. What the calls that were killed did is known then.
    fn check(&mut self, history: &History, task: &Task);
}

impl Kind {
    fn check(self) -> Box<dyn Check> {
        match self {
            Self::Fifo => Box::<fifo::Fifo>::default(),
            Self::Mpmc | Self::MpmcWithTtl => Box::<mpmc::Mpmc>::default(),
        }
    }
}

/// When a process is killed.
pub enum Moment {
    /// Most of the kills: so long after the queue was opened.
    AtWork(Duration),
    /// While it starts or opens the queue, or soon after.
    AtStart(Duration),
}

impl Moment {
    pub fn choose(random: &mut Random) -> Self {
        if random.percent(75) {
            Self::AtWork(Duration::from_millis(random.within(1..150)))
        } else {
            Self::AtStart(Duration::from_micros(random.within(1_000..40_000)))
        }
    }
}

fn rounds() -> u16 {
    std::env::var("ROCKSQ_KILL_ROUNDS").map_or(12, |text| text.parse().unwrap())
}

/// Kills processes that use the same queue, one after another.
fn torture(kind: Kind, sizes: Sizes) {
    let home = Home::new();
    let mut random = Random::new(seed());
    let mut history = History::default();
    let mut check = kind.check();
    let (rounds, begin) = (rounds(), Instant::now());
    for session in 0..rounds {
        let task = Task {
            path: home.queue(),
            kind,
            sizes,
            level: None,
            session,
            seed: random.next(),
        };
        run_and_kill(&task, Moment::choose(&mut random), &mut history, || {});
        history.assert_no_errors();
        // Sometimes it is killed again before anybody has looked.
        if session + 1 == rounds || random.percent(70) {
            check.check(&history, &task);
        }
    }
    eprintln!(
        "{rounds} kills, nothing lost: {} calls, {} of them unacknowledged, in {:?}",
        history.calls.len(),
        history
            .calls
            .iter()
            .filter(|call| call.outcome.is_none())
            .count(),
        begin.elapsed(),
    );
}

/// Runs the task in another process and kills it, just after something else has `struck`.
pub fn run_and_kill(task: &Task, moment: Moment, history: &mut History, strike: impl FnOnce()) {
    let mut process = another("kill::child::works_until_it_is_killed")
        .env(child::TASK, task.to_text())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stderr.take().unwrap());
    let (sender, is_open) = channel();
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let reader = thread::spawn(move || {
        let mut lines = Vec::new();
        for line in output.lines() {
            let line = line.unwrap();
            if line == child::OPENED {
                let _nobody_waits = sender.send(());
            } else {
                lines.push(line);
                count.store(lines.len(), Ordering::Release);
            }
        }
        lines
    });
    match moment {
        Moment::AtWork(delay) => {
            let opened = is_open.recv_timeout(Duration::from_secs(60));
            assert!(opened.is_ok(), "not opened in time");
            thread::sleep(delay);
        }
        Moment::AtStart(delay) => thread::sleep(delay),
    }
    let before = told.load(Ordering::Acquire);
    strike();
    process.kill().unwrap();
    process.wait().unwrap();
    history.add(task.session, &reader.join().unwrap(), before);
}
