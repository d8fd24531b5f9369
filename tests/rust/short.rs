//! Queues that are opened for a moment each time.

use rocksq::maintenance::verify;

use crate::support::Home;
use crate::support::tree::names;

#[test]
fn files_of_a_queue_that_is_opened_for_each_push_stay_few() {
    let home = Home::in_memory();
    let item = |number: usize| format!("{number}").into_bytes();
    for opening in 0..300 {
        let queue = home.fifo();
        queue.push(&[item(opening)]).unwrap();
        queue.close().unwrap();
        if opening == 79 || opening == 299 {
            let files = names(&home.queue());
            assert!(files.len() <= 40, "{} files: {files:?}", files.len());
        }
    }
    assert!(verify(home.queue()).unwrap().is_intact());
    let items = home.fifo().pop(999).unwrap();
    let expected: Vec<_> = (0..300).map(item).collect();
    assert!(items.iter().eq(expected.iter().map(Vec::as_slice)));
}

#[test]
fn tables_that_are_not_small_are_not_written_again() {
    let home = Home::in_memory();
    let item = vec![b'x'; 300 << 10];
    for _ in 0..20 {
        let queue = home.fifo();
        queue.push(&[&item]).unwrap();
        queue.close().unwrap();
    }
    let tables = || {
        let mut names = names(&home.queue());
        names.retain(|name| {
            let file = home.queue().join(name);
            name.ends_with(".sst") && file.metadata().unwrap().len() > 256 << 10
        });
        names
    };
    let before = tables();
    for _ in 0..40 {
        let queue = home.fifo();
        queue.push(&["small"]).unwrap();
        queue.close().unwrap();
    }
    let after = tables();
    let stay = before.iter().filter(|name| after.contains(name)).count();
    assert!(stay >= 19, "{stay} of {before:?} stay, now {after:?}");
}
