//! What the documents say of the tests: those that they name are there.

use std::fs;
use std::path::Path;

/// The names and files of links to tests: ``[`name`](file)``.
fn links(document: &str) -> impl Iterator<Item = (&str, &str)> {
    document.split("[`").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("`](")?;
        let (file, _) = rest.split_once(')')?;
        Some((name, file))
    })
}

#[test]
fn the_tests_that_back_the_levels_are_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let document = fs::read_to_string(docs.join("durability.md")).unwrap();
    let is_test = |(name, _): &(&str, &str)| !name.contains('.');
    let tests: Vec<_> = links(&document).filter(is_test).collect();
    assert!(tests.len() > 30);
    for (name, file) in tests {
        let source = fs::read_to_string(docs.join(file)).unwrap();
        let is_there = ["fn", "def"].map(|word| source.contains(&format!("{word} {name}(")));
        assert!(is_there.contains(&true), "{file} has no {name}");
    }
}
