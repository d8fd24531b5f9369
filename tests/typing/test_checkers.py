"""The type checkers find the errors that the programs here state, and no others."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = sorted(set(HERE.glob("*.py")) - {Path(__file__)})
STATED = re.compile(r"# error: (.+)$")

Errors = dict[str, set[str]]
"""Codes by the line that they are on, `file:line`."""


def stated() -> Errors:
    return {
        f"{program.name}:{number}": set(match[1].split())
        for program in PROGRAMS
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if (match := STATED.search(line))
    }


def output(*command: str) -> str:
    process = subprocess.run(
        [sys.executable, "-m", *command, *map(str, PROGRAMS)],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process
    return process.stdout


def found_by_mypy() -> Errors:
    found: Errors = defaultdict(set)
    for line in output("mypy", "--strict", "--config-file=", "--output=json").splitlines():
        report = json.loads(line)
        if report["severity"] == "error":
            found[f"{Path(report['file']).name}:{report['line']}"].add(report["code"])
    return found


def found_by_pyright() -> Errors:
    found: Errors = defaultdict(set)
    reports = json.loads(output("pyright", "--outputjson", f"--pythonpath={sys.executable}"))
    for report in reports["generalDiagnostics"]:
        line = report["range"]["start"]["line"] + 1
        found[f"{Path(report['file']).name}:{line}"].add(report["rule"])
    return {line: causes(codes) for line, codes in found.items()}


def causes(codes: set[str]) -> set[str]:
    """Leave out that a type is unknown where another error is the reason."""
    return {code for code in codes if not code.startswith("reportUnknown")} or codes


def is_of_pyright(code: str) -> bool:
    return code.startswith("report")


def test_mypy_finds_what_is_stated() -> None:
    mypy = {line: {c for c in codes if not is_of_pyright(c)} for line, codes in stated().items()}
    assert found_by_mypy() == mypy


def test_pyright_finds_what_is_stated() -> None:
    pyright = {line: {c for c in codes if is_of_pyright(c)} for line, codes in stated().items()}
    assert found_by_pyright() == pyright


def test_there_are_right_programs_and_wrong_ones() -> None:
    wrong = {line.partition(":")[0] for line in stated()}
    assert wrong < {program.name for program in PROGRAMS}
