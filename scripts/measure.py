"""Runs the tests that depend on how fast the machine is, and prints their figures in a table.

usage: measure.py PYTEST

For a quiet machine. Fails if a figure is beyond its limit.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUST = ["cargo", "nextest", "run", "--release", "--profile", "measure", "--status-level", "fail"]
HEAD = ("FIGURE", "VALUE", "LIMIT", "")


def is_held(value: str, limit: str) -> bool:
    which, bound = limit.rsplit(" ", 1)
    if which == "at most":
        return float(value) <= float(bound)
    return float(value) >= float(bound)


def rows(table: Path) -> list[tuple[str, ...]]:
    """Return the last figure of each kind with its limit and whether it holds."""
    found = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        what, value, limit = line.split("\t")
        found[what] = (what, value, limit, "" if is_held(value, limit) else "MISSED")
    return list(found.values())


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def main(pytest: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "figures")
        table.touch()
        environment = {**os.environ, "ROCKSQ_MEASURED": str(table)}
        suites = [RUST, [pytest, "-m", "measured", "--quiet"]]
        ended = [subprocess.run(suite, check=False, env=environment) for suite in suites]
        print()
        print_table([HEAD, *rows(table)])
    return int(any(suite.returncode != 0 for suite in ended))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
