//! Bounds: what fits, what is dropped to make it fit, and who waits for room.

use std::thread;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::together::addition;
use super::waiting::until_waiting;
use super::*;
use crate::error::ErrorKind;
use crate::housekeeping::Chore;
use crate::log::bounds::Amount;
use crate::log::chunk::Chunk;
use crate::log::import::import;
use crate::options::Durability::{self, Buffered, Synced};
use crate::options::StartPosition::Oldest;
use crate::store::{Place, RunVisitor, Source};

const SECOND: Duration = Duration::from_secs(1);

fn bounds(max_items: u64, max_bytes: u64, on_full: OnFull) -> Bounds {
    Bounds::new(Some(max_items), Some(max_bytes), on_full)
}

fn fifo_of(max_items: u64, max_bytes: u64, on_full: OnFull) -> Arc<MemoryLog> {
    let bounds = bounds(max_items, max_bytes, on_full);
    bounded(Retention::Unread, bounds, &ManualClock::at(0))
}

fn mpmc_of(ttl_secs: u64, bounds: Bounds, clock: &ManualClock) -> Arc<MemoryLog> {
    bounded(young(ttl_secs), bounds, clock)
}

impl MemoryLog {
    fn try_add(&self, items: &[&str], wait: Wait<'_>) -> Option<ErrorKind> {
        self.append(items, wait, Written).err().map(|e| e.kind())
    }

    fn all(&self) -> Vec<String> {
        texts(&self.browse(0, u64::MAX).unwrap().0)
    }
}

#[test]
fn bytes_are_bounded_as_items_are() {
    let log = fifo_of(9, 5, OnFull::Error);
    log.add(&["aa", "bb"]);
    assert_eq!(log.try_add(&["cc"], Wait::NEVER), Some(ErrorKind::Full));
    log.add(&["c"]);
    assert_eq!(log.try_add(&["d"], Wait::NEVER), Some(ErrorKind::Full));
    log.add(&["", ""]);
    log.pop(1);
    log.add(&["dd"]);
    assert_eq!(log.all(), ["bb", "c", "", "", "dd"]);
}

#[test]
fn what_can_never_fit_fails_at_once() {
    for on_full in [OnFull::Error, OnFull::DropOldest] {
        let log = fifo_of(2, 5, on_full);
        log.add(&["aa", "bb"]);
        let full = Some(ErrorKind::Full);
        assert_eq!(log.try_add(&["a"; 3], Wait::FOREVER), full);
        assert_eq!(log.try_add(&["abcdef"], Wait::FOREVER), full);
        assert_eq!(log.all(), ["aa", "bb"]);
    }
}

#[test]
fn as_few_of_the_oldest_pushes_as_will_do_are_dropped() {
    let log = fifo_of(4, 8, OnFull::DropOldest);
    for item in ["a", "b", "c", "d", "e"] {
        log.add(&[item]);
    }
    assert_eq!(log.all(), ["b", "c", "d", "e"]);
    log.add(&["ffffff"]);
    assert_eq!(log.all(), ["d", "e", "ffffff"]);
    log.add(&["gggggggg"]);
    assert_eq!(log.all(), ["gggggggg"]);
    assert_eq!(log.size().unwrap(), (1, 8));
}

#[test]
fn what_was_pushed_as_one_is_dropped_as_one() {
    let clock = ManualClock::at(0);
    for level in [Buffered, Written, Synced] {
        let bounds = || bounds(7, 99, OnFull::DropOldest);
        for log in [
            fifo_of(7, 99, OnFull::DropOldest),
            mpmc_of(0, bounds(), &clock),
        ] {
            for n in 0..4 {
                let items = ["topic", "header", "frame"].map(|part| format!("{part}{n}"));
                log.append(&items, Wait::NEVER, level).unwrap();
            }
            let expected = ["topic2", "header2", "frame2", "topic3", "header3", "frame3"];
            assert_eq!(log.all(), expected);
            assert_eq!(log.stats().unwrap().dropped_items, 6);
        }
    }
}

#[test]
fn bytes_are_made_room_for_by_whole_pushes() {
    let log = fifo_of(99, 12, OnFull::DropOldest);
    log.add(&["aaa", "bbb"]);
    log.add(&["ccc", "ddd"]);
    log.add(&["e"]);
    assert_eq!(log.all(), ["ccc", "ddd", "e"]);
    log.add(&["ffffff"]);
    assert_eq!(log.all(), ["e", "ffffff"]);
}

