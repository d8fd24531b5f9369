"""The version is written in one place, Cargo.toml."""

import tomllib
from importlib import metadata
from pathlib import Path

import rocksq

CARGO = Path(__file__).parents[2] / "Cargo.toml"


def test_the_module_its_metadata_and_cargo_agree() -> None:
    cargo = tomllib.loads(CARGO.read_text())
    assert cargo["package"]["name"] == "rocksq"
    version = cargo["workspace"]["package"]["version"]
    assert rocksq.version() == rocksq.__version__ == metadata.version("rocksq") == version
