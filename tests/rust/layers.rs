//! The layers of the crate: what each folder may know.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, as its path below `src`, and its code without comments and texts.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    fn identifiers(&self) -> impl Iterator<Item = &str> {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        self.code
            .split(move |letter| !is_part(letter))
            .filter(|word| !word.is_empty())
    }

    fn mentions(&self, name: &str) -> bool {
        self.identifiers()
            .any(|word| word.to_lowercase().contains(name))
    }
}

fn sources() -> Vec<Source> {
    let sources = sources_in("src");
    assert!(sources.len() > 20);
    sources
}

/// The extension module, which is a crate of its own; nothing where this crate was packaged alone.
fn extension() -> Vec<Source> {
    sources_in("python/src")
}

fn sources_in(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    if root.exists() {
        collect(&root, &mut files);
    }
    files
        .into_iter()
        .map(|file| Source {
            path: file
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
            code: code_of(&fs::read_to_string(&file).unwrap()),
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The code without comments, texts and characters, which become spaces.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => text_len(rest),
            'r' if !ends_in_word(&code) => raw_text_len(rest),
            '\'' => character_len(rest),
            _ => 0,
        };
        let taken = skipped.max(first.len_utf8());
        code.push(if skipped > 0 { ' ' } else { first });
        rest = &rest[taken..];
    }
    code
}

