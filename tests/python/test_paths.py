"""A path means the same at every door, and a queue has one path wherever it is named."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rocksq
from rocksq import nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import file_limit

MIB = 1 << 20

FACES: list[Callable[[Any], Any]] = [
    Queue,
    nonblocking.PersistentQueueWithCapacity,
    lambda path: MpmcQueue(path, 0),
    lambda path: nonblocking.MpmcQueue(path, 0),
]

FORMS = ["q", "./q", "q/", "q/.", ".//q/./", "./q/."]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "rocksq")
    return caplog


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def paths(log: pytest.LogCaptureFixture) -> set[str]:
    return {getattr(record, "path", None) or "none" for record in log.records}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("form", FORMS)
def test_a_queue_is_made_where_its_path_means_and_called_by_the_whole_of_it(
    here: Path, face: Callable[[Any], Any], form: str
) -> None:
    with face(form) as queue:
        assert queue.path == str(here / "q")
    assert names(here) == ["q"]


@pytest.mark.parametrize("form", FORMS)
def test_every_function_takes_a_path_in_every_form(here: Path, form: str) -> None:
    with Queue("q") as queue:
        queue.push([b"a"])
        queue.backup(form.replace("q", "copy"))
    shutil.rmtree("copy")
    assert rocksq.verify(form).items == 1
    assert rocksq.repair(form).items == 1
    assert rocksq.migrate(form) is None
    rocksq.remove_queue(form)
    assert names(here) == []


@pytest.mark.parametrize(
    ("make", "remove"),
    [(FACES[0], rocksq.remove_queue), (FACES[2], rocksq.remove_mpmc_queue)],
)
def test_a_queue_can_be_removed_from_within(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Any], Any],
    remove: Callable[[Any], None],
) -> None:
    make("q").close()
    monkeypatch.chdir("q")
    remove(".")
    assert list(here.iterdir()) == []


def test_a_directory_in_which_the_program_is_can_be_a_queue(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "q").mkdir()
    monkeypatch.chdir("q")
    with Queue(".") as queue:
        queue.push([b"a"])
        assert queue.path == str(here / "q")
    assert rocksq.verify("../q").items == 1


def test_a_name_before_two_points_is_not_dropped_since_it_may_be_a_link(here: Path) -> None:
    (here / "far/within").mkdir(parents=True)
    (here / "link").symlink_to("far/within")
    Queue("link/../q").close()
    assert (here / "far/q/CURRENT").exists()
    assert not (here / "q").exists()
    assert rocksq.verify("link/../q").is_intact
    rocksq.remove_queue("link/../q")
    assert not (here / "far/q").exists()


@pytest.mark.parametrize("path", ["/", "//", "/.", "/tmp/..", "root"])
def test_the_root_of_the_file_tree_is_no_place_for_a_queue(here: Path, path: str) -> None:
    (here / "root").symlink_to("/")
    before = names(Path("/"))
    for face in FACES:
        with pytest.raises(rocksq.PathError, match="root of a file tree"):
            face(path)
    assert names(Path("/")) == before


def test_a_directory_beside_files_of_others_is_a_place_for_a_queue(here: Path) -> None:
    (here / "letter").write_text("dear")
    with Queue(here) as queue:
        queue.push([b"a"])
    rocksq.remove_queue(here)
    assert names(here) == ["letter"]


def fail_to_open(path: str) -> None:
    Path("~").touch()
    Queue(path)


@pytest.mark.parametrize(
    "call",
    [
        fail_to_open,
        rocksq.verify,
        rocksq.repair,
        rocksq.migrate,
        lambda path: Queue("q").backup(path),
    ],
)
def test_an_error_says_that_a_home_is_not_expanded(
    here: Path, call: Callable[[str], object]
) -> None:
    with pytest.raises(rocksq.PathError, match=r"a ~ is not expanded.*os\.path\.expanduser"):
        call("~/none/q")


def test_a_queue_in_a_directory_called_as_a_home_is_made_with_a_warning(
    here: Path, log: pytest.LogCaptureFixture
) -> None:
    """A program of rocksq 0.3.0 may have one there."""
    for _ in range(2):
        with Queue("~/q") as queue:
            queue.push([b"a"])
    assert (here / "~/q").is_dir()
    warnings = [r.getMessage() for r in log.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "~, which is not expanded" in warnings[0]
    with Queue("~/q") as queue:
        assert queue.pop(9) == [b"a", b"a"]


@pytest.mark.parametrize("face", FACES)
def test_a_path_that_is_no_text_is_the_same_to_the_byte_in_every_record(
    here: Path, log: pytest.LogCaptureFixture, face: Callable[[Any], Any]
) -> None:
    name = os.fsdecode(b"caf\xe9")
    with face(name) as queue:
        assert queue.path == str(here / name)
    assert paths(log) == {queue.path}
    assert [os.fsencode(each) for each in names(here)] == [b"caf\xe9"]
    with pytest.raises(rocksq.PathError) as caught:
        rocksq.verify(f"{name}/none")
    assert caught.value.path is not None
    assert caught.value.path.startswith(queue.path)
    assert [r.getMessage() for r in log.records if "opened" in r.getMessage()] == [
        f"{here}/caf\N{REPLACEMENT CHARACTER}: opened"
    ]


def test_a_recovery_and_a_report_name_a_directory_to_the_byte(here: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    with Queue(name) as queue:
        queue.push([b"a"])
    report = rocksq.repair(name)
    assert report.kept is not None
    assert report.kept.startswith(f"{queue.path}/rocksq-damaged-")


def push_often(queue: Queue) -> None:
    for _ in range(40):
        queue.push([bytes(64 << 10)])


@pytest.mark.parametrize("linked", [False, True])
def test_a_queue_has_one_path_in_all_that_is_told_of_it(
    here: Path, log: pytest.LogCaptureFixture, linked: bool
) -> None:
    if linked:
        (here / "elsewhere").mkdir()
        (here / "q").symlink_to("elsewhere")
    with Queue("q") as queue:
        with file_limit(MIB), pytest.raises(rocksq.Error) as caught:
            push_often(queue)
        queue.push([b"goes on"])
        queue.push([bytes(MIB)] * 4)
        queue.pop(100)
    assert caught.value.path == queue.path == str(here / "q")
    assert queue.path in str(caught.value)
    messages = [record.getMessage() for record in log.records]
    assert any("RocksDB stopped" in message for message in messages)
    assert any("opened anew" in message for message in messages)
    assert paths(log) == {queue.path}
    rocksq.remove_queue("q")
