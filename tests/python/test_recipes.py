"""The recipes of the guide that need nothing else run."""

import subprocess
import sys
from pathlib import Path

import pytest

from documents import ROOT, blocks, write_files
from support import PATIENCE, needs_posix

RECIPES = ROOT / "docs/guide/recipes.md"


def run(directory: Path, *arguments: str) -> None:
    write_files(RECIPES, directory)
    subprocess.run([sys.executable, *arguments], cwd=directory, check=True, timeout=PATIENCE)


@needs_posix
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_a_pool_take_turns(tmp_path: Path, method: str) -> None:
    run(tmp_path, "pool.py", method)


def test_the_fixture_gives_each_test_its_queue(tmp_path: Path) -> None:
    run(tmp_path, "-m", "pytest", "--quiet", "test_queue.py")


def test_all_cells_of_a_notebook_run_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells: dict[str, object] = {}
    for _ in range(2):
        for _, code in blocks(RECIPES, "python"):
            exec(code, cells)
