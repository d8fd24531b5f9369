"""Two interpreters: one with rocksq 0.3.0 from PyPI, one with the rocksq of this source tree."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / ".venv-0.3.0" / "bin" / "python"
"""Made by `make test-drop-in`."""

MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: what a disk takes is not compared."""

PATIENCE = 60.0
"""Seconds after which a line hangs."""

Program = list[str]


@dataclass(frozen=True)
class Outcome:
    """What came of a line: a value, an exception, nothing, or the end of the interpreter."""

    value: str | None = None
    raised: tuple[str, ...] = ()
    """The names of the exception's class and of those above it."""
    text: str = ""
    died: bool = False
    hung: bool = False

    def __str__(self) -> str:
        if self.raised:
            return f"{self.raised[0]}: {self.text.splitlines()[0] if self.text else ''}"
        if self.died:
            return "the interpreter dies"
        if self.hung:
            return "hangs"
        return self.value if self.value is not None else "done"


class Interpreter:
    """A Python that runs programs, restarted whenever one of them kills or hangs it."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def run(self, program: Program) -> list[Outcome]:
        """Run a program; there is no outcome for the lines after one that dies or hangs."""
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(program).encode() + b"\n")
        process.stdin.flush()
        outcomes = list(self._outcomes(process))
        if len(outcomes) < len(program) or outcomes[-1].died or outcomes[-1].hung:
            self.close()
        return outcomes

    def close(self) -> None:
        """End the interpreter; the next program gets a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._unread = b""
            self._process = subprocess.Popen(
                [self.python, HERE / "runner.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
        return self._process

    def _outcomes(self, process: subprocess.Popen[bytes]) -> Iterator[Outcome]:
        while True:
            try:
                line = self._line(process)
            except TimeoutError:
                yield Outcome(hung=True)
                return
            if not line:
                yield Outcome(died=True)
                return
            outcome = json.loads(line)
            if outcome is None:
                return
            raised = tuple(outcome.pop("raised", ()))
            yield Outcome(**outcome, raised=raised)

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        end = time.monotonic() + PATIENCE
        while b"\n" not in self._unread:
            if not select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError
            more = os.read(process.stdout.fileno(), 1 << 20)
            if not more:
                return b""
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def environment() -> dict[str, str]:
    """The environment for an interpreter: its own rocksq, and temporary files in memory."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return inherited | ({"TMPDIR": str(MEMORY)} if MEMORY.is_dir() else {})


@cache
def reference() -> Interpreter:
    """The interpreter with rocksq 0.3.0."""
    assert REFERENCE.exists(), "make test-drop-in makes the virtual environment"
    return Interpreter(REFERENCE)


@cache
def ours() -> Interpreter:
    """The interpreter with this rocksq."""
    return Interpreter(Path(sys.executable))
