"""The examples in the docstrings and in the documents run."""

import ast
import doctest
import subprocess
import sys
import tomllib
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


def run(document: Path, folder: Path) -> None:
    """Run a document's blocks one after another in a process of their own, as a reader would."""
    program = "\n".join(code for _, code in blocks(document, "python"))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{document}: {done.stderr}"


@pytest.mark.parametrize(
    "document", with_python(), ids=lambda document: str(document.relative_to(ROOT))
)
def test_the_document_holds_and_holds_again(document: Path, tmp_path: Path) -> None:
    for _ in range(2):
        run(document, tmp_path)
        assert list(tmp_path.iterdir()) == []


def pages_in_order() -> list[Path]:
    """Give the README and the pages in the order of the site's menu."""

    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for below in entry.values():
                yield from pages(below)
        elif isinstance(entry, list):
            for below in entry:
                yield from pages(below)

    menu = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    return [ROOT / "README.md", *(ROOT / "docs" / page for page in pages(menu))]


def test_a_reader_can_follow_all_documents_in_one_folder(tmp_path: Path) -> None:
    in_order = [page for page in pages_in_order() if page in with_python()]
    assert sorted(in_order) == sorted(with_python())
    for document in in_order:
        run(document, tmp_path)
