"""Start the app: say plainly what stands in the way, decide who may come in and what may be read, then serve."""

from __future__ import annotations

import argparse
import errno
import os
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from curation.errors import DataError
from curation.roots import ROOTS, configured_roots, parse_roots, set_roots
from curation.settings import home

__all__ = ["main"]

APP = Path(__file__).resolve().parent.parent / "app.py"
LOCAL_ADDRESS = "127.0.0.1"
LOCAL_ADDRESSES = (LOCAL_ADDRESS, "::1", "localhost")
EVERYWHERE = ("0.0.0.0", "::")
HOSTS = "INTERPLAY_HOSTS"
HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped, or return 2 with one sentence when that cannot be."""
    options = _parser().parse_args(argv)
    try:
        _check_free(options.address, options.port)
        _set_roots(options.roots, options.address)
        os.chdir(APP.parent)
        return _serve(options)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ui.serve", description="Open Interplay. See docs/server.md.")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--address", default=LOCAL_ADDRESS, help="0.0.0.0 lets other computers in (only this one)")
    parser.add_argument(
        "--host", action="append", default=[], metavar="NAME",
        help=f"a name under which people reach this server; may be repeated ({HOSTS}, separated by commas)",
    )  # fmt: skip
    parser.add_argument(
        "--roots", metavar="FOLDERS",
        help=f"folders that people may name on the Import page, separated by '{os.pathsep}' ({ROOTS}; your home folder "
        "and this one while only this computer is let in, otherwise none)",
    )  # fmt: skip
    return parser


def _check_free(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                raise DataError(
                    f"Port {port} is busy, perhaps with another Interplay; choose another: make run PORT={port + 1}"
                ) from None
            raise DataError(f"Cannot listen on {address}, port {port} ({error}); give others.") from None


def _set_roots(named: str | None, address: str) -> None:
    """Decide what people may name: what was configured, else what belongs to the one person at this computer."""
    if named is not None:
        set_roots(parse_roots(named))
    elif ROOTS in os.environ:
        set_roots(configured_roots())
    else:
        set_roots((Path.home().resolve(), Path.cwd()) if address in LOCAL_ADDRESSES else ())


def _serve(options: argparse.Namespace) -> int:
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    from ui.server import wire

    # Streamlit takes a folder called pages for an app of the old kind until app.py has run once: a link straight to
    # a page of a fresh server would open that page alone, without the app around it.
    PagesManager.uses_pages_directory = False
    names = _host_names([*options.host, *os.environ.get(HOSTS, "").split(",")])
    if options.address not in EVERYWHERE:
        names.append(f"[{options.address}]" if ":" in options.address else options.address)
    wire(home() / "uploads", lambda: _who_may_come_in(options, names))
    return cli.main(["run", APP.name, *_flags(options, names)], standalone_mode=False) or 0


def _flags(options: argparse.Namespace, names: Sequence[str]) -> list[str]:
    flags = {
        "server.address": options.address,
        "server.port": options.port,
        # Unless it is told its own name, Streamlit asks a service on the internet for it.
        "browser.serverAddress": names[0] if names else "localhost",
        "logger.hideWelcomeMessage": "true",
    }
    return [f"--{name}={value}" for name, value in flags.items()]


def _who_may_come_in(options: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """Close the door if people sign in, say how things stand, and return the names of this server."""
    from streamlit import get_option

    from ui import people

    signs_in_at = people.check_sign_in(get_option("secrets.files"))
    if signs_in_at:
        people.require_sign_in()
    _tell(options, names, bool(signs_in_at))
    return [*names, signs_in_at] if signs_in_at else list(names)


def _host_names(given: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for name in given if name.strip()]
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise DataError(f"{name} is not a host name; give it without http:// and port, for example my.server.org.")
    return names


def _tell(options: argparse.Namespace, names: Sequence[str], signs_in: bool) -> None:
    """Say where it opens, and what people who let others in should know."""
    said = [f"Interplay opens on http://{names[0] if names else 'localhost'}:{options.port} (stop it with Ctrl+C)"]
    if options.address not in LOCAL_ADDRESSES and not signs_in:
        said.append(
            "WARNING: everybody who reaches this computer may use this server and see its runs; see docs/server.md "
            "for sign-in."
        )
    if options.address in EVERYWHERE and not names:
        said.append("It answers to the name localhost only; give the names that others use with --host NAME.")
    sys.stderr.write("\n".join(said) + "\n")


if __name__ == "__main__":
    sys.exit(main())
