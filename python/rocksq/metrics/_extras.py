"""What to do when a library is missing that an extra of rocksq brings."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed(extra: str) -> Iterator[None]:
    """Say how to install what is imported here, when it is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"rocksq.metrics.{extra} needs {error.name}, which is not installed: "
            f"pip install rocksq[{extra}]",
            name=error.name,
        ) from error
