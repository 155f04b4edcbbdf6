"""Jobs: real processes that wait, work, are stopped, killed and resumed, and told of truthfully."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import makers
import numpy as np
import pandas as pd
import pytest

from curation.errors import DataError
from curation.jobs import JobStatus, cancel_job, job_status, resume_job, start_job, unfinished_jobs
from curation.jobs.alive import held, is_alive
from curation.jobs.control import ROOT
from curation.jobs.record import CatalogueProgress, add_job, lock_of, set_state, to_state
from curation.places import check_id, new_id
from curation.settings import RunSettings
from curation.sources import demo_source, features_source
from curation.workspace import Workspace, load_run, make_workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return make_workspace(tmp_path / "workspace")


@pytest.fixture(autouse=True)
def quick_map(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # compiling the map's code takes ten seconds in every new process


def wait(workspace: Workspace, job: str, until: Callable[[JobStatus], bool], seconds: float = 120) -> JobStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = job_status(workspace, job)
        if until(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"waited in vain; the last state was {job_status(workspace, job)}")


def ended(status: JobStatus) -> bool:
    return not status.active


def working(status: JobStatus) -> bool:
    return status.stage not in ("", "Load the libraries") or ended(status)


def pid_of(workspace: Workspace, job: str) -> int:
    return to_state(workspace, job)[1]


def seen_by_another_process(workspace: Workspace, job: str) -> dict:
    code = "import sys, json, dataclasses; from curation.jobs import job_status; "
    code += "from curation.workspace import open_workspace; "
    code += "print(json.dumps(dataclasses.asdict(job_status(open_workspace(sys.argv[1]), sys.argv[2]))))"
    command = [sys.executable, "-c", code, str(workspace.folder), job]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def long_job(workspace):
    """A job that takes many seconds; whatever becomes of it, it does not outlive the test."""
    job = new_id()
    start_job(workspace, RunSettings(demo_source("known")), job)
    yield job
    cancel_job(workspace, job)


def test_a_job_runs_to_its_end(workspace, tmp_path):
    features = makers.features_npz(tmp_path / "few pairs.npz", n=12)
    job = new_id()
    start_job(workspace, RunSettings(features_source(features)), job)
    assert job_status(workspace, job).active
    stages = []

    def note(status: JobStatus) -> bool:
        stages.append(status.stage)
        assert 0 <= status.fraction <= 1
        assert status.scored <= (workspace.folder / "runs" / job / "scores.parquet").is_file()
        return ended(status)

    assert wait(workspace, job, note) == JobStatus("done", scored=True)
    assert {"Load the libraries", "Score every sample", "Draw the map"} & set(stages)
    run = load_run(workspace.run_entry(job).folder)
    assert len(run.scores) == 12 and run.map() is not None and run.name == "few pairs"
    assert not list(workspace.folder.rglob(".part-*"))
    assert seen_by_another_process(workspace, job)["state"] == "done"


def test_watched_killed_and_resumed(workspace, long_job):
    watched = wait(workspace, long_job, lambda s: s.stage == "Score every sample" or ended(s))
    assert watched.state == "running" and watched.total > 1 and not watched.scored
    assert [stage for stage, _ in watched.finished][:2] == ["Load the libraries", "Prepare the demo"]
    assert all(seconds >= 0 for _, seconds in watched.finished)
    assert seen_by_another_process(workspace, long_job)["state"] == "running"
    os.killpg(pid_of(workspace, long_job), signal.SIGKILL)
    status = wait(workspace, long_job, ended, seconds=10)
    assert status.state == "stopped" and "stopped from outside" in status.message and "last used" in status.message
    assert seen_by_another_process(workspace, long_job)["state"] == "stopped"
    assert unfinished_jobs(workspace) == [long_job]
    before = [entry.when for entry in workspace.datasets()]
    resume_job(workspace, long_job)
    resume_job(workspace, long_job)  # a second click does no harm
    finished = wait(workspace, long_job, lambda s: s.scored or ended(s))
    assert finished.scored
    assert "Prepare the demo" not in [stage for stage, _ in finished.finished], "what was finished is not done twice"
    assert [entry.when for entry in workspace.datasets()] == before
    assert unfinished_jobs(workspace) == []


def test_cancel_stops_the_process(workspace, long_job):
    wait(workspace, long_job, working)
    assert is_alive(lock_of(workspace, long_job))
    cancel_job(workspace, long_job)
    assert job_status(workspace, long_job) == JobStatus("cancelled", scored=False)
    assert not is_alive(lock_of(workspace, long_job))
    assert not workspace.runs()
    cancel_job(workspace, long_job)  # a second click does no harm
    assert job_status(workspace, long_job).state == "cancelled"


def test_one_waits_for_the_other(workspace, long_job, features_file, monkeypatch):
    monkeypatch.setenv("INTERPLAY_JOBS", "1")
    wait(workspace, long_job, lambda s: s.state == "running")
    second, third = new_id(), new_id()
    for job in (second, third):
        start_job(workspace, RunSettings(features_source(features_file), quick=True), job)
        wait(workspace, job, lambda s: s.before > 0)
    assert [job_status(workspace, job).before for job in (long_job, second, third)] == [0, 1, 2]
    cancel_job(workspace, second)  # it never began
    assert job_status(workspace, second).state == "cancelled"
    os.killpg(pid_of(workspace, long_job), signal.SIGKILL)  # whoever dies gives up the turn
    assert wait(workspace, third, ended) == JobStatus("done", scored=True)


def test_more_memory_than_a_job_may_use(workspace, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "wide.npz", x1=rng.random((30_000, 2_000)), x2=rng.random((30_000, 10)), y=np.arange(30_000) % 3
    )
    monkeypatch.setenv("INTERPLAY_JOB_MEMORY", "1")
    job = new_id()
    start_job(workspace, RunSettings(features_source(tmp_path / "wide.npz")), job)
    status = wait(workspace, job, ended)
    assert status.state == "failed"
    assert re.search("more (memory than may be used|than the 1.0 GB a job may use) here", status.message)


def test_bad_settings_fail_with_their_sentence(workspace, features_file):
    job = new_id()
    start_job(workspace, RunSettings(features_source(features_file), redundancy="mine"), job)
    status = wait(workspace, job, ended)
    assert status.state == "failed" and not status.scored
    assert "'redundancy'" in status.message and status.message.endswith(".")
    assert "Traceback" not in status.message
    assert not workspace.runs()


def test_a_stranger_with_the_number_of_a_dead_worker_is_not_the_job(workspace):
    job = new_id()
    add_job(workspace, job, RunSettings({}))
    assert set_state(workspace, job, "running")  # with the number of this very process
    assert job_status(workspace, job).state == "stopped"
    cancel_job(workspace, job)  # and it is not killed either


def test_a_cancelled_job_stays_cancelled(workspace):
    job = new_id()
    add_job(workspace, job, RunSettings({}))
    assert set_state(workspace, job, "cancelled")
    assert not set_state(workspace, job, "done")
    assert job_status(workspace, job).state == "cancelled"


@pytest.mark.parametrize(
    "identifier",
    ["", ".", "..", "../..", "../../../../etc", "/etc", "a" * 15, "a" * 17, "A" * 16, "g" * 16, "../" * 5 + "a",
     "0123456789abcde/", "0123456789abcde\n", "0123456789abcde\0", "０" * 16],
)  # fmt: skip
def test_identifiers_that_name_nothing(workspace, identifier):
    for ask in (check_id, lambda i: start_job(workspace, RunSettings({}), i)):
        with pytest.raises(DataError, match="names nothing that is here"):
            ask(identifier)
    assert not list((workspace.folder / "jobs").glob("*")) if (workspace.folder / "jobs").exists() else True


def test_a_job_that_is_not_here(workspace):
    with pytest.raises(DataError, match="not in this workspace"):
        job_status(workspace, new_id())


def test_identifiers_do_not_repeat():
    assert len({new_id() for _ in range(1000)}) == 1000


def test_the_lock_of_a_child_is_held_from_the_first_moment(tmp_path):
    lock = tmp_path / "a.lock"
    assert not is_alive(lock)
    with held(lock) as handle:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[handle])
        assert is_alive(lock)
        with pytest.raises(BlockingIOError), held(lock):
            pass
    assert is_alive(lock), "the child holds it on its own"
    child.kill()
    child.wait()
    assert not is_alive(lock)


def test_progress_tells_stages_in_order(workspace):
    job = new_id()
    add_job(workspace, job, RunSettings({}))
    set_state(workspace, job, "running")
    progress = CatalogueProgress(workspace, job, min_interval=3600)
    with held(lock_of(workspace, job)):
        progress("one", 0, 10)
        progress("one", 5, 10)
        assert job_status(workspace, job).done == 0, "not more often than asked"
        progress("one", 10, 10)
        assert job_status(workspace, job).done == 10, "but the end at once"
        progress("two", np.int64(1), np.int64(2))
        status = job_status(workspace, job)
    assert (status.stage, status.done, status.total) == ("two", 1, 2)
    assert [stage for stage, _ in status.finished] == ["one"] and status.finished[0][1] >= 0
    assert status.seconds_left is not None and status.seconds_left >= 0


def test_a_clock_that_is_set_back_does_not_matter(workspace, monkeypatch):
    job = new_id()
    add_job(workspace, job, RunSettings({}))
    set_state(workspace, job, "running")
    progress = CatalogueProgress(workspace, job)
    with held(lock_of(workspace, job)):
        progress("one", 1, 10)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 86_400)
        progress("one", 2, 10)
        progress("two", 1, 10)
        status = job_status(workspace, job)
    assert status.stage == "two" and 0 <= status.finished[0][1] < 3600 and (status.seconds_left or 0) >= 0


def test_whoever_looks_whether_a_job_lives_does_not_keep_it_from_starting(workspace):
    lock = lock_of(workspace, new_id())
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    handle = os.open(lock, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [handle]).start()
    with held(lock):
        assert is_alive(lock)


def test_a_relative_home_is_the_same_for_the_worker(tmp_path, monkeypatch, features_file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERPLAY_HOME", "here")
    workspace, job = make_workspace(Path("there")), new_id()
    start_job(workspace, RunSettings(features_source(features_file), n_splits=1), job)
    assert "'n_splits'" in wait(workspace, job, ended).message
    assert pd.Index(p.name for p in (tmp_path / "here").iterdir()).str.startswith("queue.db").all()
