"""What builds the documentation's site: the links that it finds dead, and those that it mends."""

import re
import tomllib
from pathlib import Path

import pytest

import links
import pages
import sitemap

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


def test_the_readme_links_to_absolute_addresses_alone() -> None:
    """PyPI and crates.io show it where no file of the repository is beside it."""
    targets = re.findall(r"\]\(([^)]+)\)", (pages.ROOT / "README.md").read_text())
    assert targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_the_readme_links_to_files_that_are_there() -> None:
    text = (pages.ROOT / "README.md").read_text()
    files = re.findall(re.escape(pages.REPOSITORY) + r"/([^)#]+)", text)
    assert files
    assert [file for file in files if not (pages.ROOT / file).is_file()] == []


def test_the_package_names_the_site_and_the_site_its_sources() -> None:
    package = tomllib.loads((pages.ROOT / "pyproject.toml").read_text())["project"]["urls"]
    site = tomllib.loads((pages.ROOT / "zensical.toml").read_text())["project"]
    assert package["Documentation"] == package["Homepage"] == site["site_url"]
    assert package["Repository"] == site["repo_url"]


def test_a_page_that_the_sitemap_leaves_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    for name in ("index.html", "guide/index.html", "404.html"):
        (tmp_path / name).write_text(PAGE)
    listed = "<urlset><url><loc>https://example.org/rocksq/</loc></url></urlset>"
    (tmp_path / "sitemap.xml").write_text(listed)
    assert sitemap.left_out(tmp_path, "https://example.org/rocksq/") == ["guide/"]


def test_an_address_of_each_page_in_the_sitemap_is_enough(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    listed = "<urlset><url><loc>https://example.org/rocksq/</loc></url></urlset>"
    (tmp_path / "sitemap.xml").write_text(listed)
    assert sitemap.left_out(tmp_path, "https://example.org/rocksq/") == []
