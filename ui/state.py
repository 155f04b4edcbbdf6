"""Every session key, named once, and the few questions pages ask of the session."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from curation.errors import DataError
from curation.jobs import JobStatus, cancel_job, job_folder, job_status, new_job_id, start_job
from curation.queries import most_misleading
from curation.settings import RunSettings, home
from curation.workspace import RECORD, ScoredRun, load_run, write_json

__all__ = [
    "CHOSEN", "DRAFT", "FOLLOW", "MEASURE", "cancel", "choose_sample", "chosen_sample", "close_run", "draft",
    "import_folder", "is_local", "launch", "load_partition", "open_run", "run_id", "save_partition", "scored_run",
    "set_draft", "status",
]  # fmt: skip

RUN = "run"
DRAFT = "draft"
FOLLOW = "follow"
CHOSEN = "chosen_sample"
MEASURE = "measure"
IMPORT = "import_id"
PARTITION = "partition.json"


def run_id() -> str | None:
    """Return the identifier of the open run: from the address, else from the session; keep both in step."""
    current = st.query_params.get(RUN) or st.session_state.get(RUN)
    if current:
        open_run(current)
    return current


def open_run(job_id: str) -> None:
    """Make a run the open one, and put it into the address so that a reload finds it."""
    _remember(job_id)
    if st.query_params.get(RUN) != job_id:
        st.query_params[RUN] = job_id


def _remember(job_id: str) -> None:
    """Keep the identifier; a sample or a measure that was chosen for another run is none of this one's."""
    if st.session_state.get(RUN) != job_id:
        st.session_state.pop(CHOSEN, None)
        st.session_state.pop(MEASURE, None)
    st.session_state[RUN] = job_id


def close_run() -> None:
    """Open no run, so that the next page speaks of what was just imported."""
    st.session_state.pop(RUN, None)
    st.query_params.pop(RUN, None)


def launch(settings: RunSettings) -> None:
    """Start a job, open it, and follow it to the first figure."""
    job_id = new_job_id()
    start_job(settings, job_id)
    _remember(job_id)
    st.session_state[FOLLOW] = job_id
    st.switch_page("pages/score.py", query_params={RUN: job_id})


def status() -> JobStatus | None:
    """Return the state of the open run, or None when none is open."""
    current = run_id()
    if current is None:
        return None
    try:
        return job_status(current)
    except DataError:
        close_run()  # said once; the pages go on without it
        raise


def cancel() -> None:
    """Stop the open run."""
    cancel_job(run_id())


def scored_run() -> ScoredRun | None:
    """Return the open run once its scores are there."""
    now = status()
    if now is None or not now.scored:
        return None
    folder = job_folder(run_id())
    return _load(str(folder), (folder / RECORD).stat().st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(folder: str, changed: int) -> ScoredRun:
    """Read a run once for all sessions; nobody writes into what this returns."""
    return load_run(Path(folder))


def draft() -> dict | None:
    """Return what the import page prepared for scoring: source, name, count, kinds."""
    return st.session_state.get(DRAFT)


def set_draft(prepared: dict) -> None:
    """Keep what is ready to be scored."""
    st.session_state[DRAFT] = prepared


def import_folder() -> Path:
    """Return the folder where this session's uploads are kept."""
    if IMPORT not in st.session_state:
        st.session_state[IMPORT] = new_job_id()
    folder = home() / "imports" / st.session_state[IMPORT]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_local() -> bool:
    """Return whether only this computer can reach the app, so that its folders may be offered."""
    return st.get_option("server.address") in ("127.0.0.1", "localhost", "::1")


def choose_sample(sample_id: str | None) -> None:
    """Remember the sample to show in full."""
    st.session_state[CHOSEN] = sample_id


def chosen_sample(run: ScoredRun) -> str:
    """Return the chosen sample, or one worth a look."""
    chosen = st.session_state.get(CHOSEN)
    return chosen if chosen in set(run.scores["sample_id"]) else most_misleading(run.scores)


def save_partition(run: ScoredRun, recipe: dict) -> None:
    """Keep a partition's recipe with the run: it survives a reload and a restart."""
    write_json(recipe, run.folder / PARTITION)


def load_partition(run: ScoredRun) -> dict | None:
    """Return the kept recipe, or None."""
    try:
        return json.loads((run.folder / PARTITION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
