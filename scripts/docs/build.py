"""Builds the documentation's site and checks every link in it, and its sitemap.

usage: build.py
"""

import subprocess
import sys
import tomllib

import links
import pages
import sitemap


def main() -> int:
    pages.gather()
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=pages.ROOT,
        check=True,
    )
    dead = links.dead(pages.ROOT / "site")
    left_out = sitemap.left_out(pages.ROOT / "site", address())
    wrong = [*dead, *(f"sitemap.xml lacks {page}" for page in left_out)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return len(wrong) > 0


def address() -> str:
    """Return where the site is published."""
    settings = tomllib.loads((pages.ROOT / "zensical.toml").read_text())
    site_url: str = settings["project"]["site_url"]
    return site_url


if __name__ == "__main__":
    sys.exit(main())
