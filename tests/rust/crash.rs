//! Power cuts, for real, and kills, at every level: what was made durable is there after the next
//! start, and what is left is the beginning of what was done, without a gap or half a call.
//!
//! The queue lies on an ext4 file system of its own in a file ([`Disk`]). The process of
//! [`kill::child`](crate::kill) works on it and tells outside what it does. At a random moment the
//! file system is shut down without writing its journal: what the kernel had not yet written is
//! gone, as in a power cut. Then it is mounted again, which replays the journal, and what the
//! queue holds is compared with what the process has told ([`fifo`], [`mpmc`], [`fates`]).
//!
//! `ROCKSQ_TEST_SEED` repeats the choices of a run (not its timing), `ROCKSQ_CRASH_ROUNDS` sets the
//! number of crashes for each test. Power cuts need Linux, root and loop devices.

mod fates;
mod fifo;
mod mpmc;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rocksq::Durability;
use rocksq::StartPosition::Oldest;

use crate::kill::calls::{Call, History, Outcome, What};
use crate::kill::child::{Kind, LEVELS, OWN, Task};
use crate::kill::items::Sizes;
use crate::kill::{Moment, run_and_kill};
use crate::support::disk::Disk;
use crate::support::random::{Random, seed};
use crate::support::{Home, MIB};

#[test]
fn a_fifo_queue_of_small_items_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::Fifo, Sizes::Small);
}

#[test]
fn a_fifo_queue_of_mixed_items_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::Fifo, Sizes::Mixed);
}

#[test]
fn a_fifo_queue_of_large_items_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::Fifo, Sizes::Large);
}

#[test]
fn an_mpmc_queue_of_small_items_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::Mpmc, Sizes::Small);
}

#[test]
fn an_mpmc_queue_of_large_items_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::Mpmc, Sizes::Large);
}

#[test]
fn an_mpmc_queue_whose_items_expire_survives_power_cuts() {
    torture(Ending::PowerCut, Kind::MpmcWithTtl, Sizes::Large);
}

#[test]
fn a_fifo_queue_at_all_levels_survives_kills() {
    torture(Ending::Kill, Kind::Fifo, Sizes::Mixed);
}

#[test]
fn an_mpmc_queue_at_all_levels_survives_kills() {
    torture(Ending::Kill, Kind::Mpmc, Sizes::Small);
}

#[test]
#[should_panic(expected = "lost")]
fn the_check_notices_a_lost_item() {
    sabotage(Kind::Fifo, |task, history| {
        let queue = task.open_fifo().unwrap();
        // More than the calls under way can have taken.
        let last = queue.len().unwrap().checked_sub(1).unwrap();
        queue.pop(last).unwrap();
        history.calls.retain(|call| fates::maybe_taken(call) == 0);
    });
}

#[test]
#[should_panic(expected = "is lost, and not")]
fn the_check_notices_that_something_from_the_middle_is_missing() {
    sabotage(Kind::Mpmc, |_, history| {
        let push = |call: &&Call| matches!(call.what, What::Push { .. }) && !call.is_unknown();
        let mut missing = history.calls.iter().find(push).unwrap().clone();
        if let What::Push { id, .. } = &mut missing.what {
            id.number = u32::MAX;
        }
        missing.level = Durability::Buffered;
        // Nothing makes it durable.
        history.struck = 0;
        history.calls.insert(0, missing);
    });
}

#[test]
#[should_panic(expected = "has skipped")]
fn the_check_notices_a_label_that_has_skipped_items() {
    sabotage(Kind::Mpmc, |task, _| {
        let queue = task.open_mpmc().unwrap();
        // More than the calls under way can have read.
        assert!(queue.next(OWN, Oldest, u64::MAX).unwrap().items.len() > 50);
    });
}

/// Kills a process, does something to its queue that must not happen, and checks.
fn sabotage(kind: Kind, damage: impl FnOnce(&Task, &mut History)) {
    let home = Home::new();
    let mut check = kind.check_after_crash();
    let mut sessions = (0..).map(|session| {
        let task = Task {
            path: home.queue(),
            kind,
            sizes: Sizes::Small,
            level: Some(Durability::Written),
            session,
            seed: 1,
        };
        let mut history = History::default();
        let moment = Moment::AtWork(Duration::from_millis(150));
        run_and_kill(&task, moment, &mut history, || {});
        (task, history)
    });
    let (task, mut history) = loop {
        let (task, history) = sessions.next().unwrap();
        let enough = kind != Kind::Fifo || task.open_fifo().unwrap().len().unwrap() > 50;
        if task.session > 0 && enough {
            break (task, history);
        }
        check.check(&history, &task, Durability::Written);
    };
    damage(&task, &mut history);
    check.check(&history, &task, Durability::Written);
}

