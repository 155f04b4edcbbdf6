"""A real browser on a real server, for the tests of journeys and for the benchmark of the demo."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def executable() -> str | None:
    """Path of an installed Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def app_server(home: Path, log: Path) -> Iterator[str]:
    """Serve the app as `make run` does, with its own home folder; yield its address."""
    port = free_port()
    environment = {**os.environ, "INTERPLAY_HOME": str(home), "STREAMLIT_SERVER_HEADLESS": "true"}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.serve", "--port", str(port)], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_healthy(address: str, server: subprocess.Popen, log: Path, patience: float = 90) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            if urlopen(f"{address}/_stcore/health", timeout=2).read() == b"ok":
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"The app did not start: {log.read_text()[-2000:]}")


@contextmanager
def browser_page(path: str, width: int = 1440, height: int = 900) -> Iterator[object]:
    """Yield a page of a fresh headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
        page.set_default_timeout(60_000)
        try:
            yield page
        finally:
            browser.close()
