"""Runs programs against whichever rocksq is importable and tells what came of each line.

It reads programs from its standard input and writes outcomes to its standard output, each a JSON
document on a line of its own. A program is a list of lines of Python: an expression, whose value is
the outcome, or a statement. An outcome is written as soon as it is known, so that whoever reads it
can tell at which line the interpreter died or hung. A program has a directory of its own, `root`,
and `null` ends its outcomes.

It uses nothing but the standard library: the interpreter with rocksq 0.3.0 has no more.
"""

import json
import os
import pathlib
import sys
import tempfile


def namespace(root: str) -> dict[str, object]:
    """The names that a program finds, beside Python's."""
    import rocksq
    import rocksq.blocking
    import rocksq.nonblocking

    modules = sys.modules
    return {
        "rocksq": rocksq,
        "blocking": modules["rocksq.blocking"],
        "nonblocking": modules["rocksq.nonblocking"],
        "Oldest": rocksq.StartPosition.Oldest,
        "Newest": rocksq.StartPosition.Newest,
        "root": root,
        "path": f"{root}/queue",
        "os": os,
        "pathlib": pathlib,
    }


def outcome(line: str, names: dict[str, object]) -> dict[str, object]:
    """What comes of a line: its value, the exception, or nothing for a statement."""
    try:
        try:
            code = compile(line, "<program>", "eval")
        except SyntaxError:
            exec(compile(line, "<program>", "exec"), names)
            return {}
        return {"value": repr(eval(code, names))}
    except BaseException as error:  # noqa: BLE001  PanicException is under BaseException alone
        return {"raised": [kind.__name__ for kind in type(error).__mro__], "text": str(error)}


def run(program: list[str], answers: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        names = namespace(root)
        for line in program:
            tell(answers, json.dumps(outcome(line, names)).replace(root, "/root"))
        names.clear()


def tell(answers: int, line: str) -> None:
    os.write(answers, line.encode() + b"\n")


def main() -> None:
    # What a program prints must not mix with the outcomes.
    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        run(json.loads(line), answers)
        tell(answers, "null")


if __name__ == "__main__":
    main()
