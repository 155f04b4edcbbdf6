"""The Curate page in its states, through app.py: what stays, what it costs, and what becomes of it."""

from __future__ import annotations

import shlex
import shutil

import numpy as np
import pandas as pd
import pytest
from test_pages import installed, opened, pages_only_through_app, words  # noqa: F401 - a fixture

import cli
from curation.exploring import GROUPS, PartitionRecipe, Samples, split
from curation.jobs.alive import held
from curation.jobs.price import price_job
from curation.jobs.record import CatalogueProgress, add_job, lock_of, set_state
from curation.partitioning import keep_partition, kept_partition, part_node
from curation.places import known_workspace, new_id
from curation.recommending import price_of
from curation.settings import PriceSettings
from curation.workspace import ScoredRun, keep_view, load_run, saved_selection

NAMED = "named/"


@pytest.fixture
def run(small_run, interplay_home) -> tuple[str, str]:
    """A copy of the small workspace that this test may change."""
    workspace = new_id()
    shutil.copytree(small_run.folder.parent.parent, interplay_home / "workspaces" / workspace)
    return workspace, small_run.folder.name


def loaded(run: tuple[str, str]) -> ScoredRun:
    return load_run(known_workspace(run[0], "").run_entry(run[1]).folder)


def said(app) -> str:
    return words(app).replace("\\", "")


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_percent_count_and_threshold_stay_in_step(run, small_run):
    app, r = opened("curate", run), np.sort(small_run.scores["r"])[::-1]
    app.slider(key="percent").set_value(30).run()
    assert app.number_input(key="count").value == 18
    assert app.number_input(key="threshold").value == pytest.approx(r[17], abs=1e-4)
    app.number_input(key="count").set_value(15).run()
    assert app.slider(key="percent").value == 25
    assert "15 of 60 samples stay (25.0%)" in said(app)
    app.number_input(key="threshold").set_value(round(float(r[9:11].mean()), 6)).run()
    assert (app.number_input(key="count").value, app.slider(key="percent").value) == (10, 17)
    app.segmented_control(key="side").set_value("low").run()
    assert app.number_input(key="count").value == 10, "the other end keeps as many"
    assert app.number_input(key="threshold").value == pytest.approx(r[-10], abs=1e-4)


def test_the_threshold_is_in_the_unit_on_show(run, small_run):
    keep_view(known_workspace(run[0], ""), run[1], {"unit": "bits"}, "", {})
    app = opened("curate", run)
    app.number_input(key="count").set_value(6).run()
    nats = small_run.scores["r"].nlargest(6).min()
    assert app.number_input(key="threshold").value == pytest.approx(nats / np.log(2), abs=1e-4)
    app.number_input(key="threshold").set_value(float(np.round(nats / np.log(2) - 0.001, 4))).run()
    assert app.number_input(key="count").value >= 6


def test_the_minimum_and_the_same_share_of_every_category(run, small_run):
    app = opened("curate", run)
    app.number_input(key="count").set_value(3).run()
    app.number_input(key="minimum").set_value(4).run()
    assert "12 of 60 samples stay" in said(app) and "at least 4 of every category" in said(app)
    app.number_input(key="minimum").set_value(0).run()
    app.number_input(key="count").set_value(30).run()
    app.toggle(key="balanced").set_value(True).run()
    assert "30 of 60 samples stay" in said(app) and "the same share of every category" in said(app)
    assert "threshold" not in [box.key for box in app.number_input], "every category has its own"


def test_too_little_of_a_category_is_said(run, small_run):
    app = opened("curate", run)
    app.number_input(key="count").set_value(1).run()
    assert "Too little stays to be learned of" in said(app)


def test_nothing_and_everything_are_harmless(run):
    app = opened("curate", run)
    for percent, told in ((0, "0 of 60 samples stay"), (100, "60 of 60 samples stay")):
        app.slider(key="percent").set_value(percent).run()
        assert not app.exception and told in said(app)


def test_by_groups(run, small_run):
    app = opened("curate", run)
    app.segmented_control(key="how").set_value("groups").run()
    counts = np.bincount(Samples(small_run).group, minlength=len(GROUPS))
    assert f"{60 - counts[GROUPS.index('misleading')]} of 60 samples stay" in said(app), "all but what misleads"
    app.pills(key="keep_groups").set_value(["redundant"]).run()
    assert f"{counts[0]} of 60 samples stay" in said(app)


def test_by_chance_with_a_seed_that_is_recorded(run):
    app = opened("curate", run)
    app.segmented_control(key="how").set_value("policy").run()
    assert "a random sample, the same share of every category" in said(app)
    app.number_input(key="seed").set_value(5).run()
    press(app, "Keep this partition")
    workspace = known_workspace(run[0], "")
    assert kept_partition(workspace, loaded(run)).seed == 5


def test_within_what_is_selected_on_explore(run, small_run):
    label = str(small_run.scores["label"].iloc[0])
    keep_view(known_workspace(run[0], ""), run[1], {"filters": [{"kind": "categories", "labels": [label]}]}, "", {})
    app = opened("curate", run)
    app.toggle(key="within").set_value(True).run()
    assert "10 of 20 samples stay (50.0%)" in said(app)
    app.toggle(key="within").set_value(False).run()
    assert "30 of 60 samples stay (50.0%)" in said(app)


