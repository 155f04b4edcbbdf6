"""Films through the command line and on the page: recognised, imported, scored, played."""

from __future__ import annotations

import json
from pathlib import Path

import makers
import pandas as pd
import pytest
import tiny_models
from streamlit.testing.v1 import AppTest
from test_cli_media import check_nothing_lost
from test_pages import installed, opened, pages_only_through_app, words  # noqa: F401 - the fixture is used by name

import cli
import ui.cards
from curation.importing import describe_columns, open_media, suggest_roles


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> makers.MediaTable:
    return makers.film_table(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def film_run(tmp_path_factory, films) -> Path:
    """Imported from a ZIP, and scored out of the workspace alone by a tiny picture model."""
    folder = tmp_path_factory.mktemp("scored")
    archive = makers.zipped(films.media, folder / "films.zip")
    options = ["--modality", "video=clip", "--modality", "text=words", "--label", "kind"]
    out = folder / "workspace"
    assert cli.main(["import", str(films.table), *options, "--media", str(archive), "--out", str(out)]) == 0
    archive.unlink()
    model = tiny_models.save_picture_model(folder / "model")
    assert cli.main(["score", str(out), "--encoder", f"video={model}", "--out", str(out)]) == 0
    return out


def test_columns_of_films_are_recognised(films):
    frame = pd.read_csv(films.table)
    described = describe_columns(frame, media=open_media(films.media))
    assert [d.kind for d in described] == ["video", "text", "label"]
    assert described[0].reason == "23 of 23 cells end like a video file; 23 of the first 23 files were found."
    assert [(m.name, m.kind) for m in suggest_roles(described).modalities] == [("clip", "video"), ("words", "text")]


def test_films_and_captions_from_a_zip(film_run, films):
    scores = check_nothing_lost(film_run, films)
    assert len(scores) == 22
    assert all(Path(p).is_file() and film_run in Path(p).parents for p in scores["item.video"])
    summary = json.loads((makers.run_folder(film_run) / "summary.json").read_text(encoding="utf-8"))
    assert [m["kind"] for m in summary["modalities"]] == ["video", "text"]
    problems = pd.read_parquet(makers.run_folder(film_run) / "problems.parquet").set_index("row")["problem"]
    assert problems[7].startswith("video not usable: This video is damaged")
    assert cli.main(["check", str(film_run)]) == 0


def players(app: AppTest) -> list[str]:
    return [element.proto.url for element in app.get("video")]


def page_of(film_run: Path, interplay_home: Path, page: str) -> AppTest:
    """The workspace as it is, where the app finds it."""
    from curation.places import new_id

    workspace = new_id()
    (interplay_home / "workspaces").mkdir(exist_ok=True)
    (interplay_home / "workspaces" / workspace).symlink_to(film_run)
    return opened(page, (workspace, makers.run_folder(film_run).name))


def test_the_pages_play_films(film_run, interplay_home):
    app = page_of(film_run, interplay_home, "curate")
    assert not app.exception
    assert len(players(app)) > 4 and all("/media/" in url for url in players(app))
    assert {url.rpartition(".")[2] for url in players(app)} == {"mp4", "webm"}
    assert "browsers do not play .avi files" in words(app).replace("\\", "")


def test_large_films_are_not_held_in_the_memory_of_the_server(film_run, interplay_home, monkeypatch):
    monkeypatch.setattr(ui.cards, "_LARGEST_VIDEO", 100)
    app = page_of(film_run, interplay_home, "curate")
    assert not app.exception and players(app) == []
    assert "are played here" in words(app)
