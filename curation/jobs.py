"""Runs in a process of their own: started, watched through files, cancelled; a page reload changes nothing.

``python -m curation.jobs FOLDER`` does the work that FOLDER/job.json describes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from curation.errors import USER_ERRORS, DataError
from curation.progress import FileProgress, write_atomically
from curation.settings import RunSettings, home
from curation.workspace import RECORD, SUMMARY

__all__ = ["JobStatus", "cancel_job", "job_folder", "job_status", "new_job_id", "recent_jobs", "start_job"]

JOB, PROGRESS, FAILURE, LOG, PID = "job.json", "progress.json", "failure.txt", "job.log", "job.pid"
STARTING = "Load the libraries"
JOB_FILES = (JOB, PROGRESS, FAILURE, LOG, PID)
ROOT = Path(__file__).resolve().parent.parent

_children: dict[Path, subprocess.Popen] = {}  # kept so that ended processes are reaped and told apart


@dataclass(frozen=True)
class JobStatus:
    """What is known of a job right now.

    Attributes
    ----------
    state : {"running", "done", "failed", "cancelled"}
    scored : bool
        Whether the scores can be opened already (the map may still be under way).
    stage : str
    done, total : int
        Units of the stage.
    seconds_left : float or None
        Estimate for the stage, once there is something to go by.
    message : str
        Why it failed, in one sentence.
    finished : tuple of (str, float)
        Stages that are behind it, with their seconds.
    """

    state: str
    scored: bool
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    message: str = ""
    finished: tuple[tuple[str, float], ...] = ()

    @property
    def fraction(self) -> float:
        """Share of the stage that is done, between 0 and 1."""
        return min(self.done / max(self.total, 1), 1.0)


def new_job_id() -> str:
    """Return an identifier that cannot be guessed."""
    return os.urandom(8).hex()


def job_folder(job_id: str) -> Path:
    """Return the folder of a job.

    Raises
    ------
    DataError
        When the identifier is not one this app hands out.
    """
    if len(job_id) != 16 or set(job_id) - set("0123456789abcdef"):
        raise DataError("This link names no run; open one from the start page.")
    return home() / "runs" / job_id


def start_job(settings: RunSettings, job_id: str) -> Path:
    """Start a run in its own process and return its folder.

    Parameters
    ----------
    settings : RunSettings
    job_id : str
        From :func:`new_job_id`.
    """
    folder = job_folder(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / JOB, json.dumps({"settings": settings.to_json(), "started": time.time()}))
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "curation.jobs", str(folder)],
            cwd=ROOT, env=os.environ | {"INTERPLAY_HOME": str(home())}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    write_atomically(folder / PID, str(child.pid))
    _children[folder] = child
    return folder


def cancel_job(job_id: str) -> None:
    """Stop a running job; what it finished stays."""
    folder = job_folder(job_id)
    if job_status(job_id).state == "running":
        write_atomically(folder / FAILURE, "cancelled")
        with suppress(ProcessLookupError):  # it may have ended on its own just now
            os.killpg(_pid(folder), signal.SIGTERM)


def job_status(job_id: str) -> JobStatus:
    """Return the state of a job from its folder.

    Raises
    ------
    DataError
        When there is no such job.
    """
    folder = job_folder(job_id)
    if not (folder / JOB).is_file():
        raise DataError("This run is not on this server any more; start a new one.")
    scored = (folder / RECORD).is_file()
    if (folder / FAILURE).is_file():
        message = (folder / FAILURE).read_text(encoding="utf-8")
        state = "cancelled" if message == "cancelled" else "failed"
        return JobStatus(state, scored, message="" if state == "cancelled" else message)
    progress = _read_json(folder / PROGRESS)
    if progress.get("stage") == "done":
        return JobStatus("done", scored)
    if not _alive(folder):
        # It may have ended between the two looks.
        if _read_json(folder / PROGRESS).get("stage") == "done":
            return JobStatus("done", scored)
        why = "The run stopped unexpectedly, perhaps for lack of memory; start it again, or with fewer samples."
        return JobStatus("failed", scored, message=why)
    done, total = progress.get("done", 0), progress.get("total", 0)
    spent = time.time() - progress.get("since", time.time())
    left = spent * (total - done) / done if 0 < done < total else None
    finished = tuple((f["stage"], f["seconds"]) for f in progress.get("finished", ()))
    return JobStatus("running", scored, progress.get("stage", STARTING), done, total, left, finished=finished)


def recent_jobs(limit: int = 6) -> list[tuple[str, str]]:
    """Return (identifier, name of the data set and when it was scored) of the latest runs, newest first."""
    folders = [p.parent for p in (home() / "runs").glob(f"*/{RECORD}")]
    folders.sort(key=lambda f: (f / RECORD).stat().st_mtime, reverse=True)
    return [(f.name, f"{_read_json(f / SUMMARY).get('name', 'unnamed')}, {_when(f / RECORD)}") for f in folders[:limit]]


def _when(path: Path) -> str:
    return time.strftime("%d %b %H:%M", time.localtime(path.stat().st_mtime))


def _read_json(path: Path) -> dict:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _pid(folder: Path) -> int:
    try:
        return int((folder / PID).read_text())
    except (OSError, ValueError):
        return 0


def _alive(folder: Path) -> bool:
    child = _children.get(folder)
    if child is not None:
        return child.poll() is None
    pid = _pid(folder)
    if not pid:
        return False
    if Path("/proc/self/cmdline").exists():
        return _works_on(folder, pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _works_on(folder: Path, pid: int) -> bool:
    """Tell a live worker of this job from a dead one nobody reaped, and from a stranger with its number."""
    try:
        return folder.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _work(folder: Path) -> None:
    """Do the job of a folder; leave either results or one sentence."""
    progress = FileProgress(folder / PROGRESS)
    progress(STARTING, 0, 1)
    from curation.pipeline import run  # imported here: it takes seconds, and they count as a stage

    try:
        settings = RunSettings.from_json(_read_json(folder / JOB).get("settings"), JOB)
        run(settings, folder, progress, allowed=JOB_FILES)
        progress("done", 1, 1)
    except USER_ERRORS as error:
        write_atomically(folder / FAILURE, str(error))
    except Exception:
        traceback.print_exc()  # into the log
        why = f"Something went wrong that should not have. The details are in {folder / LOG}; please report them."
        write_atomically(folder / FAILURE, why)
        raise


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
