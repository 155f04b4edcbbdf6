"""What happens when things go wrong: one report, each section written by the module that measures it.

``python -m benchmarks.reliability`` writes the sections below again (about half an hour);
``python -m benchmarks.reliability trouble`` writes that one and leaves the others.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.report import write_section

__all__ = ["write"]

REPORT = Path(__file__).with_name("reliability.md")
INTRO = """
# What the app withstands, measured

Accidents, hostile input and load. Each section names the command that writes it; all of them: `make bench-reliability`.
"""
ORDER = ("Killed", "Trouble", "Fuzzing", "Wandering", "Sessions", "Uploads")
SECTIONS = {"killed": "Killed", "trouble": "Trouble"}


def write(title: str, command: str, body: str) -> None:
    """Write one section and leave the others."""
    write_section(REPORT, INTRO, ORDER, title, command, body)


def main() -> None:
    """Write the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="all, if none is named")
    for name in parser.parse_args().sections or SECTIONS:
        body = import_module(f"benchmarks.{name}").measure()
        write(SECTIONS[name], f"python -m benchmarks.reliability {name}", body)
        print(f"## {SECTIONS[name]}\n{body}\n", flush=True)


if __name__ == "__main__":
    main()
