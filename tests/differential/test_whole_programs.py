"""Programs as people write them print the same with rocksq 0.3.0 and here."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from interpreters import REFERENCE, environment

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def printed(python: Path, program: Path) -> str:
    """What a program prints that is run in an empty directory."""
    with tempfile.TemporaryDirectory() as directory:
        finished = subprocess.run(
            [python, program],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=directory,
            env=environment(),
        )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_it_prints_the_same(program: Path) -> None:
    theirs = printed(REFERENCE, program)
    assert theirs
    assert printed(Path(sys.executable), program) == theirs
