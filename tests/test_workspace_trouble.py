"""A full disk, a read-only folder, several processes at once: one sentence, nothing lost, and it goes on afterwards."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

import cli
from benchmarks import accidents
from benchmarks.trouble import scenario
from curation.errors import DataError, StorageError
from curation.jobs import CatalogueProgress, job_in_this_process, job_status, unfinished_jobs
from curation.jobs.record import add_job, set_state
from curation.places import new_id
from curation.settings import RunSettings
from curation.workspace import Workspace, catalogue, check_workspace, files, make_workspace, open_run, open_workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return make_workspace(tmp_path / "workspace")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tries"), [("full", len(accidents.FREE)), ("read-only", 8), ("crowd", 3)])
def test_trouble_is_told_in_a_sentence_and_costs_nothing(disks, name, tries):
    rows = scenario(name, quick=True)
    assert [row for row in rows if row["wrong"]] == [] and len(rows) == tries
    if name == "full":
        assert sum("full" in row["said"] or "No space" in row["said"] for row in rows) == 4, "disks were really full"


def test_one_sentence_is_told_from_a_traceback():
    assert accidents._ill_said(2, "interplay: no room.") == [] == accidents._ill_said(0, "")
    assert accidents._ill_said(2, "interplay: no room.\nTraceback") and accidents._ill_said(1, "interplay: no room.")


def no_room(path: Path, **how) -> sqlite3.Connection:
    """As SQLite does on a full disk: the workspace's own file cannot be opened, a copy elsewhere can."""
    if Path(path).parent.name == "workspace":
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
        raise error
    return real_connect(path, **how)


real_connect = sqlite3.connect


def test_a_workspace_on_a_full_disk_can_be_read_and_writing_says_so(workspace, monkeypatch):
    identifier = workspace.id
    monkeypatch.setattr(catalogue.sqlite3, "connect", no_room)
    monkeypatch.setattr(catalogue.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(100, 100, 0))
    assert open_workspace(workspace.folder).id == identifier
    with pytest.raises(StorageError, match="is full"), workspace.catalogue.write():
        pass


def test_a_job_that_the_disk_stopped_can_be_resumed_and_one_with_bad_data_cannot(workspace):
    full, bad, settings = new_id(), new_id(), RunSettings({})
    for job, error in ((full, OSError(errno.ENOSPC, "said by a library")), (bad, DataError("No rows."))):
        with pytest.raises(type(error)), job_in_this_process(workspace, settings, job):
            raise error
    assert unfinished_jobs(workspace) == [full] and "No space left" in job_status(workspace, full).message
    assert job_status(workspace, bad).state == "failed"


def test_arrays_without_room_are_an_error_of_the_disk(tmp_path, monkeypatch):
    def full(arrays, path):
        raise SafetensorError("No space left on device")  # which is no OSError

    files.write_arrays({"x": np.zeros(3)}, tmp_path / "x.safetensors")
    monkeypatch.setattr(files, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_arrays({"y": np.zeros(3)}, tmp_path / "y.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_map_drawn_just_before_its_process_died_is_watched_over(small_run, tmp_path):
    folder = tmp_path / "workspace"
    shutil.copytree(small_run.folder.parent.parent, folder)
    with sqlite3.connect(folder / "catalogue.db") as db:
        db.execute("DELETE FROM files WHERE path LIKE '%map.parquet'")
    drawn = open_run(folder)[1].folder / "map.parquet"
    drawn.write_bytes(drawn.read_bytes()[:-1])
    (damage,) = check_workspace(folder, lambda done, total: None)[0]
    assert damage.place.endswith("map.parquet")


def test_a_refused_command_removes_no_workspace_in_which_another_is_at_work(tmp_path, capsys, monkeypatch):
    table, folder = tmp_path / "bad.csv", tmp_path / "new"
    table.write_text("picture,text,label\n1,2,3\n")
    other = new_id()

    def meanwhile(*given):
        add_job(open_workspace(folder), other, RunSettings({}))
        set_state(open_workspace(folder), other, "running")
        raise DataError("The table cannot be used.")

    monkeypatch.setattr("curation.pipeline.import_source", meanwhile)
    sides = ["--modality", "picture=picture", "--modality", "text=text", "--label", "label"]
    assert cli.main(["import", str(table), *sides, "--out", str(folder)]) == 2
    assert unfinished_jobs(open_workspace(folder)) == [other]


def test_no_time_left_is_told_when_the_clock_went_back(workspace, monkeypatch):
    job = new_id()
    with job_in_this_process(workspace, RunSettings({}), job):
        CatalogueProgress(workspace, job)("Encode", 5, 10)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 86_400)
        assert job_status(workspace, job).seconds_left is None
