"""Exports of a run: every format read back, the manifest true to the last byte, and repeated from what it says."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import cli
from curation.errors import DataError
from curation.exploring.selection import NAMED
from curation.export import FORMATS, TABLES, Choice, export, named_choice
from curation.importing import read_features
from curation.pipeline import features_of
from curation.summary import with_measure
from curation.workspace import open_run, save_selection, tag_samples
from lsmi_core import FIELDS

ROOT = Path(__file__).resolve().parent.parent
ABOVE = {"kind": "range", "column": "r", "low": 0.4, "high": None}
KEPT = {"kind": "partition", "recipe": {"by": "u1", "side": "low", "balanced": True, "count": 23}, "part": "rest"}


@pytest.fixture(scope="module")
def place(small_run, tmp_path_factory) -> Path:
    """A copy of the small workspace with a tag and a named selection, in a folder with a blank and a quote."""
    folder = tmp_path_factory.mktemp("export") / "it's mine"
    shutil.copytree(small_run.folder.parent.parent, folder)
    workspace, run = open_run(folder)
    tag_samples(workspace, run.dataset, run.scores["sample_id"][:5], "look again")
    save_selection(workspace, run.folder.name, NAMED + "the clear 'ones'", ABOVE)
    return folder


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_of(path: Path) -> dict:
    return json.loads(Path(f"{path}.manifest.json").read_text(encoding="utf-8"))


def expected(run, measure: str | None = None) -> pd.DataFrame:
    return with_measure(run.scores, measure or run.summary["redundancy"])


READERS = {
    "csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda p: pd.read_json(p, lines=True),
    "txt": lambda p: pd.DataFrame({"sample_id": p.read_text().splitlines()}),
    "json": lambda p: pd.DataFrame(json.loads(p.read_text())),
    "npz": lambda p: pd.DataFrame({"sample_id": np.load(p, allow_pickle=False)["sample_id"]}),
}  # fmt: skip


@pytest.mark.parametrize("form", list(READERS))
def test_a_selection_in_every_format_with_its_manifest(place, small_run, tmp_path, form):
    out = tmp_path / "deep" / f"a.{form}"
    made = export(place, out, form, Choice(ABOVE))
    wanted = small_run.scores.loc[small_run.scores["r"] >= 0.4, "sample_id"].tolist()
    assert 0 < len(wanted) < 60 and READERS[form](out)["sample_id"].tolist() == wanted
    assert sorted(p.name for p in out.parent.iterdir()) == [out.name, f"{out.name}.manifest.json"]
    told = manifest_of(out)
    assert told == json.loads(json.dumps(made.manifest))
    assert told["files"] == [{"name": out.name, "bytes": out.stat().st_size, "sha256": digest(out)}]
    assert (told["n_samples"], told["n_all"], told["recipe"]) == (len(wanted), 60, ABOVE)
    assert told["what"] == "“both say it” of at least 0.40 nats"
    assert told["run"]["settings"]["random_state"] == 0 and told["run"]["encoders"][0]["fingerprint"]
    assert told["versions"]["numpy"] == np.__version__ and told["measure"] == "cautious" and told["unit"] == "nats"
    with pytest.raises(DataError, match="nothing was overwritten"):
        export(place, out, form)
    assert digest(out) == told["files"][0]["sha256"]


@pytest.mark.parametrize(
    ("form", "choice", "options"),
    [
        ("parquet", Choice(ABOVE), {"measure": "mmi"}),
        ("csv", Choice({"kind": "tag", "tag": "look again"}), {}),
        ("jsonl", Choice.from_json(KEPT), {}),
        ("txt", Choice({"kind": "words", "text": "'$(x)`\\ 0"}), {}),
        ("npz", Choice(), {"features": True}),
        ("pt", Choice(), {}),
    ],
    ids=["where", "tag", "partition", "odd words", "npz", "pt"],
)  # fmt: skip
def test_both_ways_to_repeat_it_give_the_same_bytes(place, tmp_path, monkeypatch, form, choice, options):
    if form == "txt":
        choice = Choice({"kind": "or", "parts": [choice.where, ABOVE]})
    out = tmp_path / f"first.{form}"
    told = export(place, out, form, choice, **options).manifest
    (tmp_path / "typed").mkdir()
    monkeypatch.chdir(tmp_path / "typed")
    words = shlex.split(told["again"]["command"])
    assert words[:3] == ["python", "cli.py", "export"] and cli.main(words[2:]) == 0
    assert digest(Path(out.name)) == told["files"][0]["sha256"]
    Path(out.name).unlink()
    exec(compile(told["again"]["python"], "snippet", "exec"), {})
    assert digest(Path(out.name)) == told["files"][0]["sha256"]
    assert manifest_of(Path(out.name))["recipe"] == told["recipe"]


def test_the_lines_run_in_processes_of_their_own(place, tmp_path):
    out = tmp_path / "a.csv"
    told = export(place, out, "csv", named_choice(*open_run(place), "the clear 'ones'")).manifest
    assert "--selection" in told["again"]["command"] and told["what"] == "selection “the clear 'ones'”"
    wanted = digest(out)
    for line in (told["again"]["command"], shlex.join(["python", "-c", told["again"]["python"]])):
        again = tmp_path / "again"
        again.mkdir()
        words = [sys.executable, *shlex.split(line)[1:]]
        words = [str(ROOT / w) if w == "cli.py" else w for w in words]
        done = subprocess.run(
            words, cwd=again, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert digest(again / "a.csv") == wanted
        shutil.rmtree(again)


def test_a_long_selection_is_repeated_from_its_manifest(place, small_run, tmp_path, monkeypatch):
    many = small_run.scores["sample_id"][:40].tolist() + [f"nobody {i:040d}" for i in range(4_000)]
    out = tmp_path / "a.txt"
    told = export(place, out, "txt", Choice({"kind": "ids", "ids": many})).manifest
    words = shlex.split(told["again"]["command"])
    assert max(map(len, words)) < 2_000 and "a.txt.manifest.json" in words
    wanted = out.read_bytes()
    out.unlink()
    monkeypatch.chdir(tmp_path)
    assert cli.main(words[2:]) == 0 and out.read_bytes() == wanted
    out.unlink()
    exec(told["again"]["python"], {})
    assert out.read_bytes() == wanted


def test_arrays_hold_every_score_and_the_features(place, small_run, tmp_path):
    export(place, tmp_path / "a.npz", "npz", Choice(ABOVE), features=True)
    rows = (small_run.scores["r"] >= 0.4).to_numpy()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as held:
        assert not [n for n in held.files if held[n].dtype == object]
        for name in FIELDS:
            assert np.array_equal(held[name], small_run.scores.loc[rows, name])
        assert held["label"].tolist() == small_run.scores.loc[rows, "label"].tolist()
        assert np.array_equal(held["sure.1"], small_run.scores.loc[rows, "sure.image"])
        features = features_of(*open_run(place))
        assert all(np.array_equal(held[f"features_{k}"], x[rows]) for k, x in enumerate(features, start=1))


def test_tensors_are_those_the_published_code_reads(place, small_run, tmp_path):
    told = export(place, tmp_path / "a.pt", "pt").manifest
    saved = torch.load(tmp_path / "a.pt", weights_only=True)
    assert all(isinstance(t, torch.Tensor) for t in saved.values())
    assert told["classes"] == ["kind 0", "kind 1", "kind 2"]
    assert [len(saved[f"{s}_targets"]) for s in ("train", "val")] == [54, 6]
    assert saved["val_targets"].bincount().tolist() == [2, 2, 2], "every category is in both"
    assert saved["train_modal_1_features"].dtype == torch.float32 and saved["train_targets"].dtype == torch.int64
    features, scores = features_of(*open_run(place)), small_run.scores
    for split in ("train", "val"):
        at = saved[f"{split}_row"].numpy() - 1
        assert np.array_equal(saved[f"{split}_s"], scores["s"].to_numpy()[at])
        assert np.array_equal(saved[f"{split}_modal_2_features"], features[1][at].astype(np.float32))
        assert [told["classes"][c] for c in saved[f"{split}_targets"]] == scores["label"].to_numpy()[at].tolist()
    back = read_features(tmp_path / "a.pt").dataset
    assert len(back) == 60 and back.extras["split"].value_counts().to_dict() == {"train": 54, "val": 6}


def test_a_split_of_the_users_own_is_kept(tmp_path):
    import makers

    out = tmp_path / "w"
    assert cli.main(["score", str(makers.published_pt(tmp_path / "x.pt")), "--out", str(out), "--quick"]) == 0
    told = export(out, tmp_path / "y.pt", "pt").manifest
    before, after = (torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in "xy")
    assert told["split"] == "column 'split'"
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_rows_are_those_of_the_users_table(place, small_run, tmp_path):
    some = small_run.scores["sample_id"][[3, 17]].tolist()
    export(place, tmp_path / "a.json", "json", Choice({"kind": "ids", "ids": some}))
    assert json.loads((tmp_path / "a.json").read_text()) == {"sample_id": some, "row": [4, 18]}


def test_tags_and_the_measure_go_along(place, small_run, tmp_path):
    export(place, tmp_path / "a.parquet", "parquet", measure="mmi")
    back = pd.read_parquet(tmp_path / "a.parquet")
    assert back["tags"].tolist() == ["look again"] * 5 + [""] * 55
    pd.testing.assert_frame_equal(back.drop(columns="tags"), expected(small_run, "mmi"), check_exact=True)


def test_exports_are_noted(place, tmp_path):
    export(place, tmp_path / "noted.csv", "csv", Choice({"kind": "tag", "tag": "look again"}))
    workspace, run = open_run(place)
    with workspace.catalogue.read() as db:
        row = db.execute("SELECT * FROM exports ORDER BY number DESC").fetchone()
    assert (row["path"], row["run"], row["n_samples"]) == (str(tmp_path / "noted.csv"), run.folder.name, 5)
    assert row["sha256"] == digest(tmp_path / "noted.csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tag", "nobody has it"], "No sample is selected by tag 'nobody has it'"),
        (["--selection", "none"], "its selections are: 'the clear 'ones''"),
        (["--where", "{"], "neither a selection in JSON nor a file"),
        (["--where", "no-such-file.json"], "neither a selection in JSON nor a file"),
        (["--where", '{"kind": "evil"}'], "selection is damaged"),
        (["--where", '{"kind": "partition", "recipe": {"by": "r"}, "part": "third"}'], "selection is damaged"),
        (["--where", '{"kind": "partition", "recipe": {"side": "left"}, "part": "rest"}'], "selection is damaged"),
        (["--where", '{"kind": "range", "column": "label"}'], "no column 'label'"),
        (["--features"], "cannot hold features"),
        (["--links", "hard"], "Only a folder"),
        (["--format", "zip", "--out", "a.zip"], "no pictures, sounds or videos"),
        (["--format", "folder", "--out", "a"], "no pictures, sounds or videos"),
    ],
)
def test_what_cannot_be_exported_is_said_and_leaves_nothing(place, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(place), "--format", "csv", "--out", "a.csv", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_changed_encoder_is_told(place, tmp_path, monkeypatch):
    folder = tmp_path / "w"
    shutil.copytree(place, folder)
    record = open_run(folder)[1].folder / "run.json"
    told = json.loads(record.read_text())
    told["encoders"][1]["fingerprint"] = "another"
    record.write_text(json.dumps(told))
    with pytest.raises(DataError, match="has changed since the run was scored"):
        export(folder, tmp_path / "a.npz", "npz", features=True)
    export(folder, tmp_path / "b.npz", "npz")


def test_identifiers_of_several_lines_are_not_broken(place, tmp_path):
    from curation.exploring import Samples
    from curation.export import choose
    from curation.export.arrays import write_ids

    workspace, run = open_run(place)
    samples = Samples(run)
    samples.frame.loc[3, "sample_id"] = "two\nlines"
    with pytest.raises(DataError, match="several lines"):
        write_ids(choose(workspace, run, samples, Choice()), (tmp_path / "x").open("wb"))


def test_every_format_has_words(place):
    assert set(TABLES) < set(FORMATS)
    assert all(f.title and f.when for f in FORMATS.values())
    endings = [f.ending for f in FORMATS.values() if f.ending]
    assert len(set(endings)) == len(endings)
