"""``python -m curation.jobs WORKSPACE JOB``: wait for a turn, do the job, leave results or one sentence."""

from __future__ import annotations

import sys
import traceback

from curation.errors import USER_ERRORS, StorageError, reason
from curation.jobs.queue import limit_memory, memory_per_job, wait_for_turn
from curation.jobs.record import CatalogueProgress, job_settings, lock_of, set_state, to_state
from curation.settings import ApplySettings, PriceSettings
from curation.workspace import Workspace, open_workspace

STARTING = "Load the libraries"


def main(folder: str, job: str) -> None:
    """Do a job, whatever comes: every way it can end is written down, but being killed."""
    workspace = open_workspace(folder)
    set_state(workspace, job, "queued")  # with the number of this process, so that it can be stopped
    if not wait_for_turn(job, lock_of(workspace, job), lambda: to_state(workspace, job)[0] == "queued"):
        return
    if set_state(workspace, job, "running", only_from=("queued",)):
        _work(workspace, job)


def _work(workspace: Workspace, job: str) -> None:
    try:
        limit_memory()
        progress = CatalogueProgress(workspace, job)
        progress(STARTING, 0, 1)
        _do(workspace, job, progress)
        set_state(workspace, job, "done")
    except StorageError as error:
        set_state(workspace, job, "stopped", str(error))
    except USER_ERRORS as error:
        set_state(workspace, job, "failed", str(error))
    except OSError as error:
        traceback.print_exc()  # into the log
        said = f"The work stopped: {reason(error)}. Mend that and resume the run; what was finished is kept."
        set_state(workspace, job, "stopped", said)
        raise SystemExit(1) from None
    except Exception as error:
        traceback.print_exc()  # into the log
        set_state(workspace, job, "failed", _why(error, workspace, job))
        raise SystemExit(1) from None


def _do(workspace: Workspace, job: str, progress: CatalogueProgress) -> None:
    """Do the work of any kind of job. What it needs is imported here: that takes seconds, and counts as a stage."""
    settings = job_settings(workspace, job)
    if isinstance(settings, PriceSettings):
        from curation.pricing import measure_price

        measure_price(settings, workspace, progress)
    elif isinstance(settings, ApplySettings):
        from curation.applying.work import apply

        apply(settings, workspace, progress)
    else:
        from curation.pipeline import run

        run(settings, workspace, job, progress)


def _why(error: Exception, workspace: Workspace, job: str) -> str:
    said = f"{type(error).__name__} {error}"
    if isinstance(error, MemoryError) or "can't allocate memory" in said or "Unable to allocate" in said:
        most = memory_per_job() / 1e9
        return f"The run needs more than the {most:.1f} GB a job may use here; score fewer samples, or raise the limit."
    log = lock_of(workspace, job).with_suffix(".log")
    return f"Something went wrong that should not have. The details are in {log}; please report them."


if __name__ == "__main__":
    main(*sys.argv[1:])
