"""What the groups of commands share: options that several have, and progress on the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from curation.words import MEASURES

if TYPE_CHECKING:
    from curation.progress import Progress

__all__ = ["WORKSPACE", "console", "measure_option", "run_options"]

WORKSPACE = "the workspace: a new folder, or one that has been used before"


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add what names a run in a workspace, and the measure to read it by."""
    parser.add_argument("run", type=Path, metavar="DIR", help="a workspace")
    parser.add_argument("--run", dest="id", metavar="RUN", help="one of its runs (by default the latest)")
    measure_option(parser, None, "the one the run was scored with")


def measure_option(parser: argparse.ArgumentParser, default: str | None, said: str) -> None:
    """Add the choice of a definition of redundancy."""
    known = f"{', '.join(MEASURES)} (by default {said})"
    parser.add_argument("--measure", choices=tuple(MEASURES), default=default, metavar="NAME",
                        help=f"how redundancy is defined: {known}")  # fmt: skip


@contextmanager
def console() -> Iterator[Progress]:
    """Give progress that is shown where somebody looks."""
    from curation.progress import ConsoleProgress

    progress = ConsoleProgress(_screen())
    try:
        yield progress
    finally:
        progress.close()


def _screen() -> TextIO:
    """Return where progress goes: a terminal if there is one; stderr otherwise holds nothing but errors."""
    return sys.stderr if sys.stderr.isatty() else sys.stdout