#[test]
fn what_is_left_of_a_push_is_dropped_as_one() {
    let log = fifo_of(4, 99, OnFull::DropOldest);
    log.add(&["a", "b", "c"]);
    assert_eq!(log.pop(1), ["a"]);
    log.add(&["d", "e"]);
    log.add(&["f"]);
    assert_eq!(log.all(), ["d", "e", "f"]);
}

#[test]
fn what_was_given_back_of_a_push_is_dropped_with_the_rest_of_it() {
    let log = fifo_of(4, 99, OnFull::DropOldest);
    log.add(&["a", "b", "c", "d"]);
    let (_, first) = log.take_later(ONLY_LABEL, 1);
    assert_eq!(log.pop(1), ["b"]);
    assert!(first.unwrap().give_up());
    log.give_back().unwrap();
    assert_eq!(log.all(), ["a", "c", "d"]);
    log.add(&["e"]);
    assert_eq!(log.all(), ["a", "c", "d", "e"]);
    log.add(&["f"]);
    assert_eq!(log.all(), ["e", "f"]);
}

#[test]
fn pushes_of_one_group_drop_each_other_whole() {
    let log = fifo_of(4, 99, OnFull::DropOldest);
    let pushes = [["a", "b"], ["c", "d"], ["e", "f"]];
    let outcomes = log.append_all(&pushes.map(|items| addition(&items, Written)));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(log.all(), ["c", "d", "e", "f"]);
}

/// Items of 600 KiB: each is a chunk of its own.
fn large(count: usize) -> Vec<Vec<u8>> {
    vec![vec![7; 600 << 10]; count]
}

#[test]
fn a_push_of_several_chunks_is_dropped_as_one() {
    let clock = ManualClock::at(0);
    for (max_items, max_bytes) in [(5, u64::MAX), (99, 5 * (600 << 10))] {
        for level in [Buffered, Written, Synced] {
            let bounds = bounds(max_items, max_bytes, OnFull::DropOldest);
            for retention in [Retention::Unread, young(0)] {
                let log = bounded(retention, bounds, &clock);
                let push = |count| log.append(&large(count), Wait::NEVER, level).unwrap();
                push(4);
                push(1);
                assert_eq!(log.len(), 5);
                push(1);
                assert_eq!(log.len(), 2, "{retention:?} {level:?}");
                let log = after_kill(&log, &clock);
                log.append(&large(3), Wait::NEVER, level).unwrap();
                assert_eq!(log.len(), 5);
                log.append(&large(3), Wait::NEVER, level).unwrap();
                assert_eq!(log.len(), 3);
            }
        }
    }
}

#[test]
fn a_large_push_of_which_a_part_was_taken_is_dropped_as_one() {
    let log = fifo_of(5, u64::MAX, OnFull::DropOldest);
    log.append(&large(4), Wait::NEVER, Written).unwrap();
    assert_eq!(log.pop(2).len(), 2);
    log.append(&large(3), Wait::NEVER, Written).unwrap();
    assert_eq!(log.len(), 5);
    log.append(&large(1), Wait::NEVER, Written).unwrap();
    assert_eq!(log.len(), 4);
}

#[test]
fn a_push_of_many_chunks_is_dropped_without_reading_them_all() {
    let log = fifo_of(102, u64::MAX, OnFull::DropOldest);
    log.append(&large(100), Wait::NEVER, Written).unwrap();
    log.append(&large(2), Wait::NEVER, Written).unwrap();
    let before = log.store.visits();
    log.add(&["last"]);
    assert_eq!(log.len(), 3);
    // One, and what the housekeeping looks at meanwhile.
    assert!(log.store.visits() - before < 10);
}

#[test]
fn chunks_that_cannot_tell_that_their_push_goes_on_are_dropped_one_by_one() {
    let clock = ManualClock::at(0);
    let log = fifo_of(4, u64::MAX, OnFull::DropOldest);
    log.append(&large(4), Wait::NEVER, Written).unwrap();
    log.store.rewrite_chunks(|first, bytes| {
        let chunk = Chunk::decode(first, bytes).unwrap();
        chunk.of_push_up_to(chunk.end()).bytes().to_vec()
    });
    let log = after_kill(&log, &clock);
    log.add(&["a"]);
    assert_eq!(log.len(), 4);
}

