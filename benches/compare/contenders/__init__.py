"""The contenders by name, and the environment in which each runs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from contenders.base import Contender

OURS = "ours"
REFERENCE = "reference"
RIVALS = "rivals"


@dataclass(frozen=True)
class Entry:
    """Where a contender is found, and which environment has its package."""

    environment: str
    module: str
    name: str

    def load(self) -> type[Contender]:
        """Import the contender; only its environment can."""
        contender: type[Contender] = getattr(import_module(f"contenders.{self.module}"), self.name)
        return contender


CONTENDERS = {
    "rocksq": Entry(OURS, "rocks", "Rocksq"),
    "rocksq 0.3.0": Entry(REFERENCE, "rocks", "Rocksq"),
    "rocksq Buffered": Entry(OURS, "rocks", "RocksqBuffered"),
    "rocksq Synced": Entry(OURS, "rocks", "RocksqSynced"),
    "rocksq read+commit": Entry(OURS, "rocks", "RocksqReadCommit"),
    "rocksq nonblocking": Entry(OURS, "rocks", "RocksqNonblocking"),
    "rocksq 0.3.0 nonblocking": Entry(REFERENCE, "rocks", "RocksqNonblocking"),
    "rocksq MPMC": Entry(OURS, "rocks", "RocksqMpmc"),
    "rocksq 0.3.0 MPMC": Entry(REFERENCE, "rocks", "RocksqMpmc"),
    "rocksdict": Entry(RIVALS, "rocks", "Rocksdict"),
    "localqueue": Entry(RIVALS, "sqlite", "Localqueue"),
    "litequeue": Entry(RIVALS, "sqlite", "Litequeue"),
    "persist-queue SQLite": Entry(RIVALS, "persist_queue", "PersistQueueSqlite"),
    "persist-queue file": Entry(RIVALS, "persist_queue", "PersistQueueFile"),
    "diskcache": Entry(RIVALS, "sqlite", "Diskcache"),
    "huey": Entry(RIVALS, "sqlite", "Huey"),
    "lmdb-queue": Entry(RIVALS, "lmdb", "LmdbQueue"),
    "nque": Entry(RIVALS, "lmdb", "Nque"),
    "queuelib": Entry(RIVALS, "files", "Queuelib"),
    "writev and pread": Entry(RIVALS, "floors", "Plain"),
    "write and fdatasync": Entry(RIVALS, "floors", "Durable"),
    "memcpy": Entry(RIVALS, "floors", "Copied"),
}
