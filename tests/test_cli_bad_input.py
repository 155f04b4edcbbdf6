"""Input that cannot be used: exit code 2 and one sentence on one line, no traceback, nothing overwritten."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import makers
import numpy as np
import pandas as pd
import pytest

import cli


def sentence(capsys, *arguments: object) -> str:
    """Run a command that must be refused, and return what it says on stderr."""
    capsys.readouterr()
    try:
        code = cli.main([str(a) for a in arguments])
    except SystemExit as stopped:  # argparse leaves this way
        code = stopped.code
    told = capsys.readouterr().err
    assert code == 2, told
    assert told.endswith("\n") and told.count("\n") == 1 and len(told) > 30, told
    assert told.startswith("interplay: ") and told.rstrip().endswith("."), told
    assert "Traceback" not in told and "Error" not in told, told
    return told


SCORE = ["--modality", "body=arm,leg", "--modality", "blood=salt,iron", "--label", "label"]


@pytest.fixture
def table(tmp_path) -> Path:
    return makers.numbers_csv(tmp_path / "people.csv")


def swapped(**changes: str) -> list[str]:
    options = {"first": "body=arm,leg", "second": "blood=salt,iron", "label": "label"} | changes
    return ["--modality", options["first"], "--modality", options["second"], "--label", options["label"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (swapped(first="body=arm,nose"), "no column 'nose'"),
        (swapped(first="picture=nose"), "no column 'nose'"),
        (swapped(first="body"), "NAME=COLUMN"),
        (swapped(first="=arm"), "NAME=COLUMN"),
        (swapped(first="blood=arm"), "'blood'"),
        (swapped(first="both=arm"), "'both'"),
        (swapped(first="body=arm,note"), "not made of numbers"),
        (swapped(label="lable"), "no column 'lable'"),
        (swapped(label="note"), "two categories"),
        (swapped(label="arm"), "arm"),
        (SCORE[:2], "two modalities"),
        ([*SCORE, "--modality", "more=back"], "two modalities"),
        ([*SCORE, "--encoder", "body=nonsense"], "nonsense"),
        ([*SCORE, "--encoder", "body=minilm-l6"], "minilm-l6"),
        ([*SCORE, "--encoder", "columns"], "NAME=ENCODER"),
        ([*SCORE, "--encoder", "bodi=columns"], "'bodi'"),
        ([*SCORE, "--media", "no/such/folder"], "folder"),
        ([*SCORE, "--seed", "-1"], "random_state"),
    ],
)
def test_options_that_do_not_fit_the_table(table, tmp_path, capsys, options, said):
    assert said in sentence(capsys, "score", table, *options, "--out", tmp_path / "run")
    assert not list((tmp_path / "run").glob("*")), "a refused run leaves nothing, so the folder can be used again"


def test_no_category_column(tmp_path, capsys):
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(20, 2)), columns=["a", "b"]).to_csv(tmp_path / "t.csv", index=False)
    options = ["--modality", "one=a", "--modality", "two=b", "--out", tmp_path / "run"]
    assert "--label" in sentence(capsys, "score", tmp_path / "t.csv", *options)


def test_the_media_of_a_refused_run_do_not_stay(pictures, tmp_path, capsys):
    archive = makers.zipped(pictures.media, tmp_path / "m.zip")
    options = ["--modality", "p=drawing", "--modality", "t=caption", "--label", "category", "--media", archive]
    said = sentence(capsys, "score", pictures.table, *options, "--encoder", "p=nope", "--out", tmp_path / "run")
    assert "nope" in said
    assert not (tmp_path / "run").exists()


TWO_COLUMNS = "x,y,label\n" + "1,2,a\n3,4,b\n" * 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", None, "does not exist"),
        ("t.xlsx", b"PK whatever", "t.xlsx"),
        ("t.csv", b"", "empty"),
        ("t.csv", b"x,y,label\n", "no usable row"),
        ("t.csv", b"\x00\x01\x02\x03", "not a plain text table"),
        ("t.csv", b'x,y,label\n"1,2,a\n3,4,b\n', "t.csv"),
        ("t.csv", b"x,x,label\n1,2,a\n", "more than one column"),
        ("t.csv", TWO_COLUMNS.encode(), "10 samples"),
        ("t.parquet", b"PAR1 but no more", "t.parquet"),
        ("t.jsonl", b"{broken\n[1, 2]\n", "t.jsonl"),
        ("t.npz", b"PK\x03\x04 broken", "t.npz"),
        ("t.npz", b"", "t.npz"),
        ("t.npy", b"\x93NUMPY broken", "cannot be read"),
        ("t.pt", b"\x80\x02c__main__\nEvil\n", "t.pt"),
        ("t.safetensors", b"\xff" * 40, "t.safetensors"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, capsys, name, content, said):
    path = tmp_path / "in" / name
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    roles = ["--modality", "a=x", "--modality", "b=y", "--label", "label"]
    options = [] if path.suffix in (".npz", ".npy", ".pt", ".safetensors") else roles
    assert said in sentence(capsys, "score", path, *options, "--out", tmp_path / "run")
    assert not list((tmp_path / "run").glob("*"))


def test_arrays_that_make_no_pair(tmp_path, capsys):
    x1, x2, y = makers.pair(20)
    arrays = {
        "objects": {"x1": x1, "x2": x2, "y": np.array([{"a": 1}] * 20, dtype=object)},
        "one": {"x1": x1, "y": y},
        "short": {"x1": x1[:-1], "x2": x2, "y": y},
        "alone": {"x1": x1, "x2": x2, "y": np.zeros(20)},
        "nan": {"x1": x1 * np.nan, "x2": x2, "y": y},
    }
    for name, saved in arrays.items():
        np.savez(tmp_path / f"{name}.npz", **saved)
        sentence(capsys, "score", tmp_path / f"{name}.npz", "--out", tmp_path / f"run-{name}")


def test_folders_that_are_taken(features_file, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    assert "thesis.txt" in sentence(capsys, "score", features_file, "--out", mine)
    assert "thesis.txt" in sentence(capsys, "demo", "known", "--out", mine)
    assert (mine / "thesis.txt").read_text() == "years of work" and len(list(mine.iterdir())) == 1
    assert "cannot be made" in sentence(capsys, "score", features_file, "--out", mine / "thesis.txt")
    assert "cannot be made" in sentence(capsys, "score", features_file, "--out", mine / "thesis.txt" / "below")


def test_unknown_demo(tmp_path, capsys):
    said = sentence(capsys, "demo", "emojy", "--out", tmp_path / "run")
    assert "emoji" in said and "known" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "1.5", "--out", "a.csv"], "between 0 and 1"),
        (["--budget", "-0.1", "--out", "a.csv"], "between 0 and 1"),
        (["--budget", "nan", "--out", "a.csv"], "between 0 and 1"),
        (["--budget", "0.3", "--out", "a.xlsx"], ".csv, .parquet, .jsonl"),
        (["--budget", "0.3", "--out", "a"], ".csv, .parquet, .jsonl"),
        (["--budget", "0.3", "--out", "a.csv", "--by", "beauty"], "beauty"),
        (["--budget", "0.3", "--out", "a.csv", "--by", "unique:sound"], "unique:image"),
        (["--budget", "0.3", "--out", "a.csv", "--rest", "b.xlsx"], ".csv, .parquet, .jsonl"),
        (["--budget", "0.3", "--out", "a.csv", "--rest", "old.csv"], "exists already"),
        (["--budget", "0.3", "--out", "old.csv"], "exists already"),
        (["--budget", "0.3", "--out", "a.csv", "--rest", "./a.csv"], "different files"),
    ],
)
def test_partitions_that_cannot_be_made(small_run, tmp_path, capsys, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    Path("old.csv").write_text("mine")
    assert said in sentence(capsys, "partition", small_run.folder, *options)
    assert [p.name for p in tmp_path.iterdir()] == ["old.csv"] and Path("old.csv").read_text() == "mine"


def test_exports_that_cannot_be_made(small_run, tmp_path, capsys):
    (tmp_path / "old.csv").write_text("mine")
    export = ["export", small_run.folder, "--format", "csv", "--out"]
    assert "exists already" in sentence(capsys, *export, tmp_path / "old.csv")
    assert "exists already" in sentence(capsys, *export, tmp_path)
    assert "cannot be written" in sentence(capsys, *export, tmp_path / "old.csv" / "below.csv")
    assert ".csv" in sentence(capsys, *export, tmp_path / "contradiction.parquet")
    assert (tmp_path / "old.csv").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_folders_that_hold_no_run(run_copy, tmp_path, capsys):
    for command in (["export", "--format", "csv"], ["partition", "--budget", "0.5"]):
        for folder in (tmp_path / "nowhere", tmp_path, run_copy / "scores.parquet"):
            said = sentence(capsys, command[0], folder, *command[1:], "--out", tmp_path / "a.csv")
            assert "is no workspace" in said
    (run_copy / "scores.parquet").write_bytes(b"PAR1")
    assert "has been scored" in sentence(capsys, "export", run_copy, "--format", "csv", "--out", tmp_path / "a.csv")


RECORD = {"settings": {"source": {"kind": "features", "path": "/x.npz"}}}


@pytest.mark.parametrize(
    "content",
    [
        "", "not json", "[]", "5", "null", "{}", "\x00", '{"settings": null}', '{"settings": []}', '{"settings": 3}',
        '{"settings": {"source": 5}}', '{"settings": {"source": {}}}', '{"settings": {"sauce": {}}}',
        '{"settings": {"source": {"kind": "features"}}}', '{"settings": {"source": {"kind": "features", "path": 5}}}',
        '{"settings": {"source": {"kind": "table", "path": "TABLE"}}}',
        '{"settings": {"source": {"kind": "table", "path": "TABLE", "modalities": 5, "label": "label"}}}',
        '{"settings": {"source": {"kind": "table", "path": "TABLE", "modalities": [{}, {}], "label": "label"}}}',
        '{"settings": {"source": {"kind": "demo", "name": "nope"}}}',
        '{"settings": {"source": {"kind": "demo", "name": "known"}, "encoders": ["as-is"]}}',
        json.dumps(RECORD),
    ],
)  # fmt: skip
def test_records_that_are_none(tmp_path, table, capsys, content):
    record = tmp_path / "run.json"
    record.write_text(content.replace("TABLE", str(table)), encoding="utf-8")
    sentence(capsys, "rerun", record, "--out", tmp_path / "again")


@pytest.mark.parametrize(
    "change",
    [{"redundancy": "mine"}, {"surprisal": 3}, {"n_splits": 1}, {"n_splits": "five"}, {"random_state": 1.5},
     {"device": "toaster"}, {"encoders": {"image": "nope"}}, {"encoders": {"image": 5}}, {"encoders": {"x": "as-is"}}],
)  # fmt: skip
def test_records_with_settings_that_do_not_work(run_copy, tmp_path, capsys, change):
    record = json.loads((run_copy / "run.json").read_text(encoding="utf-8"))
    record["settings"] |= change
    (run_copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    sentence(capsys, "rerun", run_copy / "run.json", "--out", tmp_path / "again")
    assert not list((tmp_path / "again").glob("*"))


def test_rerun_refuses_a_table_that_has_changed(tmp_path, capsys):
    """Without the workspace around it, a record depends on the file that was scored."""
    features = makers.features_npz(tmp_path / "pairs.npz", n=15)
    assert cli.main(["score", "--quick", str(features), "--out", str(tmp_path / "run")]) == 0
    record = Path(shutil.copy(makers.run_folder(tmp_path / "run") / "run.json", tmp_path / "run.json"))
    shutil.copy(features, tmp_path / "before.npz")
    makers.features_npz(features, n=15, seed=9)
    rerun = ["rerun", record, "--out", tmp_path / "again"]
    assert "has changed" in sentence(capsys, *rerun)
    features.unlink()
    assert "not there" in sentence(capsys, *rerun)
    shutil.copy(tmp_path / "before.npz", features)
    assert cli.main([str(a) for a in rerun]) == 0
    assert "does not exist" in sentence(capsys, "rerun", tmp_path / "no.json", "--out", tmp_path / "third")


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["paint"], ["demo"], ["score", "--out", "x"], ["score", "t.csv"], ["demo", "--out", "x", "--seed", "one"],
        ["partition", "d", "--out", "a.csv"], ["partition", "d", "--budget", "third", "--out", "a.csv"],
        ["partition", "d", "--budget", "1", "--side", "left", "--out", "a.csv"],
        ["partition", "d", "--budget", "1", "--measure", "mine", "--out", "a.csv"],
        ["demo", "--measure", "", "--out", "x"],
        ["export", "d", "--format", "xlsx", "--out", "a.xlsx"], ["export", "d", "--out", "a.csv"],
        ["encoders", "--colour"], ["rerun", "--out", "d"], ["score", "t.csv", "--out", "x", "--line\nbreak"],
    ],
)  # fmt: skip
def test_command_lines_that_cannot_be_read(capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert "--help" in sentence(capsys, *arguments)
    assert not list(tmp_path.iterdir())


def test_table_options_with_ready_made_features(features_file, tmp_path, capsys):
    options = ["--label", "y", "--modality", "a=b"]
    told = sentence(capsys, "score", features_file, *options, "--out", tmp_path / "run")
    assert "leave out --modality and --label" in told


def test_a_disk_that_is_full(features_file, tmp_path, capsys, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("curation.workspace.runs.write_frame", full)
    assert "No space left on device" in sentence(capsys, "score", features_file, "--out", tmp_path / "run")
