"""Runs a build and shows how far RocksDB's compilation is, which cargo is silent about.

usage: with_progress.py COMMAND [ARGUMENT ...]
"""

import os
import subprocess
import sys
import time
from pathlib import Path

SECONDS_BETWEEN_REPORTS = 20
SOURCES_OF_ROCKSDB = 352
"""Of the version that Cargo.lock names; only the progress depends on it."""


def compiled(target: Path, since: float) -> int:
    """Object files of RocksDB that were made since then."""
    objects = "build/rust-librocksdb-sys-*/out/*.o"
    # The folder of the profile, which may be in one for the target.
    found = [*target.glob(f"*/{objects}"), *target.glob(f"*/*/{objects}")]
    return sum(1 for path in found if path.stat().st_mtime >= since)


def main(command: list[str]) -> int:
    target = Path(os.environ["CARGO_TARGET_DIR"])
    start = time.time()
    build = subprocess.Popen(command)
    while True:
        try:
            return build.wait(timeout=SECONDS_BETWEEN_REPORTS)
        except subprocess.TimeoutExpired:
            done = compiled(target, start)
            if done:
                minutes = (time.time() - start) / 60
                print(
                    f"RocksDB: {done} of {SOURCES_OF_ROCKSDB} files compiled, "
                    f"{minutes:.1f} min (once for this machine)",
                    flush=True,
                )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
