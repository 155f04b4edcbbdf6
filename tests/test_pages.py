"""Every page through app.py, as Streamlit runs it: with nothing, with a scored run, and with what goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from curation.errors import DataError
from curation.exploring.view import SHOWS
from curation.jobs import start_job
from curation.jobs.record import add_job, set_state
from curation.places import known_workspace, new_id, new_workspace, recent_runs
from curation.settings import RunSettings
from curation.sources import demo_source
from curation.workspace import make_workspace

APP = str(Path(__file__).resolve().parent.parent / "app.py")
PAGES = ("start", "import_data", "score", "explore", "curate", "apply", "export")


@pytest.fixture(autouse=True)
def pages_only_through_app(monkeypatch):
    """Run pages as the server of ``ui.serve`` does: through app.py, although a folder called pages stands beside it."""

    def run_app(path: str) -> None:
        exec(compile(Path(path).read_text(), path, "exec"), {"__name__": "__main__"})

    monkeypatch.setattr("streamlit.runtime.scriptrunner.script_runner._mpa_v1", run_app)


def opened(page: str, run: tuple[str, str] | None = None) -> AppTest:
    """Open a page, with a run by the identifiers of its workspace and its own."""
    app = AppTest.from_file(APP, default_timeout=60)
    if run:
        app.query_params["workspace"], app.query_params["run"] = run
    app.run()
    if page != "start":
        app.switch_page(f"pages/{page}.py").run()
    return app


def words(app: AppTest) -> str:
    """Everything the page says."""
    elements = [
        *app.title,
        *app.subheader,
        *app.markdown,
        *app.caption,
        *app.info,
        *app.success,
        *app.warning,
        *app.error,
    ]
    return "\n".join(str(e.value) for e in elements)


def installed(run_folder: Path, home: Path) -> tuple[str, str]:
    """Put a scored run where the app finds it, in a workspace of its own."""
    workspace, run = new_id(), new_id()
    make_workspace(home / "workspaces" / workspace)
    shutil.copytree(run_folder, home / "workspaces" / workspace / "runs" / run)
    return workspace, run


@pytest.fixture
def run(small_run, interplay_home) -> tuple[str, str]:
    return installed(small_run.folder, interplay_home)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_app(page):
    app = opened(page)
    assert not app.exception
    assert app.title[0].value


@pytest.mark.parametrize("page", ["score", "explore", "curate", "apply", "export"])
def test_pages_without_data_say_what_to_do(page):
    app = opened(page)
    assert app.subheader[0].value.startswith("Nothing to")
    assert not app.button


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_a_scored_run(page, run, small_run):
    app = opened(page, run)
    assert not app.exception
    assert not app.error
    assert small_run.name in words(app).replace("\\", "")


def test_explore_shows_figures_in_the_words_of_the_data(run, small_run):
    app = opened("explore", run)
    assert len(app.get("plotly_chart")) == 1  # what is not on show is not drawn
    said = words(app).replace("\\", "")
    for name in small_run.modality_names:
        assert f"Only the {name} knows" in said
    assert f"All {len(small_run.scores)} samples" in said
    assert "the label is" in said  # the card explains a sample


def test_what_carries_how_many_samples_is_drawn_once_its_tab_is_open(run):
    app = opened("explore", run)
    assert "Every sample counts once" not in words(app)
    app.session_state["categories_as"] = "How many samples"
    app.run()
    assert not app.exception and len(app.get("plotly_chart")) == 1
    assert "Every sample counts once" in words(app)


@pytest.mark.parametrize("view", SHOWS)
def test_every_view_of_explore(run, view):
    app = opened("explore", run)
    app.segmented_control(key="show").set_value(view).run()
    assert not app.exception and not app.error
    assert len(app.get("plotly_chart")) == {"suspects": 0, "table": 0}.get(view, 1)
    again = opened("explore", run)  # another session: the last view is on show
    assert again.segmented_control(key="show").value == view


def test_views_with_a_selection_of_nothing_and_of_one_category(run, small_run):
    app = opened("explore", run)
    app.multiselect(key="filter_categories").select(small_run.scores["label"].iloc[0]).run()
    for view in SHOWS:
        app.segmented_control(key="show").set_value(view).run()
        assert not app.exception and not app.error, view
    app.text_input(key="filter_words").input("no such sample").run()
    assert not app.exception and "No sample is left" in words(app)


def test_known_answers_stand_beside_the_estimate(known_run, interplay_home):
    app = opened("explore", installed(known_run.folder, interplay_home))
    assert not app.exception and not app.error
    assert len(app.get("plotly_chart")) == 2 and "Diamonds are the known answers" in words(app)
    app.segmented_control(key="unit").set_value("bits").run()
    app.segmented_control(key="shift").set_value("adjusted").run()
    assert not app.exception
    figure = json.loads(app.get("plotly_chart")[1].proto.spec)
    said = json.dumps(figure["layout"])
    assert "cautious, raw \\u00b7 bits" in said and "mean, bits" in said, "known answers cannot be adjusted"


def test_switching_the_measure_needs_no_new_run(run):
    app = opened("explore", run)
    assert "credits" not in words(app)
    app.selectbox(key="measure").select("lsmi").run()
    assert not app.exception
    assert "This measure credits what the more telling side says" in words(app)


def test_an_earlier_run_is_shown_by_the_measures_it_knows(earlier_run, interplay_home):
    app = opened("explore", installed(earlier_run, interplay_home))
    assert not app.exception and not app.error
    measure = app.selectbox(key="measure")
    assert measure.value == "lsmi"
    assert [name.split(":")[0] for name in measure.options] == ["LSMI", "MMI", "CCS", "SX"]
    assert "scored before the measure “cautious”" in words(app)
    for page in ("curate", "export"):
        app = opened(page, installed(earlier_run, interplay_home))
        assert not app.exception and not app.error


def test_a_measure_chosen_for_one_run_is_not_that_of_the_next(run, earlier_run, interplay_home):
    app = opened("explore", installed(earlier_run, interplay_home))
    app.selectbox(key="measure").select("mmi").run()
    app.query_params["workspace"], app.query_params["run"] = run
    app.run()
    assert app.selectbox(key="measure").value == "cautious"
    assert "scored before" not in words(app)
    app.switch_page("pages/curate.py").run()
    assert "Scores by the measure cautious." in words(app)


def test_scoring_begins_with_the_default_measure(tmp_path):
    table = _plants(tmp_path)
    app = opened("import_data")
    app.file_uploader[0].upload(table.name, table.read_bytes(), "text/csv").run()
    next(b for b in app.button if b.label == "Use these pairs").click().run()
    assert next(s for s in app.selectbox if s.label == "Measure of redundancy").value == RunSettings.redundancy


def test_the_table_narrows_by_category_and_word(run, small_run):
    app = opened("explore", run)
    label = small_run.scores["label"].iloc[0]
    app.segmented_control(key="show").set_value("table").run()
    app.multiselect(key="filter_categories").select(label).run()
    assert set(app.dataframe[0].value["category"]) == {label}
    identifier = str(app.dataframe[0].value["sample"].iloc[0])
    app.text_input(key="filter_words").input(identifier).run()
    assert not app.exception
    assert identifier in app.dataframe[0].value["sample"].astype("str").tolist()


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def test_every_step_is_undone_and_the_link_reopens_it(run, small_run):
    n = len(small_run.scores)
    app = opened("explore", run)
    assert button(app, "Undo").disabled
    label = small_run.scores["label"].iloc[0]
    app.multiselect(key="filter_categories").select(label).run()
    count = int((small_run.scores["label"] == label).sum())
    assert f"{count} of {n} samples" in words(app)
    link = dict(app.query_params)
    app.text_input(key="tag_name").input("odd").run()
    button(app, "Give the tag").click().run()
    assert not app.exception
    assert f"odd ({count})" in app.selectbox(key="filter_tag").options
    button(app, "Undo").click().run()
    assert "filter_tag" not in [s.key for s in app.selectbox], "the tag is taken back"
    button(app, "Undo").click().run()
    assert f"All {n} samples" in words(app)
    fresh = AppTest.from_file(APP, default_timeout=60)
    for key, value in link.items():
        fresh.query_params[key] = value
    fresh.run()
    fresh.switch_page("pages/explore.py").run()
    assert f"{count} of {n} samples" in words(fresh)


def test_selections_are_named_and_combined(run, small_run):
    n, labels = len(small_run.scores), sorted(small_run.scores["label"].unique())
    sizes = small_run.scores["label"].value_counts()
    app = opened("explore", run)
    app.multiselect(key="filter_categories").select(labels[0]).run()
    app.text_input(key="selection_name").input("first kind").run()
    button(app, "Keep it under this name").click().run()
    app.multiselect(key="filter_categories").set_value([labels[1]]).run()
    button(app, "Add its samples").click().run()
    assert f"{sizes[labels[0]] + sizes[labels[1]]} of {n} samples" in words(app)
    button(app, "Clear").click().run()
    button(app, "Leave its samples out").click().run()
    assert f"{n - sizes[labels[0]]} of {n} samples" in words(app)
    again = opened("explore", run)
    assert again.selectbox(key="selection_other").options == ["first kind"]


def test_a_map_that_is_not_there_is_said(run, interplay_home):
    folder = interplay_home / "workspaces" / run[0] / "runs" / run[1]
    for path in folder.glob("map*.parquet"):
        path.unlink()
    app = opened("explore", run)
    app.segmented_control(key="show").set_value("map").run()
    assert not app.exception
    assert "This map was not drawn" in "".join(i.value for i in app.info)


@pytest.mark.parametrize("link", [("../../etc/passwd", "a" * 16), ("g" * 16, "a" * 16)])
def test_a_link_to_nothing_gives_one_sentence(link):
    app = opened("start", link)
    assert not app.exception
    assert "names nothing that is here" in app.error[0].value
    assert app.title[0].value == "See what each modality knows"  # and the app is still of use


def test_a_workspace_that_is_gone_gives_one_sentence():
    app = opened("start", (new_id(), new_id()))
    assert "not on this server, or not yours" in app.error[0].value
    app.run()
    assert not app.error  # said once, not for ever


def test_a_run_that_is_gone_gives_one_sentence(run):
    app = opened("start", (run[0], new_id()))
    assert "not in this workspace any more" in app.error[0].value
    app.run()
    assert not app.error


def test_somebody_elses_workspace_is_not_here(small_run):
    """Nobody signs in here, so that a workspace with an owner is nobody's to open."""
    theirs = new_workspace("https://id.example#alice")
    with pytest.raises(DataError):
        known_workspace(theirs, "")
    assert known_workspace(theirs, "https://id.example#alice").owner == "https://id.example#alice"
    app = opened("start", (theirs, new_id()))
    assert "not on this server, or not yours" in app.error[0].value
    assert theirs not in {identifier for identifier, _ in recent_runs("", limit=1000)}


