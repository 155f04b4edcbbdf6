"""The steps from a table to an exported file, each a real process that can be watched, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curation.jobs import unfinished_jobs
from curation.workspace import is_workspace, open_workspace

__all__ = ["PHASES", "STEP_OF", "Place", "Process", "start", "wait_for_phase"]

ROOT = Path(__file__).resolve().parent.parent
PHASES = {
    "import": "Read the data",
    "encode": "Encode the",
    "score": "Score every sample",
    "map": "Draw the map",
    "further": "Find near-duplicates",
    "tag": "",
    "export": "",
}
"""What the log says when a phase begins; tagging and exporting begin when the catalogue is opened."""
STEP_OF = {phase: "score" if phase in ("encode", "score", "map", "further") else phase for phase in PHASES}
LOOK_EVERY = 0.004


@dataclass(frozen=True)
class Place:
    """One workspace with what goes into it and comes out of it.

    Attributes
    ----------
    folder : pathlib.Path
        Of the workspace; what is exported and logged, and a home folder, lie beside it.
    source : tuple of str
        Arguments of ``cli.py import`` that name the data.
    tagged : tuple of str
        Samples that get a tag.
    by : {"command", "again", "job"}
        How a killed run is taken up: by ``cli.py resume``, by the same command, or as a job by its own process.
    env : mapping
        Variables for the processes.
    """

    folder: Path
    source: tuple[str, ...]
    tagged: tuple[str, ...]
    by: str = "command"
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def export(self) -> Path:
        """The exported file."""
        return self.folder.parent / "out.jsonl"

    @property
    def log(self) -> Path:
        """What the last command said."""
        return self.folder.parent / "log.txt"

    def command(self, step: str) -> list[str]:
        """Return the arguments of ``cli.py`` for a step that may have been begun before."""
        folder = str(self.folder)
        if step == "score" and self.by != "again" and self.interrupted():
            return ["resume", folder]
        return {
            "import": ["import", *self.source, "--out", folder],
            "score": ["score", folder, "--out", folder],
            "tag": ["tag", folder, "--tag", "look again", "--ids", *self.tagged],
            "export": ["export", folder, "--format", "jsonl", "--out", str(self.export)],
        }[step]

    def interrupted(self) -> list[str]:
        """Return the runs that can be resumed."""
        return unfinished_jobs(open_workspace(self.folder)) if is_workspace(self.folder) else []


@dataclass
class Process:
    """A process in a group of its own, and a way to ask which stages it has begun."""

    child: subprocess.Popen
    said: Callable[[], str]
    began: float = field(default_factory=time.monotonic)

    def kill(self) -> bool:
        """End the group as hard as can be; return whether it was alive."""
        alive = self.child.poll() is None
        if alive:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        return alive and self.child.returncode == -signal.SIGKILL

    def finish(self, seconds: float = 600) -> str:
        """Wait for the end; return what was said if it went wrong."""
        return "" if self.child.wait(seconds) == 0 else self.said()[-400:] or f"exit code {self.child.returncode}"


def start(place: Place, step: str) -> Process:
    """Start a step by ``cli.py``."""
    with place.log.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *place.command(step)], cwd=ROOT, env=os.environ | place.env,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    return Process(child, lambda: place.log.read_text(encoding="utf-8", errors="replace"))


def wait_for_phase(place: Place, process: Process, phase: str) -> bool:
    """Wait until a phase has begun; return False when the process ended before."""
    signs = list(PHASES)[list(PHASES).index(phase) :] if PHASES[phase] else []
    while process.child.poll() is None:
        if not signs and (place.folder / "catalogue.db-wal").exists():
            return True
        if signs and any(PHASES[sign] and PHASES[sign] in process.said() for sign in signs):
            return True
        time.sleep(LOOK_EVERY)
    return False
