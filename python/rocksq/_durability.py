"""What has happened to an operation when its call returns."""

from rocksq._choice import Choice


class Durability(Choice):
    """What must have happened to an operation before its call returns.

    A level delays the return of its own call and nothing else. Whatever the level, a crash leaves
    the history up to some moment, without a gap and without half a call; the level says how far
    back that moment can lie.

    >>> Durability.Buffered < Durability.Written < Durability.Synced
    True
    """

    __module__ = "rocksq"

    Buffered = 0
    """It is in this process's memory. Written at the latest after a second, when 1 MiB has
    gathered, before anything at a higher level, by `flush` and by `close`. The death of the process
    loses what was not written yet."""

    Written = 1
    """The operating system has it: it survives the death of the process, `kill -9` included. A
    power cut may lose the last seconds."""

    Synced = 2
    """The device has it: it survives a power cut."""
