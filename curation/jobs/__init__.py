"""Jobs: runs in processes of their own, queued, watched through the catalogue, stopped and resumed."""

from curation.jobs.control import cancel_job, job_in_this_process, resume_job, start_job
from curation.jobs.record import (
    CatalogueProgress,
    JobStatus,
    active_jobs,
    has_job,
    job_settings,
    job_status,
    unfinished_jobs,
)

__all__ = [
    "CatalogueProgress",
    "JobStatus",
    "active_jobs",
    "cancel_job",
    "has_job",
    "job_in_this_process",
    "job_settings",
    "job_status",
    "resume_job",
    "start_job",
    "unfinished_jobs",
]
