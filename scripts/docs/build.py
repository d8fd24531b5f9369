"""Builds the documentation's site and checks every link in it.

usage: build.py
"""

import subprocess
import sys

import links
import pages


def main() -> int:
    pages.gather()
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=pages.ROOT,
        check=True,
    )
    dead = links.dead(pages.ROOT / "site")
    print("\n".join(dead), end="\n" if dead else "")
    return len(dead) > 0


if __name__ == "__main__":
    sys.exit(main())
