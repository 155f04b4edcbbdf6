"""Workspaces: what is kept, found again, told damaged, moved, migrated, and nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.dataset import Modality, PairedDataset
from curation.errors import DataError
from curation.importing import ImportResult, Problems
from curation.places import known_workspace, new_workspace, recent_runs, remember
from curation.workspace import (
    Workspace,
    add_dataset,
    check_workspace,
    load_dataset,
    load_run,
    make_workspace,
    open_run,
    open_workspace,
    repair_catalogue,
    save_selection,
    saved_selection,
    tag_samples,
    tags_of,
    untag_samples,
)
from curation.workspace.catalogue import MIGRATIONS, SCHEMA, Catalogue
from curation.workspace.files import adopt_file, digest_of

SILENT = lambda done, total: None  # noqa: E731


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return make_workspace(tmp_path / "workspace")


@pytest.fixture
def scored(small_run, tmp_path) -> Path:
    """A copy of a workspace with one run."""
    return Path(shutil.copytree(small_run.folder.parent.parent, tmp_path / "scored"))


def mixed(folder: Path, n: int = 6, name: str = "mixed") -> ImportResult:
    """Pictures (some alike) with vectors, other columns and a problem."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(n):
        path = folder / f"deep {k % 2}" / f"ünï {k}.PNG"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"picture %d" % (k // 2))
        paths.append(path)
    data = PairedDataset(
        name=name,
        sample_ids=np.array([f"s{k}" for k in range(n)]),
        labels=np.array(["a", "ß"] * (n // 2)),
        modalities=(
            Modality("scan", "picture", paths),
            Modality("signal", "vectors", np.arange(n * 3, dtype=np.float32).reshape(n, 3)),
        ),
        extras=pd.DataFrame({"note": ["x\ny", "", "=1", "é", None, "z"][:n], "price": np.arange(n) / 3}),
        rows=np.arange(n) + 2,
    )
    return ImportResult(data, Problems.of([1], "scan", "picture not found: a.png", "Add it."))


# --- data sets ------------------------------------------------------------------------------------------------------
def test_a_data_set_comes_back_as_it_was_imported(workspace, tmp_path):
    found = mixed(tmp_path / "media")
    identity, is_new = add_dataset(workspace, found, SILENT)
    assert is_new
    back = load_dataset(workspace, identity)
    data, before = back.dataset, found.dataset
    assert data.sample_ids.tolist() == before.sample_ids.tolist() and data.labels.tolist() == before.labels.tolist()
    assert data.rows.tolist() == before.rows.tolist()
    np.testing.assert_array_equal(data.modalities[1].items, before.modalities[1].items)
    assert [p.read_bytes() for p in data.modalities[0].items] == [p.read_bytes() for p in before.modalities[0].items]
    assert list(data.modalities[0].names) == [f"deep {k % 2}/ünï {k}.PNG" for k in range(6)]
    assert all(p.is_relative_to(workspace.folder) and p.suffix == ".png" for p in data.modalities[0].items)
    pd.testing.assert_frame_equal(data.extras, before.extras, check_dtype=False)
    pd.testing.assert_frame_equal(back.problems.frame, found.problems.frame)
    assert len(list((workspace.folder / "media").rglob("*.png"))) == 3, "the same content is kept once"


def test_the_same_data_under_another_name_and_from_elsewhere_is_recognised(workspace, tmp_path):
    first, _ = add_dataset(workspace, mixed(tmp_path / "one"), SILENT)
    second, is_new = add_dataset(workspace, mixed(tmp_path / "two", name="other"), SILENT)
    assert (first, False) == (second, is_new) and len(workspace.datasets()) == 1
    copied, is_new = add_dataset(make_workspace(tmp_path / "b"), load_dataset(workspace, first), SILENT)
    assert copied == first and is_new, "carried to another workspace it is still the same"
    third, is_new = add_dataset(workspace, mixed(tmp_path / "one", n=4), SILENT)
    assert is_new and third != first
    assert [entry.id for entry in workspace.datasets()] == [third, first], "the latest first"


def test_linked_media_stay_where_they_are_and_are_checked(workspace, tmp_path):
    identity, _ = add_dataset(workspace, mixed(tmp_path / "media"), SILENT, link=True)
    assert not (workspace.folder / "media").exists()
    items = load_dataset(workspace, identity).dataset.modalities[0].items
    assert all(p.is_relative_to(tmp_path / "media") for p in items)
    assert check_workspace(workspace.folder, SILENT)[0] == []
    items[0].write_bytes(b"another picture")
    items[1].unlink()
    told = {d.place: d.what for d in check_workspace(workspace.folder, SILENT)[0]}
    assert told == {str(items[0]): "is not what was written", str(items[1]): "is missing"}


def test_a_picture_that_is_gone_imports_nothing(workspace, tmp_path):
    found = mixed(tmp_path / "media")
    found.dataset.modalities[0].items[4].unlink()
    with pytest.raises(DataError, match="ünï 4.PNG cannot be read .* put it back"):
        add_dataset(workspace, found, SILENT)
    assert workspace.datasets() == [] and not list(workspace.folder.glob("datasets/*"))


def test_a_file_of_the_wrong_size_under_the_right_name_is_written_again(workspace, tmp_path):
    """As a failing power supply may leave it."""
    source = tmp_path / "a.png"
    source.write_bytes(b"whole")
    kept = adopt_file(source, workspace.folder, "media", ".png")
    kept.write_bytes(b"")
    assert adopt_file(source, workspace.folder, "media", ".png").read_bytes() == b"whole"


# --- what is whole is found again, what is not is told ---------------------------------------------------------------
def test_what_was_finished_just_before_the_end_is_entered_later(scored):
    """Killed between putting a folder into its place and entering it: the next opening does that."""
    with closing(sqlite3.connect(scored / "catalogue.db")) as db, db:
        for table in ("runs", "datasets", "files"):
            db.execute(f"DELETE FROM {table}")
    workspace, run = open_run(scored)
    assert len(workspace.datasets()) == 1 and len(run.scores) == 60
    assert check_workspace(scored, SILENT)[0] == []


def test_unfinished_folders_are_nobodys(scored):
    whole = open_run(scored)[1].folder
    shutil.copytree(whole, whole.with_name(".part-x"))
    shutil.copytree(whole, whole.with_name("b" * 16))
    (whole.with_name("b" * 16) / "run.json").unlink()
    assert [entry.id for entry in open_workspace(scored).runs()] == [whole.name]


def test_leftovers_of_yesterday_go_and_those_of_today_stay(workspace):
    old, new = (workspace.folder / "runs" / f".part-{k}" for k in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "scores.parquet").touch()
    half = workspace.folder / ".part-half"
    half.touch()
    for path in (old, half):
        os.utime(path, (0, 0))
    workspace.clear_leftovers()
    assert (old.exists(), half.exists(), new.exists()) == (False, False, True)


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["scores.parquet", "run.json", "map.parquet"])
def test_one_changed_bit_is_told(scored, name):
    workspace, run = open_run(scored)
    damaged(run.folder / name)
    (found,), n_files = check_workspace(scored, SILENT)
    assert found.place == f"runs/{run.folder.name}/{name}" and found.what == "is not what was written"
    assert n_files > 5


def test_damage_to_one_run_leaves_the_others(scored):
    workspace, run = open_run(scored)
    other = shutil.copytree(run.folder, run.folder.with_name("b" * 16))
    assert len(open_workspace(scored).runs()) == 2
    (run.folder / "scores.parquet").write_bytes(b"PAR1")
    assert len(load_run(Path(other)).scores) == 60
    with pytest.raises(DataError, match="score the data again"):
        open_run(scored, run.folder.name)
    (found,), _ = check_workspace(scored, SILENT)
    assert "bytes instead of" in found.what


def test_a_damaged_catalogue_is_made_anew(scored):
    workspace, run = open_run(scored)
    tag_samples(workspace, run.dataset, run.scores["sample_id"][:5], "look")
    save_selection(workspace, run.folder.name, "mine", {"by": "r"})
    identity = workspace.id
    content = (scored / "catalogue.db").read_bytes()
    with closing(sqlite3.connect(scored / "catalogue.db")) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
    size = 4096
    (scored / "catalogue.db").write_bytes(content[: (page - 1) * size] + b"\xff" * size + content[page * size :])
    (found,), _ = check_workspace(scored, SILENT)
    assert found.place == "catalogue.db" and "--repair" in found.mend
    again = repair_catalogue(scored)
    assert len(open_run(scored)[1].scores) == 60 and again.id == identity
    assert len(tags_of(again, run.dataset)) == 5 and saved_selection(again, run.folder.name, "mine") == {"by": "r"}
    assert check_workspace(scored, SILENT)[0] == []
    assert (scored / "catalogue.damaged-1.db").exists()
    with pytest.raises(DataError, match="nothing to repair"):
        repair_catalogue(scored)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 4000, b"no database at all" * 300])
