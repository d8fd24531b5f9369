"""Compare rocksq with its rivals, each in a process and a directory of its own.

The contenders of a row run in turn, again and again, so that all meet the same noise; a figure is
the median of its runs. Those that the first round shows far behind ours run once. Every process
checks that the items came out as they went in.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import report
from contenders import CONTENDERS
from rows import ROWS, Row

HERE = Path(__file__).parent

Runs = dict[str, list[float]]
"""The rates of each part of the work, run by run."""


def measure(python: str, name: str, row: Row, where: str, seconds: float) -> dict[str, float] | str:
    """The rates of one run, or why there are none."""
    with tempfile.TemporaryDirectory(dir=where, prefix="compare-") as directory:
        command = [python, str(HERE / "work.py"), name, row.name, directory, str(seconds)]
        try:
            done = subprocess.run(
                command,
                check=False,
                cwd=HERE,
                capture_output=True,
                text=True,
                timeout=60 + 20 * seconds,
            )
        except subprocess.TimeoutExpired:
            return "did not finish"
    try:
        rates: dict[str, float] = json.loads(done.stdout.splitlines()[0])
    except (IndexError, ValueError):
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"
    return rates


def measure_row(
    row: Row, where: str, pythons: dict[str, str], runs: int, seconds: float
) -> dict[str, dict[str, float] | str]:
    """The medians of every contender of a row, or why there are none."""
    rates: dict[str, Runs] = defaultdict(lambda: defaultdict(list))
    failed: dict[str, str] = {}
    for _ in range(runs):
        beaten = far_behind(rates, rates[row.ours])
        for name in row.contenders:
            if name in failed or name in beaten:
                continue
            python = pythons[CONTENDERS[name].environment]
            outcome = measure(python, name, row, where, seconds)
            if isinstance(outcome, str):
                failed[name] = outcome
                print(f"  {name}: {outcome}", file=sys.stderr)
                continue
            for what, rate in outcome.items():
                rates[name][what].append(rate)
    medians: dict[str, dict[str, float] | str] = {
        name: {what: statistics.median(values) for what, values in whats.items()}
        for name, whats in rates.items()
        if name not in failed
    }
    return medians | failed


def far_behind(rates: dict[str, Runs], ours: Runs) -> list[str]:
    """Name those whose every rate, in the first run, is less than a tenth of ours."""
    return [
        name
        for name, runs in rates.items()
        if runs
        and all(
            what in ours and values[0] * report.FAR_BEHIND < ours[what][0]
            for what, values in runs.items()
        )
    ]


def absolute(path: str) -> str:
    """Name the same directory for processes that run elsewhere."""
    return str(Path(path).resolve())


def main() -> None:
    """Measure what was asked for and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", required=True, help="the Python that has this rocksq")
    parser.add_argument("--reference", required=True, help="the Python that has rocksq 0.3.0")
    parser.add_argument("--rivals", default=sys.executable, help="the Python that has the rivals")
    parser.add_argument(
        "--disk",
        required=True,
        type=absolute,
        help="a directory on the disk to be measured",
    )
    parser.add_argument("--tmpfs", default="/dev/shm", type=absolute, help="a directory in memory")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="at most so long a phase")
    parser.add_argument("--only", default="", help="rows whose names hold this")
    parser.add_argument("--results", type=Path, default=HERE.parent / "results")
    options = parser.parse_args()

    pythons = {
        "ours": options.ours,
        "reference": options.reference,
        "rivals": options.rivals,
    }
    results: report.Results = {}
    for place, where in (("disk", options.disk), ("tmpfs", options.tmpfs)):
        for row in ROWS:
            if options.only in row.name:
                print(f"{place}: {row.name}", file=sys.stderr, flush=True)
                figures = measure_row(row, where, pythons, options.runs, options.seconds)
                results.setdefault(place, {})[row.name] = figures
    options.results.mkdir(parents=True, exist_ok=True)
    report.write(results, options.results, pythons, options.runs)


if __name__ == "__main__":
    main()
