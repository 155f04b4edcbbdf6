"""Runs on disk, settings and progress: what is refused, what is written whole, what comes back."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.errors import USER_ERRORS, DataError
from curation.progress import ConsoleProgress
from curation.settings import RunSettings, home
from curation.summary import measures_of
from curation.workspace import load_run, write_atomically, write_frame, write_json


def test_a_run_reads_back(small_run):
    run = load_run(str(small_run.folder))
    pd.testing.assert_frame_equal(run.scores, small_run.scores, check_exact=True)
    assert run.name == "pairs" and run.modality_names == ("image", "text")
    assert run.kinds == {"image": "vectors", "text": "vectors"}
    assert run.problems.empty and list(run.problems.columns) == ["row", "column", "problem", "mend"]
    assert run.map()["sample_id"].tolist() == run.scores["sample_id"].tolist()


def test_a_run_without_its_map_and_problems_opens(run_copy):
    (run_copy / "map.parquet").unlink()
    (run_copy / "problems.parquet").unlink()
    run = load_run(run_copy)
    assert run.map() is None and run.problems.empty


@pytest.mark.parametrize("name", ["scores.parquet", "summary.json", "run.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"[]", b"null", b"5"])
def test_a_run_with_a_spoilt_file_is_refused(run_copy, name, content):
    if content is None:
        (run_copy / name).unlink()
    else:
        (run_copy / name).write_bytes(content)
    with pytest.raises(DataError, match="no finished run" if content is None else "score the data again"):
        load_run(run_copy)


def test_an_earlier_run_opens(earlier_run):
    run = load_run(earlier_run)
    assert run.summary["redundancy"] == "lsmi" and len(run.scores) == 60
    assert not {"b1", "b2"} & set(run.scores)
    assert "cautious" not in measures_of(run.scores)
    assert RunSettings.read(earlier_run / "run.json").redundancy == "lsmi", "repeated as it was asked for then"


def test_a_run_must_hold_what_its_own_measure_is_made_of(run_copy, small_run):
    small_run.scores.drop(columns=["b1", "b2"]).to_parquet(run_copy / "scores.parquet")
    with pytest.raises(DataError, match="lacks the columns b1, b2; score the data again"):
        load_run(run_copy)


SIDES = [{"name": "x", "kind": "text"}, {"name": "y", "kind": "text"}]


@pytest.mark.parametrize(
    "summary",
    [{}, {"name": "x", "redundancy": "lsmi", "modalities": [5, 6]},
     {"name": "x", "redundancy": "mine", "modalities": SIDES}, {"name": "x", "redundancy": [], "modalities": SIDES}],
)  # fmt: skip
def test_a_summary_of_something_else_is_refused(run_copy, summary):
    (run_copy / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(DataError, match="not the summary of a run"):
        load_run(run_copy)


def test_scores_that_lack_columns_are_refused(run_copy, small_run):
    small_run.scores.drop(columns=["u2", "label"]).to_parquet(run_copy / "scores.parquet")
    with pytest.raises(DataError, match="lacks the columns label, u2"):
        load_run(run_copy)


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json({"ü": np.float64(1.5), "n": np.int64(2)}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"ü": 1.5, "n": 2.0}
    write_atomically(path, "new")
    write_frame(pd.DataFrame({"a": [1]}), tmp_path / "f.parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "f.parquet"]

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as handle:
            handle.write(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)  # real full disks: test_workspace_trouble.py
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "newer")
    with pytest.raises((TypeError, ValueError)):
        write_frame(pd.DataFrame({"a": [object(), 1]}), tmp_path / "f.parquet")
    assert path.read_text() == "new" and pd.read_parquet(tmp_path / "f.parquet")["a"].tolist() == [1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "f.parquet"], "no .part is left behind"


def test_settings_round_trip(tmp_path):
    source = {"kind": "table", "path": "/a b/ü.csv", "modalities": [{"name": "x", "columns": ["c"], "kind": "text"}]}
    settings = RunSettings(source, {"x": "minilm-l6"}, "mmi", "feature", 3, 11, "cpu")
    write_json({"settings": settings.to_json()}, tmp_path / "run.json")
    assert RunSettings.read(tmp_path / "run.json") == settings
    settings.to_json()["source"]["path"] = "changed"
    assert settings.source["path"] == "/a b/ü.csv", "plain data is a copy"
    assert RunSettings.from_json({"source": {}}) == RunSettings({})


@pytest.mark.parametrize("data", [None, [], "x", {}, {"source": 1}, {"source": {}, "encoders": None},
                                  {"source": {}, "unknown": 1}])  # fmt: skip
def test_settings_that_are_none(data):
    with pytest.raises(DataError, match="here.json does not hold the settings of a run"):
        RunSettings.from_json(data, "here.json")


def test_home_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("INTERPLAY_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERPLAY_HOME", "below")
    assert home() == tmp_path / "below", "absolute, so that a process started elsewhere finds it too"
    monkeypatch.setenv("INTERPLAY_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert home() == tmp_path / "me" / ".interplay"


def test_all_rooms_errors_are_translated():
    assert len(USER_ERRORS) == 3 and all(issubclass(e, ValueError) for e in USER_ERRORS)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_away_from_a_terminal():
    out = io.StringIO()
    progress = ConsoleProgress(out)
    for done in range(0, 1001, 100):
        progress("Encode", done, 1000)
    progress("Encode", 1000, 1000)
    progress("Draw", 0, 1)
    progress.close()
    first, second, third = out.getvalue().splitlines()
    assert (first, third) == ("Encode: 1,000 to do", "Draw ...")
    assert second.startswith("Encode: done in ") and second.endswith(" s")


def test_a_bar_on_a_terminal():
    out = Terminal()
    progress = ConsoleProgress(out)
    progress.close()
    assert out.getvalue() == "", "nothing begun, nothing to end"
    for done in (0, 7, 14):
        progress("Encode", done, 14)
    frames = out.getvalue().split("\r\033[K")[1:]
    assert ["░" * 28 in frames[0], "█" * 14 + "░" * 14 in frames[1], "█" * 28 in frames[2]] == [True] * 3
    assert "7/14" in frames[1] and frames[1].endswith("s left") and frames[2].endswith("\n")
    progress("Score", 1, 0)
    progress("Draw", 0, 5)
    progress.close()
    progress.close()
    assert out.getvalue().endswith("s\n"), "an unfinished bar ends its line, once"
    assert os.linesep * 2 not in out.getvalue()
