"""What the enumerations of rocksq have in common."""

from enum import EnumType, IntEnum
from typing import NoReturn


class _Choices(EnumType):
    def __getattr__(cls, name: str) -> NoReturn:
        """Name the members to one who writes another, as in `StartPosition.OLDEST`."""
        members = "" if name.startswith("_") else ", ".join(map(str, cls.__members__.values()))
        hint = f": there is {members}" if members else ""
        raise AttributeError(f"{cls.__name__} has no {name!r}{hint}")


class Choice(IntEnum, metaclass=_Choices):
    """A choice that shows itself as it is written."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)
