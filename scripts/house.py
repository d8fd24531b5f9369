"""Print the import graph of the crate in numbers, and fail when an import runs up.

The order of the layers is the list in ARCHITECTURE.md; this script reads it there.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Files that import each other in a circle: not more than today.
LARGEST_CIRCLE = 25

TYPES = re.compile(
    r"^\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait|type) ([A-Z]\w*)", re.MULTILINE
)
PATH = re.compile(r"\b(crate|super(?:::super)*|self)::(\{[^;]*\}|[\w:]+(?:\{[^;]*\})?)")
BOOLEAN = re.compile(r"match [^\n{]*\{\s*(?:true|false) =>")


def production(text: str) -> str:
    """The code without its tests."""
    return re.split(r"\n#\[cfg\((?:all\()?test[^\n]*\n(?:#[^\n]*\n)*mod \w+ \{", text)[0]


def without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*", "", text)


def layers(map_text: str) -> list[str]:
    """The folders of `src`, from the uppermost down."""
    return re.findall(r"^src/([\w/]+)/ {2,}", map_text, re.MULTILINE)


def split(path: str) -> list[str]:
    """`a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`."""
    head, brace, rest = path.partition("{")
    if not brace:
        return [path.strip()]
    parts, depth, part = [], 0, ""
    for letter in rest[: rest.rindex("}")] + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [whole for part in parts if part for whole in split(head + part)]


def module(file: str) -> tuple[str, ...]:
    parts = file.removesuffix(".rs").split("/")
    return tuple(parts[:-1] if parts[-1] in ("mod", "lib") else parts)


def imports(files: dict[str, str]) -> dict[str, set[str]]:
    """For each file the files that its paths lead to."""
    modules = {module(file): file for file in files}
    graph: dict[str, set[str]] = {file: set() for file in files}
    for file, text in files.items():
        for start, rest in PATH.findall(without_comments(text)):
            here = module(file)
            ups = start.count("super")
            base = () if start == "crate" else here[: len(here) - ups]
            for path in split(rest):
                names = [*base, *(name for name in path.split("::") if name)]
                while names and tuple(names) not in modules:
                    names.pop()
                target = modules.get(tuple(names))
                if names and target and target != file:
                    graph[file].add(target)
    return graph


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of files of which each reaches each other."""
    reached = {}
    for start in graph:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            new = graph[ahead.pop()] - seen
            seen |= new
            ahead.extend(new)
        reached[start] = seen
    found = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}
    return sorted(map(set, found), key=len, reverse=True)


def upward(graph: dict[str, set[str]], order: list[str]) -> list[str]:
    """Imports of a folder from one that stands above it."""

    def floor(file: str) -> int | None:
        inside = [at for at, folder in enumerate(order) if file.startswith(folder + "/")]
        return max(inside, key=lambda at: len(order[at]), default=None)

    arrows = []
    for file, targets in sorted(graph.items()):
        for target in sorted(targets):
            low, high = floor(file), floor(target)
            if low is None or high is None or high >= low:
                continue
            # What is inside another folder of the list is a part of it, and may know the whole.
            if not order[low].startswith(order[high] + "/"):
                arrows.append(f"{file} -> {target}")
    return arrows


def main() -> int:
    sources = ROOT / "src"
    files = {
        path.relative_to(sources).as_posix(): production(path.read_text())
        for path in sources.rglob("*.rs")
        if "tests" not in path.as_posix().removeprefix(ROOT.as_posix())
    }
    graph = imports(files)
    order = layers((ROOT / "ARCHITECTURE.md").read_text())
    rings, arrows = circles(graph), upward(graph, order)
    text = "\n".join(files.values())
    types = Counter(TYPES.findall(text))
    lines = max(text.count("\n"), 1)
    docs = " ".join(line.strip()[3:] for line in text.split("\n") if re.match(r"\s*//[/!]", line))
    sentences = re.split(r"(?<=[.!?:])\s+", docs)
    opened = sum(bool(re.match(r"(What|Who|Whoever|Whether)\b", one)) for one in sentences)
    marks = len(re.findall(r"pub\((?:crate|super|in [^)]*)\)", text))
    largest = len(rings[0]) if rings else 0
    print(f"type names defined more than once: {sum(many > 1 for many in types.values())}")
    print(f"largest circle of files: {largest} (at most {LARGEST_CIRCLE})")
    print(f"imports that run up: {len(arrows)}")
    print(f"restricted-visibility marks per 1,000 lines: {1000 * marks / lines:.0f}")
    print(f"match on a bool: {len(BOOLEAN.findall(text))}")
    print(f"doc sentences that open with What or Who: {100 * opened / len(sentences):.1f} %")
    for arrow in arrows:
        print(f"runs up: {arrow}", file=sys.stderr)
    return int(bool(arrows) or largest > LARGEST_CIRCLE or not order)


if __name__ == "__main__":
    sys.exit(main())
