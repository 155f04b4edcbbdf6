"""Signing in through a real OpenID Connect provider in a real browser: who comes in, who does not, what is seen."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from local_provider import SECRET

from benchmarks import browser

pytestmark = pytest.mark.browser
COOKIE_SECRET = "cookie-secret-that-must-not-be-seen-0123456789"
PROVIDER = Path(__file__).with_name("local_provider.py")
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{cookie_secret}"
client_id = "interplay-tests"
client_secret = "{secret}"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider():
    port = browser.free_port()
    process = subprocess.Popen([sys.executable, str(PROVIDER), str(port)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/keys")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urlopen(address, timeout=5).read()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    return tmp_path_factory.mktemp("sign-in") / "secrets.toml"


@pytest.fixture(scope="module")
def served(provider, chromium, secrets):
    home, port = secrets.parent, browser.free_port()
    secrets.write_text(SECRETS.format(port=port, provider=provider, secret=SECRET, cookie_secret=COOKIE_SECRET))
    variables = {"STREAMLIT_SECRETS_FILES": str(secrets)}
    with browser.running_server(home, home / "server.log", port=port, **variables) as served:
        yield served


@pytest.fixture
def page(served, chromium):
    with browser.browser_page(chromium) as page:
        page.heard = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: page.heard.append(frame)))
        page.goto(served.address)
        page.get_by_role("button", name="Sign in").wait_for()
        yield page
        seen = page.content().encode() + b"".join(f if isinstance(f, bytes) else f.encode() for f in page.heard)
        assert len(page.heard) > 0
        for secret in (SECRET, COOKIE_SECRET):
            assert secret.encode() not in seen
        assert b"id_token" not in seen


def sign_in(page, account: str) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=account, exact=True).click()


def signed_in(page, name: str):
    """The name in the page's header."""
    return page.locator(".st-key-person").get_by_text(name)


def is_stopped(page) -> bool:
    """Whether there is the way in and nothing else."""
    page.get_by_role("button", name="Sign in").wait_for()
    return page.get_by_role("button").count() == 1 and "Run the demo" not in page.content()


def test_a_stranger_sees_the_way_in_and_nothing_else(page, served):
    for path in ("", "import_data", "score", "explore", "curate", "export", "?run=0123456789abcdef"):
        page.goto(f"{served.address}/{path}")
        assert is_stopped(page), path


def test_alice_comes_in_goes_out_and_bob_comes_in(page):
    sign_in(page, "alice")
    signed_in(page, "Alice").wait_for()
    page.get_by_role("button", name="Run the demo").wait_for()
    page.reload()
    signed_in(page, "Alice").wait_for()
    page.get_by_role("button", name="Sign out").click()
    assert is_stopped(page)
    page.reload()
    assert is_stopped(page)
    sign_in(page, "bob")
    signed_in(page, "Bob").wait_for()
    assert signed_in(page, "Alice").count() == 0


@pytest.mark.parametrize("fault", ["forged", "expired", "audience", "issuer", "nonce", "unsigned"])
def test_a_token_with_a_fault_opens_nothing(page, served, fault):
    sign_in(page, f"mallory-{fault}")
    page.wait_for_url(f"{served.address}/")
    assert is_stopped(page)
    assert not [c for c in page.context.cookies() if c["name"].startswith("_streamlit_user")]


def test_a_cookie_that_was_tampered_with_opens_nothing(page, served):
    sign_in(page, "alice")
    signed_in(page, "Alice").wait_for()
    (cookie,) = [c for c in page.context.cookies() if c["name"] == "_streamlit_user"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    middle = len(cookie["value"]) // 2
    other = "A" if cookie["value"][middle] != "A" else "B"
    cookie["value"] = cookie["value"][:middle] + other + cookie["value"][middle + 1 :]
    page.context.add_cookies([cookie])
    page.goto(served.address)
    assert is_stopped(page)


def test_a_callback_that_was_not_asked_for_opens_nothing(page, served):
    page.goto(f"{served.address}/oauth2callback?code=0123&state=4567")
    assert is_stopped(page)


def test_a_stranger_cannot_upload(page, served):
    """The session is real and so is the token against forged requests; nobody has signed in."""
    jar = {c["name"]: c["value"] for c in page.context.cookies()}
    address = f"{served.address}/_stcore/upload_file/any-session/{uuid.uuid4()}"
    headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items()), "X-Xsrftoken": jar["_streamlit_xsrf"]}
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(address, b"x", headers, method="PUT"))
    assert refused.value.code == 403
    assert refused.value.read() == b"Sign in first"


def test_a_secrets_file_that_breaks_later_does_not_open_the_door(page, served, secrets):
    kept = secrets.read_text()
    try:
        secrets.write_text("[auth\nbroken")
        time.sleep(3)  # Streamlit looks at the file again
        page.goto(served.address)
        page.get_by_text("Sign in to go on").wait_for()
        assert "Run the demo" not in page.content()
    finally:
        secrets.write_text(kept)
