//! A queue's directory with any of its files overwritten: it opens or is refused, and can be looked at
//! and repaired.
//!
//! The first byte of the input chooses the file, the next four where, the rest is written there.

use std::fs;
use std::sync::OnceLock;

use rocksq::blocking::PersistentQueueWithCapacity as Queue;
use rocksq::maintenance;

type Files = Vec<(String, Vec<u8>)>;

/// A small queue as a crash leaves it, with tables and a log.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("queue");
        for session in 0..3u8 {
            let queue = Queue::new(&path, 1_000).unwrap();
            queue.push(&[[session; 40], [b'x'; 40]]).unwrap();
            queue.pop(1).unwrap();
        }
        let queue = Queue::new(&path, 1_000).unwrap();
        queue.push(&[b"last"]).unwrap();
        queue.backup(home.path().join("copy")).unwrap();
        let mut files: Files = fs::read_dir(home.path().join("copy"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, fs::read(file.path()).unwrap())
            })
            .collect();
        files.sort_unstable();
        files
    })
}

/// Fails by panicking alone.
pub fn run(bytes: &[u8]) {
    let Some((&[file, a, b, c, d], patch)) = bytes.split_first_chunk() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("queue");
    fs::create_dir(&path).unwrap();
    let files = files();
    for (index, (name, content)) in files.iter().enumerate() {
        let mut content = content.clone();
        if index == usize::from(file) % files.len() && !content.is_empty() {
            let at = u32::from_le_bytes([a, b, c, d]) as usize % content.len();
            let end = content.len().min(at + patch.len());
            content[at..end].copy_from_slice(&patch[..end - at]);
        }
        fs::write(path.join(name), content).unwrap();
    }
    let _ = maintenance::verify(&path);
    if let Ok(queue) = Queue::new(&path, 1_000) {
        while queue.pop(1).is_ok_and(|items| !items.is_empty()) {}
    }
    let _ = maintenance::repair(&path);
}
