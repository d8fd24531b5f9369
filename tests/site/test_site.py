"""What builds the documentation's site: the links that it finds dead, and those that it mends."""

import re
from pathlib import Path

import pytest

import links
import pages

PAGE = '<h1 id="top">A page</h1><a href="{}">link</a>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("index.html", "guide/index.html"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(PAGE.format("#top"))
    return tmp_path


@pytest.mark.parametrize(
    "link", ["guide/", "guide/#top", "guide/index.html", "#top", "https://example.org/nowhere"]
)
def test_a_link_that_leads_somewhere_is_fine(site: Path, link: str) -> None:
    (site / "index.html").write_text(PAGE.format(link))
    assert links.dead(site) == []


@pytest.mark.parametrize("link", ["guid/", "guide/#bottom", "#bottom", "../index.html", "page.md"])
def test_a_link_that_leads_nowhere_is_told(site: Path, link: str) -> None:
    (site / "index.html").write_text(PAGE.format(link))
    assert links.dead(site) == [f"index.html: {link}"]


def test_a_reference_that_was_not_resolved_is_told(site: Path) -> None:
    (site / "index.html").write_text("<p>Raises [<code>Ful</code>][rocksq.exceptions.Ful].</p>")
    assert links.dead(site) == ["index.html: ][rocksq.exceptions.Ful]"]


def test_links_of_the_repository_hold_on_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, site = tmp_path / "docs", tmp_path / ".site"
    (docs / "guide").mkdir(parents=True)
    (docs / "guide/index.md").write_text("[a](../../ARCHITECTURE.md) [b](../design.md#files)")
    (docs / "design.md").write_text("[c](https://example.org/x.md)")
    (tmp_path / "ARCHITECTURE.md").write_text("[d](docs/design.md)")
    monkeypatch.setattr(pages, "DOCS", docs)
    monkeypatch.setattr(pages, "SITE", site)
    monkeypatch.setattr(
        pages, "ELSEWHERE", {tmp_path / "ARCHITECTURE.md": docs / "architecture.md"}
    )
    pages.gather()
    assert (
        site / "guide/index.md"
    ).read_text() == "[a](../architecture.md) [b](../design.md#files)"
    assert (site / "design.md").read_text() == "[c](https://example.org/x.md)"
    assert (site / "architecture.md").read_text() == "[d](design.md)"


def test_links_to_sources_lead_to_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SITE", tmp_path)
    page, source = pages.DOCS / "durability.md", tmp_path / "page.md"
    source.write_text(f"[kill]({pages.ROOT}/tests/rust/kill.rs)")
    pages.copy(source, page)
    copied = (tmp_path / "durability.md").read_text()
    assert copied == f"[kill]({pages.REPOSITORY}/tests/rust/kill.rs)"
    source.write_text("[gone](gone.rs)")
    with pytest.raises(FileNotFoundError):
        pages.copy(source, page)


def test_the_tests_that_documents_name_are_there() -> None:
    named = re.compile(r"\[`(?P<name>\w+)`\]\((?P<file>[^)]+\.(rs|py))\)")
    tests = [
        (page, match["name"], (page.parent / match["file"]).read_text())
        for page in pages.DOCS.rglob("*.md")
        for match in named.finditer(page.read_text())
    ]
    assert len(tests) > 30
    missing = [
        f"{page.name}: {name}"
        for page, name, text in tests
        if not re.search(rf"\b(fn|def) {name}\(", text)
    ]
    assert missing == []
