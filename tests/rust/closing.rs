//! Closing while RocksDB works in the background.

use std::sync::mpsc::channel;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use tracing::Level;

use crate::support::hearing::hear;
use crate::support::{Home, MIB, ROOMY};

#[test]
fn a_close_amid_background_work_is_no_trouble_to_be_told() {
    let (sender, heard) = channel();
    hear(
        |about| *about.level() <= Level::WARN && about.target().starts_with("rocksq"),
        move |_, said| sender.send(said).unwrap(),
    );
    let home = Home::new();
    let item = vec![7; MIB as usize];
    for _ in 0..5 {
        let queue = Fifo::new(home.queue(), ROOMY).unwrap();
        for _ in 0..40 {
            queue.push(&[&item]).unwrap();
        }
        queue.close().unwrap();
        let troubles: Vec<String> = heard
            .try_iter()
            .filter(|said| said.contains("Shutdown"))
            .collect();
        assert_eq!(troubles, [""; 0]);
    }
}