#[test]
fn items_that_were_not_pushed_together_are_dropped_one_by_one() {
    let clock = ManualClock::at(0);
    let source = MemoryStore::default();
    let mut items = Converted(&[b"a", b"bbb", b"c", b"d"]);
    import(&source, &mut items, 0).unwrap();
    let log = Log::open(
        source,
        Retention::Unread,
        bounds(4, 7, OnFull::DropOldest),
        Box::new(clock),
    );
    let log = log.unwrap();
    log.add(&["e"]);
    assert_eq!(log.all(), ["bbb", "c", "d", "e"]);
    log.add(&["ff"]);
    assert_eq!(log.all(), ["c", "d", "e", "ff"]);
}

/// Items of a queue of another format.
struct Converted(&'static [&'static [u8]]);

impl Source for Converted {
    fn labels(&self) -> Vec<Place> {
        Vec::new()
    }

    fn visit_items(&mut self, visitor: &mut RunVisitor<'_>) -> crate::Result<()> {
        visitor(self.0, None)
    }
}

#[test]
fn given_back_items_are_the_oldest() {
    let log = fifo_of(3, 99, OnFull::DropOldest);
    for item in ["a", "b", "c"] {
        log.add(&[item]);
    }
    assert_eq!(log.take_and_give_back(ONLY_LABEL, 2), ["a", "b"]);
    log.add(&["d"]);
    assert_eq!(log.all(), ["b", "c", "d"]);
}

#[test]
fn a_batch_whose_items_were_dropped_cannot_be_committed() {
    let log = fifo_of(2, 99, OnFull::DropOldest);
    log.add(&["a"]);
    log.add(&["b"]);
    let batch = log
        .read(&ONLY_LABEL.into(), Oldest, 1, Wait::NEVER)
        .unwrap();
    log.add(&["c"]);
    let error = log.commit(&batch, Written).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(log.pop(9), ["b", "c"]);
}

#[test]
fn a_label_learns_once_that_unread_items_were_dropped() {
    let clock = ManualClock::at(0);
    let log = mpmc_of(0, bounds(2, 99, OnFull::DropOldest), &clock);
    log.next("behind", Oldest, 0);
    log.add(&["a"]);
    log.add(&["b"]);
    log.next("ahead", Oldest, 1);
    log.add(&["c"]);
    let log = after_kill(&log, &clock);
    assert_eq!(log.next("behind", Oldest, 1), (vec!["b".into()], true));
    assert_eq!(log.next("behind", Oldest, 1), (vec!["c".into()], false));
    assert!(!log.next("ahead", Oldest, 9).1);
    assert_eq!(
        log.next("new", Oldest, 9),
        (vec!["b".into(), "c".into()], false)
    );
}

#[test]
fn a_batch_of_a_label_outlives_its_items() {
    let log = mpmc_of(0, bounds(1, 99, OnFull::DropOldest), &ManualClock::at(0));
    log.add(&["a"]);
    let batch = log.read(&"x".into(), Oldest, 1, Wait::NEVER).unwrap();
    log.add(&["b"]);
    log.commit(&batch, Written).unwrap();
    assert_eq!(log.next("x", Oldest, 9), (vec!["b".into()], false));
}

#[test]
fn what_was_dropped_only_in_the_buffer_is_not_trimmed() {
    let clock = ManualClock::at(0);
    let log = mpmc_of(0, bounds(1, 99, OnFull::DropOldest), &clock);
    log.add(&["a"]);
    log.append(&["b"], Wait::NEVER, Buffered).unwrap();
    log.tidy().unwrap();
    assert_eq!(log.all(), ["b"]);
    let log = after_kill(&log, &clock);
    assert_eq!(log.all(), ["a"]);
}

#[test]
fn dropped_items_leave_the_disk() {
    let log = mpmc_of(0, bounds(3, 99, OnFull::DropOldest), &ManualClock::at(0));
    log.add(&["a", "b"]);
    log.add(&["c"]);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [0, 2]);
    log.add(&["d"]);
    log.tidy().unwrap();
    assert_eq!(log.store.chunk_positions(), [2, 3]);
}

