"""The pictures in docs/ are of all pages and all views that there are, and small."""

from __future__ import annotations

import re

from benchmarks import screens
from curation.exploring.view import SHOWS


def test_every_page_and_view_has_its_picture():
    pages = re.findall(r'st\.Page\("pages/(\w+)\.py"', (screens.ROOT / "app.py").read_text(encoding="utf-8"))
    assert list(screens.PAGES) == pages
    assert list(screens.SHOWN) == list(SHOWS)
    written = (screens.DOCS / "screens.md").read_text(encoding="utf-8")
    assert written == screens.text()
    named = re.findall(r"\]\((screens/\S+\.png)\)", written)
    assert len(named) == len(pages) + len(SHOWS)
    sizes = {name: (screens.DOCS / name).stat().st_size for name in named}
    assert {name: size for name, size in sizes.items() if size > screens.MOST} == {}
    assert sorted(p.name for p in (screens.DOCS / "screens").iterdir()) == sorted(n.split("/")[1] for n in named)
