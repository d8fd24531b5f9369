"""The code in the documents, and where it stands."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^ *```", re.MULTILINE | re.DOTALL
)
INCLUDED = re.compile(r"^ *--8<-- ", re.MULTILINE)


def documents() -> list[Path]:
    """The README and every page of the site."""
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


def blocks(document: Path, language: str) -> Iterator[tuple[int, str]]:
    """Yield the blocks in a language, each with the number of its first line."""
    text = document.read_text()
    for fence in FENCE.finditer(text):
        if fence["language"] == language and not INCLUDED.search(fence["code"]):
            code = re.sub(f"^{fence['indent']}", "", fence["code"], flags=re.MULTILINE)
            yield text.count("\n", 0, fence.start("code")) + 1, code


TITLED = re.compile(r'^```py title="(?P<name>[^"]+)"\n(?P<code>.*?)^```', re.MULTILINE | re.DOTALL)


def write_files(document: Path, directory: Path) -> None:
    """Write the blocks that a document gives a file name into a directory."""
    for file in TITLED.finditer(document.read_text()):
        (directory / file["name"]).write_text(file["code"])