#[test]
fn expired_items_are_found_behind_what_was_dropped_and_trimmed() {
    let clock = ManualClock::at(0);
    let log = mpmc_of(10, bounds(2, 99, OnFull::DropOldest), &clock);
    for item in ["a", "b", "c", "d"] {
        log.add(&[item]);
        clock.advance(SECOND);
        log.tidy().unwrap();
    }
    assert_eq!(log.all(), ["c", "d"]);
    clock.advance(8 * SECOND);
    assert_eq!(log.all(), ["d"]);
    clock.advance(SECOND);
    assert_eq!(log.len(), 0);
}

#[test]
fn a_failed_push_drops_nothing() {
    let log = fifo_of(1, 99, OnFull::DropOldest);
    log.add(&["a"]);
    log.store.fail_next_write(ErrorKind::DiskFull);
    assert_eq!(log.try_add(&["b"], Wait::NEVER), Some(ErrorKind::DiskFull));
    assert_eq!(log.all(), ["a"]);
}

#[test]
fn opened_with_less_a_queue_keeps_what_it_has() {
    let log = fifo_of(9, 99, OnFull::Error);
    log.add(&["a", "b"]);
    log.add(&["c"]);
    let reopened = |bounds| {
        let store = log.store.after_kill();
        Log::open(
            store,
            Retention::Unread,
            bounds,
            Box::new(ManualClock::at(0)),
        )
        .unwrap()
    };
    let strict = reopened(bounds(2, 99, OnFull::Error));
    assert_eq!(strict.len(), 3);
    assert_eq!(strict.try_add(&[""], Wait::NEVER), Some(ErrorKind::Full));
    strict.pop(2);
    strict.add(&["d"]);
    let dropping = reopened(bounds(9, 2, OnFull::DropOldest));
    assert_eq!(dropping.len(), 3);
    dropping.add(&["d"]);
    assert_eq!(dropping.all(), ["c", "d"]);
}

#[test]
fn one_who_waits_for_bytes_gets_them_in_turn() {
    let log = fifo_of(9, 4, OnFull::Error);
    log.add(&["aa", "bb"]);
    thread::scope(|scope| {
        let large = scope.spawn(|| log.append(&["cccc"], Wait::FOREVER, Written));
        until_waiting(&log, 1);
        log.pop(1);
        assert_eq!(log.try_add(&["d"], Wait::NEVER), Some(ErrorKind::Full));
        log.pop(1);
        large.join().unwrap().unwrap();
    });
    assert_eq!(log.all(), ["cccc"]);
}

#[test]
fn expiry_makes_room_and_reading_does_not() {
    let clock = ManualClock::at(0);
    let log = mpmc_of(10, bounds(1, 99, OnFull::Error), &clock);
    log.add(&["a"]);
    log.next("x", Oldest, 9);
    assert_eq!(log.try_add(&["b"], Wait::NEVER), Some(ErrorKind::Full));
    thread::scope(|scope| {
        let waits = scope.spawn(|| log.append(&["b"], Wait::FOREVER, Written));
        until_waiting(&log, 1);
        assert_eq!(log.run(), Some(10 * SECOND));
        clock.advance(10 * SECOND);
        log.run();
        waits.join().unwrap().unwrap();
    });
    assert_eq!(log.all(), ["b"]);
    clock.advance(10 * SECOND);
    log.add(&["c"]);
}

#[test]
fn nobody_waits_for_room_that_cannot_come() {
    let log = mpmc_of(0, bounds(1, 99, OnFull::Error), &ManualClock::at(0));
    log.add(&["a"]);
    assert_eq!(log.try_add(&["b"], Wait::FOREVER), Some(ErrorKind::Full));
}

