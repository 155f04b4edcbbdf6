"""A journey through Explore in a real Chromium without a network: lasso, gallery, tag, undo, reload, link, export."""

from __future__ import annotations

import re
import shutil

import makers
import pandas as pd
import pytest

from benchmarks import browser
from curation.exploring import Samples, View, mask
from curation.workspace import open_run, tags_of, view_of

pytestmark = pytest.mark.browser
WORKSPACE = "0123456789abcdef"
IN_GALLERY = 14


@pytest.fixture(scope="module")
def home(tmp_path_factory, picture_run):
    home = tmp_path_factory.mktemp("exploring")
    shutil.copytree(picture_run, home / "workspaces" / WORKSPACE)
    return home


@pytest.fixture
def page(home, chromium):
    with browser.app_server(home, home / "log") as address, browser.browser_page(chromium) as page:
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(
            f"{address}/explore?workspace={WORKSPACE}&run={makers.run_folder(home / 'workspaces' / WORKSPACE).name}"
        )
        yield page
        own = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in page.asked if not url.startswith(own)] == []


def lasso(page, corners: list[tuple[float, float]]) -> None:
    """Draw around a part of the figure, given in parts of its width and height."""
    page.locator(".js-plotly-plot").first.hover()
    page.locator(".modebar-btn[data-title='Lasso Select']").first.click()
    place = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    path = [(place["x"] + place["width"] * x, place["y"] + place["height"] * y) for x, y in corners]
    page.mouse.move(*path[0])
    page.mouse.down()
    for corner in [*path[1:], path[0]]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()


def test_from_a_lasso_to_a_download(page, home, tmp_path):
    workspace, run = open_run(home / "workspaces" / WORKSPACE)
    total = len(run.scores)
    page.locator(".st-key-show").get_by_text("Map", exact=True).click()
    page.get_by_text("Draw a box or a lasso").wait_for()
    lasso(page, [(0.02, 0.02), (0.55, 0.02), (0.55, 0.98), (0.02, 0.98)])
    told = page.get_by_text(re.compile(rf"^\d+ of {total} samples$"))
    told.wait_for()

    count = int(told.inner_text().split()[0])
    kept = re.search(r"view=(\w+)", page.url).group(1)
    chosen = mask(View.from_json(view_of(workspace, run.folder.name, kept).state).selection, Samples(run))
    assert 0 < count < total
    assert count == chosen.sum()
    shown = "n => [...document.querySelectorAll('button')].filter(b => b.innerText === 'Explain').length === n"
    page.wait_for_function(shown, arg=min(count, IN_GALLERY))

    page.get_by_role("button", name="Tag").click()
    page.get_by_role("textbox", name="Tag", exact=True).fill("odd")
    page.get_by_label("Tag", exact=True).last.press("Enter")
    page.get_by_role("button", name="Give the tag").click()
    page.get_by_text(f"{count} samples got the tag").wait_for()
    assert set(tags_of(workspace, run.dataset)["sample_id"]) == set(run.scores["sample_id"][chosen])

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("before => !location.href.includes(before)", arg=kept_in(page.url))
    assert tags_of(workspace, run.dataset).empty
    told.wait_for()
    page.reload()
    told.wait_for()  # the selection outlives the tab
    assert int(told.inner_text().split()[0]) == count

    other = page.context.browser.new_page()
    other.goto(page.url)
    other.get_by_text(f"{count} of {total} samples", exact=True).wait_for()

    page.get_by_role("link", name="Export").first.click()
    page.get_by_text(f"({count} samples)").wait_for()  # what is selected is what is offered
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {count} samples as CSV").click()
    download.value.save_as(tmp_path / "selected.csv")
    taken = pd.read_csv(tmp_path / "selected.csv", dtype={"sample_id": str})
    assert set(taken["sample_id"]) == set(run.scores["sample_id"][chosen])
    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0


def kept_in(url: str) -> str:
    """The view that an address names."""
    return re.search(r"view=\w+", url).group(0)
