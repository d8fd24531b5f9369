"""Gathers the pages of the site: `docs`, and those that live elsewhere in the repository."""

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = ROOT / ".site"
ELSEWHERE = {
    ROOT / "ARCHITECTURE.md": DOCS / "architecture.md",
    ROOT / "CHANGELOG.md": DOCS / "changelog.md",
    ROOT / "CONTRIBUTING.md": DOCS / "contributing.md",
}
REPOSITORY = "https://github.com/rocksq/rocksq/blob/main"
SOURCE = re.compile(r"(?<=\]\()(?P<target>[^)#:\s]+\.(rs|py))(?=\))")
LINK = re.compile(r"(?<=\]\()(?P<target>[^)#:\s]+\.md)(?P<anchor>#[^)\s]+)?(?=\))")


def gather() -> None:
    """Copy every page to where the site is built from."""
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(DOCS, SITE)
    for source, page in ELSEWHERE.items():
        copy(source, page)
    for page in DOCS.rglob("*.md"):
        copy(page, page)


def copy(source: Path, page: Path) -> None:
    """Copy a page, so that the links that hold in the repository hold on the site."""

    def mended(link: re.Match[str]) -> str:
        target = (source.parent / link["target"]).resolve()
        target = ELSEWHERE.get(target, target)
        if not target.is_relative_to(DOCS):
            return link[0]
        there = Path(os.path.relpath(target, page.parent)).as_posix()
        return f"{there}{link['anchor'] or ''}"

    def at_the_repository(link: re.Match[str]) -> str:
        target = (source.parent / link["target"]).resolve(strict=True)
        return f"{REPOSITORY}/{target.relative_to(ROOT).as_posix()}"

    text = SOURCE.sub(at_the_repository, LINK.sub(mended, source.read_text()))
    (SITE / page.relative_to(DOCS)).write_text(text)
