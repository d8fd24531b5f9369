"""The items of the demo: every file of Python's standard library, with its digest."""

import hashlib
import sysconfig
from pathlib import Path

ROOT = Path(sysconfig.get_path("stdlib"))
SKIPPED = {"__pycache__", "site-packages", "dist-packages"}
DIGEST_SIZE = 32


class Difference(Exception):
    """What came out of a queue is not what went in."""


def files() -> list[Path]:
    """All files in a fixed order."""
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return sorted(path for path in found if SKIPPED.isdisjoint(path.relative_to(ROOT).parts))


def pack(path: Path) -> bytes:
    """A file as an item: the digest of the rest, its name, a zero byte, its content."""
    rest = str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes()
    return hashlib.sha256(rest).digest() + rest


def check(item: bytes, expected: Path) -> int:
    """Checks that an item is whole and is the expected file. Returns its size."""
    digest, rest = item[:DIGEST_SIZE], item[DIGEST_SIZE:]
    if hashlib.sha256(rest).digest() != digest:
        raise Difference(f"an item is damaged: expected {expected}")
    name, _, _ = rest.partition(b"\0")
    if name != str(expected.relative_to(ROOT)).encode():
        raise Difference(f"out of order: expected {expected}, got {name.decode()}")
    return len(item)
