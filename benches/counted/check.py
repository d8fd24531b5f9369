"""Count what one call of each kind costs, and compare with the committed figures.

Counts do not depend on the clock: instructions of the calling thread (callgrind), its system calls
(strace), its allocations, and the bytes that the process hands to the operating system. They do
depend on the compiler and the C library, which is why the figures name both.

    check.py PROGRAM            fails where a count is more than 3 % above its figure
    check.py PROGRAM --update   writes the figures anew
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIGURES = Path(__file__).with_name("figures.json")
ALLOWED = 0.03
# Of so few that one more is more than is allowed.
SLACK = {"instructions": 100, "allocations": 0.1, "system calls": 0.05, "bytes": 2}
ALLOCATE = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"}
OF_THE_MOMENT = "brk,mmap,munmap,mremap,mprotect,madvise,futex,sched_yield"
# tmpfs: the file system takes no part.
WHERE = "/dev/shm"


def calls_of(work: str) -> int:
    """How many calls are counted: so few that no flush in the background comes between."""
    size, count = map(int, re.findall(r"(\d+) x (\d+)", work)[0])
    return max(10, min(500, (2 << 20) // (size * count)))


def run(command: list[str]) -> str:
    with tempfile.TemporaryDirectory(dir=WHERE, prefix="counted-") as home:
        environment = {**os.environ, "TMPDIR": home}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def profile(program: str, work: str, calls: int, prepared: int) -> tuple[int, int]:
    """Instructions of the calls, and allocations of the whole program."""
    with tempfile.NamedTemporaryFile(prefix="callgrind-") as out:
        run(
            [
                "valgrind",
                "--quiet",
                "--tool=callgrind",
                f"--callgrind-out-file={out.name}",
                "--collect-atstart=no",
                "--toggle-collect=*counted*measured*",
                program,
                work,
                str(calls),
                str(prepared),
            ]
        )
        lines = Path(out.name).read_text().splitlines()
    instructions = next(int(line.split()[1]) for line in lines if line.startswith("totals:"))
    return instructions, allocations(lines)


def allocations(profile: list[str]) -> int:
    """How often anybody called for memory, according to a profile of callgrind."""
    names: dict[str, str] = {}
    count, callee = 0, ""
    for line in profile:
        if match := re.match(r"c?fn=\((\d+)\)(?: (.+))?", line):
            number, name = match.groups()
            names.setdefault(number, name or "")
            callee = names[number].split("'")[0] if line.startswith("cfn") else ""
        elif line.startswith("calls=") and callee in ALLOCATE:
            count += int(line[6:].split()[0])
    return count


def system_calls(program: str, work: str, calls: int, prepared: int) -> int:
    """System calls of the thread that makes the calls, in the whole program.

    Without those for memory and for waiting, which depend on the moment.
    """
    with tempfile.NamedTemporaryFile("r", prefix="strace-") as out:
        run(
            [
                "strace",
                "-c",
                "-e",
                f"trace=!{OF_THE_MOMENT}",
                "-o",
                out.name,
                program,
                work,
                str(calls),
                str(prepared),
            ]
        )
        return int(out.read().splitlines()[-1].split()[3])


def count(program: str, work: str) -> dict[str, float]:
    """What one call costs; where all is counted, what twice as many take in addition."""
    calls = calls_of(work)
    (_, few), (all_calls, many) = (profile(program, work, n * calls, 2 * calls) for n in (1, 2))
    system = [system_calls(program, work, n * calls, 2 * calls) for n in (1, 2)]
    written = int(run([program, work, str(calls), str(2 * calls)]))
    return {
        "instructions": round(all_calls / (2 * calls)),
        "allocations": round((many - few) / calls, 1),
        "system calls": round((system[1] - system[0]) / calls, 2),
        "bytes": round(written / calls, 1),
    }


def grown(before: dict[str, float], now: dict[str, float]) -> list[str]:
    return [
        f"{what}: {now[what]} in place of {figure}"
        for what, figure in before.items()
        if now[what] > figure + max(figure * ALLOWED, SLACK[what])
    ]


def strangers(works: list[str], known: dict[str, dict[str, float]]) -> list[str]:
    """Works without a figure, and figures without a work: what they would cost goes unseen."""
    missing = [f"{work}: there is no figure for it" for work in works if work not in known]
    return missing + [f"{work}: there is no such work" for work in known if work not in works]


def least(program: str, work: str, before: dict[str, float]) -> dict[str, float]:
    """What a call costs: the least of three counts where it seems more than before.

    The background may have had a part in what is counted for the whole process.
    """
    now = count(program, work)
    for _ in range(2):
        if grown(before, now):
            again = count(program, work)
            now = {what: min(figure, again[what]) for what, figure in now.items()}
    return now


def surroundings(program: str) -> dict[str, str]:
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    return {
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "rustc": rust.stdout.split()[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="count what calls cost")
    parser.add_argument("program", help="the bench `counted`, built")
    parser.add_argument("--update", action="store_true", help="write the figures anew")
    parser.add_argument("--only", default="", help="works whose name holds this")
    arguments = parser.parse_args()
    for tool in ("valgrind", "strace"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: apt-get install {tool}")

    program = str(Path(arguments.program).resolve())
    known = json.loads(FIGURES.read_text())["works"] if FIGURES.exists() else {}
    works = run([program]).splitlines()
    figures: dict[str, dict[str, float]] = {}
    problems = [] if arguments.update else strangers(works, known)
    for work in works:
        if arguments.only not in work:
            continue
        now = figures[work] = least(program, work, known.get(work, {}))
        print(f"{work:36}" + "".join(f"{value:>12} {what}" for what, value in now.items()))
        problems += [f"{work}: {more}" for more in grown(known.get(work, {}), now)]
    if arguments.update:
        kept = {
            work: figures.get(work) or known[work] for work in works if work in {**known, **figures}
        }
        text = json.dumps({"counted with": surroundings(program), "works": kept}, indent=2)
        FIGURES.write_text(text + "\n")
    elif problems:
        problems.append("a call costs more than its figure; if it is worth that, run with --update")
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
