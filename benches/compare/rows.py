"""The works that are compared: a row of the table each."""

from __future__ import annotations

from dataclasses import dataclass

CRASH_SAFE = (
    "rocksdict",
    "localqueue",
    "litequeue",
    "persist-queue SQLite",
    "persist-queue file",
    "diskcache",
    "huey",
    "lmdb-queue",
    "nque",
)
FLOOR = "writev and pread"
DURABLE_FLOOR = "write and fdatasync"
ALL = ("rocksq", "rocksq 0.3.0", *CRASH_SAFE, FLOOR, "memcpy")
SYNCED = ("rocksq Synced", "nque", DURABLE_FLOOR)
BUFFERED = ("rocksq Buffered", "queuelib")

HELD = 64 << 10
"""Bytes that a consumer holds before it lets go of them, unless a call gives it more."""


@dataclass(frozen=True)
class Row:
    """Items of one size, so many a call, so many at most in all."""

    name: str
    pattern: str
    size: int
    per_call: int
    items: int
    contenders: tuple[str, ...] = ALL
    baseline: str = "rocksq 0.3.0"
    ours: str = "rocksq"
    floor: str = FLOOR

    @property
    def is_large(self) -> bool:
        """Whether the disk's write-back would drown what the code does."""
        return self.size >= 256 << 10


ROWS = (
    Row("100 B, 1 a call", "in_then_out", 100, 1, 200_000),
    Row("100 B, 100 a call", "in_then_out", 100, 100, 2_000_000),
    Row("1 KiB, 1 a call", "in_then_out", 1 << 10, 1, 100_000),
    Row("1 KiB, 100 a call", "in_then_out", 1 << 10, 100, 500_000),
    Row("1 KiB, push then pop", "by_turns", 1 << 10, 1, 100_000),
    Row("256 KiB, 10 a call", "in_then_out", 256 << 10, 10, 1_000),
    Row("4 MiB, 1 a call", "in_then_out", 4 << 20, 1, 64),
    Row("1 KiB, 10 a call, two threads", "two_threads", 1 << 10, 10, 200_000),
    Row(
        "nonblocking, 100 B, 500 in flight",
        "in_then_out",
        100,
        1,
        100_000,
        ("rocksq nonblocking", "rocksq 0.3.0 nonblocking"),
        "rocksq 0.3.0 nonblocking",
        "rocksq nonblocking",
    ),
    *(
        Row(
            f"MPMC, {name}, {per_call} a call",
            "in_then_out",
            size,
            per_call,
            items,
            ("rocksq MPMC", "rocksq 0.3.0 MPMC"),
            "rocksq 0.3.0 MPMC",
            "rocksq MPMC",
        )
        for name, size, per_call, items in (
            ("100 B", 100, 1, 200_000),
            ("100 B", 100, 100, 1_000_000),
            ("1 KiB", 1 << 10, 1, 100_000),
            ("1 KiB", 1 << 10, 100, 300_000),
        )
    ),
    *(
        Row(
            f"not crash-safe, {name}, {per_call} a call",
            "in_then_out",
            size,
            per_call,
            items,
            BUFFERED,
            "queuelib",
            "rocksq Buffered",
        )
        for name, size, per_call, items in (
            ("100 B", 100, 1, 400_000),
            ("100 B", 100, 100, 2_000_000),
            ("1 KiB", 1 << 10, 1, 200_000),
            ("1 KiB", 1 << 10, 100, 500_000),
        )
    ),
    *(
        Row(
            f"every call synced, 1 KiB, {per_call} a call",
            "in_then_out",
            1 << 10,
            per_call,
            items,
            SYNCED,
            "nque",
            "rocksq Synced",
            DURABLE_FLOOR,
        )
        for per_call, items in ((1, 20_000), (100, 200_000))
    ),
    Row(
        "read+commit beside pop, 1 KiB, 1 a call",
        "in_then_out",
        1 << 10,
        1,
        100_000,
        ("rocksq read+commit", "rocksq"),
        "rocksq",
        "rocksq read+commit",
    ),
)
