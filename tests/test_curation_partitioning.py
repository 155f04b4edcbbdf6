"""Partitions: percent, count and threshold in step, both sides, every category alike, and repeatable by command."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from curation.errors import DataError
from curation.partitioning import category_balance, partition_scores, parts_for_export, share_of
from curation.summary import with_measure
from lsmi_core.errors import InvalidInputError


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.floats(0, 1), st.sampled_from(["high", "low"]),
)  # fmt: skip
def test_count_and_threshold_follow_the_budget(values, budget, side):
    frame = pd.DataFrame({"r": values, "label": "a"})
    split = partition_scores(frame, "r", budget, side)
    assert split.count == int(budget * len(values) + 0.5) == split.selected.sum()
    chosen, others = frame["r"][split.selected], frame["r"][~split.selected]
    if split.count == 0:
        assert split.threshold is None
    elif side == "high":
        assert split.threshold == chosen.min() and (others <= split.threshold).all()
    else:
        assert split.threshold == chosen.max() and (others >= split.threshold).all()


@given(st.integers(1, 5000), st.integers(0, 100))
def test_percent_and_count_in_step(total, percent):
    count = share_of(percent, total)
    assert 0 <= count <= total and abs(count - percent * total / 100) <= 0.5
    if total >= 100:
        assert share_of(count, 100, of=total) == percent
    frame = pd.DataFrame({"r": np.arange(total), "label": "a"})
    assert partition_scores(frame, "r", count / total).count == count, "the count asked for is the count selected"


def test_both_sides_of_the_same_budget_are_the_whole(small_run):
    # Among equal scores the earlier sample is taken from either end, so here no two are equal.
    distinct = small_run.scores.assign(i12=small_run.scores["i12"].rank(method="first"))
    high = partition_scores(distinct, "i12", 0.4, "high").selected
    low = partition_scores(distinct, "i12", 0.6, "low").selected
    assert np.array_equal(high, ~low)


def test_balanced_takes_the_same_share_of_every_category():
    frame = pd.DataFrame({"label": ["a"] * 10 + ["b"] * 20, "r": np.r_[np.arange(10), np.arange(20) + 100.0]})
    split = partition_scores(frame, "r", 0.3, "high", balanced=True)
    assert split.threshold is None
    assert frame["r"][split.selected].tolist() == [7, 8, 9, 114, 115, 116, 117, 118, 119]
    assert frame["label"][partition_scores(frame, "r", 0.3).selected].unique().tolist() == ["b"]
    balance = category_balance(frame, split.selected)
    assert balance.to_dict("list") == {
        "label": ["a", "b"],
        "samples": [10, 20],
        "selected": [3, 6],
        "share": [0.3, 0.3],
    }


def test_sentences():
    frame = pd.DataFrame({"label": ["a", "b"] * 5, "r": np.linspace(-1, 1, 10)})
    tell = lambda *a, **k: partition_scores(frame, "r", *a, **k).sentence("Both say it")
    assert tell(0.3) == "3 of 10 samples (30.0%) with the highest “Both say it”, at least 0.556 nats"
    assert tell(0.3, "low") == "3 of 10 samples (30.0%) with the lowest “Both say it”, at most -0.556 nats"
    assert tell(0.4, balanced=True).endswith("“Both say it”, the same share of every category")
    assert tell(0.0) == "0 of 10 samples (0.0%) with the highest “Both say it”"


def test_partitions_that_cannot_be(small_run):
    with pytest.raises(DataError, match="no column 'beauty'"):
        partition_scores(small_run.scores, "beauty", 0.5)
    for budget in (1.01, -0.1, float("nan")):
        with pytest.raises(InvalidInputError, match="between 0 and 1"):
            partition_scores(small_run.scores, "r", budget)
    with pytest.raises(InvalidInputError, match="'high' or 'low'"):
        partition_scores(small_run.scores, "r", 0.5, "left")
    with pytest.raises(InvalidInputError, match="finite"):
        partition_scores(small_run.scores.assign(r=np.nan), "r", 0.5)


def test_without_a_partition_everything_can_be_exported(small_run):
    parts = parts_for_export(small_run, None)
    assert list(parts) == ["all"]
    assert parts["all"].frame is small_run.scores and parts["all"].file_name("csv") == "pairs.csv"


RECIPES = [
    {"by": "r", "side": "high", "balanced": False, "count": 17},
    {"by": "u1", "side": "low", "balanced": True, "count": 23},
    {"by": "u2", "side": "high", "balanced": False, "count": 1},
    {"by": "s", "side": "low", "balanced": False, "count": 60},
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_commands_select_the_same_samples(small_run, tmp_path, monkeypatch, recipe):
    """The lines the export page shows are typed as they are; only the long second scoring is left out."""
    parts = parts_for_export(small_run, recipe)
    assert len(parts["selected"].frame) + len(parts["rest"].frame) == len(small_run.scores)
    if not recipe["balanced"]:
        assert len(parts["selected"].frame) == recipe["count"]
    rerun, partition = (shlex.split(line) for line in parts["selected"].commands.split("\n"))
    assert rerun == ["python", "cli.py", "rerun", str(small_run.folder / "run.json"), "--out", "again"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "again").symlink_to(small_run.folder)
    assert partition[:2] == ["python", "cli.py"] and cli.main(partition[2:]) == 0
    for name in ("selected", "rest"):
        assert pd.read_csv(f"{name}.csv")["sample_id"].tolist() == parts[name].frame["sample_id"].tolist()


def test_all_lines_as_they_are_shown_with_awkward_names(small_run, tmp_path, monkeypatch):
    """Blanks in folders and quotes in modality names survive the shell; and the second scoring is done, once."""
    import shutil

    folder = tmp_path / "my run's folder"
    shutil.copytree(small_run.folder, folder)
    sides = [{"name": n, "kind": "vectors"} for n in ("dog's bark", "cat $HOME")]
    run = replace(small_run, folder=folder, summary=small_run.summary | {"modalities": sides, "name": "My pairs / 2"})
    parts = parts_for_export(run, {"by": "u1", "side": "high", "balanced": False, "count": 6})
    rerun, partition = (shlex.split(line) for line in parts["selected"].commands.split("\n"))
    assert partition[partition.index("--by") + 1] == "unique:dog's bark"
    assert parts["selected"].file_name("jsonl") == "my-pairs---2-selected.jsonl"
    monkeypatch.chdir(tmp_path)
    assert cli.main(rerun[2:]) == 0
    by = partition.index("--by") + 1
    assert cli.main([*partition[2:by], "unique:image", *partition[by + 1 :]]) == 0
    assert pd.read_csv("selected.csv")["sample_id"].tolist() == parts["selected"].frame["sample_id"].tolist()
    assert cli.main(shlex.split(parts["all"].commands.split("\n")[1])[2:]) == 0
    assert len(pd.read_csv("all.csv")) == 60


def test_the_parts_follow_the_measure_of_the_run(small_run):
    run = replace(small_run, summary=small_run.summary | {"redundancy": "mmi"})
    recipe = {"by": "r", "side": "high", "balanced": False, "count": 20}
    chosen = parts_for_export(run, recipe)["selected"].frame["sample_id"].tolist()
    expected = with_measure(small_run.scores, "mmi")["r"].to_numpy().argsort()[::-1][:20]
    assert set(chosen) == set(small_run.scores["sample_id"].iloc[expected])
