"""The Export page in all its states, through app.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from test_pages import opened, pages_only_through_app, words  # noqa: F401 - a fixture

import cli
from curation.places import known_workspace, new_id
from curation.workspace import keep_view, load_run, make_workspace, save_selection, tag_samples

KEPT = {"by": "r", "side": "high", "balanced": False, "count": 12, "percent": 20}
ABOVE = {"kind": "range", "column": "r", "low": 0.4, "high": None}


@pytest.fixture
def run(small_run, interplay_home) -> tuple[str, str]:
    """A copy of the small workspace that this test may change."""
    workspace = new_id()
    shutil.copytree(small_run.folder.parent.parent, interplay_home / "workspaces" / workspace)
    return workspace, small_run.folder.name


def place(run: tuple[str, str]):
    return known_workspace(run[0], "")


def labels(app) -> list[str]:
    return [button.label for button in app.get("download_button")]


def test_all_samples_of_a_run_without_anything_else(run, small_run):
    app = opened("export", run)
    assert not app.exception and not app.error
    assert [o.replace("\\", "") for o in app.radio[0].options] == ["All scores (60 samples)"]
    assert labels(app) == ["Download 60 samples as CSV", "Its manifest", "Download the report"]
    assert "ZIP with media" not in app.radio[1].options and "Folder with media" not in app.radio[1].options
    assert app.dataframe[0].value["sample_id"].tolist() == small_run.scores["sample_id"][:20].tolist()
    assert "by the measure cautious" in words(app)


@pytest.mark.parametrize("part", ["selected", "rest"])
def test_the_parts_of_a_kept_partition(run, part):
    save_selection(place(run), run[1], "partition", KEPT)
    app = opened("export", run)
    assert app.radio[0].value == "selected"
    app.radio[0].set_value(part).run()
    n = 12 if part == "selected" else 48
    assert labels(app)[0] == f"Download {n} samples as CSV"
    command, lines = (code.value for code in app.code[:2])
    assert f'"part": "{part}"' in command and f"'part': '{part}'" in lines


def test_what_is_selected_on_explore_in_its_measure(run, small_run):
    keep_view(place(run), run[1], {"measure": "mmi", "filters": [ABOVE]}, "", {})
    app = opened("export", run)
    wanted = small_run.scores[["i1", "i2"]].min(axis=1) >= 0.4
    assert app.radio[0].value == "current" and "at least 0.40 nats" in app.radio[0].options[1].replace("\\", "")
    assert labels(app)[0] == f"Download {wanted.sum()} samples as CSV"
    assert "by the measure mmi" in words(app) and "--measure mmi" in app.code[0].value
    app.radio[0].set_value("all").run()
    assert labels(app)[0] == "Download 60 samples as CSV"


def test_named_selections_and_tags(run, small_run):
    save_selection(place(run), run[1], "named/<b>the *clear* ones</b>", ABOVE)
    tag_samples(place(run), small_run.dataset, small_run.scores["sample_id"][:5], "look :material/home: again")
    app = opened("export", run)
    app.radio[0].set_value("named").run()
    count = (small_run.scores["r"] >= 0.4).sum()
    assert labels(app)[0] == f"Download {count} samples as CSV" and "--selection" in app.code[0].value
    app.radio[0].set_value("tag").run()
    assert labels(app)[0] == "Download 5 samples as CSV" and "--tag" in app.code[0].value
    assert app.dataframe[0].value["tags"].tolist() == ["look :material/home: again"] * 5


def test_a_selection_that_selects_nothing_is_said(run):
    save_selection(place(run), run[1], "named/none", {"kind": "tag", "tag": "gone"})
    app = opened("export", run)
    app.radio[0].set_value("named").run()
    assert not app.exception and "No sample is selected" in app.error[0].value


def test_what_takes_long_is_prepared_first(run):
    app = opened("export", run)
    app.radio[1].set_value("npz").run()
    assert labels(app) == ["Download the report"]
    app.checkbox[0].check().run()
    next(b for b in app.button if b.label == "Prepare 60 samples as NumPy arrays").click().run()
    assert not app.exception and not app.error
    assert labels(app)[:2] == ["Download 60 samples as NumPy arrays", "Its manifest"]
    assert not [b for b in app.button if b.label.startswith("Prepare")]
    assert "--features" in app.code[0].value and "features=True" in app.code[1].value
    app.checkbox[0].uncheck().run()
    assert labels(app) == ["Download the report"], "another file"


def test_a_long_selection_is_read_from_the_manifest(run, small_run):
    many = [f"nobody {k:040d}" for k in range(100)] + small_run.scores["sample_id"].tolist()
    save_selection(place(run), run[1], "named/many", {"kind": "ids", "ids": many})
    keep_view(place(run), run[1], {"filters": [{"kind": "ids", "ids": many}]}, "", {})
    app = opened("export", run)
    assert "--where pairs-selection.csv.manifest.json" in app.code[0].value
    assert "read from the manifest" in words(app)


def test_an_archive_with_missing_files_is_said(picture_run, interplay_home):
    identifier = new_id()
    folder = Path(shutil.copytree(picture_run, interplay_home / "workspaces" / identifier))
    run = load_run(next((folder / "runs").iterdir()))
    Path(run.scores["item.picture"][0]).unlink()
    app = opened("export", (identifier, run.folder.name))
    app.radio[1].set_value("zip").run()
    next(b for b in app.button if b.label == "Prepare 75 samples as ZIP with media").click().run()
    assert labels(app)[0] == "Download 75 samples as ZIP with media"
    assert "Its manifest" not in labels(app), "it is inside"
    assert "files are not where they were" in app.warning[0].value.replace("\\", "")


def test_the_commands_shown_write_the_same_samples(run, small_run, tmp_path, monkeypatch):
    import shlex

    keep_view(place(run), run[1], {"filters": [ABOVE]}, "", {})
    app = opened("export", run)
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(app.code[0].value)[2:]) == 0
    told = json.loads(Path("pairs-selection.csv.manifest.json").read_text())
    Path("pairs-selection.csv").unlink()
    exec(app.code[1].value, {})
    assert json.loads(Path("pairs-selection.csv.manifest.json").read_text())["files"] == told["files"]
    assert told["n_samples"] == (small_run.scores["r"] >= 0.4).sum()


def test_a_workspace_made_before_opens(earlier_run, interplay_home):
    workspace, run = new_id(), new_id()
    make_workspace(interplay_home / "workspaces" / workspace)
    shutil.copytree(earlier_run, interplay_home / "workspaces" / workspace / "runs" / run)
    app = opened("export", (workspace, run))
    assert not app.exception and not app.error and "by the measure lsmi" in words(app)


def test_the_report_is_offered_with_its_command(run, tmp_path, monkeypatch):
    app = opened("export", run)
    assert labels(app)[-1] == "Download the report"
    monkeypatch.chdir(tmp_path)
    assert cli.main(app.code[-1].value.split()[2:]) == 0
    assert Path("pairs-report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