fn ends_in_word(code: &str) -> bool {
    code.chars()
        .last()
        .is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

fn text_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a raw text; 0 if it is none.
fn raw_text_len(rest: &str) -> usize {
    let fence = rest[1..]
        .chars()
        .take_while(|letter| *letter == '#')
        .count();
    if !rest[1 + fence..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(fence));
    let content = 2 + fence;
    rest[content..]
        .find(&end)
        .map_or(rest.len(), |at| content + at + end.len())
}

/// The length of a character; 0 for a lifetime.
fn character_len(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => rest[2..]
            .find('\'')
            .map_or(0, |at| at + 3 + usize::from(rest[2..].starts_with('\''))),
        Some(_) => match letters.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[track_caller]
fn assert_none(offenders: impl Iterator<Item = Source>) {
    let offenders: Vec<_> = offenders.map(|source| source.path).collect();
    assert!(offenders.is_empty(), "{offenders:?}");
}

#[test]
fn only_the_store_knows_rocksdb() {
    let inside = sources()
        .into_iter()
        .any(|source| source.is_below("store/") && source.mentions("rocksdb"));
    assert!(inside, "this test no longer finds what it looks for");
    let outside = sources()
        .into_iter()
        .filter(|source| !source.is_below("store/"));
    assert_none(outside.filter(|source| source.mentions("rocksdb")));
}

#[test]
fn the_crate_does_not_know_pyo3() {
    assert_none(
        sources()
            .into_iter()
            .filter(|source| source.mentions("pyo3")),
    );
}

#[test]
fn the_extension_is_given_neither_the_log_nor_the_store() {
    let hidden = sources()
        .into_iter()
        .filter(|source| source.is_below("extension.rs"));
    assert_none(hidden.filter(|source| {
        let mut words = source.identifiers();
        words.any(|word| ["Log", "RocksStore", "store"].contains(&word))
    }));
}

#[test]
fn the_log_knows_nothing_of_the_queues_above_it() {
    let above = ["blocking", "nonblocking", "extension", "mpmc"];
    assert_no_import("log/", &above);
}

#[test]
fn the_log_does_not_know_which_store_it_is_on() {
    let log = sources()
        .into_iter()
        .filter(|source| source.is_below("log/"));
    assert_none(log.filter(|source| source.mentions("rocks")));
}

/// What threads meet at elsewhere, no test of interleavings sees.
#[test]
fn threads_meet_in_the_log_at_its_primitives_alone() {
    let log = sources()
        .into_iter()
        .filter(|source| source.is_below("log/") && !source.is_below("log/tests/"));
    assert_none(log.filter(|source| {
        let tested = source.code.split("mod tests").next().unwrap_or_default();
        [
            "parking_lot",
            "std::sync::atomic",
            "std::sync::Mutex",
            "std::thread",
        ]
        .iter()
        .any(|other| tested.contains(other))
    }));
}

#[test]
fn the_store_knows_nothing_of_the_log_and_the_queues() {
    let above = ["log", "blocking", "nonblocking", "extension", "mpmc"];
    assert_no_import("store/", &above);
}

/// Whoever listens may call a queue, so nobody tells anything where a lock may be held.
#[test]
fn events_alone_tells_and_what_is_below_the_queues_posts() {
    let tells = |source: &Source| source.mentions("tracing");
    let told = |source: &Source| source.is_below("events.rs");
    assert_none(
        sources()
            .into_iter()
            .filter(|source| tells(source) && !told(source)),
    );
    let below = |source: &Source| source.is_below("log/") || source.is_below("store/");
    let below = sources().into_iter().filter(below);
    assert_none(below.filter(|source| source.code.contains(".tell(")));
}

#[test]
fn the_extension_hears_of_events_in_its_logging_alone() {
    let hears = |source: &Source| source.mentions("tracing") && !source.is_below("logging/");
    assert_none(extension().into_iter().filter(hears));
}

#[test]
fn the_queues_know_nothing_of_the_extension() {
    let knows = |source: &Source| source.code.contains("crate::extension");
    assert_none(sources().into_iter().filter(knows));
}

#[test]
fn the_blocking_queues_know_nothing_of_the_nonblocking_ones() {
    assert_no_import("blocking/", &["nonblocking"]);
}

#[test]
fn the_worker_knows_nothing_of_the_queues_it_works_for() {
    assert_no_import(
        "worker.rs",
        &["blocking", "nonblocking", "mpmc", "extension", "log"],
    );
}

#[test]
fn options_and_waits_know_nothing_of_the_log_and_the_queues() {
    let above = [
        "log",
        "store",
        "blocking",
        "nonblocking",
        "mpmc",
        "extension",
    ];
    assert_no_import("options.rs", &above);
    assert_no_import("wait.rs", &above);
}

#[test]
fn the_budget_knows_nothing_of_the_stores_that_it_is_for() {
    let above = [
        "store",
        "log",
        "blocking",
        "nonblocking",
        "mpmc",
        "extension",
    ];
    assert_no_import("memory/", &above);
}

#[test]
fn the_files_of_rocksdb_are_read_without_it() {
    assert_no_import("store/files/", &["store::rocks"]);
}

#[test]
fn what_serves_a_whole_process_knows_no_queue() {
    let above = [
        "store",
        "log",
        "blocking",
        "nonblocking",
        "mpmc",
        "extension",
    ];
    for file in [
        "error.rs",
        "events.rs",
        "fork.rs",
        "housekeeping.rs",
        "primitives/",
    ] {
        assert_no_import(file, &above);
    }
}

/// Several threads may use one object at once, and Python's lock does not protect it.
#[test]
fn every_class_of_python_is_frozen() {
    let extension = extension();
    if extension.is_empty() {
        return;
    }
    let classes: Vec<_> = extension
        .into_iter()
        .flat_map(|source| {
            let classes = source.code.split("#[pyclass").skip(1);
            let heads = classes.map(|class| class.split(']').next().unwrap().to_owned());
            heads.collect::<Vec<_>>()
        })
        .collect();
    assert!(classes.len() >= 9, "{classes:?}");
    assert!(classes.iter().all(|class| class.starts_with("(frozen")));
}

/// No file below `folder` imports from one of the modules `above`. Paths under `tests` are free.
#[track_caller]
fn assert_no_import(folder: &str, above: &[&str]) {
    let mut below: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.is_below(folder) && !source.path.contains("tests"))
        .collect();
    assert!(!below.is_empty(), "{folder} is no longer there");
    below.retain(|source| {
        let imports = imports(&source.code);
        above.iter().any(|module| {
            let inside = format!("{module}::");
            imports
                .iter()
                .any(|path| path == module || path.starts_with(&inside))
        })
    });
    assert_none(below.into_iter());
}

/// The paths that a file names from the root of the crate on, those in braces one by one.
fn imports(code: &str) -> Vec<String> {
    let code = code.split("mod tests {").next().unwrap_or_default();
    let mut paths = Vec::new();
    for path in code.split("crate::").skip(1) {
        let is_part = |letter: char| letter.is_alphanumeric() || "_:".contains(letter);
        match path.strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap_or_default();
                let names = list.split([',', '{', '}']).map(str::trim);
                paths.extend(names.map(str::to_owned));
            }
            None => {
                let end = path.find(|letter| !is_part(letter)).unwrap_or(path.len());
                paths.push(path[..end].to_owned());
            }
        }
    }
    paths
}

#[test]
fn an_import_is_found_alone_and_in_braces() {
    let code =
        "use crate::log::Log; use crate::{error::Error, store::{self, Batch}}; crate::fork::x()";
    let paths = imports(code);
    for path in ["log::Log", "error::Error", "store::", "fork::x"] {
        assert!(paths.iter().any(|found| found == path), "{paths:?}");
    }
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "a // b\n/* c */ \"d\\\"\" 'e' '\\'' '\"' r#\"f\"# &'g h b\"i\"";
    let code = code_of(text);
    let source = Source {
        path: String::new(),
        code,
    };
    let words: Vec<_> = source.identifiers().collect();
    assert_eq!(words, ["a", "g", "h", "b"]);
}
