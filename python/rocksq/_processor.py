"""What the processor must be able to do, checked before anything compiled is loaded.

It cannot be checked in Rust: loading the library already runs constructors of RocksDB's globals,
which were compiled for these instructions.
"""

from pathlib import Path

NEEDED = {"sse4_2": "SSE4.2", "pclmulqdq": "PCLMULQDQ"}


def missing(description: str) -> list[str]:
    """Return what a processor lacks of which /proc/cpuinfo says this.

    Nothing if it is not an x86-64 one, which has flags.
    """
    for line in description.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() == "flags":
            return [NEEDED[flag] for flag in NEEDED if flag not in flags.split()]
    return []


def check() -> None:
    """Raise ImportError if the operating system says that the processor will not do."""
    try:
        with Path("/proc/cpuinfo").open() as file:
            first_processor = file.read(8192)
    except OSError:
        return
    if lacking := missing(first_processor):
        needed = " and ".join(NEEDED.values())
        raise ImportError(
            f"rocksq needs a processor with {needed}, and this one lacks {' and '.join(lacking)}. "
            "In a virtual machine, give it a newer processor model."
        )
