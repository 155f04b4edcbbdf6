"""Starting, stopping and resuming jobs, each a process of its own that outlives the page and the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curation.errors import USER_ERRORS, DataError, StorageError, reason
from curation.jobs.alive import held, is_alive
from curation.jobs.record import add_job, job_settings, job_status, lock_of, set_state, to_state
from curation.places import check_id
from curation.settings import JobSettings, home
from curation.workspace import Workspace
from curation.workspace.folder import JOBS

__all__ = ["cancel_job", "job_in_this_process", "resume_job", "start_job"]

ROOT = Path(__file__).resolve().parent.parent.parent
GRACE = 3.0  # seconds between asking a process to end and ending it

_children: list[subprocess.Popen] = []  # asked now and then, so that those that ended are reaped


def start_job(workspace: Workspace, settings: JobSettings, job: str) -> None:
    """Queue a job and start the process that will do it when its turn comes.

    Parameters
    ----------
    workspace : Workspace
    settings : JobSettings
    job : str
        From :func:`~curation.places.new_id`, also the identifier of the run; or from
        :func:`~curation.jobs.price.price_job` or :func:`~curation.jobs.apply.apply_job`.
    """
    _reap()
    try:
        with held(lock_of(workspace, check_id(job))) as lock:  # the child inherits it: there is no moment without
            add_job(workspace, job, settings)
            with (workspace.folder / JOBS / f"{job}.log").open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-m", "curation.jobs", str(workspace.folder), job], cwd=ROOT, pass_fds=[lock],
                    env=os.environ | {"INTERPLAY_HOME": str(home())}, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
    except BlockingIOError:
        return  # it runs already
    _children.append(child)


@contextmanager
def job_in_this_process(workspace: Workspace, settings: JobSettings, job: str) -> Iterator[None]:
    """Enter a job that the caller does itself, so that it is watched and resumed like any other.

    Raises
    ------
    DataError
        When another process does it already.
    """
    try:
        with held(lock_of(workspace, check_id(job))):
            add_job(workspace, job, settings)
            set_state(workspace, job, "running")
            try:
                yield
            except BaseException as error:
                set_state(workspace, job, *_ended_by(error))
                raise
            set_state(workspace, job, "done")
    except BlockingIOError:
        raise DataError(f"The run {job} is being worked on by another process; wait for it, or cancel it.") from None


def _ended_by(error: BaseException) -> tuple[str, str]:
    """Return the state a job ends in, and why: what did not lie in the data or the settings can be resumed."""
    if isinstance(error, USER_ERRORS) and not isinstance(error, StorageError):
        return "failed", str(error)
    if isinstance(error, OSError):
        return "stopped", f"The work stopped: {reason(error)}."
    return "stopped", str(error) if isinstance(error, StorageError) else "It was interrupted."


def resume_job(workspace: Workspace, job: str) -> None:
    """Start a job again that was stopped, failed or cancelled; what it finished is not done twice."""
    start_job(workspace, job_settings(workspace, job), job)


def cancel_job(workspace: Workspace, job: str) -> None:
    """Stop a job that waits or runs; what it finished stays."""
    pid = to_state(workspace, job)[1]
    if not job_status(workspace, job).active or not set_state(workspace, job, "cancelled"):
        return
    if pid is None:
        return  # still waiting to begin: it will see that it is not wanted
    lock = lock_of(workspace, job)
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + GRACE
        with suppress(ProcessLookupError, PermissionError):  # it may have ended on its own just now
            if is_alive(lock):
                _signal(pid, deadly)
        while is_alive(lock) and time.monotonic() < end:
            time.sleep(0.02)


def _signal(pid: int, deadly: signal.Signals) -> None:
    """Reach a process and its helpers; a command on a terminal shares its group with others and is meant alone."""
    if os.getpgid(pid) == pid:
        os.killpg(pid, deadly)
    else:
        os.kill(pid, deadly)


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]
