"""The figures as a Markdown table and as a plot."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

from contenders import CONTENDERS
from rows import CRASH_SAFE, HELD, ROWS, Row

FAR_BEHIND = 10
"""A contender so many times slower than ours, in all it does, runs once."""

Figures = dict[str, float] | str
Results = dict[str, dict[str, dict[str, Figures]]]
"""Place, row, contender: items a second for each part of the work, or why there are none."""

PACKAGES = """
import importlib.metadata as metadata, json, sys
found = {d.name: d.version for d in metadata.distributions()}
print(json.dumps({"Python": sys.version.split()[0]} | found))
"""
RIVALS = (
    "rocksdict",
    "localqueue",
    "litequeue",
    "persist-queue",
    "diskcache",
    "huey",
    "lmdb-queue",
    "nque",
    "queuelib",
)


def write(results: Results, directory: Path, pythons: dict[str, str], runs: int) -> None:
    """Write compare.md, compare.json and a plot for each place."""
    (directory / "compare.json").write_text(json.dumps(results, indent=1) + "\n")
    text = "\n".join([*heading(pythons, runs), *(tables(results))])
    (directory / "compare.md").write_text(text + "\n")
    for place, rows in results.items():
        plot(rows, place, directory / f"compare-{place}.svg")


def heading(pythons: dict[str, str], runs: int) -> list[str]:
    """What was measured, where and when."""
    ours, rivals = (versions(pythons[which]) for which in ("ours", "rivals"))
    named = ", ".join(f"{name} {rivals[name]}" for name in RIVALS if name in rivals)
    return [
        "# rocksq and its rivals",
        "",
        f"Measured on {datetime.date.today()}: {processor()}, {os.cpu_count()} processors, Linux "
        f"{platform.release()}, Python {ours['Python']}, rocksq {ours.get('rocksq')}.",
        f"Beside it: rocksq 0.3.0, {named}.",
        "",
        f"Thousand items a second, in / out or both together; the median of {runs} runs in turn "
        f"(of one, for those that are {FAR_BEHIND} times slower than rocksq), "
        "each in a process and a directory of its own. What comes out is checked and let go of "
        f"after each {HELD >> 10} KiB, or each call that gives more, while the clock stands still; "
        "with two threads it is kept to the end. Only ratios within a row mean something: the "
        "machine is shared. `make compare` makes this page anew.",
        "",
        "`writev and pread` is the floor: no queue, only its bytes; `write and fdatasync` that of "
        "the rows in which every call is synced to the device; `memcpy` copies each item in and "
        "out, and writes nothing. queuelib and rocksq at the level Buffered keep new items in the "
        "process, so kill -9 loses them; nque and rocksq at the level Synced sync every call; all "
        "others keep what was pushed through kill -9.",
    ]


def tables(results: Results) -> list[str]:
    """A summary of ratios and all figures, for each place."""
    lines: list[str] = []
    for place, rows in results.items():
        lines += ["", f"## On {'the disk' if place == 'disk' else 'tmpfs'}", ""]
        lines += summary(rows)
        for row in ROWS:
            if row.name in rows:
                lines += ["", f"### {row.name}", "", *figures(rows[row.name])]
    return lines


def summary(rows: dict[str, dict[str, Figures]]) -> list[str]:
    """How many times as fast ours is as 0.3.0, as the best crash-safe rival, and as the floor."""
    lines = [
        "| work | against | ratio | best crash-safe rival | ratio | of the floor |",
        "|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        found = rows.get(row.name, {})
        ours, base = found.get(row.ours), found.get(row.baseline)
        if not isinstance(ours, dict):
            continue
        against = ratios(ours, base) if isinstance(base, dict) else str(base)
        rivals = best(found, row)
        names = " / ".join(name for name, _ in rivals.values())
        against_best = " / ".join(
            f"{ours[what] / rate:.2f}" for what, (_, rate) in rivals.items() if what in ours
        )
        floor = found.get(row.floor)
        of_floor = ratios(ours, floor) if isinstance(floor, dict) else ""
        cells = [row.name, row.baseline, against, names, against_best, of_floor]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def ratios(ours: dict[str, float], base: dict[str, float]) -> str:
    """Ours over the base, for each part of the work."""
    return " / ".join(f"{ours[what] / base[what]:.2f}" for what in ours if what in base)


def best(found: dict[str, Figures], row: Row) -> dict[str, tuple[str, float]]:
    """The quickest crash-safe rival for each part of a row's work."""
    leaders: dict[str, tuple[str, float]] = {}
    for name in set(CRASH_SAFE) & set(row.contenders):
        rates = found.get(name)
        for what, rate in rates.items() if isinstance(rates, dict) else ():
            leaders[what] = max(
                leaders.get(what, ("", 0.0)), (name, rate), key=lambda lead: lead[1]
            )
    return dict(sorted(leaders.items(), reverse=True))


def figures(found: dict[str, Figures]) -> list[str]:
    """All figures of a row."""
    lines = ["| | thousand items a second |", "|---|---|"]
    for name in CONTENDERS:
        rates = found.get(name)
        if isinstance(rates, dict):
            lines.append(f"| {name} | {' / '.join(f'{r / 1000:.2f}' for r in rates.values())} |")
        elif rates:
            lines.append(f"| {name} | {rates} |")
    return lines


def plot(rows: dict[str, dict[str, Figures]], place: str, path: Path) -> None:
    """Items a second on a logarithmic scale, a panel a row."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "rocksq"
    from matplotlib import pyplot as plt

    shown = [row for row in ROWS if len(row.contenders) > 2 and row.name in rows]
    if not shown:
        return
    figure, panels = plt.subplots(
        len(shown), 1, figsize=(8, 2.6 * len(shown)), layout="constrained", squeeze=False
    )
    for row, (panel,) in zip(shown, panels, strict=True):
        found = {n: r for n, r in rows[row.name].items() if isinstance(r, dict)}
        order = [name for name in reversed(row.contenders) if name in found]
        parts = list(next(iter(found.values())))
        height = 0.8 / len(parts)
        for index, what in enumerate(parts):
            at = [n + (len(parts) - 1 - index) * height for n in range(len(order))]
            panel.barh(at, [found[name][what] for name in order], height, label=what)
        panel.set_yticks([n + 0.4 - height / 2 for n in range(len(order))], order, fontsize=8)
        panel.set_xscale("log")
        panel.set_title(f"{row.name} ({place}), items a second", fontsize=10)
        panel.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def versions(python: str) -> dict[str, str]:
    """The packages of an environment."""
    done = subprocess.run([python, "-c", PACKAGES], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
