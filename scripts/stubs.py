"""Copies the docstrings of the built package into its stubs, whose types are written by hand.

usage: stubs.py [--check]

With --check it changes nothing, shows where the two differ, and fails if they do.
"""

import ast
import difflib
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import indent

PACKAGE = Path(__file__).parent.parent / "python" / "rocksq"
Documented = ast.Module | ast.ClassDef | ast.FunctionDef


def members(node: Documented, real: object) -> Iterator[tuple[Documented, object]]:
    """What can have a docstring of its own; special methods cannot."""
    yield node, real
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef) and not child.name.startswith("__"):
            yield from members(child, getattr(real, child.name))


def literal(doc: str) -> str:
    """Source of a docstring."""
    prefix = "r" if "\\" in doc else ""
    return f'{prefix}"""{doc}\n"""' if "\n" in doc else f'{prefix}"""{doc}"""'


def put(lines: list[str], node: Documented, doc: str) -> None:
    """Put a docstring in place of the one that is there, or of the `...` that stands for it."""
    first = node.body[0]
    text = indent(literal(doc), " " * (0 if isinstance(node, ast.Module) else node.col_offset + 4))
    if not isinstance(first, ast.Expr):
        lines.insert(first.lineno - 1, text + "\n")
        return
    before = lines[first.lineno - 1][: first.col_offset].rstrip()
    lines[first.lineno - 1 : first.end_lineno] = [before, text] if before else [text]


def documented(stub: Path) -> str:
    """Return the stub with the docstrings of the module."""
    source = stub.read_text()
    name = "rocksq" if stub.stem == "__init__" else f"rocksq.{stub.stem}"
    found = list(members(ast.parse(source), import_module(name)))
    lines = source.splitlines()
    for node, real in sorted(found, key=lambda pair: -pair[0].body[0].lineno):
        doc = inspect.cleandoc(real.__doc__ or "")
        if doc != (ast.get_docstring(node) or ""):
            put(lines, node, doc)
    return "\n".join(lines) + "\n"


def difference(stub: Path, wanted: str) -> str:
    is_there = stub.read_text().splitlines(keepends=True)
    lines = difflib.unified_diff(is_there, wanted.splitlines(keepends=True), str(stub), "module")
    return "".join(lines)


def main(arguments: list[str]) -> int:
    check = arguments == ["--check"]
    differs = False
    for stub in sorted(PACKAGE.glob("*.pyi")):
        wanted = documented(stub)
        if check:
            sys.stdout.write(difference(stub, wanted))
            differs |= wanted != stub.read_text()
        else:
            stub.write_text(wanted)
    if differs:
        print("docstrings differ from those of the module: make stubs")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
