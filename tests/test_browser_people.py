"""Pages for everybody: nothing that axe calls serious, readable in light and dark, and all of it by keyboard."""

from __future__ import annotations

import shutil
from pathlib import Path

import makers
import pytest
from axe_playwright_python.base import AXE_FILE_PATH

from benchmarks import browser
from curation.exploring.view import SHOWS
from ui.explore import TITLES

pytestmark = pytest.mark.browser
WORKSPACE = "0123456789abcdef"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PAGES = ("", "score", "curate", "apply", "export", "explore")


@pytest.fixture(scope="module")
def served(tmp_path_factory, picture_run, chromium):
    home = tmp_path_factory.mktemp("people")
    shutil.copytree(picture_run, home / "workspaces" / WORKSPACE)
    with browser.running_server(home, home / "log") as served:
        yield served


@pytest.fixture(scope="module")
def link(picture_run) -> str:
    return f"workspace={WORKSPACE}&run={makers.run_folder(picture_run).name}"


@pytest.fixture(scope="module")
def page(chromium):
    with browser.browser_page(chromium) as page:
        page.add_init_script(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
        yield page


def go(page, address: str) -> None:
    page.goto(address)
    page.locator("h1").first.wait_for()
    at_rest(page)


def at_rest(page) -> None:
    """Wait until the script is done and what it sent is drawn: fading-in text has no contrast yet."""
    rest = "document.querySelector('[data-testid=stApp]').dataset.testScriptState == 'notRunning'"
    page.wait_for_function(f"{rest} && !document.querySelector('[data-stale=true]')")
    page.wait_for_timeout(600)


def show(page, view: str) -> None:
    page.locator(".st-key-show").get_by_text(TITLES[view], exact=True).click()
    at_rest(page)


def refused(page) -> list[str]:
    """What axe calls serious or critical: the rule, and the first place."""
    assert page.locator("[data-testid=stException]").count() == 0  # a page that fails has nothing to be refused
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:150]}" for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page_and_view(page, served, link, scheme):
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name in PAGES:
        go(page, f"{served.address}/{name}?{link}")
        found[name] = refused(page)
    for view in SHOWS:
        show(page, view)
        found[view] = refused(page)
    assert {place: told for place, told in found.items() if told} == {}


def test_axe_would_find_pale_text_and_a_picture_without_words(page, served):
    page.emulate_media(color_scheme="light")
    go(page, served.address)
    page.evaluate("""document.querySelector('h1').insertAdjacentHTML('beforebegin',
        '<p style="color:#bbb;background:#fff">pale</p><img src="data:,">')""")
    assert {told.split(":")[0] for told in refused(page)} == {"color-contrast", "image-alt"}


def test_the_keyboard_reaches_filters_views_and_samples(page, served, link):
    go(page, f"{served.address}/explore?{link}")
    reached = []
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText?.trim() || document.activeElement.ariaLabel"))
    texts = [told or "" for told in reached]
    places = [
        next(i for i, told in enumerate(texts) if name in told)
        for name in ("Both say it", "Filter", "Measure and unit", "Categories", "Explain")
    ]
    assert places == sorted(places)  # in the order in which they stand on the page


def test_no_view_scrolls_sideways_on_a_phone(page, served, link):
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, f"{served.address}/explore?{link}")
    for view in SHOWS:
        show(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
