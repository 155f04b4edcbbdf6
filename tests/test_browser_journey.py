"""Journeys in a real Chromium: the demo from the first click to the downloaded file, and own data with bad rows."""

from __future__ import annotations

import re
import shutil

import makers
import numpy as np
import pandas as pd
import pytest

from benchmarks import browser
from curation.demos import load_demo
from curation.exploring import Samples, split
from curation.partitioning import kept_partition
from curation.places import new_id, recent_runs
from curation.recommending import CHOSEN, POLICY_TITLES
from curation.workspace import load_run, open_run
from lsmi_core.applications import partition

pytestmark = pytest.mark.browser
SCORING = 600_000  # ms; generous, for this proves that it works, not how fast


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The home folder of the server, and of this module's tests when they look what is in it."""
    folder = tmp_path_factory.mktemp("browser-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPLAY_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def address(home, chromium):
    with browser.app_server(home, home / "server.log") as address:
        yield address


@pytest.fixture
def page(address, chromium):
    with browser.browser_page(chromium) as page:
        page.outside = []
        page.on("request", lambda request: page.outside.append(request.url))
        page.goto(address)
        yield page
        strangers = [
            u for u in page.outside if not u.startswith((address, "data:", "blob:", address.replace("http", "ws")))
        ]
        assert strangers == []  # the page asks nobody but its own server for anything


def visible_errors(page) -> list[str]:
    return page.locator("[data-testid=stException], [data-testid=stAlertContentError]").all_inner_texts()


def test_demo_from_first_click_to_checked_download(page, home, tmp_path):
    page.get_by_role("button", name="Run the demo").click()
    page.get_by_text(re.compile(r"\d+ of 1,270")).first.wait_for()  # progress with a count
    assert "run=" in page.url
    page.get_by_text("What carries the category").first.wait_for(timeout=SCORING)
    figure = page.locator(".js-plotly-plot").first
    figure.locator(".legendtext").last.wait_for()
    assert set(load_demo("emoji").labels) <= set(figure.locator(".ytick").all_text_contents())
    assert figure.locator(".legendtext").all_text_contents() == [
        "Both say it", "Only the picture knows", "Only the text knows", "Only together",
    ]  # fmt: skip
    inks = figure.locator(".legendtitletext, .ytick text").evaluate_all("all => all.map(t => getComputedStyle(t).fill)")
    assert set(inks) == {"rgb(55, 67, 75)"}  # not the grey that is hard to read
    page.reload()
    page.get_by_text("What carries the category").first.wait_for()  # the address brings it back
    page.get_by_role("radio", name="Map", exact=True).click()
    page.get_by_text("click a point to see its sample").wait_for(timeout=SCORING)  # the map follows
    page.wait_for_function("document.querySelectorAll('[data-testid=stImage] img').length > 10")  # card and gallery
    assert visible_errors(page) == []

    page.get_by_role("link", name="Curate").first.click()
    count = page.get_by_label("Number of samples")
    count.fill("500")
    count.press("Enter")
    page.get_by_text("500 of 1,270 samples").first.wait_for()
    page.get_by_role("button", name="Keep this partition").click()
    page.get_by_role("button", name="Export it").click()
    page.get_by_text("What stays: the highest “both say it” (500 samples)").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 500 samples as CSV").click()
    download.value.save_as(tmp_path / "selected.csv")

    ((_, run),) = recent_runs("")
    scores = load_run(run.folder).scores
    expected = scores[partition(scores["r"].to_numpy(), 500 / len(scores))]
    taken = pd.read_csv(tmp_path / "selected.csv", dtype={"sample_id": str})
    assert taken["sample_id"].tolist() == expected["sample_id"].tolist()
    np.testing.assert_allclose(taken["r"], expected["r"], rtol=1e-12)
    assert taken["r"].min() >= scores.loc[~scores["sample_id"].isin(taken["sample_id"]), "r"].max()


def test_own_pictures_and_texts_with_bad_rows(page, address, tmp_path):
    made = makers.picture_table(tmp_path)
    page.goto(f"{address}/import_data")
    page.get_by_text("What do you bring?").wait_for()
    page.locator("input[type=file]").first.set_input_files(made.table)
    page.get_by_text("What was recognised").wait_for()
    page.get_by_label("or a folder on this computer").fill(str(made.media))
    page.get_by_label("or a folder on this computer").press("Enter")
    page.get_by_text("categories are ready").wait_for()
    page.get_by_text("rows were left out").first.wait_for()
    page.get_by_role("button", name="Use these pairs").click()
    page.get_by_role("button", name="Score the pairs").click()
    page.get_by_text("What carries the category").first.wait_for(timeout=SCORING)
    page.get_by_role("button", name=f"{len(made.bad)} rows left out").wait_for()
    assert visible_errors(page) == []


def test_pruning_from_its_price_to_the_part_that_stays(page, address, home, small_run):
    """Measured by a real job, taken as advised, seen before and after, kept, and shown on Explore."""
    workspace = new_id()
    shutil.copytree(small_run.folder.parent.parent, home / "workspaces" / workspace)
    page.goto(f"{address}/curate?workspace={workspace}&run={small_run.folder.name}")
    page.get_by_role("button", name="Measure the price").click()
    page.get_by_role("button", name="Cancel the measurement").wait_for()
    page.reload()  # the work goes on, and the page finds it again
    page.get_by_text(re.compile("When 50% stays: |when 50% stays")).wait_for(timeout=SCORING)
    curves = page.locator(".js-plotly-plot").filter(has_text=POLICY_TITLES[CHOSEN])
    lines = curves.locator(".legendtext")
    lines.last.wait_for()
    assert set(POLICY_TITLES.values()) == {text.strip() for text in lines.all_text_contents()}
    page.get_by_role("button", name=re.compile("Take (this advice|such a random sample)")).click()
    page.get_by_text(re.compile("at least 2 of every category")).wait_for()
    page.get_by_text("30 of 60 samples stay (50.0%)").wait_for()
    page.get_by_text(re.compile("^before: mean ")).wait_for()
    page.get_by_text("What leaves 30 samples").wait_for()
    page.get_by_role("button", name="Keep this partition").click()
    page.get_by_role("button", name="Show on Explore").click()
    page.get_by_text("30 of 60 samples", exact=True).wait_for()
    assert visible_errors(page) == []

    opened = open_run(home / "workspaces" / workspace)
    rows = split(kept_partition(*opened), Samples(opened[1])).selected
    assert opened[1].scores["label"][rows].value_counts().to_dict() == {f"kind {c}": 10 for c in range(3)}


def test_a_narrow_screen_never_scrolls_sideways(address, home, chromium):
    workspace, run = recent_runs("")[0]
    with browser.browser_page(chromium, width=390, height=844) as page:
        for name in ("", "import_data", "score", "explore", "curate", "apply", "export"):
            page.goto(f"{address}/{name}?workspace={workspace}&run={run.id}")
            page.locator("h1").first.wait_for()
            page.wait_for_timeout(1500)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
