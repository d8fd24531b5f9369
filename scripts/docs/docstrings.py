"""Prepares the package for the API pages: what the stubs say, as Markdown."""

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!$).*)*", re.MULTILINE)
NAME = re.compile(r"(?<![\[`])`(?P<name>\w+)`(?!`)")
PLACES = ("exceptions", "_start_position")
"""Modules whose classes other docstrings name."""


class Docstrings(griffe.Extension):
    """Rewrites every docstring of the package."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Rewrite, once all of the package is known."""
        public = {
            name: f"rocksq.{name}" if place.startswith("_") else f"rocksq.{place}.{name}"
            for place in PLACES
            for name, member in pkg[place].members.items()
            if isinstance(member, griffe.Class)
        }
        for found in objects(pkg):
            if isinstance(found, griffe.Module):
                take_docstring_of_stub(found)
            if isinstance(found, griffe.Class):
                show_constructor(found)
            if found.docstring is not None:
                found.docstring.value = markdown(found.docstring.value, public, found.name)


def take_docstring_of_stub(module: griffe.Module) -> None:
    """Let a module say what its stub says, which is more."""
    stub = Path(module.filepath).with_suffix(".pyi")
    if stub.exists():
        said = griffe.visit(module.name, filepath=stub, code=stub.read_text()).docstring
        module.docstring = said or module.docstring


def show_constructor(described: griffe.Class) -> None:
    """Show the constructor where readers look for it: with the class."""
    constructor = described.members.pop("__new__", None)
    if isinstance(constructor, griffe.Function):
        constructor.name = "__init__"
        constructor.returns = None
        described.members["__init__"] = constructor


def objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """Yield an object and all that it holds."""
    yield parent
    for member in parent.members.values():
        if isinstance(member, griffe.Object):
            yield from objects(member)


def markdown(docstring: str, public: dict[str, str], own_name: str) -> str:
    """Fence the examples, and link the names."""

    def link(found: re.Match[str]) -> str:
        name = found["name"]
        return f"[`{name}`][{public[name]}]" if name in public and name != own_name else found[0]

    def fence(example: re.Match[str]) -> str:
        return f"```pycon\n{example[0]}\n```"

    return EXAMPLE.sub(fence, NAME.sub(link, docstring))
