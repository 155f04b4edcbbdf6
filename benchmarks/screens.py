"""Pictures of every page, for people who want to see before they install.

``python -m benchmarks.screens`` runs the emoji demo and writes ``docs/screens.md``, ``docs/screens/`` and the picture
of the README; with ``--home FOLDER --link "workspace=…&run=…"`` it takes a run that is there.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.browser import ROOT, app_server, browser_page, executable
from curation.exploring.view import SHOWS
from ui.explore import TITLES

__all__ = ["PAGES", "SHOWN"]

DOCS = ROOT / "docs"
PATIENCE = 600_000  # ms
BELOW_THE_BAR = "view => { view.style.scrollMarginTop = '5rem'; view.scrollIntoView(); }"
PAGES = {
    "start": "A demo in one click, the way to your own pairs, and the runs of earlier days.",
    "import_data": "Drop files: columns are recognised, and a report tells which rows are wrong and how to mend them.",
    "score": "Encoders and settings, then progress with the time left. A reload or a closed tab loses nothing.",
    "explore": "How the categories differ, where the samples lie, and what one sample says.",
    "curate": "What to keep, and what that does to the categories, before anything is exported.",
    "apply": "Models that go by the scores, each measured against plain ways before it is used.",
    "export": "Files for people and for programs, tags included.",
}
SHOWN = {
    "categories": "One bar a category: what both sides say, only one, or only the two together.",
    "distributions": "How every score spreads over the samples of a category, and the share below 0.",
    "map": "Neighbours are alike; a box or a lasso selects.",
    "quadrants": "What one side tells against what the other tells: swapped pairs and wrong labels stand out.",
    "suspects": "What to look at first, and why.",
    "table": "The samples as rows, with texts and scores.",
}
MOST = 250_000  # bytes


def shot(page: object, path: Path) -> None:
    """Keep what is on screen, with as many colours as fit into the bound."""
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState == 'notRunning'")
    page.wait_for_timeout(2500)
    whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64, 32):
        whole.quantize(colours).save(path, optimize=True)
        if path.stat().st_size <= MOST:
            return
    raise ValueError(f"{path.name} is larger than {MOST:,} bytes.")


def demo_run(page: object, address: str) -> str:
    """Run the emoji demo and return the part of the address that opens it, once all its maps are there."""
    page.goto(address)
    page.get_by_role("button", name="Run the demo").click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
    return page.url.split("?")[1]


def take(page: object, address: str, link: str, folder: Path) -> None:
    """Keep a picture of every page, and of every view of Explore."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        page.goto(f"{address}/{'' if name == 'start' else name}?{link}")
        page.locator("h1").first.wait_for()
        if name != "explore":
            shot(page, folder / f"{name}.png")
            continue
        for view in SHOWS:
            page.locator(".st-key-show").get_by_text(TITLES[view], exact=True).click()
            page.locator(".js-plotly-plot, [data-testid=stDataFrame]").first.wait_for()
            page.wait_for_timeout(1000)
            if view == SHOWS[0]:
                shot(page, folder / "explore.png")
                page.get_by_role("button", name="Skip the guide").click()
                page.get_by_text("1 of 5").wait_for(state="detached")
                page.wait_for_timeout(1000)
            page.locator(".st-key-show").first.evaluate(BELOW_THE_BAR)
            shot(page, folder / f"explore-{view}.png")


def text() -> str:
    """Return the page that shows all pictures."""
    told = ["# The screens", "", "Taken from the emoji demo by `python -m benchmarks.screens`, at 1440 × 900.", ""]
    for name, words in PAGES.items():
        told += [f"## {name.removesuffix('_data').capitalize()}", "", words, "", f"![{words}](screens/{name}.png)", ""]
        for view, more in SHOWN.items() if name == "explore" else ():
            told += [f"### {TITLES[view]}", "", more, "", f"![{more}](screens/explore-{view}.png)", ""]
    return "\n".join(told)


def main() -> None:
    """Take all pictures, and write the page about them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--link")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder)
        with app_server(home, Path(folder) / "server.log") as address, browser_page(executable()) as page:
            take(page, address, asked.link or demo_run(page, address), DOCS / "screens")
    (DOCS / "screens.md").write_text(text(), encoding="utf-8")
    (DOCS / "explore.png").write_bytes((DOCS / "screens" / "explore-categories.png").read_bytes())


if __name__ == "__main__":
    main()
