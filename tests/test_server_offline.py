"""Nothing leaves this computer: every page with the network cut off, and every connection that the server makes."""

from __future__ import annotations

import shutil

import makers
import pytest
from playwright.sync_api import Error
from visitors import xsrf_token
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from benchmarks import browser

pytestmark = pytest.mark.browser
WORKSPACE = "0123456789abcdef"
PAGES = ("", "import_data", "score", "explore", "curate", "export")
WRITE_DOWN = """
import os, sys

def write_down(event, arguments):
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo"):
        with open(os.environ["CONNECTIONS"], "a") as log:
            log.write(f"{event} {arguments[0] if event == 'socket.getaddrinfo' else arguments[1]}\\n")

sys.addaudithook(write_down)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, picture_run):
    """A home folder with one run in it, of pictures and texts."""
    home = tmp_path_factory.mktemp("offline")
    shutil.copytree(picture_run, home / "workspaces" / WORKSPACE)
    return home


@pytest.fixture(scope="module")
def link(picture_run) -> str:
    """The part of an address that opens the run."""
    return f"workspace={WORKSPACE}&run={makers.run_folder(picture_run).name}"


@pytest.fixture(scope="module")
def served(home, chromium):
    (home / "sitecustomize.py").write_text(WRITE_DOWN)
    variables = {"PYTHONPATH": str(home), "CONNECTIONS": str(home / "connections")}
    with browser.running_server(home, home / "log", **variables) as served:
        yield served


@pytest.fixture
def page(chromium):
    with browser.browser_page(chromium) as page:
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        yield page


def strangers(page, served) -> list[str]:
    """Addresses that the page asked, other than its own server's."""
    own = (served.address, served.address.replace("http", "ws"), "data:", "blob:")
    return [url for url in page.asked if not url.startswith(own)]


def test_every_page_is_whole_without_a_network(page, served, link):
    broken = []
    page.on("requestfailed", lambda request: broken.append(f"{request.url} {request.failure}"))
    for name in PAGES:
        page.goto(f"{served.address}/{name}?{link}")
        page.locator("h1").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
        if name == "explore":
            page.locator(".js-plotly-plot").first.wait_for()
        assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0, name
        assert page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length") == 0, name
        assert page.evaluate("[...document.fonts].filter(f => f.status == 'error').length") == 0, name
    assert len(page.asked) > len(PAGES)
    assert strangers(page, served) == []
    assert [failure for failure in broken if "ERR_ABORTED" not in failure] == []  # going on aborts what is under way


def test_the_network_is_really_cut_off_and_a_stranger_would_be_seen(page, served):
    page.goto(served.address)
    page.evaluate("fetch('http://analytics.example/x').catch(() => 0)")
    assert strangers(page, served) == ["http://analytics.example/x"]
    for outside in ("http://example.org/", "http://192.0.2.1/"):
        with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
            page.goto(outside)


def test_the_server_asks_nobody_either(page, served, home, link):
    """Not even when a foreign page knocks, at which Streamlit by itself asks the internet for its own address."""
    page.goto(f"{served.address}/explore?{link}")
    page.locator(".js-plotly-plot").first.wait_for()
    token = xsrf_token(served.address)
    with pytest.raises(InvalidStatus):
        connect(f"{served.address.replace('http', 'ws')}/_stcore/stream", origin="http://evil.example",
                subprotocols=["streamlit", token])  # fmt: skip
    written = (home / "connections").read_text().splitlines()
    assert any(line.startswith("socket.bind") for line in written), "connections are no longer written down"
    assert [line for line in written if "127.0.0.1" not in line] == []
