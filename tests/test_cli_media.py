"""Pictures, sounds and texts through the command line: good rows scored, bad rows named, none lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import makers
import numpy as np
import pandas as pd
import pytest
import soundfile

import cli
from curation.workspace import load_run, open_run
from lsmi_core import FIELDS


def check_nothing_lost(workspace: Path, table: makers.MediaTable) -> pd.DataFrame:
    """Every row of the user's file is either scored or listed once with its number and reason."""
    out = makers.run_folder(workspace)
    scores, problems = (pd.read_parquet(out / f"{name}.parquet") for name in ("scores", "problems"))
    left_out = problems[problems["row"] > 0]
    assert left_out["row"].tolist() == sorted(table.bad)
    for row, problem in zip(left_out["row"], left_out["problem"], strict=True):
        assert table.bad[row] in problem
    assert (left_out["mend"].str.len() > 10).all()
    scored_rows = {int(name.removeprefix("row-")) for name in scores["sample_id"]}
    assert scored_rows == set(range(1, table.n_rows + 1)) - set(table.bad)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["n_samples"] + summary["n_left_out"] == table.n_rows
    return load_run(out).scores


def test_drawings_and_captions_from_a_folder(picture_run, pictures):
    scores = check_nothing_lost(picture_run, pictures)
    assert len(scores) == 75
    assert scores["label"].value_counts().to_dict() == {"circle": 17, "square": 20, "triangle": 20, "cross": 18}
    told = pd.read_csv(pictures.table, dtype="str").set_axis(range(1, 81))
    rows = [int(name.removeprefix("row-")) for name in scores["sample_id"]]
    assert scores["item.text"].tolist() == told.loc[rows, "caption"].tolist(), "captions, line breaks included"
    assert scores["file.picture"].tolist() == told.loc[rows, "drawing"].tolist()
    assert all(Path(p).is_file() for p in scores["item.picture"])
    np.testing.assert_allclose(scores["extra.price"], told.loc[rows, "price"].astype(float))


def test_the_caption_names_the_shape_only_in_some_rows(picture_run):
    """Two of three captions name the shape, the others do not; every drawing shows it."""
    scores = open_run(picture_run)[1].scores
    named = np.array([label in text for label, text in zip(scores["label"], scores["item.text"], strict=True)])
    assert 0.6 < named.mean() < 0.75
    assert scores.loc[named, "i2"].mean() > scores.loc[~named, "i2"].mean() + 0.5
    assert scores["i1"].mean() > 0.4


def test_the_same_from_a_zip(picture_run, pictures, tmp_path):
    archive = makers.zipped(pictures.media.parent, tmp_path / "media.zip")
    options = ["--modality", "picture=drawing", "--modality", "text=caption", "--label", "category"]
    out = tmp_path / "run"
    assert (
        cli.main(["score", "--quick", str(pictures.table), *options, "--media", str(archive), "--out", str(out)]) == 0
    )
    scores = check_nothing_lost(out, pictures)
    before = open_run(picture_run)[1].scores
    pd.testing.assert_frame_equal(
        scores.drop(columns="item.picture"), before.drop(columns="item.picture"), check_exact=True
    )
    assert all(Path(p).is_file() and out in Path(p).parents for p in scores["item.picture"])
    assert cli.main(["rerun", str(makers.run_folder(out) / "run.json"), "--out", str(tmp_path / "again")]) == 0
    again = open_run(tmp_path / "again")[1].scores
    pd.testing.assert_frame_equal(again[list(FIELDS)], scores[list(FIELDS)], check_exact=True)


def test_columns_are_recognised_without_options(pictures, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["score", "--quick", str(pictures.table), "--media", str(pictures.media), "--out", str(out)]) == 0
    assert len(check_nothing_lost(out, pictures)) == 75
    told = capsys.readouterr().out
    assert "75 samples scored, 5 rows left out" in told and str(makers.run_folder(out) / "problems.parquet") in told


def test_a_drawing_gone_since_the_run_is_told(picture_run, tmp_path, capsys):
    """A repetition may not silently score fewer rows."""
    moved = Path(shutil.copytree(picture_run, tmp_path / "moved"))
    gone = Path(open_run(moved)[1].scores["item.picture"].iloc[1])
    gone.unlink()
    assert cli.main(["check", str(moved)]) == 2
    told = capsys.readouterr()
    assert f"{gone.name}: is missing" in told.out and "1 of" in told.err
    assert cli.main(["rerun", str(makers.run_folder(moved) / "run.json"), "--out", str(tmp_path / "again")]) == 2
    assert gone.name in capsys.readouterr().err
    assert cli.main(["export", str(moved), "--format", "csv", "--out", str(tmp_path / "a.csv")]) == 0, "the rest opens"


def test_a_run_is_repeated_without_its_table(picture_run, pictures, tmp_path):
    """The workspace is the whole project: moved elsewhere, it needs nothing from where it was made."""
    moved = Path(shutil.copytree(picture_run, tmp_path / "moved"))
    record = makers.run_folder(moved) / "run.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    told["settings"]["source"]["path"] = told["settings"]["source"]["media"] = "/nowhere/to/be/found"
    record.write_text(json.dumps(told), encoding="utf-8")
    assert cli.main(["rerun", str(record), "--out", str(tmp_path / "again")]) == 0
    before, after = open_run(picture_run)[1].scores, open_run(tmp_path / "again")[1].scores
    pd.testing.assert_frame_equal(
        after.drop(columns="item.picture"), before.drop(columns="item.picture"), check_exact=True
    )
    assert all(Path(p).is_relative_to(tmp_path / "again") for p in after["item.picture"])
    shown = [Path(p) for p in open_run(moved)[1].scores["item.picture"]]
    assert all(p.is_file() and p.is_relative_to(moved) for p in shown)


def test_sounds_and_words(tmp_path, capsys):
    table = makers.sound_table(tmp_path)
    hum, rate = soundfile.read(table.media / "0.wav")
    soundfile.write(table.media / "0.wav", np.tile(hum, 62), rate)  # 31 seconds
    options = ["--modality", "sound=clip", "--modality", "words=words", "--label", "kind"]
    out = tmp_path / "run"
    assert (
        cli.main(["score", "--quick", str(table.table), *options, "--media", str(table.media), "--out", str(out)]) == 0
    )
    scores = check_nothing_lost(out, table)
    assert len(scores) == 22
    assert (scores["says.sound"] == scores["label"]).mean() > 0.8
    summary = json.loads((makers.run_folder(out) / "summary.json").read_text(encoding="utf-8"))
    assert [m["encoder"] for m in summary["modalities"]] == ["whisper-tiny", "minilm-l6"]
    assert summary["warnings"], "22 samples are few, and that is said"
    assert "Note: 22 samples for 2 categories are few" in (told := capsys.readouterr().out)
    assert "Note: Longer than 30 seconds, so that only the first 30 were used: 1 of 22 sounds in 'sound'." in told


@pytest.mark.parametrize("kept", [0, 1])
def test_too_little_is_left(tmp_path, capsys, kept):
    """All drawings but one or none are broken: refused, with the count of what was found."""
    table = makers.picture_table(tmp_path, n=44)
    for path in sorted(table.media.glob("*.png"))[kept:]:
        path.write_bytes(b"no picture")
    options = ["--modality", "p=drawing", "--modality", "t=caption", "--label", "category", "--media", str(table.media)]
    assert cli.main(["score", str(table.table), *options, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "two categories" in told and "rows were left out" in told
