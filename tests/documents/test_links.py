"""README and docs: every link inside the repository leads somewhere, and the README stays short."""

import re
from pathlib import Path

import pytest

from conftest import ROOT

PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"))]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for path, _ in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / path).exists(), path


def test_the_index_has_every_page():
    index = (ROOT / "docs/README.md").read_text()
    named = {path for path, _ in LINK.findall(index)}
    assert named == {page.name for kind in ("*.md", "*.ipynb") for page in (ROOT / "docs").glob(kind)} - {"README.md"}


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) <= 1300


def test_contributing_names_files_that_are_there():
    names = re.findall(r"`((?:stages|tests)/[\w/]+(?:\.py|/))`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(names) > 15
    assert [name for name in names if not Path(ROOT / name).exists()] == []
