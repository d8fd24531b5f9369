"""The stubs state the signatures that the package has."""

import ast
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import rocksq

PACKAGE = Path(rocksq.__file__).parent
Parameters = list[tuple[str, str, object]]
"""Name, kind and default of each."""

REQUIRED = inspect.Parameter.empty


def stated(function: ast.FunctionDef) -> Parameters:
    """What the stub says, without `self`."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    missing = len(positional) - len(given.defaults)
    defaults = [REQUIRED] * missing + [ast.literal_eval(node) for node in given.defaults]
    kinds = ["POSITIONAL_ONLY"] * len(given.posonlyargs)
    kinds += ["POSITIONAL_OR_KEYWORD"] * len(given.args)
    parameters: Parameters = [
        (argument.arg, kind, default)
        for argument, kind, default in zip(positional, kinds, defaults, strict=True)
    ]
    for argument, node in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        default = REQUIRED if node is None else ast.literal_eval(node)
        parameters.append((argument.arg, "KEYWORD_ONLY", default))
    return [each for each in parameters if each[0] not in {"self", "cls"}]


def real(function: Callable[..., Any]) -> Parameters:
    """What the package says, without `self`."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind.name, p.default) for p in parameters if p.name != "self"]


def is_property(function: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "property" for d in function.decorator_list)


def functions() -> Iterator[tuple[str, ast.FunctionDef, Callable[..., Any]]]:
    """Every function, method and constructor of the stubs, and the one of the package."""
    for stub in sorted(PACKAGE.glob("*.pyi")):
        module = import_module(f"rocksq.{stub.stem}")
        for node in ast.parse(stub.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{stub.stem}.{node.name}", node, getattr(module, node.name)
            if isinstance(node, ast.ClassDef):
                yield from methods(f"{stub.stem}.{node.name}", node, getattr(module, node.name))


def methods(
    name: str, stub: ast.ClassDef, cls: type
) -> Iterator[tuple[str, ast.FunctionDef, Callable[..., Any]]]:
    for node in stub.body:
        if not isinstance(node, ast.FunctionDef) or is_property(node):
            continue
        if node.name == "__new__":
            yield f"{name}()", node, cls
        elif not node.name.startswith("__"):
            yield f"{name}.{node.name}", node, getattr(cls, node.name)


FOUND = list(functions())


@pytest.mark.parametrize(
    ("stub", "function"), [each[1:] for each in FOUND], ids=[n for n, *_ in FOUND]
)
def test_the_signature_is_that_of_the_stub(
    stub: ast.FunctionDef, function: Callable[..., Any]
) -> None:
    assert real(function) == stated(stub)


def test_functions_methods_and_constructors_are_compared() -> None:
    assert {"blocking.MpmcQueue()", "nonblocking.Response.get", "_native.version"} <= {
        name for name, *_ in FOUND
    }
