"""Start positions are values like any other."""

import copy
import pickle

import pytest

import rocksq
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue


def test_they_equal_their_numbers() -> None:
    assert (StartPosition.Oldest, StartPosition.Newest) == (0, 1)
    assert int(StartPosition.Newest) == 1


def test_both_are_true_as_in_rocksq_0_3_0() -> None:
    assert (StartPosition.Oldest or None) is StartPosition.Oldest


def test_they_differ_from_each_other_and_can_be_hashed() -> None:
    assert len({StartPosition.Oldest, StartPosition.Newest, StartPosition.Oldest}) == 2


@pytest.mark.parametrize("position", list(StartPosition))
def test_they_can_be_pickled_and_copied(position: StartPosition) -> None:
    assert pickle.loads(pickle.dumps(position)) is position
    assert copy.deepcopy(position) is position


def test_their_text_is_their_name() -> None:
    position = StartPosition.Newest
    assert [repr(position), str(position), f"{position}"] == ["StartPosition.Newest"] * 3
    assert StartPosition.__module__ == rocksq.__name__


@pytest.mark.parametrize("number", [0, 1, True, None, "Oldest"])
def test_a_number_or_name_does_not_do_in_their_place(mpmc: MpmcQueue, number: object) -> None:
    with pytest.raises(TypeError, match="StartPosition"):
        mpmc.next("label", number)  # type: ignore[arg-type]
