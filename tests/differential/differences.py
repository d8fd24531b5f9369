"""The differences between rocksq 0.3.0 and this rocksq that are meant.

Each stands under a heading of `docs/migrating.md`, which gives the reason and says what to do. What
is not in this table must be equal.
"""

import re
from dataclasses import dataclass

from interpreters import Outcome


@dataclass(frozen=True)
class Difference:
    """A line whose outcome may differ in this way: three patterns, for the whole of each text."""

    heading: str
    line: str
    theirs: str
    ours: str

    def explains(self, line: str, theirs: Outcome, ours: Outcome) -> bool:
        pairs = ((self.line, line), (self.theirs, str(theirs)), (self.ours, str(ours)))
        return all(re.fullmatch(pattern, text, re.DOTALL) for pattern, text in pairs)


ANY = ".*"
PANIC = "PanicException: .*"
DIES = "the interpreter dies"

DIFFERENCES = [
    # What was wrong in 0.3.0.
    Difference(
        "Responses", r".*push\(\[b'a', b'b'\]\).*", "None", "Full: Failed to push item: .*full"
    ),
    Difference(
        "Responses",
        r"r\.(try_)?get\(\)\.len",
        "RuntimeError: .*disconnected.*|AttributeError: 'NoneType' .*",
        "0",
    ),
    Difference("Responses", r"hasattr\(nonblocking\..*, 'is_empty'\)", "False", "True"),
    Difference("Responses", r"r\.is_ready", "False", "True"),
    Difference("Responses", r"q\.len\.get\(\)\.len", "RuntimeError: .*unhealthy.*", "2"),
    Difference("Numbers of items", r"q\.pop\((0|False)\)", r"\[b'a', b'b'\]", r"\[\]"),
    Difference("Numbers of items", r"q\.(pop|next)\(.*2 \*\* 50\)", DIES, r".*\[b'.*"),
    Difference("Numbers of items", r"q\.(pop|next)\(.*2 \*\* 60\)", PANIC, r".*\[b'.*"),
    Difference("Limits", r".*, 2 \*\* 40\)", DIES, "done"),
    Difference("Limits", r".*, 2 \*\* 63\)", PANIC, "done"),
    Difference("Items", r"q\.(push|add)\(\[.*('text'|None|5)\]\)", PANIC, "TypeError: item .*"),
    Difference("Items", r".*array\('d'.*", PANIC, "None"),
    Difference("Items", r"q\.push.*\[::2\].*", "None", "TypeError: item 0 is a buffer with gaps.*"),
    Difference("Items", r"q\.push\(\[(\[|\(|range).*", "None", "TypeError: item 0 is not bytes.*"),
    Difference("Items", r"q\.pop\(\)", r"\[b'\\x01\\x02'\]", r"\[b'\\x01\\x00\\x02\\x00'\]"),
    Difference("Two kinds of queue", r"q = .*MpmcQueue\(path, 0\)", "done", "WrongKind: .*"),
    Difference(
        "Two kinds of queue", r"rocksq\.remove_(mpmc_)?queue\(path\)", "None", "WrongKind.*"
    ),
    Difference(
        "Errors of the constructor",
        r"nonblocking\.PersistentQueueWithCapacity\(path\)",
        PANIC,
        "(PathError|Busy): .*",
    ),
    Difference(
        "Errors of the constructor",
        r"((non)?blocking\.|rocksq\.remove).*",
        "RuntimeError: Failed to (create|remove) (persistent|mpmc) queue: .*",
        "(PathError|Busy|InvalidArgument): .*",
    ),
    Difference(
        "Removing", r"rocksq\.remove_queue\(root \+ '/none/none'\)", "RuntimeError: .*", "None"
    ),
    # What is new.
    Difference("The class of an error", r"repr\(e\)", r'"RuntimeError\(.*', r'"Full\(.*'),
    Difference("Limits", r"q = blocking.*\(path, 0\)", "done", "InvalidArgument: .* is 0, .*"),
    Difference("The truth of a queue", r"bool\((?!r).*\)", "True", "False"),
    Difference("The truth of a response", r"bool\(r\)", "True", "TypeError: .*await.*"),
    Difference("Limits", r".* 2 \*\* 64 - 100\)", "RuntimeError: .*", "done"),
    Difference("Limits", r".*MpmcQueue\(path, 2 \*\* 32\)", "OverflowError: .*", "done"),
    Difference("Limits", r"q\.next\('x' \* 100_000.*", ANY, "InvalidArgument: The label has .*"),
    Difference("Items", r"q\.(push|add)\((\(|iter|\{).*", "TypeError: .*'PyList'", "None|<rock.*"),
    Difference("Paths", r".*pathlib\.Path\(.*", "TypeError: .*", "done|None"),
    Difference(
        "Opening twice",
        r"(non)?blocking\..*\(path(, 0)?\)",
        "RuntimeError: .*lock hold.*",
        "<rocksq.*",
    ),
    Difference(
        "Opening twice",
        r"nonblocking\.Persistent.*\(path\)",
        "PanicException: .*lock.*",
        "<rocksq.*",
    ),
    Difference("Opening twice", r"blocking\..*'/link'\)", "<.*", "<rocksq.*"),
    Difference("Start positions", r"hash\(.*|.*pickle.*|.*copy.*|.* < .*", "TypeError.*", ANY),
    Difference("Start positions", r".*\.(name|value)|isinstance\(Oldest, int\)", ANY, ANY),
    Difference("Start positions", r"(list\()?rocksq\.StartPosition.*", "TypeError: .*", ANY),
    Difference("What is new", r"len\(q\)|iter\(q\).*|with q: pass", "TypeError: .*", ANY),
    Difference("What is new", r".*weakref.*", "TypeError: cannot create weak .*", "<weakref .*"),
    Difference("What is new", r".*payload_size.*", "False|AttributeError: .*", "True|0"),
    Difference("Modules", r"rocksq\.blocking", "AttributeError: .*", "<module .*"),
    Difference("Modules", r"from rocksq\.rocksq import version", "done", "ModuleNotFound.*"),
    Difference("Modules", r"rocksq\.rocksq_blocking.*", "True", "AttributeError: .*"),
    Difference("Modules", r".*__module__", ".*('builtins'|'rocksq.rocksq').*", ".*'rocksq.*"),
    Difference("Modules", r"rocksq\.version\(\)", "'0.3.0'", r"'\d+\.\d+\.\d+'"),
]

RACES = [
    Difference("Disk space", r"q\.disk_size.*", "RuntimeError: .*No such file .*", "True"),
]
"""Differences that are there now and then."""


def are_equal(theirs: Outcome, ours: Outcome) -> bool:
    """Whether no program can tell the outcomes apart, except by what a class is called.

    An exception of ours must be caught by whatever caught theirs, and have its text, unless it is
    one that Python raises itself for arguments of the wrong type or range: those texts depend on
    the version of Python and of PyO3.
    """
    if not theirs.raised or not ours.raised:
        return theirs == ours
    pythons_own = {"TypeError", "OverflowError", "AttributeError"}
    caught = set(theirs.raised) <= set(ours.raised)
    return caught and (theirs.text == ours.text or theirs.raised[0] in pythons_own)
