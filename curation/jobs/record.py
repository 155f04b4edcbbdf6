"""What the catalogue knows of a job: written by its process, read by whoever watches."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from curation.errors import DataError
from curation.jobs.alive import is_alive
from curation.jobs.queue import place_in_queue
from curation.settings import JobSettings, settings_of
from curation.workspace import Workspace
from curation.workspace.folder import JOBS

__all__ = [
    "CatalogueProgress",
    "JobStatus",
    "active_jobs",
    "add_job",
    "has_job",
    "job_settings",
    "job_status",
    "lock_of",
    "set_state",
    "to_state",
]

ACTIVE = ("queued", "running")


@dataclass(frozen=True)
class JobStatus:
    """What is known of a job right now.

    Attributes
    ----------
    state : {"queued", "running", "done", "failed", "cancelled", "stopped"}
        "stopped": its process died; it can be resumed.
    scored : bool
        Whether the scores can be opened already (the map may still be under way).
    stage : str
    done, total : int
        Units of the stage.
    seconds_left : float or None
        Estimate for the stage, once there is something to go by.
    message : str
        Why it failed or stopped, in one sentence.
    finished : tuple of (str, float)
        Stages that are behind it, with their seconds.
    before : int
        While queued: how many jobs go first.
    """

    state: str
    scored: bool
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    message: str = ""
    finished: tuple[tuple[str, float], ...] = ()
    before: int = 0

    @property
    def fraction(self) -> float:
        """Share of the stage that is done, between 0 and 1."""
        return min(self.done / max(self.total, 1), 1.0)

    @property
    def active(self) -> bool:
        """Whether it waits or works."""
        return self.state in ACTIVE


def lock_of(workspace: Workspace, job: str) -> Path:
    """Return the lock that the job's process holds."""
    return workspace.folder / JOBS / f"{job}.lock"


def add_job(workspace: Workspace, job: str, settings: JobSettings) -> None:
    """Enter a new job as queued; one that is there is queued again, with these settings."""
    with workspace.catalogue.write() as db:
        db.execute(
            "INSERT INTO jobs (id, state, settings, submitted) VALUES (?, 'queued', ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, state = 'queued', message = '', stage = '', "
            "finished = '[]'",
            (job, json.dumps(settings.to_json()), time.time()),
        )


def job_settings(workspace: Workspace, job: str) -> JobSettings:
    """Return the settings of a job, which also tell its kind.

    Raises
    ------
    DataError
        When there is no such job.
    """
    return settings_of(json.loads(_known(_row(workspace, job))["settings"]), "the job")


def set_state(
    workspace: Workspace, job: str, state: str, message: str = "", only_from: tuple[str, ...] = ACTIVE
) -> bool:
    """Change a job's state where it is one of those given; return whether it was.

    A job that was cancelled stays cancelled, whatever its process says in its last moments.
    """
    marks = ", ".join("?" * len(only_from))
    with workspace.catalogue.write() as db:
        changed = db.execute(
            f"UPDATE jobs SET state = ?, message = ?, pid = ? WHERE id = ? AND state IN ({marks})",
            (state, message, os.getpid(), job, *only_from),
        )
        return changed.rowcount > 0


def to_state(workspace: Workspace, job: str) -> tuple[str, int | None]:
    """Return the state as written, and the number of the process that wrote it."""
    row = _known(_row(workspace, job))
    return row["state"], row["pid"]


def job_status(workspace: Workspace, job: str) -> JobStatus:
    """Return the state of a job.

    Raises
    ------
    DataError
        When there is no such job.
    """
    lives = is_alive(lock_of(workspace, job))  # looked at first: whoever ends writes its state, then lets go
    scored = any(run.id == job for run in workspace.runs())
    row = _row(workspace, job)
    if row is None and scored:
        return JobStatus("done", scored)  # scored elsewhere, or before there were jobs
    row = _known(row)
    if row["state"] not in ACTIVE:
        return JobStatus(row["state"], scored, message=row["message"])
    if not lives:
        return JobStatus("stopped", scored, message=_why(row["memory"]))
    spent = time.time() - (row["since"] or time.time())
    done, total = row["done"], row["total"]
    left = spent * (total - done) / done if 0 < done < total and spent > 0 else None  # a clock may be set back
    finished = tuple((stage, seconds) for stage, seconds in json.loads(row["finished"]))
    before = place_in_queue(job) if row["state"] == "queued" else 0
    return JobStatus(row["state"], scored, row["stage"], done, total, left, finished=finished, before=before)


def has_job(workspace: Workspace, job: str) -> bool:
    """Return whether the catalogue knows a job."""
    return _row(workspace, job) is not None


def unfinished_jobs(workspace: Workspace) -> list[str]:
    """Return the jobs that stopped on their way, the latest first: those that :func:`resume_job` is for."""
    return [job for job, state in _states(workspace) if state == "stopped"]


def active_jobs(workspace: Workspace) -> list[str]:
    """Return the jobs that some process waits for or works on, the latest first."""
    return [job for job, state in _states(workspace) if state in ACTIVE]


def _states(workspace: Workspace) -> list[tuple[str, str]]:
    with workspace.catalogue.read() as db:
        rows = db.execute("SELECT id FROM jobs WHERE state != 'done' ORDER BY number DESC").fetchall()
    return [(row["id"], job_status(workspace, row["id"]).state) for row in rows]


def _why(memory: int) -> str:
    used = f" It last used {memory / 1e9:.1f} GB." if memory else ""
    return (
        "The run was stopped from outside: the computer was switched off, someone ended it, or memory or disk ran out."
        f"{used} Resume it: what was finished is kept."
    )


def _row(workspace: Workspace, job: str) -> sqlite3.Row | None:
    with workspace.catalogue.read() as db:
        return db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()


def _known(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise DataError("This run is not in this workspace any more; start a new one.")
    return row


class CatalogueProgress:
    """Keeps the stage a job is in, and those behind it, where another process can watch them.

    Parameters
    ----------
    workspace : Workspace
    job : str
    min_interval : float
        Seconds between writes within a stage.
    """

    def __init__(self, workspace: Workspace, job: str, min_interval: float = 0.3) -> None:
        self.workspace, self.job, self.min_interval = workspace, job, min_interval
        self._stage, self._since, self._began, self._written = "", 0.0, 0.0, 0.0
        self._finished: list[tuple[str, float]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Write the state, unless the last write is recent and the stage is neither new nor finished."""
        now = time.monotonic()  # durations do not depend on the clock; only when a stage began is told by it
        fresh = stage != self._stage
        if fresh:
            if self._stage:
                self._finished.append((self._stage, round(now - self._began, 2)))
            self._stage, self._since, self._began = stage, time.time(), now
        if fresh or done >= total or now - self._written >= self.min_interval:
            self._written = now
            told = (stage, int(done), int(total), self._since, json.dumps(self._finished), _peak_memory(), self.job)
            with self.workspace.catalogue.write() as db:
                db.execute(
                    "UPDATE jobs SET stage = ?, done = ?, total = ?, since = ?, finished = ?, memory = ? WHERE id = ?",
                    told,
                )


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
