"""Jobs: real processes that are started, watched, stopped, killed, and told of truthfully."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import makers
import pytest

from curation.errors import DataError
from curation.jobs import (
    ROOT,
    JobStatus,
    cancel_job,
    job_folder,
    job_status,
    new_job_id,
    recent_jobs,
    start_job,
)
from curation.settings import RunSettings
from curation.sources import demo_source, features_source
from curation.workspace import load_run


def wait(job_id: str, until: Callable[[JobStatus], bool], seconds: float = 90) -> JobStatus:
    end = time.time() + seconds
    while time.time() < end:
        status = job_status(job_id)
        if until(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"waited in vain; the last state was {job_status(job_id)}")


def ended(status: JobStatus) -> bool:
    return status.state != "running"


def pid_of(job_id: str) -> int:
    return int((job_folder(job_id) / "job.pid").read_text())


def gone(pid: int) -> bool:
    """Whether a process does no more work: away, or dead and not yet reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def seen_by_another_process(job_id: str) -> dict:
    code = "import sys, json, dataclasses; from curation.jobs import job_status; "
    code += "print(json.dumps(dataclasses.asdict(job_status(sys.argv[1]))))"
    done = subprocess.run([sys.executable, "-c", code, job_id], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def long_job():
    """A job that takes many seconds; whatever becomes of it, it does not outlive the test."""
    job_id = new_job_id()
    start_job(RunSettings(demo_source("known")), job_id)
    yield job_id
    if not ended(job_status(job_id)):
        cancel_job(job_id)


def test_a_job_runs_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # compiling the map's code takes ten seconds in every new process
    features = makers.features_npz(tmp_path / "few pairs.npz", n=12)
    job_id = new_job_id()
    start_job(RunSettings(features_source(features)), job_id)
    assert job_status(job_id).state == "running"
    stages = []

    def note(status: JobStatus) -> bool:
        stages.append(status.stage)
        assert 0 <= status.fraction <= 1
        assert not (status.scored and not (job_folder(job_id) / "scores.parquet").is_file())
        return ended(status)

    assert wait(job_id, note) == JobStatus("done", scored=True)
    assert stages[0] == "Load the libraries"
    assert {"Score every sample", "Draw the map"} & set(stages)
    run = load_run(job_folder(job_id))
    assert len(run.scores) == 12 and run.map() is not None
    latest, title = recent_jobs(1)[0]
    assert latest == job_id and title.startswith("few pairs")
    assert not list(job_folder(job_id).glob(".*.part"))
    assert seen_by_another_process(job_id)["state"] == "done"


def test_watched_from_elsewhere_then_killed(long_job):
    watched = wait(long_job, lambda s: s.stage == "Score every sample" or ended(s))
    assert watched.state == "running" and watched.total > 1 and not watched.scored
    assert [stage for stage, _ in watched.finished][:2] == ["Load the libraries", "Prepare the demo"]
    assert all(seconds >= 0 for _, seconds in watched.finished)
    assert seen_by_another_process(long_job)["state"] == "running"
    os.killpg(pid_of(long_job), signal.SIGKILL)
    # Not reaped yet by this process, its parent: the other one must not take the corpse for a living worker.
    time.sleep(0.2)
    elsewhere = seen_by_another_process(long_job)
    assert elsewhere["state"] == "failed" and elsewhere["message"].endswith(".")
    status = wait(long_job, ended, seconds=5)
    assert status.state == "failed" and "stopped unexpectedly" in status.message


def test_cancel_stops_the_process(long_job):
    wait(long_job, lambda s: s.stage not in ("", "Load the libraries") or ended(s))
    assert not gone(pid_of(long_job))
    cancel_job(long_job)
    assert job_status(long_job) == JobStatus("cancelled", scored=False)
    end = time.time() + 5
    while not gone(pid_of(long_job)) and time.time() < end:
        time.sleep(0.05)
    assert gone(pid_of(long_job))
    assert not (job_folder(long_job) / "scores.parquet").exists()
    cancel_job(long_job)  # a second click does no harm
    assert job_status(long_job).state == "cancelled"


def test_bad_settings_fail_with_their_sentence(features_file):
    job_id = new_job_id()
    start_job(RunSettings(features_source(features_file), redundancy="mine"), job_id)
    status = wait(job_id, ended, seconds=60)
    assert status.state == "failed" and not status.scored
    assert "'redundancy'" in status.message and status.message.endswith(".")
    assert "Traceback" not in status.message
    assert job_id not in dict(recent_jobs(100))


def test_a_stranger_with_the_number_of_a_dead_worker_is_not_the_job():
    job_id = new_job_id()
    folder = job_folder(job_id)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text('{"settings": {}}')
    (folder / "job.pid").write_text(str(os.getpid()))
    assert job_status(job_id).state == "failed"
    cancel_job(job_id)
    assert job_status(job_id).state == "failed", "and it is not killed either"


@pytest.mark.parametrize("progress", ["", "{", '{"stage"', "[1]", '"done"', "5"])
def test_a_torn_progress_file_does_not_matter(progress):
    job_id = new_job_id()
    folder = job_folder(job_id)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    (folder / "progress.json").write_text(progress)
    assert job_status(job_id).state == "failed"


@pytest.mark.parametrize(
    "job_id",
    ["", ".", "..", "../..", "../../../../etc", "/etc", "a" * 15, "a" * 17, "A" * 16, "g" * 16, "../" * 5 + "a",
     "0123456789abcde/", "0123456789abcde\n", "0123456789abcde\0", "０" * 16],
)  # fmt: skip
def test_identifiers_that_name_no_job(job_id, interplay_home):
    for ask in (job_folder, job_status, cancel_job, lambda j: start_job(RunSettings({}), j)):
        with pytest.raises(DataError, match="names no run"):
            ask(job_id)


def test_a_job_that_is_not_here():
    with pytest.raises(DataError, match="not on this server"):
        job_status(new_job_id())


def test_identifiers_do_not_repeat(interplay_home):
    some = {new_job_id() for _ in range(1000)}
    assert len(some) == 1000
    assert all(job_folder(i).parent == interplay_home / "runs" for i in some)


def test_a_relative_home_is_the_same_for_the_worker(tmp_path, monkeypatch, features_file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERPLAY_HOME", "here")
    job_id = new_job_id()
    folder = start_job(RunSettings(features_source(features_file), n_splits=1), job_id)
    assert folder == tmp_path / "here" / "runs" / job_id
    assert "'n_splits'" in wait(job_id, ended, seconds=60).message
