"""The job that measures the price of pruning of a run: one for each run, found by the run's identifier."""

from __future__ import annotations

import hashlib

from curation.jobs.control import start_job
from curation.jobs.record import JobStatus, has_job, job_status
from curation.settings import BUDGETS, PriceSettings
from curation.workspace import ScoredRun, Workspace

__all__ = ["price_job", "price_settings", "price_status", "start_price"]


def price_job(run_id: str) -> str:
    """Return the identifier of the job: always the same, so that it can be watched from anywhere."""
    return hashlib.sha256(f"price of {run_id}".encode()).hexdigest()[:16]


def price_settings(run: ScoredRun, budget: float | None = None, random_state: int | None = None) -> PriceSettings:
    """Return the settings that measure the usual budgets, or those measured earlier, and one more if wished.

    Parameters
    ----------
    run : ScoredRun
    budget : float in (0, 1), optional
    random_state : int, optional
        By default that of the earlier measurement, else that of the run; another one measures everything anew.
    """
    earlier = (run.price_told() or {}).get("settings")
    seed = run.record["settings"]["random_state"] if earlier is None else earlier["random_state"]
    budgets = {*(earlier["budgets"] if earlier else BUDGETS), *(() if budget is None else (round(budget, 2),))}
    return PriceSettings(
        run.folder.name, tuple(sorted(budgets, reverse=True)), seed if random_state is None else random_state
    )


def start_price(workspace: Workspace, run: ScoredRun, budget: float | None = None) -> None:
    """Queue the measurement, or go on with it; see :func:`price_settings`."""
    start_job(workspace, price_settings(run, budget), price_job(run.folder.name))


def price_status(workspace: Workspace, run_id: str) -> JobStatus | None:
    """Return the state of the measurement, or None where nobody asked for one."""
    job = price_job(run_id)
    return job_status(workspace, job) if has_job(workspace, job) else None
