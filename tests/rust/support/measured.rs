//! What a quiet machine measures.

use std::fs::OpenOptions;
use std::io::Write;

/// Checks a figure, and leaves it for the table of `make measure`.
pub fn figure(what: &str, value: f64, at_most: f64) {
    if let Ok(table) = std::env::var("ROCKSQ_MEASURED") {
        let mut table = OpenOptions::new()
            .append(true)
            .create(true)
            .open(table)
            .unwrap();
        writeln!(table, "{what}\t{value:.4}\tat most {at_most}").unwrap();
    }
    assert!(value <= at_most, "{what}: {value}");
}
