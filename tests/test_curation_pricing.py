"""The price of pruning as a job: measured once, resumed piece by piece, kept beside the scores, told in plain words."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cli
from curation import pricing
from curation.cells import Cells
from curation.errors import DataError
from curation.exploring import Samples, split
from curation.jobs import JobStatus, cancel_job, job_settings, resume_job, start_job, unfinished_jobs
from curation.jobs.price import price_job, price_settings, price_status, start_price
from curation.jobs.record import to_state
from curation.pricing import CELLS, measure_price
from curation.recommending import BASELINE, CHOSEN, POLICY_TITLES, Price, metric_titles, policy_recipe, price_of
from curation.settings import BUDGETS, PriceSettings
from curation.words import ORDERS_TOLD
from curation.workspace import ScoredRun, Workspace, check_workspace, open_run
from lsmi_core.applications import PruningSettings
from lsmi_core.applications.material import METRICS
from lsmi_core.applications.pruning.policies import ORDERS
from lsmi_core.applications.pruning.price import POLICIES


@pytest.fixture
def place(priced_run, tmp_path) -> tuple[Workspace, ScoredRun]:
    """A copy that a test may change; its price is measured in two folds."""
    shutil.copytree(priced_run.folder.parent.parent, tmp_path / "workspace")
    return open_run(tmp_path / "workspace")


@pytest.fixture
def unpriced(small_run, tmp_path) -> tuple[Workspace, ScoredRun]:
    shutil.copytree(small_run.folder.parent.parent, tmp_path / "workspace")
    return open_run(tmp_path / "workspace")


def cells(run: ScoredRun) -> list:
    path = run.folder / CELLS
    return json.loads(path.read_text())["cells"] if path.exists() else []


# --- the words of the core ------------------------------------------------------------------------------------------
def test_every_policy_metric_and_order_of_the_core_has_plain_words():
    assert set(POLICY_TITLES) == set(POLICIES)
    assert set(metric_titles(("picture", "text"))) == set(METRICS)
    assert set(ORDERS_TOLD) == {*ORDERS, "hardest"}
    assert PruningSettings().budgets == BUDGETS


# --- measuring ------------------------------------------------------------------------------------------------------
def test_what_is_kept_beside_the_scores(priced_run):
    rows, told, ranks = priced_run.price(), priced_run.price_told(), priced_run.price_samples()
    assert set(rows["policy"]) == {*POLICIES, "all"} and set(rows["budget"]) == {0.5, 1.0}
    assert len(rows) == (len(POLICIES) + 1) * 2 * len(METRICS) and rows["value"].between(0, 1).all()
    assert told["settings"] == {"price_of": priced_run.folder.name, "budgets": [0.5], "random_state": 0}
    assert (told["measured_on"], told["n_samples"], told["n_repeats"]) == (60, 60, 2)
    assert ranks["sample_id"].tolist() == priced_run.scores["sample_id"].tolist()
    assert np.isfinite(ranks[["nearness", "hardness"]].to_numpy()).all() and ranks["hardness"].between(0, 2).all()
    # The price of the whole is that of a model that is right most of the time: the toy pairs are easy.
    assert price_of(priced_run).value("all", 1.0) > 0.8


def test_another_budget_costs_only_itself(place, monkeypatch):
    workspace, run = place
    monkeypatch.setattr(pricing, "FOLDS", 2)
    before, kept = cells(run), run.price()
    settings = price_settings(run, 0.3)
    assert settings.budgets == (0.5, 0.3)
    told = []
    measure_price(settings, workspace, lambda stage, done, total: told.append((stage, done, total)))
    assert cells(run)[: len(before)] == before and len(cells(run)) > len(before)
    counted = [done for stage, done, _ in told if stage == "Measure the price"]
    assert counted[0] == len(before) and counted == sorted(counted)
    both = run.price()
    pd.testing.assert_frame_equal(
        both[both["budget"] != 0.3].sort_values([*both.columns[:4]], ignore_index=True),
        kept.sort_values([*kept.columns[:4]], ignore_index=True),
    )
    assert price_of(run).budgets == (0.5, 0.3)


def test_cells_of_other_data_or_spoilt_ones_are_not_used(place):
    _, run = place
    path = run.folder / CELLS
    made_from = json.loads(path.read_text())["made_from"]
    assert len(Cells(path, made_from, tuple).known) == len(cells(run)) > 0
    assert Cells(path, "other", tuple).known == {}
    path.write_text(path.read_text()[:200])
    assert Cells(path, made_from, tuple).known == {}


def test_the_usual_budgets_and_the_seed_of_the_run(unpriced):
    _, run = unpriced
    assert price_settings(run) == PriceSettings(run.folder.name, BUDGETS, 0)
    assert price_settings(run, 0.424).budgets == (0.9, 0.7, 0.5, 0.42, 0.3, 0.1, 0.05)
    assert price_settings(run, random_state=7).random_state == 7


def test_the_files_are_checked_like_any_other(place):
    workspace, run = place
    assert check_workspace(workspace.folder, lambda done, total: None)[0] == []
    path = run.folder / "price.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    (damage,) = check_workspace(workspace.folder, lambda done, total: None)[0]
    assert damage.place.endswith("price.parquet") and "scores are not affected" in damage.mend
    with pytest.raises(DataError, match="cannot be read; the scores are not affected"):
        run.price()


# --- as a job -------------------------------------------------------------------------------------------------------
def wait(workspace: Workspace, run: ScoredRun, until: Callable[[JobStatus], bool], seconds: float = 300) -> JobStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = price_status(workspace, run.folder.name)
        if until(status) or not status.active:
            return status
        time.sleep(0.05)
    raise AssertionError(f"waited in vain; the last state was {price_status(workspace, run.folder.name)}")


def test_cancelled_killed_and_resumed_it_goes_on_from_finished_cells(unpriced):
    workspace, run = unpriced
    job = price_job(run.folder.name)
    assert price_status(workspace, run.folder.name) is None
    settings = PriceSettings(run.folder.name, (0.5,))
    try:
        start_job(workspace, settings, job)
        wait(workspace, run, lambda now: len(cells(run)) >= 2)
        cancel_job(workspace, job)
        assert price_status(workspace, run.folder.name).state == "cancelled"
        first = cells(run)
        assert len(first) >= 2 and run.price() is None

        resume_job(workspace, job)
        watched = wait(workspace, run, lambda now: len(cells(run)) >= len(first) + 2)
        assert watched.state == "running" and watched.total == 35  # 5 x 5 choices, 5 x 2 prices
        os.killpg(to_state(workspace, job)[1], signal.SIGKILL)
        stopped = wait(workspace, run, lambda now: now.state == "stopped", seconds=20)
        assert "stopped from outside" in stopped.message and unfinished_jobs(workspace) == [job]
        second = cells(run)
        assert second[: len(first)] == first, "what was finished is not done again"

        resume_job(workspace, job)
        assert wait(workspace, run, lambda now: False) == JobStatus("done", scored=False)
        assert cells(run)[: len(second)] == second and len(cells(run)) == 35
    finally:
        cancel_job(workspace, job)
    assert job_settings(workspace, job) == settings
    assert price_of(run).told["n_repeats"] == 5
    assert check_workspace(workspace.folder, lambda done, total: None)[0] == []


def test_what_cannot_be_measured_is_said_in_one_sentence(unpriced):
    workspace, run = unpriced
    record = run.record | {"encoders": [e | {"fingerprint": "older"} for e in run.record["encoders"]]}
    (run.folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    start_price(workspace, run)
    failed = wait(workspace, run, lambda now: False)
    assert failed.state == "failed" and "has changed since the run was scored" in failed.message


# --- in words -------------------------------------------------------------------------------------------------------
def made_up(metric: str | None, accuracies: dict[str, tuple[float, float]]) -> Price:
    """A fake price: two repeats at one half, the same for every metric, and a recommendation as the core makes it."""
    rows = [
        {"policy": policy, "budget": 1.0 if policy == "all" else 0.5, "repeat": r, "metric": m, "value": value}
        for policy, values in accuracies.items() for r, value in enumerate(values) for m in METRICS
    ]  # fmt: skip
    recipe = {"trim": 0.15, "order": "even"} if metric else {"trim": 0.0, "order": "random"}
    advice = {"budget": 0.5, "recipe": recipe, "metric": metric, "gain": 0.027, "low": 0.021, "high": 0.033}
    return Price(pd.DataFrame(rows), {"settings": {"budgets": [0.5]}, "recommended": [advice]}, ("picture", "text"))


FAKE = {"all": (0.9, 0.9), BASELINE: (0.7, 0.74), CHOSEN: (0.75, 0.77)}


def test_advice_where_something_beats_chance():
    advice = made_up("accuracy_without_1", FAKE).advise(0.5)
    assert (advice.policy, advice.trim, advice.order) == (CHOSEN, 0.15, "even")
    assert advice.sentences == (
        "When 50% stays: without the 15% of every category that mislead most; of the others crowds are thinned out, so "
        "that clear and unclear samples of every category stay alike.",
        "Without the picture, a quick model is then right more often than with a random sample: by 2.7 points "
        "(90 % interval 2.1 to 3.3).",
        "A quick model that learns from what stays is right on 76.0% of new samples instead of 90.0%.",
    )


def test_advice_where_nothing_beats_chance():
    advice = made_up(None, FAKE).advise(0.5)
    assert (advice.policy, advice.trim, advice.order) == (BASELINE, 0.0, "random")
    assert advice.sentences == (
        "Nothing beats a random sample here when 50% stays.",
        "Then take a random sample, the same share of every category.",
        "A quick model that learns from what stays is right on 72.0% of new samples instead of 90.0%.",
    )


def test_advice_tells_what_the_worst_category_pays_where_that_is_certain():
    price = made_up("accuracy", FAKE)
    worst = (price.rows["metric"] == "worst_category") & (price.rows["policy"] == CHOSEN)
    price.rows.loc[worst, "value"] = [0.6, 0.65]  # .1 and .09 below chance: .095 -+ 6.3138 * .005
    assert price.advise(0.5).sentences[-1] == (
        "In its worst category it is right less often than with a random sample: by 9.5 points "
        "(90 % interval 6.3 to 12.7)."
    )
    price.rows.loc[worst, "value"] = [0.5, 0.7]
    assert "worst" not in " ".join(price.advise(0.5).sentences)


def test_lines_by_hand():
    lines = made_up(None, FAKE).lines("accuracy").set_index(["policy", "budget"])
    # Two values a distance d apart: mean +- t d / 2, with t = 6.3138 for one degree of freedom at 90 %.
    assert lines.loc[(BASELINE, 0.5)].to_list() == pytest.approx(
        [0.72, 0.72 - 6.3138 * 0.02, 0.72 + 6.3138 * 0.02], abs=1e-5
    )
    assert all(lines.loc[(policy, 1.0), "mean"] == 0.9 for policy in POLICY_TITLES)


def test_the_nearest_measured_share():
    price = Price(pd.DataFrame(), {"settings": {"budgets": [0.9, 0.5, 0.05]}}, ("a", "b"))
    assert [price.nearest(share) for share in (0, 0.2, 0.3, 0.71, 1)] == [0.05, 0.05, 0.5, 0.9, 0.9]


def test_every_policy_can_be_taken(priced_run):
    samples = Samples(priced_run)
    for name in ("recommended", "random", "redundant-first", "misleading-first", "duplicates-first", "easy-first"):
        recipe = policy_recipe(priced_run, name, 0.5)
        found = split(recipe.__class__.from_json({**recipe.to_json(), "count": 30}), samples)
        counts = pd.Series(samples.labels[0][found.selected]).value_counts()
        assert found.count == 30 and set(counts) == {10}, "the same share of every category"


# --- the command ----------------------------------------------------------------------------------------------------
def test_the_command_prints_what_was_measured(place, capsys, monkeypatch):
    workspace, run = place
    monkeypatch.setattr(pricing, "price_of_pruning", None)  # it is there already: nothing is measured again
    assert cli.main(["price", str(workspace.folder)]) == 0
    told = capsys.readouterr().out
    price = price_of(run)
    for policy, title in POLICY_TITLES.items():
        (line,) = (line for line in told.splitlines() if line.strip().startswith(f"{title}  "))
        assert f"{price.value(policy, 0.5):.1%}" in line
    assert price.advise(0.5).sentences[0] in told


def test_the_command_measures_and_resume_goes_on(unpriced, capsys, monkeypatch):
    workspace, run = unpriced
    monkeypatch.setattr(pricing, "FOLDS", 2)
    monkeypatch.setattr("curation.jobs.price.BUDGETS", (0.5,))

    def stop(self, cell, values):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Cells, "keep", stop)
        assert cli.main(["price", str(workspace.folder)]) == 130
    assert price_status(workspace, run.folder.name).state == "stopped" and run.price() is None
    assert cli.main(["resume", str(workspace.folder)]) == 0
    assert price_of(run).budgets == (0.5,)
    assert cli.main(["price", str(workspace.folder), "--budget", "1"]) == 2
    assert "above 0 and below 1" in capsys.readouterr().err


def test_the_recommendation_as_a_command(place, tmp_path):
    workspace, run = place
    out = tmp_path / "stay.csv"
    assert (
        cli.main(["partition", str(workspace.folder), "--policy", "recommended", "--budget", "0.5", "--out", str(out)])
        == 0
    )
    assert pd.read_csv(out)["label"].value_counts().to_dict() == {f"kind {c}": 10 for c in range(3)}
    assert Path(f"{out}.manifest.json").exists()
