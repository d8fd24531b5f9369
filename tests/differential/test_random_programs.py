"""Random programs do the same on rocksq 0.3.0 and here.

`make test-drop-in SEED=random PROGRAMS=5000` runs others, and more.
"""

import os
from random import SystemRandom

import pytest

from differences import RACES, are_equal
from generator import program
from interpreters import Outcome, ours, reference

BATCH = 10
PROGRAMS = int(os.environ.get("PROGRAMS") or 300)
GIVEN = os.environ.get("SEED") or "1"
SEED = SystemRandom().randrange(1 << 32) if GIVEN == "random" else int(GIVEN)


@pytest.mark.parametrize("seed", range(SEED, SEED + PROGRAMS, BATCH))
def test_they_do_the_same(seed: int) -> None:
    for number in range(seed, seed + BATCH):
        lines = program(number)
        theirs, mine = reference().run(lines), ours().run(lines)
        assert len(theirs) == len(lines) == len(mine), f"SEED={number}: {theirs[-1]} {mine[-1]}"
        for index, step in enumerate(zip(lines, theirs, mine, strict=True)):
            if not is_same(*step):
                so_far = "\n".join(lines[: index + 1])
                pytest.fail(f"SEED={number}\n{so_far}\n0.3.0: {step[1]}\nours: {step[2]}")


def is_same(line: str, theirs: Outcome, ours: Outcome) -> bool:
    return are_equal(theirs, ours) or any(race.explains(line, theirs, ours) for race in RACES)
