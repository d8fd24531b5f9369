"""Finds the links within a built site that lead nowhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

UNRESOLVED = re.compile(r"\]\[rocksq[^\]]*\]")
"""A link to a name of the API that is not there stays in the text as it was written."""


class Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.unresolved: list[str] = []
        self.feed(file.read_text())

    def handle_data(self, data: str) -> None:
        self.unresolved += UNRESOLVED.findall(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in {"href", "src"} and value:
                self.links.add(value)


def dead(site: Path) -> list[str]:
    """Say for each dead link where it stands."""
    pages = {file: Page(file) for file in site.rglob("*.html") if file.name != "404.html"}
    return [
        f"{file.relative_to(site)}: {link}"
        for file, page in sorted(pages.items())
        for link in [*page.unresolved, *sorted(page.links)]
        if link in page.unresolved or not holds(file, link, pages)
    ]


def holds(file: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not parts.fragment or target not in pages:
        return target.exists()
    return unquote(parts.fragment) in pages[target].anchors