def test_a_catalogue_that_is_none(scored, content):
    (scored / "catalogue.db").write_bytes(content)
    for left in scored.glob("catalogue.db-*"):
        left.unlink()
    if content:
        with pytest.raises(DataError, match="is damaged .* --repair"):
            open_workspace(scored)
        repair_catalogue(scored)
    assert len(open_run(scored)[1].scores) == 60


# --- moved, earlier, later -------------------------------------------------------------------------------------------
def test_it_moves(workspace, tmp_path):
    identity, _ = add_dataset(workspace, mixed(tmp_path / "media"), SILENT)
    moved = tmp_path / "far" / "away"
    shutil.move(workspace.folder, moved)
    shutil.rmtree(tmp_path / "media")
    back = load_dataset(open_workspace(moved), identity)
    assert all(p.is_file() and p.is_relative_to(moved) for p in back.dataset.modalities[0].items)
    assert open_workspace(moved).id == workspace_id(moved) and check_workspace(moved, SILENT)[0] == []
    for text in ("tmp", str(tmp_path)):
        assert not [p for p in moved.rglob("*.json") if text in p.read_text(encoding="utf-8")], (
            "no path of this machine"
        )


def workspace_id(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        return db.execute("SELECT value FROM about WHERE key = 'id'").fetchone()[0]


@pytest.mark.parametrize("version", range(SCHEMA))
def test_every_earlier_catalogue_is_brought_up_to_date(tmp_path, version):
    path = tmp_path / "catalogue.db"
    with closing(sqlite3.connect(path)) as db, db:
        for script in MIGRATIONS[:version]:
            db.executescript(script)
        if version:
            db.execute("INSERT INTO about VALUES ('id', 'kept')")
            db.execute("INSERT INTO datasets (id, name, n_samples, added) VALUES ('d', 'Emoji', 3, 1.5)")
        db.execute(f"PRAGMA user_version = {version}")
    Catalogue(path)
    Catalogue(path)
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(":memory:")) as fresh:
        for script in MIGRATIONS:
            fresh.executescript(script)
        tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
        assert [(n, " ".join(s.split())) for n, s in db.execute(tables)] == [
            (n, " ".join(s.split())) for n, s in fresh.execute(tables)
        ]
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        if version:
            assert db.execute("SELECT name, n_samples FROM datasets").fetchall() == [("Emoji", 3)]


