"""Names that other queues have and these do not: asking for one says what it is called here."""

from typing import NoReturn

PERSISTENT = {
    "add": "push",
    "append": "push",
    "empty": "is_empty",
    "enqueue": "push",
    "dequeue": "pop",
    "extend": "push",
    "get": "pop",
    "get_nowait": "pop",
    "next": "pop",
    "popleft": "pop",
    "put": "push",
    "put_nowait": "push",
    "qsize": "len",
    "size": "len",
    "task_done": "commit",
    "ack": "commit",
}

MPMC = {
    name: {"push": "add", "pop": "next"}.get(ours, ours)
    for name, ours in (PERSISTENT | {"push": "push", "pop": "pop"}).items()
    if name not in {"add", "next"}
}


class _Elsewhere:
    """An attribute that is not there under this name."""

    def __init__(self, name: str, ours: str) -> None:
        self._name, self._ours = name, ours

    def __get__(self, queue: object, kind: type) -> NoReturn:
        raise AttributeError(
            f"{kind.__name__!r} object has no attribute {self._name!r}: here it is {self._ours!r}"
        )


def explain(kind: type, names: dict[str, str]) -> None:
    """Have a class say what it calls what these names are elsewhere."""
    for name, ours in names.items():
        setattr(kind, name, _Elsewhere(name, ours))

    def listed(queue: object) -> list[str]:
        return [name for name in object.__dir__(queue) if name not in names]

    kind.__dir__ = listed  # type: ignore[method-assign, assignment]