def test_a_copied_workspace_stands_beside_the_first(small_run, tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPLAY_HOME", str(tmp_path))
    for _ in range(2):
        shutil.copytree(small_run.folder.parent.parent, tmp_path / "workspaces" / new_id())
    app = opened("start")
    assert not app.exception
    assert len([b for b in app.button if (b.key or "").endswith(small_run.folder.name)]) == 2


def test_a_workspace_is_opened_by_its_folder(small_run, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(small_run.folder.parent.parent, tmp_path / "mine"))
    monkeypatch.setenv("INTERPLAY_ROOTS", str(tmp_path))
    app = opened("start")
    box = next(t for t in app.text_input if "workspace" in t.label)
    for wrong, said in (("/etc", "outside the folders"), (str(tmp_path), "is no workspace")):
        box.input(wrong).run()
        assert said in app.error[0].value.replace("\\", "")
    box.input(str(folder)).run()
    assert not app.exception and not app.error
    assert app.title[0].value == "Explore" and app.query_params["run"] == small_run.folder.name
    monkeypatch.setenv("INTERPLAY_ROOTS", "")
    assert not [t for t in opened("start").text_input if "workspace" in t.label]


def begun() -> tuple[str, str]:
    """A workspace with a job that is entered and not started."""
    workspace, job = new_workspace(""), new_id()
    add_job(known_workspace(workspace, ""), job, RunSettings(demo_source("known")))
    return workspace, job


def test_a_failed_run_says_why():
    workspace, job = begun()
    set_state(known_workspace(workspace, ""), job, "failed", "The table has *no* rows; add some.")
    app = opened("score", (workspace, job))
    assert app.error[0].value.replace("\\", "") == "The table has *no* rows; add some."
    assert "Resume the run" in [b.label for b in app.button]


def test_a_run_whose_process_is_gone_is_resumed():
    workspace, job = begun()
    app = opened("score", (workspace, job))
    assert "stopped from outside" in app.error[0].value
    next(b for b in app.button if b.label == "Resume the run").click().run()
    assert not app.exception and not app.error
    next(b for b in app.button if b.label == "Cancel the run").click().run()
    assert "cancelled" in words(app)


def test_a_running_job_shows_its_progress_and_can_be_cancelled():
    workspace, job = new_workspace(""), new_id()
    start_job(known_workspace(workspace, ""), RunSettings(demo_source("known")), job)
    app = opened("score", (workspace, job))
    assert not app.exception
    cancel = next(b for b in app.button if b.label == "Cancel the run")
    cancel.click().run()
    assert "cancelled" in words(app)


def test_an_uploaded_table_is_recognised_reported_and_handed_to_scoring(tmp_path):
    table = _plants(tmp_path)
    app = opened("import_data")
    app.file_uploader[0].upload(table.name, table.read_bytes(), "text/csv").run()
    assert not app.exception
    assert "pairs in 2 categories are ready" in words(app).replace("\\", "")
    next(b for b in app.button if b.label == "Use these pairs").click().run()
    assert app.title[0].value == "Score"
    assert "are ready to be scored" in words(app)
    assert [s.label for s in app.selectbox][:2] == ["Encoder for the note", "Encoder for the numbers"]


def _plants(folder: Path) -> Path:
    rows = [
        {"note": f"plant number {i} in the {('sun', 'shade')[i % 2]}", "height": i % 7 + 5 * (i % 2), "width": i % 5,
         "kind": ("fern", "moss")[i % 2]}
        for i in range(30)
    ]  # fmt: skip
    path = folder / "plants.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_broken_upload_gives_one_sentence():
    app = opened("import_data")
    app.file_uploader[0].upload("broken.csv", b'a,b\n1,2,3\n"x', "text/csv").run()
    assert not app.exception
    assert "broken.csv" in app.error[0].value.replace("\\", "")