def test_a_later_catalogue_is_left_alone(scored):
    with closing(sqlite3.connect(scored / "catalogue.db")) as db, db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = digest_of(scored / "catalogue.db")
    with pytest.raises(DataError, match="later version of Interplay; update"):
        open_workspace(scored)
    assert digest_of(scored / "catalogue.db") == before


def test_a_run_of_an_earlier_version_opens_as_a_workspace(run_copy):
    before = {p.name: digest_of(p) for p in run_copy.iterdir()}
    workspace, run = open_run(run_copy)
    assert len(workspace.runs()) == 1 and len(run.scores) == 60 and run.folder == run_copy
    assert {p.name: digest_of(p) for p in run_copy.iterdir() if not p.name.startswith("catalogue.db")} == before
    assert check_workspace(run_copy, SILENT)[0] == []
    tag_samples(workspace, run.dataset, ["row-000001"], "kept")
    assert tags_of(open_workspace(run_copy), run.dataset)["tag"].tolist() == ["kept"]


def test_a_run_in_a_workspace_stays_in_it(scored):
    folder = open_run(scored)[1].folder
    workspace, run = open_run(folder)
    assert workspace.folder == scored and run.folder == folder
    assert not (folder / "catalogue.db").exists()


@pytest.mark.parametrize("place", ["nowhere", "", "file.txt"])
def test_folders_that_are_no_workspace(tmp_path, place):
    (tmp_path / "file.txt").touch()
    with pytest.raises(DataError, match="is no workspace; give the folder"):
        open_workspace(tmp_path / place)


