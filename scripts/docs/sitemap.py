"""Finds the pages of the site that its sitemap leaves out: search engines do not see them."""

import re
from pathlib import Path

ADDRESS = re.compile(r"<loc>\s*([^<\s]+)\s*</loc>")


def left_out(site: Path, address: str) -> list[str]:
    """Name the pages below `address` that are missing."""
    listed = set(ADDRESS.findall((site / "sitemap.xml").read_text()))
    folders = [page.parent.relative_to(site).as_posix() for page in site.rglob("index.html")]
    names = sorted("" if folder == "." else f"{folder}/" for folder in folders)
    return [name for name in names if f"{address}{name}" not in listed]
