"""The examples in the docstrings and in the documents run."""

import ast
import doctest
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import rocksq
from documents import ROOT, blocks, documents

PACKAGE = Path(rocksq.__file__).parent
PARSER = doctest.DocTestParser()


def examples() -> Iterator[doctest.DocTest]:
    """Find the examples in the sources and stubs of the package."""
    for file in sorted(PACKAGE.glob("*.py*")):
        if file.suffix not in {".py", ".pyi"}:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            name = f"{file.name}:{getattr(node, 'name', 'module')}"
            test = PARSER.get_doctest(
                ast.get_docstring(node) or "", dict(vars(rocksq)), name, str(file), None
            )
            if test.examples:
                yield test


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_the_example_gives_what_it_shows(example: doctest.DocTest) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert runner.run(example).failed == 0


def with_python() -> list[Path]:
    found = [document for document in documents() if list(blocks(document, "python"))]
    assert ROOT / "README.md" in found
    assert ROOT / "docs/guide/index.md" in found
    return found


@pytest.fixture
def logger() -> Iterator[None]:
    """Undo what a document does to the loggers."""
    loggers = [logging.getLogger(name) for name in ("rocksq", "rocksq.rocksdb")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("logger")
@pytest.mark.parametrize(
    "document", with_python(), ids=lambda document: str(document.relative_to(ROOT))
)
def test_the_document_holds(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run a document's blocks one after another, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for line, code in blocks(document, "python"):
        exec(compile("\n" * (line - 1) + code, document, "exec"), names)
