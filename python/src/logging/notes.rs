//! Events on their way to Python.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::levels::{Logger, WARNING};
use rocksq::extension::is_sound;

/// What is noted beyond this is dropped, and counted.
const MAX_NOTES: usize = 1_000;

/// An event, as Python wants it.
#[derive(Debug)]
pub(super) struct Note {
    pub logger: Logger,
    /// Python's number.
    pub level: u8,
    pub text: String,
    /// Of the queue.
    pub path: Option<String>,
    pub time: SystemTime,
    /// The name of one of our threads.
    pub thread: Option<String>,
}

#[derive(Debug)]
struct Notes {
    waiting: VecDeque<Note>,
    dropped: u64,
}

/// Locked for a few steps, with or without the GIL. A child whose parent may have held it leaves it.
static NOTES: Mutex<Notes> = Mutex::new(Notes {
    waiting: VecDeque::new(),
    dropped: 0,
});

thread_local! {
    /// Whether this thread keeps its own.
    static KEPT: Cell<bool> = const { Cell::new(false) };
}

/// As long as it is there, the thread keeps its own notes.
pub(super) struct Own {
    before: bool,
}

/// Has this thread call nobody for its notes: it will hand them over itself.
pub(super) fn keep() -> Own {
    Own {
        before: KEPT.replace(true),
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        KEPT.set(self.before);
    }
}

/// Notes an event, unless this is a child that was forked while its parent had queues open. Returns whether somebody has to be called for it.
pub(super) fn add(note: Note) -> bool {
    if !is_sound() {
        return false;
    }
    let mut notes = NOTES.lock();
    match notes.waiting.len() < MAX_NOTES {
        true => notes.waiting.push_back(note),
        false => notes.dropped = notes.dropped.saturating_add(1),
    }
    !KEPT.get()
}

/// The next to be handed over.
pub(super) fn next() -> Option<Note> {
    if !is_sound() {
        return None;
    }
    let mut notes = NOTES.lock();
    let next = notes.waiting.pop_front();
    next.or_else(|| notes.dropped())
}

impl Notes {
    /// A note on those that were dropped, if any were.
    fn dropped(&mut self) -> Option<Note> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| Note {
            logger: Logger::Queue,
            level: WARNING,
            text: format!("{dropped} events came faster than they could be logged"),
            path: None,
            time: SystemTime::now(),
            thread: None,
        })
    }
}
