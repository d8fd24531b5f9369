"""The programs in `examples/` run, and do what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from documents import ROOT
from support import PATIENCE, succeeded

EXAMPLES = ROOT / "examples"
TESTED_ELSEWHERE = {"store_and_forward.py", "webhook_forwarder.py", "webhook_receiver.py"}
PRINTS = {
    "log_fanout.py": ["archive replays: open, no change left, queue at the door"],
    "mpmc_queue.py": [
        "audit read [b'created', b'changed']",
        "screen read [b'deleted']",
        "audit goes on with [b'deleted'] and missed none",
    ],
    "mpmc_queue_nonblocking.py": [
        "search read [b'created', b'changed'] and missed none",
        "forgot audit: True",
        "labels ['search']",
    ],
    "persistent_queue.py": [
        "full at 3 items",
        "took [b'two', b'three']",
        "waited in vain for []",
    ],
    "persistent_queue_nonblocking.py": [
        "refused: Failed to push item: Queue is full",
        "took [b'frame 0', b'frame 1', b'frame 2']",
        "left 97",
    ],
    "read_while_writing.py": ["read 10000 items in order through a queue of 100"],
    "threads.py": ["pushed 3000 took 3000 different 3000"],
    "work_queue.py": [],
    "write_then_read.py": [
        "wrote 2500 items, 38890 bytes",
        "read 2500 items, the last one b'measurement 2499'",
    ],
}


def run(name: str, *arguments: object) -> list[str]:
    process = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return succeeded(process).splitlines()


def test_every_program_is_tested() -> None:
    there = {file.name for file in EXAMPLES.glob("*.py")}
    assert there == PRINTS.keys() | TESTED_ELSEWHERE


@pytest.mark.parametrize(
    ("index", "naming"),
    [("examples/README.md", "({})"), ("docs/guide/examples.md", '--8<-- "examples/{}"')],
)
def test_the_index_names_every_program(index: str, naming: str) -> None:
    text = (ROOT / index).read_text()
    programs = [file.name for file in EXAMPLES.iterdir() if file.suffix in {".py", ".rs"}]
    assert [name for name in programs if naming.format(name) not in text] == []


@pytest.mark.parametrize("name", PRINTS)
def test_the_program_does_what_it_says(name: str) -> None:
    printed = run(name)
    assert [line for line in PRINTS[name] if line not in printed] == []


@pytest.mark.parametrize("name", ["persistent_queue.py", "mpmc_queue.py"])
def test_the_program_takes_a_directory(name: str, tmp_path: Path) -> None:
    run(name, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_jobs_wait_for_a_worker_and_those_that_fail_hold_up_none(tmp_path: Path) -> None:
    jobs = [str(file) for file in (Path(__file__), tmp_path / "missing", EXAMPLES / "README.md")]
    run("work_queue.py", "add", tmp_path / "jobs", *jobs)
    done = run("work_queue.py", "work", tmp_path / "jobs")
    assert [line.partition(" ")[2].partition(":")[0] for line in done] == jobs
    assert done[1].startswith("failed ")
    assert run("work_queue.py", "work", tmp_path / "jobs") == []


def test_another_program_reads_what_one_wrote(tmp_path: Path) -> None:
    run("write_then_read.py", "write", tmp_path / "queue", 3)
    printed = run("write_then_read.py", "read", tmp_path / "queue")
    assert printed == ["read 3 items, the last one b'measurement 2'"]
