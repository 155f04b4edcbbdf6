"""Full disks, read-only folders, clocks that go back, and several processes at once: what the commands say and keep.

``python -m benchmarks.trouble full`` prints one scenario as JSON. Small disks are mounted in a namespace of its own,
which root may make, or anybody where user namespaces are allowed; they go away with it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import accidents
from benchmarks.material import drawings, vectors
from benchmarks.report import table
from benchmarks.steps import ROOT

__all__ = ["SCENARIOS", "measure", "namespace", "scenario"]

SCENARIOS = {
    "full": ("Disk full", accidents.full_disk),
    "read-only": ("Folder that cannot be written", accidents.read_only),
    "clock": ("Clock set back (of the processes; files keep the times of the system)", accidents.clock_back),
    "crowd": ("Several processes on one workspace", accidents.crowd),
}
PAIRS, FEW = 48, 24


def namespace() -> list[str] | None:
    """Return the words before a command that let it mount disks of its own; None where that is not allowed."""
    words = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    probe = [*words, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    try:
        return words if subprocess.run(probe, capture_output=True, check=False).returncode == 0 else None
    except FileNotFoundError:
        return None


def scenario(name: str, quick: bool = False) -> list[dict]:
    """Play a scenario in a process of its own; return its rows.

    Parameters
    ----------
    name : str
        Of :data:`SCENARIOS`.
    quick : bool
        With few ready-made features instead of pictures and captions.

    Returns
    -------
    list of dict
        ``what`` was tried, what the command ``said``, what came ``after``, and what was ``wrong``, a list.
    """
    words = [*(namespace() or []), sys.executable, "-m", "benchmarks.trouble", name, *(["--quick"] if quick else [])]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(told.stderr)
    return json.loads(told.stdout.splitlines()[-1])


def measure() -> str:
    """Play all scenarios; return the section."""
    with ThreadPoolExecutor() as pool:
        played = list(pool.map(scenario, SCENARIOS))
    parts = []
    for (title, _), rows in zip(SCENARIOS.values(), played, strict=True):
        wrong = [f"- {row['what']}: {'; '.join(row['wrong'])}" for row in rows if row["wrong"]]
        cells = [(row["what"], row["said"], row["after"]) for row in rows]
        parts += [f"**{title}**: {len(rows)} tries, {len(wrong)} went wrong.", *wrong, ""]
        parts += [table(("tried", "it said", "afterwards"), cells), ""]
    return "\n".join([*INTRO.strip().splitlines(), "", *parts])


INTRO = f"""
{PAIRS} drawings with captions, real encoders, real processes of `cli.py`. "Equal" compares everything that the section
above does with a workspace that nothing happened to. The disk is a tmpfs that is made so small that so many bytes are
free, and enlarged for the second try.
"""


def main() -> None:
    """Play one scenario and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("name", choices=SCENARIOS)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        made = vectors(Path(top), FEW) if asked.quick else drawings(Path(top), PAIRS)
        print(json.dumps(SCENARIOS[asked.name][1](made, asked.quick)))


if __name__ == "__main__":
    main()