def test_within_a_selection_of_nothing_there_is_nothing_to_split(run):
    nothing = {"filters": [{"kind": "words", "text": "no such sample"}]}
    keep_view(known_workspace(run[0], ""), run[1], nothing, "", {})
    app = opened("curate", run)
    app.toggle(key="within").set_value(True).run()
    assert not app.exception and not app.error
    assert "there is nothing to split" in said(app)
    app.toggle(key="within").set_value(False).run()
    assert "30 of 60 samples stay (50.0%)" in said(app)
    assert not app.exception and not app.error


def test_a_kept_partition_has_a_name_and_reaches_explore_and_export(run, small_run):
    app = opened("curate", run)
    app.number_input(key="count").set_value(12).run()
    app.text_input(key="partition_name").set_value("the clear ones").run()
    press(app, "Keep this partition")
    assert "Kept as “the clear ones”." in said(app)
    workspace, expected = known_workspace(run[0], ""), PartitionRecipe(count=12, measure="cautious")
    assert saved_selection(workspace, run[1], NAMED + "the clear ones") == part_node(expected)
    press(app, "Show on Explore")
    assert app.title[0].value == "Explore" and "12 of 60 samples" in said(app)
    export = opened("export", run)
    assert [option.replace("\\", "") for option in export.radio[0].options][1:3] == [
        "What stays: the highest “both say it” (12 samples)", "What leaves (48 samples)",
    ]  # fmt: skip
    shown = export.dataframe[0].value["sample_id"].tolist()
    assert shown == small_run.scores["sample_id"][split(expected, Samples(small_run)).selected].tolist()


def test_a_name_that_is_taken_is_not_taken_again(run):
    app = opened("curate", run)
    press(app, "Keep this partition")
    app.number_input(key="count").set_value(12).run()
    press(app, "Keep this partition")
    assert "Kept as “what stays 2”." in said(app)
    workspace = known_workspace(run[0], "")
    assert saved_selection(workspace, run[1], NAMED + "what stays")["recipe"]["count"] == 30


def test_what_was_tried_survives_a_new_session(run):
    opened("curate", run).slider(key="percent").set_value(20).run()
    assert opened("curate", run).number_input(key="count").value == 12


def test_the_command_that_is_shown_makes_the_same(run, small_run, tmp_path, monkeypatch):
    app = opened("curate", run)
    app.number_input(key="count").set_value(7).run()
    typed = shlex.split(next(code.value for code in app.code))
    monkeypatch.chdir(tmp_path)
    assert typed[:2] == ["python", "cli.py"] and cli.main(typed[2:]) == 0
    assert set(pd.read_csv("stays.csv")["sample_id"]) == set(small_run.scores.nlargest(7, "r")["sample_id"])
    assert len(pd.read_csv("leaves.csv")) == 53


def test_a_recipe_that_this_run_cannot_follow_is_said_and_replaced(run):
    recipe = PartitionRecipe("policy", count=5, order="duplicates-first")
    keep_partition(known_workspace(run[0], ""), loaded(run), recipe)
    app = opened("curate", run)
    assert not app.exception and "measure it first" in said(app)
    assert "30 of 60 samples stay" in said(app)


# --- the price ------------------------------------------------------------------------------------------------------
def test_without_a_price_it_is_offered(run):
    app = opened("curate", run)
    assert "Measure the price" in [button.label for button in app.button]
    assert "asked about samples that nobody has seen" in said(app)


def test_a_price_is_shown_with_its_advice_and_taken(priced_run, interplay_home):
    run = installed(priced_run.folder, interplay_home)
    app = opened("curate", run)
    price = price_of(priced_run)
    for sentence in price.advise(0.5).sentences:
        assert sentence in said(app)
    assert "Measure the price" not in [button.label for button in app.button]
    app.slider(key="percent").set_value(30).run()
    assert "50% is the measured share that is nearest to 30%" in said(app)
    assert "Measure 30% as well" in [button.label for button in app.button]
    press(app, "Take such a random sample" if price.advise(0.5).policy == "balanced-random" else "Take this advice")
    assert app.segmented_control(key="how").value == "policy"
    assert "18 of 60 samples stay (30.0%)" in said(app)
    app.selectbox(key="policy").set_value((0.0, "hardest")).run()
    assert not app.exception and "that a quick model finds hardest" in said(app)


def test_a_price_under_way_is_watched_and_can_be_cancelled(run):
    workspace, job = known_workspace(run[0], ""), price_job(run[1])
    add_job(workspace, job, PriceSettings(run[1]))
    set_state(workspace, job, "running")
    with held(lock_of(workspace, job)):
        CatalogueProgress(workspace, job)("Measure the price", 12, 185)
        app = opened("curate", run)
        assert not app.exception
        assert "Cancel the measurement" in [button.label for button in app.button]
        assert "Measure the price" not in [button.label for button in app.button]


@pytest.mark.parametrize(
    ("state", "told"),
    [("cancelled", "The measurement was cancelled"), ("failed", "of the encoder"), ("stopped", "ran out of room")],
)
def test_a_price_that_came_to_nothing_says_why_and_goes_on(run, state, told):
    workspace, job = known_workspace(run[0], ""), price_job(run[1])
    add_job(workspace, job, PriceSettings(run[1]))
    set_state(workspace, job, state, told)
    app = opened("curate", run)
    assert told in said(app) and "Go on measuring" in [button.label for button in app.button]
