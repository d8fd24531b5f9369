"""Each test of what 0.3.0 gets wrong fails on 0.3.0, and for the reason that it is there for."""

import re
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from interpreters import REFERENCE, environment

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "tests" / "python" / "test_faults_of_0_3_0.py"

ABORT = "Fatal Python error: Aborted"
PANIC = "PanicException"
HANG = "TimeoutExpired|the child hangs"

SYMPTOMS = {
    "a_response_that_is_dropped_unread_loses_nothing": f"Queue is unhealthy|{HANG}",
    "a_push_onto_a_full_queue_raises_in_its_response": "DID NOT RAISE",
    "a_response_gives_its_answer_again": "disconnected channel",
    "readers_get_every_live_item_in_order_after_others_have_expired": "b'256' != b'150'",
    "a_queue_that_rested_longer_than_its_ttl_is_empty_and_goes_on": "18446744073709551515",
    "labels_do_not_expire": r"\['other'\]",
    "an_item_is_neither_read_nor_counted_after_its_ttl": r"\(1, False\)",
    "a_label_that_read_before_the_first_item_reads_on_after_a_reopening": HANG,
    "a_pop_of_no_items_takes_nothing": r"\[b'a', b'b'\] == \[\]",
    "a_number_of_items_that_no_memory_could_hold_means_all_there_are": ABORT,
    "the_largest_number_of_items_means_all_there_are": f"{PANIC}: capacity overflow",
    "a_persistent_queue_opened_as_mpmc_is_refused_and_unharmed": "DID NOT RAISE",
    "an_mpmc_queue_opened_as_persistent_is_refused_in_words": "Column families not opened",
    "a_forked_child_cannot_write_and_the_parent_goes_on": "assert 1 == 0",
    "a_forked_child_with_a_nonblocking_queue_does_not_hang": HANG,
    "a_tuple_of_items_is_taken": "cannot be converted to 'PyList'",
    "a_list_of_numbers_is_no_item": "DID NOT RAISE",
    "a_string_as_an_item_raises_a_type_error": PANIC,
    "disk_space_comes_back_while_the_queue_is_open": "bytes are still taken",
    "no_log_files_pile_up": r"LOG\.old",
    "a_queue_can_be_closed": "has no attribute 'close'",
    "the_payload_of_an_mpmc_queue_has_a_size": "has no attribute 'payload_size'",
    "start_positions_can_be_keys": "unhashable type",
    "correct_programs_pass_a_type_checker": r"Found \d+ error",
    "the_holder_of_a_path_is_named": "While lock file",
    "a_path_that_is_open_otherwise_is_refused_in_words": "lock hold by current process",
    "a_file_in_place_of_the_directory_is_refused_in_words": "Os {",
    "a_parent_directory_that_cannot_be_made_is_named": "Os {",
    "a_directory_without_permission_is_refused_in_words": "AssertionError: .*Os {",
}
"""How each test fails on 0.3.0."""


@cache
def runs() -> dict[str, Future[str]]:
    """All of them at once, since some only wait. Each in a process of its own, which may die."""
    with ThreadPoolExecutor(3) as pool:
        return {name: pool.submit(run_on_0_3_0, name) for name in SYMPTOMS}


TRIES = 4
"""Some faults show only when RocksDB has found the time to compact."""


def run_on_0_3_0(name: str) -> str:
    """What pytest says about a test that ran on 0.3.0; nothing if it passed each time."""
    tries = (run_once_on_0_3_0(name) for _ in range(TRIES))
    return next(filter(None, tries), "")


def run_once_on_0_3_0(name: str) -> str:
    finished = subprocess.run(
        [REFERENCE, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{FAULTS}::test_{name}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=environment(),
    )
    if finished.returncode == 0:
        return ""
    # What went wrong, without the source lines that pytest shows.
    errors = [line for line in finished.stdout.splitlines() if line.startswith("E ")]
    return "\n".join([*errors, finished.stderr])


def test_no_test_is_left_out() -> None:
    there = re.findall(r"^def test_(\w+)\(", FAULTS.read_text(), re.MULTILINE)
    assert sorted(there) == sorted(SYMPTOMS)


@pytest.mark.parametrize("name", SYMPTOMS)
def test_it_fails_on_0_3_0(name: str) -> None:
    said = runs()[name].result()
    assert re.search(SYMPTOMS[name], said), said
