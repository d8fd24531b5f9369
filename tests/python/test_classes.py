"""The classes that calls raise: at the interpreter's end, and when rocksq is imported again."""

from pathlib import Path

from support import run, succeeded


def test_a_push_at_the_interpreters_end_finds_the_queue_closed(path: Path) -> None:
    program = """
import builtins, os, sys
from rocksq.blocking import PersistentQueueWithCapacity as Queue
class Last:
    def __init__(self, queue):
        self.queue, self.write = queue, os.write
    def __del__(self):
        for options in ({}, {"timeout": 1}):
            try:
                self.queue.push([b"1"], **options)
            except Exception as error:
                self.write(1, f"{type(error).__module__}.{type(error).__name__}\\n".encode())
builtins.last = Last(Queue(sys.argv[1]))
"""
    assert succeeded(run(program, path)) == "rocksq.exceptions.Closed\n" * 2


def test_errors_and_choices_are_the_same_after_another_import(path: Path) -> None:
    program = """
import sys
import rocksq
from rocksq.blocking import PersistentQueueWithCapacity as Queue
first = rocksq.Full
def fill(module, directory):
    queue = module.blocking.PersistentQueueWithCapacity(
        directory, 1, on_full=module.OnFull.Error, durability=module.Durability.Buffered)
    try:
        queue.push([b"1", b"2"])
    except module.Full as error:
        return type(error) is first is module.exceptions.Full
print(fill(rocksq, sys.argv[1]))
for name in [name for name in sys.modules if name.split(".")[0] == "rocksq"]:
    del sys.modules[name]
import rocksq as again
from rocksq.exceptions import Full
print(Full is first, fill(again, sys.argv[1] + "2"))
"""
    assert succeeded(run(program, path)) == "True\nTrue True\n"


def test_an_opening_at_the_interpreters_end_is_refused_as_closed(path: Path) -> None:
    program = """
import builtins, os, sys
from rocksq.blocking import PersistentQueueWithCapacity as Queue
class Last:
    def __init__(self):
        self.queue, self.path, self.write = Queue, sys.argv[1], os.write
    def __del__(self):
        try:
            self.queue(self.path)
        except Exception as error:
            self.write(1, f"{type(error).__module__}.{type(error).__name__}\\n".encode())
builtins.last = Last()
"""
    assert succeeded(run(program, path)) == "rocksq.exceptions.Closed\n"
