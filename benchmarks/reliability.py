"""What happens when things go wrong: the report that several commands write, each its own sections."""

from __future__ import annotations

from pathlib import Path

__all__ = ["INTRO", "REPORT", "SECTIONS"]

REPORT = Path(__file__).with_name("reliability.md")
INTRO = """
# Reliability, measured

What the program does with input that nobody should hand in, and with accidents. Each section names its own command.
"""
SECTIONS = ("Fuzzing",)
