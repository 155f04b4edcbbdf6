"""Reports in sections: what was run again replaces its own section and leaves the others."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

__all__ = ["Sections", "in_own_process", "machine", "table", "write_section", "write_sections"]

Sections = dict[str, tuple[str, Callable[[], str]]]


def machine() -> str:
    """Return where and with what figures were taken, in one line."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("torch", "numpy", "scipy", "scikit-learn"))
    processor = f"{platform.machine()}, {torch.get_num_threads()} cores"
    return f"{date.today()}, {processor}, Python {platform.python_version()}, {packages}"


def in_own_process(code: str, *arguments: object) -> object:
    """Run Python code in a process of its own, and return what its last line tells in JSON."""
    # How idle threads wait is set for the estimator; whatever is compared with it gets its own defaults.
    settings = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-c", code, *(str(a) for a in arguments)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=settings)
    if done.returncode:
        raise RuntimeError(f"The process ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


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


def write_sections(report: Path, intro: str, sections: Sections, module: str, about: str) -> None:
    """Measure the sections that the command line names, all if it names none, and put them into a report.

    Parameters
    ----------
    report : Path
    intro : str
        What stands above all sections.
    sections : dict of str to (title, function)
        By the name that the command line uses; the function returns Markdown.
    module : str
        What ``python -m`` was called with.
    about : str
        Docstring of that module.
    """
    parser = argparse.ArgumentParser(description=about.split("\n", 1)[0])
    parser.add_argument("sections", nargs="*", choices=[[], *sections], help="all, if none is named")
    titles = [title for title, _ in sections.values()]
    for name in parser.parse_args().sections or sections:
        title, measure = sections[name]
        body = measure()
        write_section(report, intro, titles, title, f"python -m {module} {name}", body)
        print(f"## {title}\n{body}\n", flush=True)
