//! Damage to the small files of a queue: it is told as damage, or does not matter.

use std::fs;
use std::path::Path;

use rocksq::ErrorKind;
use rocksq::maintenance::{repair, verify};

use super::history::{fifo, items};
use super::logs::{numbers, run};
use crate::support::Home;
use crate::support::tree::names;

fn closed() -> Home {
    let home = Home::new();
    for session in 0..3 {
        let queue = home.fifo();
        queue.push(&items(session * 10, 10)).unwrap();
        queue.close().unwrap();
    }
    home
}

/// What may be in the place of a small file.
fn contents(good: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut zeros_behind = good.to_vec();
    zeros_behind.resize(good.len() + 5_000, 0);
    let mut without_its_end = good.to_vec();
    without_its_end.pop();
    vec![
        Some(zeros_behind),
        Some(without_its_end),
        Some(Vec::new()),
        Some(vec![0; 16]),
        Some(b"MANIFEST-999999\n".to_vec()),
        Some(b"../queue/MANIFEST-000005\n".to_vec()),
        Some(b"MANIFEST-\n".to_vec()),
        Some(b"MANIFEST-1\0\n".to_vec()),
        Some(vec![0xff; 300]),
        Some(b"text\n".repeat(2 << 20)),
        None, // a directory
    ]
}

fn put(file: &Path, content: Option<&[u8]>) {
    let _ = fs::remove_file(file);
    match content {
        Some(content) => fs::write(file, content).unwrap(),
        None => fs::create_dir(file).unwrap(),
    }
}

/// Copies the files of a queue that is closed.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for name in names(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn a_current_that_is_damaged_is_told_and_repaired() {
    let home = closed();
    let good = fs::read(home.queue().join("CURRENT")).unwrap();
    for (case, content) in contents(&good).iter().enumerate() {
        let path = home.at(&format!("{case}"));
        copy(&home.queue(), &path);
        put(&path.join("CURRENT"), content.as_deref());
        let report = verify(&path).unwrap();
        assert!(!report.is_intact(), "case {case}: {report:?}");
        let error = fifo(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "case {case}: {error}");
        assert_eq!(repair(&path).unwrap().items, 30, "case {case}");
        let items = fifo(&path).unwrap().pop(99).unwrap();
        assert_eq!(numbers(&items), run(0, 30));
    }
}

fn is_small(name: &str) -> bool {
    ["IDENTITY", "OPTIONS-", "rocksq-closed", "RESERVE"]
        .iter()
        .any(|small| name.starts_with(small))
}

#[test]
fn damage_to_a_file_beside_the_data_does_not_matter_to_them() {
    let home = closed();
    fs::write(home.queue().join("RESERVE"), "").unwrap();
    let small = names(&home.queue())
        .into_iter()
        .filter(|name| is_small(name));
    for name in small {
        let good = fs::read(home.queue().join(&name)).unwrap();
        for (case, content) in contents(&good).iter().enumerate() {
            let path = home.at(&format!("{name}-{case}"));
            copy(&home.queue(), &path);
            put(&path.join(&name), content.as_deref());
            let report = verify(&path).unwrap();
            let is_told = !report.is_intact();
            assert!(
                report.items == 30 || is_told,
                "{name}, case {case}: {report:?}"
            );
            let opened = match fifo(&path) {
                Ok(queue) => numbers(queue.read(99, rocksq::Wait::NEVER).unwrap().items()),
                Err(error) => {
                    assert!(is_told, "{name}, case {case}");
                    assert_eq!(
                        error.kind(),
                        ErrorKind::Corrupt,
                        "{name}, case {case}: {error}"
                    );
                    run(0, 30)
                }
            };
            assert_eq!(opened, run(0, 30), "{name}, case {case}");
            assert_eq!(repair(&path).unwrap().items, 30, "{name}, case {case}");
            assert_eq!(fifo(&path).unwrap().len().unwrap(), 30);
            rocksq::blocking::remove_queue(&path).unwrap();
        }
    }
}
