"""Reports in sections: what was run again replaces its own section and leaves the others."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

__all__ = ["machine", "table", "write_section"]


def machine() -> str:
    """Return where and with what figures were taken, in one line."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "scipy", "scikit-learn"))
    processor = f"{platform.machine()}, {torch.get_num_threads()} cores"
    return f"{date.today()}, {processor}, Python {platform.python_version()}, {packages}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write_section(report: Path, intro: str, order: Sequence[str], title: str, command: str, body: str) -> None:
    """Put one section into a report, in the place that ``order`` gives it; sections it does not know stay below.

    Parameters
    ----------
    report : Path
    intro : str
        What stands above all sections.
    order : sequence of str
        Titles of all sections.
    title, command, body : str
    """
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    found = {part.split("\n", 1)[0]: part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}
    found[title] = f"{title}\n`{command}` · {machine()}\n\n{body.strip()}\n\n"
    others = [name for name in found if name not in order]
    kept = "".join("## " + found[name].rstrip() + "\n\n" for name in [*order, *others] if name in found)
    report.write_text(f"{intro.strip()}\n\n{kept}".rstrip() + "\n", encoding="utf-8")
