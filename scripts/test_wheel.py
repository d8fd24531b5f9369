"""Installs a wheel in an environment of its own and runs the Python tests there.

usage: test_wheel.py FOLDER [PYTEST ARGUMENT ...]

The folder has the wheel, maybe among others for other interpreters than the one that runs this.

The source tree is out of reach: what the tests need is copied elsewhere, and nothing of the
package is among it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEEDED = [
    "*.md",
    "Cargo.toml",
    "docs",
    "examples",
    "pyproject.toml",
    "tests/python",
    "zensical.toml",
]
"""What the tests read: themselves, their settings, examples, the version, the order of pages."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def copy_tests(to: Path) -> None:
    for source in (path for pattern in NEEDED for path in ROOT.glob(pattern)):
        target = to / source.relative_to(ROOT)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def run(python: Path, *arguments: str, folder: Path) -> str:
    command = [str(python), *arguments]
    return subprocess.run(
        command, check=True, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ).stdout


def environment(folder: Path, wheels: Path) -> Path:
    """Make a virtual environment with the wheel and what the tests need. Returns its Python."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["-m", "pip", "install", "--quiet"]
    run(python, *install, "--upgrade", "pip", folder=folder)
    run(python, *install, "--group", "test", folder=folder)
    only_ours = ["--no-index", "--only-binary", ":all:", "--find-links", str(wheels)]
    run(python, *install, *only_ours, "rocksq", folder=folder)
    where = run(python, "-c", "import rocksq; print(rocksq.__file__)", folder=folder)
    if not Path(where.strip()).is_relative_to(folder / "venv"):
        sys.exit(f"the tests would not test the wheel but {where}")
    return python


def main(wheels: str, *arguments: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        copy_tests(place)
        python = environment(place, Path(wheels).resolve())
        command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, check=False, cwd=place, env=ENVIRONMENT).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
