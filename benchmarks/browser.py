"""A real browser on a real server, for the tests of journeys and for the benchmark of the demo."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing but this computer: the network is cut off
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


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    port: int
    process: subprocess.Popen


@contextmanager
def running_server(home: Path, log: Path, *options: str, port: int | None = None, **variables: str) -> Iterator[Served]:
    """Serve the app as `make run` does, with its own home folder, more options and more variables of the environment.

    Folders of the temporary folder may be named on the Import page, unless an option says otherwise.
    """
    port = port or free_port()
    environment = {
        **os.environ, "INTERPLAY_HOME": str(home), "STREAMLIT_SERVER_HEADLESS": "true",
        "INTERPLAY_ROOTS": tempfile.gettempdir(), **variables,
    }  # fmt: skip
    with log.open("ab") as out:
        command = [sys.executable, "-m", "ui.serve", "--port", str(port), *options]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
        yield Served(f"http://127.0.0.1:{port}", port, server)
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def app_server(home: Path, log: Path) -> Iterator[str]:
    """Serve the app as :func:`running_server` does; yield its address."""
    with running_server(home, log) as served:
        yield served.address


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
