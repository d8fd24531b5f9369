"""Every detail of 0.3.0 that a program can use is the same here, or a difference that is meant."""

import re
from functools import cache
from pathlib import Path

import pytest

from details import PROGRAMS
from differences import DIFFERENCES, RACES, Difference, are_equal
from interpreters import Outcome, ours, reference

MIGRATING = Path(__file__).parents[2] / "docs" / "migrating.md"

Step = tuple[str, Outcome, Outcome]


@cache
def steps(name: str) -> list[Step]:
    """The lines of a program with what comes of them, as far as 0.3.0 gets."""
    program = PROGRAMS[name]
    return list(zip(program, reference().run(program), ours().run(program), strict=False))


def unequal(name: str) -> list[Step]:
    return [step for step in steps(name) if not are_equal(step[1], step[2])]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_the_same_or_meant_to_differ(name: str) -> None:
    unexplained = [
        f"{line}\n  0.3.0: {theirs}\n  ours:  {ours}"
        for line, theirs, ours in unequal(name)
        if not any(difference.explains(line, theirs, ours) for difference in DIFFERENCES)
    ]
    assert not unexplained, "\n".join(["", *unexplained])


@pytest.mark.parametrize("name", PROGRAMS)
def test_ours_comes_to_the_end(name: str) -> None:
    outcomes = ours().run(PROGRAMS[name])
    assert len(outcomes) == len(PROGRAMS[name])
    assert not any(outcome.died or outcome.hung for outcome in outcomes)
    assert not any("PanicException" in outcome.raised for outcome in outcomes)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.line)
def test_every_difference_is_there(difference: Difference) -> None:
    assert any(difference.explains(*step) for name in PROGRAMS for step in unequal(name))


@pytest.mark.parametrize(
    "heading", sorted({difference.heading for difference in DIFFERENCES + RACES})
)
def test_every_difference_is_documented(heading: str) -> None:
    headings = re.findall(r"^#+ (.*)$", MIGRATING.read_text(), re.MULTILINE)
    assert heading in headings
