"""Start the app: say plainly when the port is busy, then hand over to Streamlit."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

__all__ = ["main"]

ADDRESS = "127.0.0.1"


def main(argv: list[str] | None = None) -> int:
    """Replace this process by the app, or return 2 with one sentence when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m ui.serve")
    parser.add_argument("--port", type=int, default=8501)
    port = parser.parse_args(argv).port
    if _busy(port):
        sys.stderr.write(
            f"Port {port} is busy, perhaps with another Interplay; choose another: make run PORT={port + 1}\n"
        )
        return 2
    sys.stderr.write(f"Interplay opens on http://{ADDRESS}:{port} (stop it with Ctrl+C)\n")
    os.chdir(Path(__file__).resolve().parent.parent)
    return _streamlit(port)


def _streamlit(port: int) -> int:
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    # Streamlit takes a folder called pages for an app of the old kind until app.py has run once: a link straight to
    # a page of a fresh server would open that page alone, without the app around it.
    PagesManager.uses_pages_directory = False
    return cli.main(["run", "app.py", f"--server.port={port}"], standalone_mode=False) or 0


def _busy(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
