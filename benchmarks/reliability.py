"""The report on what the app withstands; each of its sections is written by the module that measures it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import write_section

__all__ = ["write"]

REPORT = Path(__file__).with_name("reliability.md")
INTRO = """
# What the app withstands, measured

Each section names the command that writes it.
"""
ORDER = ("Fuzzing", "Killed", "Uploads", "Sessions")


def write(title: str, command: str, body: str) -> None:
    """Write one section and leave the others."""
    write_section(REPORT, INTRO, ORDER, title, command, body)