/// What ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Kill,
    PowerCut,
}

impl Ending {
    /// The level from which on a call survives it.
    fn survived_by(self) -> Durability {
        match self {
            Self::Kill => Durability::Written,
            Self::PowerCut => Durability::Synced,
        }
    }

    /// Where the queues lie, or why there can be no such place.
    fn place(self) -> Result<Place, String> {
        match self {
            Self::Kill => Ok(Place::Home(Home::new())),
            Self::PowerCut => Disk::new(DISK).map(Place::Disk),
        }
    }
}

enum Place {
    Home(Home),
    Disk(Disk),
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        match self {
            Self::Home(home) => home.at(name),
            Self::Disk(disk) => disk.root().join(name),
        }
    }

    fn strike(&self) {
        if let Self::Disk(disk) = self {
            disk.cut();
        }
    }

    fn restart(&self) {
        if let Self::Disk(disk) = self {
            disk.restart();
        }
    }

    fn clear(&self) {
        if let Self::Disk(disk) = self {
            disk.clear();
        }
    }
}

/// Something that knows what a queue has on the device, and compares.
trait Check {
    /// Opens the queue, compares it with what the calls may have left, and closes it.
    fn check(&mut self, history: &History, task: &Task, survives: Durability);
}

impl Kind {
    fn check_after_crash(self) -> Box<dyn Check> {
        match self {
            Self::Fifo => Box::<fifo::Fifo>::default(),
            Self::Mpmc | Self::MpmcWithTtl => Box::<mpmc::Mpmc>::default(),
        }
    }
}

/// Room for a few sessions.
const DISK: u64 = 512 * MIB;
/// After so many sessions a new queue is begun.
const SESSIONS: u16 = 4;

fn rounds() -> u16 {
    std::env::var("ROCKSQ_CRASH_ROUNDS").map_or(4, |text| text.parse().unwrap())
}

fn torture(ending: Ending, kind: Kind, sizes: Sizes) {
    let place = match ending.place() {
        Ok(place) => place,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let mut random = Random::new(seed());
    let mut check = kind.check_after_crash();
    let mut figures = Figures::default();
    let (rounds, begin) = (rounds(), Instant::now());
    for session in 0..rounds {
        if session % SESSIONS == 0 {
            check = kind.check_after_crash();
            place.clear();
        }
        let task = Task {
            // A name of its own: the cut may undo the removal of the one before.
            path: place.at(&format!("queue-{}", session / SESSIONS)),
            kind,
            sizes,
            level: Some(LEVELS[random.within(0..3) as usize]),
            session,
            seed: random.next(),
        };
        let mut history = History::default();
        run_and_kill(&task, Moment::choose(&mut random), &mut history, || {
            place.strike();
        });
        place.restart();
        match ending {
            Ending::Kill => history.assert_no_errors(),
            Ending::PowerCut => assert_errors_of_a_cut(&history),
        }
        figures.count(&history, ending);
        check.check(&history, &task, ending.survived_by());
    }
    eprintln!(
        "{ending:?}: {rounds} times, nothing lost: {figures}, in {:?}",
        begin.elapsed()
    );
}

/// What a call that met the cut says.
fn assert_errors_of_a_cut(history: &History) {
    for call in &history.calls {
        if let Some(Outcome::Failed(kind)) = &call.outcome {
            let fits = ["Closed", "Io", "OutcomeUnknown"].contains(&kind.as_str());
            assert!(fits, "{call:?}");
        }
    }
}

#[derive(Default)]
struct Figures {
    calls: usize,
    durable: usize,
    unknown: usize,
}

impl Figures {
    fn count(&mut self, history: &History, ending: Ending) {
        let durable = fates::Durable::of(history, ending.survived_by());
        let unknown = |call: &&Call| call.is_unknown();
        self.calls += history.calls.len();
        self.durable += history
            .calls
            .iter()
            .filter(|call| durable.covers(call))
            .count();
        self.unknown += history.calls.iter().filter(unknown).count();
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            calls,
            durable,
            unknown,
        } = self;
        write!(
            f,
            "{calls} calls, {durable} of them durable, {unknown} of unknown outcome"
        )
    }
}
