//! The programs in `examples/` run, and do what they say.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A program that was built beside this test.
fn example(name: &str) -> Command {
    let deps = env::current_exe().unwrap();
    let built = deps.parent().unwrap().parent().unwrap();
    let program: PathBuf = built.join("examples").join(name);
    Command::new(program.with_extension(env::consts::EXE_EXTENSION))
}

/// What a program prints that ends well.
fn output(name: &str) -> Vec<String> {
    let output = example(name).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_persistent_queue_is_found_again() {
    assert_eq!(
        output("persistent_queue"),
        [
            "full at 3 items",
            "took one",
            "took two, three",
            "waited in vain: true",
        ]
    );
}

#[test]
fn the_labels_of_the_mpmc_queue_keep_their_places() {
    assert_eq!(
        output("mpmc_queue"),
        [
            "audit read created, changed",
            "screen read deleted",
            "labels audit, screen",
            "audit goes on with deleted",
        ]
    );
}

#[test]
fn the_nonblocking_queues_answer() {
    assert_eq!(
        output("nonblocking"),
        ["took 1 item", "left 1", "audit read 1 item"]
    );
}

#[test]
fn every_job_of_the_work_queue_is_done() {
    let mut done = output("work_queue");
    done.sort();
    let mut expected: Vec<_> = (1..=10).map(|number| format!("done {number}")).collect();
    expected.sort();
    assert_eq!(done, expected);
}

/// A program that stores lines and sends them, and is killed with this.
struct Sender(Child);

impl Sender {
    fn start(directory: &Path, server: &TcpListener) -> Self {
        let address = server.local_addr().unwrap().to_string();
        let child = example("store_and_forward")
            .arg(directory)
            .arg(address)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn write(&mut self, lines: impl Iterator<Item = u32>) {
        let mut input = self.0.stdin.as_ref().unwrap();
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        input.write_all(text.as_bytes()).unwrap();
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A batch that a program sends, and the stream on which it waits for the answer.
fn batch(server: &TcpListener) -> (Vec<u32>, TcpStream) {
    let (stream, _) = server.accept().unwrap();
    let lines = BufReader::new(&stream).lines();
    let batch = lines.map(|line| line.unwrap().parse().unwrap()).collect();
    (batch, stream)
}

/// Takes and answers batches from now on.
fn serve(server: TcpListener) -> Receiver<Vec<u32>> {
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let (lines, mut stream) = batch(&server);
            if sender.send(lines).is_err() {
                return;
            }
            stream.write_all(b"stored\n").unwrap();
        }
    });
    received
}

#[test]
fn every_line_is_sent_once_and_in_order_when_nothing_fails() {
    let directory = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sender = Sender::start(&directory.path().join("queue"), &server);
    let received = serve(server);
    sender.write(0..500);
    sender.end();
    assert!(received.try_iter().flatten().eq(0..500));
}

#[test]
fn a_batch_that_was_not_answered_is_sent_again_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let queue = directory.path().join("queue");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();

    let mut sender = Sender::start(&queue, &server);
    sender.write(0..100);
    let (unanswered, _stream) = batch(&server);
    drop(sender); // killed while it waits for the answer

    let sender = Sender::start(&queue, &server);
    let received = serve(server);
    sender.end();
    let received: Vec<_> = received.try_iter().flatten().collect();
    assert!(received.starts_with(&unanswered));
    assert!(received.iter().copied().eq(0..received.len() as u32));
}
