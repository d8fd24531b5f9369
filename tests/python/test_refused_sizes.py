"""Items that can never be pushed are refused from their sizes alone."""

from pathlib import Path

import pytest

from rocksq import Full
from rocksq.nonblocking import PersistentQueueWithCapacity
from support import needs_posix, run, succeeded

pytestmark = needs_posix


@pytest.mark.parametrize(
    ("item", "bounds", "kind"),
    [
        ("mapped((4 << 30) + 10)", {}, "InvalidArgument"),
        ("mapped(600 << 20)", {"max_bytes": 1 << 20}, "Full"),
    ],
)
@pytest.mark.parametrize("face", ["blocking", "nonblocking"])
def test_what_can_never_be_pushed_is_refused_before_it_is_copied(
    path: Path, face: str, item: str, bounds: dict[str, int], kind: str
) -> None:
    # Nothing but a look at the size leaves the pages of the mapping untouched.
    program = """
import mmap, resource
import rocksq, sys
from importlib import import_module
def mapped(size):
    return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
face = import_module("rocksq." + sys.argv[2])
bounds = eval(sys.argv[4])
queues = [
    face.PersistentQueueWithCapacity(sys.argv[1] + "f", **bounds).push,
    face.MpmcQueue(sys.argv[1] + "m", 0, **bounds).add,
]
item = eval(sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF)
for push in queues:
    try:
        pushed = push([b"small", item])
        pushed.result()
    except rocksq.Error as error:
        print(type(error).__name__)
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_minflt - before.ru_minflt < 5_000)
"""
    printed = succeeded(run(program, path, face, item, bounds))
    assert printed == f"{kind}\n{kind}\nTrue\n"


def test_items_that_are_refused_by_their_sizes_count_as_rejected(path: Path) -> None:
    with PersistentQueueWithCapacity(path, max_elements=1) as queue:
        with pytest.raises(Full):
            queue.push([b"1", b"2"]).result()
        assert queue.stats().rejected_items == 2
