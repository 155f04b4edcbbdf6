"""Every session key, named once, and the few questions pages ask of the session."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from curation.errors import DataError
from curation.exploring import Samples
from curation.jobs import JobStatus, cancel_job, job_status, resume_job, start_job
from curation.places import known_workspace, new_id, new_workspace, recent_runs, remember
from curation.roots import below_roots
from curation.settings import RunSettings
from curation.workspace import Entry, ScoredRun, Workspace
from curation.workspace.folder import UPLOADS
from ui.people import person
from ui.recent import RecentRuns

__all__ = [
    "DRAFT", "FOLLOW", "RUN", "VIEW", "WORKSPACE", "address", "cancel", "close_run", "draft", "earlier_runs",
    "is_local", "launch", "open_folder", "open_run", "resume", "run_id", "samples", "scored_run", "set_draft", "status",
    "upload_folder", "workspace",
]  # fmt: skip

RUN = "run"
WORKSPACE = "workspace"
DRAFT = "draft"
FOLLOW = "follow"
VIEW = "view"
MOST_IN_MEMORY = 10**9  # bytes of scores, for all sessions together


def workspace() -> Workspace | None:
    """Return the workspace of the address, else of the session; None where nothing was begun.

    Raises
    ------
    DataError
        When it is not here, or not of whoever asks.
    """
    current = st.query_params.get(WORKSPACE) or st.session_state.get(WORKSPACE)
    if not current:
        return None
    try:
        found = known_workspace(current, person() or "")
    except DataError:
        close_run()  # said once; the pages go on without it
        st.session_state.pop(WORKSPACE, None)
        st.query_params.pop(WORKSPACE, None)
        raise
    _keep(WORKSPACE, current)
    return found


def own_workspace() -> Workspace:
    """Return the workspace, made now if nothing was begun."""
    found = workspace()
    if found is None:
        st.session_state[WORKSPACE] = new_workspace(person() or "")
        found = known_workspace(st.session_state[WORKSPACE], person() or "")
    return found


def run_id() -> str | None:
    """Return the identifier of the open run: from the address, else from the session; keep both in step."""
    current = st.query_params.get(RUN) or st.session_state.get(RUN)
    if current and workspace() is not None:
        _remember(current)
        _keep(RUN, current)
        return current
    return None


def _keep(key: str, value: str) -> None:
    st.session_state[key] = value
    if st.query_params.get(key) != value:
        st.query_params[key] = value  # so that a reload, or a link sent to oneself, finds it


def _remember(run: str) -> None:
    """Keep the identifier; a view of another run is none of this one's."""
    if st.session_state.get(RUN) not in (None, run):
        st.query_params.pop(VIEW, None)
    st.session_state[RUN] = run


def address(workspace_id: str | None = None, run: str | None = None) -> dict[str, str]:
    """Return the part of an address that opens a run, by default the open one."""
    return {WORKSPACE: workspace_id or st.session_state[WORKSPACE], RUN: run or st.session_state[RUN]}


def open_run(workspace_id: str, run: str) -> None:
    """Make a run the open one."""
    st.session_state[WORKSPACE] = workspace_id
    _remember(run)


def open_folder(folder: str) -> None:
    """Open a workspace by its folder, with its latest run if it has one.

    Raises
    ------
    DataError
        When it is outside the roots, no workspace, or somebody else's.
    """
    identifier = remember(below_roots(folder))
    runs = known_workspace(identifier, person() or "").runs()
    close_run()
    st.session_state[WORKSPACE] = identifier
    if not runs:
        st.switch_page("pages/import_data.py", query_params={WORKSPACE: identifier})
    open_run(identifier, runs[0].id)
    st.switch_page("pages/explore.py", query_params=address())


def close_run() -> None:
    """Open no run, so that the next page speaks of what was just imported."""
    st.session_state.pop(RUN, None)
    st.query_params.pop(RUN, None)


def launch(settings: RunSettings) -> None:
    """Start a job, open it, and follow it to the first figure."""
    job = new_id()
    start_job(own_workspace(), settings, job)
    _remember(job)
    st.session_state[FOLLOW] = job
    st.switch_page("pages/score.py", query_params=address())


def status() -> JobStatus | None:
    """Return the state of the open run, or None when none is open."""
    current = run_id()
    if current is None:
        return None
    try:
        return job_status(workspace(), current)
    except DataError:
        close_run()  # said once; the pages go on without it
        raise


def cancel() -> None:
    """Stop the open run."""
    cancel_job(workspace(), run_id())


def resume() -> None:
    """Go on with the open run where it stopped, and follow it."""
    resume_job(workspace(), run_id())
    st.session_state[FOLLOW] = run_id()


def earlier_runs() -> list[tuple[str, Entry]]:
    """Return the latest runs of whoever asks: their own, or on a server for this computer alone all of it."""
    return recent_runs(person() or "") if is_local() or person() else []


def scored_run() -> ScoredRun | None:
    """Return the open run once its scores are there."""
    current = run_id()
    if current is None:
        return None
    entry = next((run for run in workspace().runs() if run.id == current), None)
    if entry is None:
        status()  # a run that is gone is said
        return None
    return _recent_runs().get(entry.folder, entry.when)


def samples(measure: str) -> Samples:
    """Return the samples of the open run in a measure."""
    entry = workspace().run_entry(run_id())
    return _recent_runs().samples(entry.folder, entry.when, measure)


@st.cache_resource(show_spinner=False)
def _recent_runs() -> RecentRuns:
    return RecentRuns(MOST_IN_MEMORY)


def draft() -> dict | None:
    """Return what the import page prepared for scoring: source, name, count, kinds."""
    return st.session_state.get(DRAFT)


def set_draft(prepared: dict) -> None:
    """Keep what is ready to be scored."""
    st.session_state[DRAFT] = prepared


def upload_folder() -> Path:
    """Return where uploads are kept: in the workspace they are for."""
    folder = own_workspace().folder / UPLOADS
    folder.mkdir(exist_ok=True)
    return folder


def is_local() -> bool:
    """Return whether only this computer can reach the app, so that its folders may be offered."""
    return st.get_option("server.address") in ("127.0.0.1", "localhost", "::1")
