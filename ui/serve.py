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
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.chdir(Path(__file__).resolve().parent.parent)
    return os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"])


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
