//! Stores every line of the standard input and sends it to a server, whatever dies in between.
//!
//! Lines wait in the queue while the server is away, and leave it when the server has answered a
//! batch with a line of its own. Killed at any moment, the program goes on where it was when it is
//! started again; it may send its last batch twice.
//!
//! `cargo run --release --example store_and_forward DIRECTORY HOST:PORT < LINES`

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;
use std::{env, thread};

use rocksq::blocking::PersistentQueueWithCapacity;
use rocksq::{Items, Wait};

const CAPACITY: u64 = 1_000_000;
const AT_ONCE: u64 = 100;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let (Some(directory), Some(server)) = (arguments.next(), arguments.next()) else {
        return Err("usage: store_and_forward DIRECTORY HOST:PORT".into());
    };
    let queue = PersistentQueueWithCapacity::new(directory, CAPACITY)?;
    let face = queue.clone(); // of the same open queue
    let storing = thread::spawn(move || store(&face));
    while !(storing.is_finished() && queue.is_empty()?) {
        forward(&queue, &server)?;
    }
    storing
        .join()
        .map_err(|_| "the storing thread panicked")??;
    Ok(queue.close()?)
}

fn store(queue: &PersistentQueueWithCapacity) -> Result<(), Failure> {
    for line in io::stdin().lock().lines() {
        queue.push_wait(&[line?], Wait::FOREVER)?;
    }
    Ok(queue.flush()?) // from here on it survives a power cut as well
}

/// Sends one batch, for as long as it takes.
fn forward(queue: &PersistentQueueWithCapacity, server: &str) -> rocksq::Result<()> {
    let batch = queue.read(AT_ONCE, SHORTEST_PAUSE.into())?;
    if batch.items().is_empty() {
        return Ok(());
    }
    let mut pause = SHORTEST_PAUSE;
    while let Err(error) = send(server, batch.items()) {
        eprintln!("not sent: {error}");
        thread::sleep(pause);
        pause = LONGEST_PAUSE.min(2 * pause);
    }
    queue.commit(&batch)
}

/// Sends a batch and waits for the server's answer.
fn send(server: &str, items: &Items) -> io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    for item in items.iter() {
        stream.write_all(item)?;
        stream.write_all(b"\n")?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    match BufReader::new(stream).read_line(&mut String::new())? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
