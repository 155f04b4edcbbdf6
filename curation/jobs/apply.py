"""The jobs that put the scores of a run to work: one for each application, found by the run's identifier."""

from __future__ import annotations

import hashlib

from curation.jobs.control import start_job
from curation.jobs.record import JobStatus, has_job, job_status
from curation.settings import ApplySettings
from curation.workspace import ScoredRun, Workspace

__all__ = ["apply_job", "apply_settings", "apply_status", "start_apply"]


def apply_job(run_id: str, what: str) -> str:
    """Return the identifier of the job: always the same, so that it can be watched from anywhere."""
    return hashlib.sha256(f"apply {what} to {run_id}".encode()).hexdigest()[:16]


def apply_settings(run: ScoredRun, what: str, random_state: int | None = None) -> ApplySettings:
    """Return the settings that put a run to work, by default with the run's own seed."""
    seed = run.record["settings"]["random_state"] if random_state is None else random_state
    return ApplySettings(run.folder.name, what, seed)


def start_apply(workspace: Workspace, run: ScoredRun, what: str) -> None:
    """Queue the work, or go on with it."""
    start_job(workspace, apply_settings(run, what), apply_job(run.folder.name, what))


def apply_status(workspace: Workspace, run_id: str, what: str) -> JobStatus | None:
    """Return the state of the work, or None where nobody asked for it."""
    job = apply_job(run_id, what)
    return job_status(workspace, job) if has_job(workspace, job) else None