#[test]
fn producers_who_arrive_together_drop_each_others_items_in_order() {
    let log = fifo_of(2, 99, OnFull::DropOldest);
    thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..200 {
                    let items = [format!("{thread}-{n}a"), format!("{thread}-{n}b")];
                    log.append(&items, Wait::NEVER, Written).unwrap();
                }
            });
        }
    });
    let all = log.all();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].replace('a', "b"), all[1]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<usize>, Durability),
    Take(u64, Durability),
    Tidy,
    Reopen,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let level = || prop::sample::select(&[Buffered, Written, Synced][..]);
    let lens = || prop::collection::vec(0..6usize, 0..6);
    let step = prop_oneof![
        6 => (lens(), level()).prop_map(|(lens, level)| Step::Push(lens, level)),
        3 => (0..5u64, level()).prop_map(|(max, level)| Step::Take(max, level)),
        1 => Just(Step::Tidy),
        1 => Just(Step::Reopen),
        1 => (0..6u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

const MAX: Amount = Amount {
    items: 7,
    bytes: 14,
};
const TTL_SECS: u64 = 10;

/// What is in the queue, with the time at which it came and the push that it came with.
#[derive(Default)]
struct Model {
    items: Vec<(u64, usize, String)>,
    pushed: usize,
    now: u64,
}

impl Model {
    fn make(&mut self, lens: &[usize]) -> Vec<String> {
        let letter = |n: usize| char::from(b'a' + (n % 26) as u8).to_string();
        let items = lens.iter().enumerate();
        let items: Vec<_> = items
            .map(|(n, len)| letter(self.pushed + n).repeat(*len))
            .collect();
        self.pushed += lens.len();
        items
    }

    fn amount(items: impl Iterator<Item = usize>) -> Amount {
        items.fold(Amount::default(), |sum, len| {
            sum.plus((1, len as u64).into())
        })
    }

    fn present(&self) -> Amount {
        Self::amount(self.items.iter().map(|(_, _, item)| item.len()))
    }

    /// Whether `items` are added by a queue that is full as `on_full` says.
    fn push(&mut self, items: &[String], on_full: OnFull) -> bool {
        let amount = Self::amount(items.iter().map(String::len));
        if items.is_empty() {
            return true;
        }
        if !amount.fits(MAX) {
            return false;
        }
        while !self.present().plus(amount).fits(MAX) {
            if on_full == OnFull::Error {
                return false;
            }
            let oldest = self.items[0].1;
            self.items.retain(|(_, push, _)| *push != oldest);
        }
        let (now, push) = (self.now, self.pushed);
        self.items
            .extend(items.iter().map(|item| (now, push, item.clone())));
        true
    }

    fn texts(&self) -> Vec<String> {
        self.items.iter().map(|(_, _, item)| item.clone()).collect()
    }
}

fn run(retention: Retention, on_full: OnFull, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let clock = ManualClock::at(0);
    let bounds = bounds(MAX.items, MAX.bytes, on_full);
    let mut log = bounded(retention, bounds, &clock);
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Push(lens, level) => {
                let items = model.make(&lens);
                let added = model.push(&items, on_full);
                let outcome = log.append(&items, Wait::NEVER, level);
                prop_assert_eq!(
                    outcome.err().map(|e| e.kind()),
                    (!added).then_some(ErrorKind::Full)
                );
            }
            Step::Take(max, level) if retention == Retention::Unread => {
                let count = model.items.len().min(max as usize);
                let expected: Vec<_> = model
                    .items
                    .drain(..count)
                    .map(|(_, _, item)| item)
                    .collect();
                let taken = log
                    .take(&ONLY_LABEL.into(), Oldest, max, Wait::NEVER, level)
                    .unwrap();
                prop_assert_eq!(texts(&taken.items), expected);
            }
            Step::Take(..) => {}
            Step::Tidy => drop(log.tidy().unwrap()),
            Step::Reopen => {
                log.close().unwrap();
                log = after_kill(&log, &clock);
            }
            Step::Pass(secs) => {
                clock.advance(Duration::from_secs(secs));
                model.now += secs;
                let now = model.now;
                if retention != Retention::Unread {
                    model.items.retain(|(pushed, ..)| pushed + TTL_SECS > now);
                }
            }
        }
        let present = model.present();
        prop_assert_eq!(log.size().unwrap(), (present.items, present.bytes));
        prop_assert_eq!(log.all(), model.texts());
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_bounded_fifo_queue_refuses_what_does_not_fit(steps in steps()) {
        run(Retention::Unread, OnFull::Error, steps)?;
    }

    #[test]
    fn a_bounded_fifo_queue_drops_what_does_not_fit(steps in steps()) {
        run(Retention::Unread, OnFull::DropOldest, steps)?;
    }

    #[test]
    fn a_bounded_mpmc_queue_refuses_what_does_not_fit(steps in steps()) {
        run(young(TTL_SECS), OnFull::Error, steps)?;
    }

    #[test]
    fn a_bounded_mpmc_queue_drops_what_does_not_fit(steps in steps()) {
        run(young(TTL_SECS), OnFull::DropOldest, steps)?;
    }
}