def test_folders_in_which_none_is_made(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DataError, match="not empty .it holds thesis.txt"):
        make_workspace(tmp_path)
    with pytest.raises(DataError, match="cannot be made"):
        make_workspace(tmp_path / "thesis.txt")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["thesis.txt"]
    assert make_workspace(tmp_path / "a" / "b").id == make_workspace(tmp_path / "a" / "b").id


# --- tags and selections ---------------------------------------------------------------------------------------------
def test_tags(workspace):
    assert tag_samples(workspace, "d", ["1", "2", "3"], "  wrong   label ") == 3
    assert tag_samples(workspace, "d", ["3", "4"], "wrong label") == 1
    assert tag_samples(workspace, "other", ["1"], "x") == 1
    assert untag_samples(workspace, "d", ["1", "nobody"], "wrong label") == 1
    assert tags_of(workspace, "d").to_numpy().tolist() == [
        ["2", "wrong label"],
        ["3", "wrong label"],
        ["4", "wrong label"],
    ]
    for tag in ("", "   ", "x" * 61):
        with pytest.raises(DataError, match="A tag has 1 to 60 characters"):
            tag_samples(workspace, "d", ["1"], tag)


def test_a_tag_reaches_all_samples_or_none(workspace):
    def ids():
        yield "1"
        raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        tag_samples(workspace, "d", ids(), "x")
    assert tags_of(workspace, "d").empty


def test_many_at_once_lose_nothing(workspace):
    def tag(k: int) -> None:
        for i in range(10):
            tag_samples(open_workspace(workspace.folder), "d", [f"{k}-{i}"], "x")

    threads = [threading.Thread(target=tag, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags_of(workspace, "d")) == 60


def test_selections(workspace):
    assert saved_selection(workspace, "r", "mine") is None
    save_selection(workspace, "r", "mine", {"by": "r"})
    save_selection(workspace, "r", "mine", {"by": "s"})
    assert saved_selection(workspace, "r", "mine") == {"by": "s"}
    assert saved_selection(workspace, "other", "mine") is None


# --- whose it is -----------------------------------------------------------------------------------------------------
@pytest.fixture
def fresh_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("INTERPLAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_workspace_belongs_to_who_made_it(fresh_home, small_run):
    hers, his = new_workspace("issuer#alice"), new_workspace("issuer#bob")
    shutil.copytree(small_run.folder, fresh_home / "workspaces" / hers / "runs" / ("c" * 16))
    assert known_workspace(hers, "issuer#alice").owner == "issuer#alice"
    for person in ("issuer#bob", "", "issuer#alic"):
        with pytest.raises(DataError, match="not on this server, or not yours"):
            known_workspace(hers, person)
        assert recent_runs(person) == []
    assert [(place, run.id) for place, run in recent_runs("issuer#alice")] == [(hers, "c" * 16)]
    assert known_workspace(his, "issuer#bob").runs() == []


def test_workspaces_elsewhere_are_remembered(fresh_home, scored):
    identity = remember(scored)
    assert known_workspace(identity, "").folder == scored
    assert [place for place, _ in recent_runs("")] == [identity]
    shutil.rmtree(scored)
    with pytest.raises(DataError, match="not on this server"):
        known_workspace(identity, "")
    assert recent_runs("") == []


def test_a_record_tells_which_data_set(scored):
    workspace, run = open_run(scored)
    record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert record["dataset"] == workspace.datasets()[0].id == run.dataset
