//! The inputs of the fuzz target that opens whole queues.

use std::fs;
use std::path::Path;

use super::directory;

#[test]
fn the_corpus_of_directories_is_opened_and_repaired() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/directory");
    let inputs: Vec<_> = fs::read_dir(corpus).unwrap().collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        directory::run(&fs::read(input.unwrap().path()).unwrap());
    }
}
