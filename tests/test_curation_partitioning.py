"""Partitions: percent, count and threshold in step, the minimum of every category, and recipes that can be repeated."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from curation.errors import DataError
from curation.exploring import GROUPS, PartitionRecipe, Samples, checked, mask, sentence, split
from curation.exploring.partition import partitioned
from curation.exploring.sentences import recipe_told
from curation.partitioning import (
    category_balance,
    extremes,
    part_node,
    share_of,
    thin_categories,
    with_count,
    with_percent,
    with_threshold,
)
from curation.summary import with_measure
from curation.workspace import ScoredRun


class FakeSamples(Samples):
    """Samples of a made-up table: all that a partition looks at."""

    def __init__(self, frame: pd.DataFrame, standing: pd.DataFrame | None = None) -> None:
        self.frame, self.measure, self._found, self._known = frame, "mmi", standing, {}

    def standing(self) -> pd.DataFrame | None:
        return self._found


def table(values, labels="a", **more) -> FakeSamples:
    values = np.asarray(values, dtype=float)
    return FakeSamples(pd.DataFrame({"label": labels, "r": values, "i1": values, "i2": values, "i12": values, **more}))


def parts(samples: Samples, recipe: PartitionRecipe, within: np.ndarray | None = None):
    return partitioned(recipe, samples, np.ones(len(samples), bool) if within is None else within)


VALUES = st.lists(st.floats(-5, 5), min_size=1, max_size=40)
SIDES = st.sampled_from(["high", "low"])
KEEP_GOING = settings(max_examples=80, deadline=None, database=None, derandomize=True)


@KEEP_GOING
@given(VALUES, st.integers(0, 100), SIDES)
def test_percent_count_and_threshold_in_step(values, percent, side):
    samples, total = table(values), len(values)
    by_percent = with_percent(PartitionRecipe(side=side), percent, total)
    found = parts(samples, by_percent)
    assert found.count == share_of(percent, total) and abs(found.count - percent * total / 100) <= 0.5
    assert (found.selected ^ found.rest).all()
    assert np.array_equal(parts(samples, with_count(by_percent, found.count)).selected, found.selected)
    if found.count == 0:
        assert found.threshold is None
        return
    r = samples.frame["r"].to_numpy()
    beyond = r >= found.threshold if side == "high" else r <= found.threshold
    assert found.threshold in r[found.selected] and (beyond | ~found.selected).all()
    # Taken as a threshold it keeps the same, and those that are equal to the last of them.
    again = parts(samples, with_threshold(by_percent, found.threshold))
    assert np.array_equal(again.selected, beyond) and again.threshold == found.threshold
    if len(set(values)) == len(values):
        assert np.array_equal(again.selected, found.selected)


@KEEP_GOING
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("abcd")), min_size=1, max_size=60),
    st.integers(0, 60), st.integers(0, 4), SIDES, st.booleans(),
)  # fmt: skip
def test_the_budget_and_the_minimum_are_respected(rows, count, minimum, side, balanced):
    values, labels = zip(*rows, strict=True)
    samples = table(values, list(labels))
    recipe = PartitionRecipe(side=side, count=count, minimum=minimum, balanced=balanced)
    found = parts(samples, recipe)
    balance = category_balance(samples, found).set_index("label")
    sizes = balance["samples"]
    assert (balance["selected"] >= np.minimum(minimum, sizes)).all()
    if balanced:
        share = min(count / len(rows), 1)
        wanted = np.maximum((share * sizes + 0.5).astype(int), minimum)
        assert (balance["selected"] == np.minimum(wanted, sizes)).all()
    else:
        assert found.count == max(min(count, len(rows)), np.minimum(minimum, sizes).sum())


@given(st.integers(100, 5000), st.integers(0, 100))
def test_percent_comes_back_from_its_count(total, percent):
    assert share_of(share_of(percent, total), 100, of=total) == percent


def test_the_minimum_of_every_category_by_hand():
    samples = table([9, 8, 7, 6, 1, 0], ["a", "a", "a", "a", "b", "b"])
    assert np.flatnonzero(parts(samples, PartitionRecipe(count=3)).selected).tolist() == [0, 1, 2]
    with_one = parts(samples, PartitionRecipe(count=3, minimum=1))
    assert np.flatnonzero(with_one.selected).tolist() == [0, 1, 4], "the best of b takes the place of the third of a"
    assert with_one.threshold == 8, "every sample from here on stays; the best of b stays for another reason"
    beyond = parts(samples, PartitionRecipe(threshold=6.5, minimum=1))
    assert np.flatnonzero(beyond.selected).tolist() == [0, 1, 2, 4]
    balance = category_balance(samples, parts(samples, PartitionRecipe(count=3)))
    assert thin_categories(balance) == ["b"]
    assert thin_categories(category_balance(samples, with_one)) == ["b"], "one sample is too few to learn from"


def test_balanced_takes_the_same_share_of_every_category():
    samples = table(np.r_[np.arange(10), np.arange(20) + 100.0], ["a"] * 10 + ["b"] * 20)
    found = parts(samples, PartitionRecipe(count=9, balanced=True))
    assert found.threshold is None
    assert samples.frame["r"][found.selected].tolist() == [7, 8, 9, 114, 115, 116, 117, 118, 119]
    assert category_balance(samples, found).to_dict("list") == {
        "label": ["a", "b"], "samples": [10, 20], "selected": [3, 6], "share": [0.3, 0.3],
    }  # fmt: skip


def test_within_a_selection_the_others_are_in_neither_part():
    samples = table(np.arange(10.0))
    within = np.arange(10) < 4
    found = parts(samples, PartitionRecipe(count=2), within)
    assert np.flatnonzero(found.selected).tolist() == [2, 3] and np.flatnonzero(found.rest).tolist() == [0, 1]
    assert (found.count, found.total, found.share) == (2, 4, 0.5)
    nothing = parts(samples, PartitionRecipe(count=2), np.zeros(10, bool))
    assert (nothing.count, nothing.total, nothing.share, nothing.threshold) == (0, 0, 0.0, None)


def test_by_groups(small_run):
    samples = Samples(small_run)
    chosen = ("redundant", "misleading")
    found = split(PartitionRecipe("groups", groups=chosen), samples)
    assert np.array_equal(found.selected, np.isin(samples.group, [GROUPS.index(g) for g in chosen]))
    assert split(PartitionRecipe("groups"), samples).count == 0


def test_by_a_policy_the_trimmed_leave_first():
    values = np.array([-3.0, 5, 4, 3, 2, 1] * 2)
    samples = table(values, ["a"] * 6 + ["b"] * 6)
    clearest_leave = PartitionRecipe("policy", count=4, trim=1 / 6, order="redundant-first", minimum=1)
    # Of each category the most misleading one leaves, then the clearest: 5, 4 and 3; 2 and 1 stay.
    assert np.flatnonzero(parts(samples, clearest_leave).selected).tolist() == [4, 5, 10, 11]


def test_chance_is_the_same_for_the_same_seed_only():
    samples = table(np.zeros(40), ["a", "b"] * 20)
    chance = PartitionRecipe("policy", count=10, order="random", seed=3)
    first = parts(samples, chance).selected
    assert np.array_equal(first, parts(samples, chance).selected)
    assert not np.array_equal(first, parts(samples, replace(chance, seed=4)).selected)
    assert category_balance(samples, parts(samples, chance))["selected"].tolist() == [5, 5]


def test_policies_that_go_by_what_was_measured():
    standing = pd.DataFrame({"nearness": [0.9, 0.1, 0.5, 0.2], "hardness": [0.1, 0.2, 0.9, 0.3]})
    samples = FakeSamples(pd.DataFrame({"label": "a", "i1": 0.0, "i2": 0.0, "i12": 0.0}, index=range(4)), standing)
    unlike = PartitionRecipe("policy", count=2, order="duplicates-first")
    assert np.flatnonzero(parts(samples, unlike).selected).tolist() == [1, 3]
    assert np.flatnonzero(parts(samples, replace(unlike, order="hardest")).selected).tolist() == [2, 3]
    samples = FakeSamples(samples.frame)
    for order in ("duplicates-first", "hardest", "mostly-hard"):
        with pytest.raises(DataError, match="price of pruning is measured; measure it first"):
            parts(samples, replace(unlike, order=order))


def test_mostly_hard_goes_by_all_samples_together():
    easy, hard = ["a"] * 100, ["b"] * 100
    standing = pd.DataFrame({"nearness": 0.0, "hardness": np.repeat([0.04, 1.0], 100)})
    told = np.r_[np.full(190, 1.0), np.full(10, -2.0)]
    samples = FakeSamples(pd.DataFrame({"label": easy + hard, "i1": told, "i2": told, "i12": told}), standing)
    stay = parts(samples, PartitionRecipe("policy", count=60, trim=0.05, order="mostly-hard", minimum=2)).selected
    # The ten that mislead are all of the hard category. A chance of .2 against 1: 60 of 100 x .2 + 90 x 1 = 110.
    assert stay.sum() == 60 and not stay[190:].any()
    assert 4 <= stay[:100].sum() <= 20


# --- recipes --------------------------------------------------------------------------------------------------------
RECIPES = [
    PartitionRecipe(count=17),
    PartitionRecipe(by="u1", side="low", count=23, balanced=True),
    PartitionRecipe(by="i12", threshold=0.2, minimum=3),
    PartitionRecipe(by="suspect.label_error", side="low", count=40),
    PartitionRecipe("groups", groups=("redundant", "unclear")),
    PartitionRecipe("policy", count=30, trim=0.1, order="even", seed=2, minimum=2),
    PartitionRecipe(by="s", count=5, measure="mmi", within={"kind": "range", "column": "r", "low": 0.1, "high": None}),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_plain_data_and_a_selection(small_run, recipe):
    assert PartitionRecipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    samples = Samples(small_run)
    found = split(recipe, samples)
    for part in ("selected", "rest"):
        node = checked(json.loads(json.dumps(part_node(recipe, part))))
        assert np.array_equal(mask(node, samples), found.part(part))
        assert sentence(node, small_run.modality_names).startswith(
            "what stays" if part == "selected" else "what leaves"
        )


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_command_keeps_the_same_samples(small_run, tmp_path, recipe):
    workspace = str(small_run.folder.parent.parent)
    line = shlex.join(["partition", workspace, "--recipe", json.dumps(recipe.to_json()), "--out",
                       str(tmp_path / "stay.csv"), "--rest", str(tmp_path / "leave.csv")])  # fmt: skip
    assert cli.main(shlex.split(line)) == 0
    found = split(recipe, Samples(small_run))
    for part, name in (("selected", "stay"), ("rest", "leave")):
        ids = pd.read_csv(tmp_path / f"{name}.csv", dtype={"sample_id": str})["sample_id"].tolist()
        assert ids == small_run.scores["sample_id"][found.part(part)].astype("str").tolist()


@pytest.mark.parametrize(
    "options, recipe",
    [
        (["--budget", "0.25"], PartitionRecipe(count=15)),
        (["--count", "7", "--side", "low", "--by", "i1", "--minimum", "2"],
         PartitionRecipe(by="i1", side="low", count=7, minimum=2)),
        (["--quantile", "0.9", "--by", "synergy"], PartitionRecipe(by="s", count=6)),
        (["--quantile", "0.9", "--by", "swapped_pair", "--side", "low"],
         PartitionRecipe(by="suspect.swapped_pair", side="low", count=54)),
        (["--threshold", "0.4", "--by", "unique:image"], PartitionRecipe(by="u1", threshold=0.4)),
        (["--budget", "0.5", "--balanced", "--measure", "mmi"],
         PartitionRecipe(count=30, balanced=True, measure="mmi")),
        (["--groups", "redundant", "unique1"], PartitionRecipe("groups", groups=("redundant", "unique1"))),
        (["--policy", "random", "--budget", "0.5"], PartitionRecipe("policy", count=30, minimum=2)),
    ],
)  # fmt: skip
def test_options_of_the_command(small_run, tmp_path, options, recipe):
    workspace = str(small_run.folder.parent.parent)
    assert cli.main(["partition", workspace, *options, "--out", str(tmp_path / "stay.csv")]) == 0
    ids = pd.read_csv(tmp_path / "stay.csv", dtype={"sample_id": str})["sample_id"].tolist()
    assert ids == small_run.scores["sample_id"][split(recipe, Samples(small_run)).selected].astype("str").tolist()


@pytest.mark.parametrize(
    "options, told",
    [
        (["--budget", "1.2"], "must be between 0 and 1"),
        (["--budget", "0"], "Nothing would stay"),
        (["--count", "-3"], "'count' must be a whole number"),
        (["--threshold", "nan"], "'threshold' must be a number"),
        (["--groups", "beautiful"], "'groups'"),
        (["--policy", "random", "--count", "3"], "give --budget"),
        (["--policy", "best", "--budget", "0.3"], "There is no policy 'best'"),
        (["--policy", "recommended", "--budget", "0.3"], "measure it first"),
        (["--recipe", "nowhere.json"], "no recipe in JSON"),
        (["--recipe", '{"how": "luck"}'], "'how' must be one of"),
        (["--by", "beauty", "--budget", "0.3"], "no score called 'beauty'"),
    ],
)
def test_options_that_cannot_be_used(small_run, tmp_path, capsys, options, told):
    out = tmp_path / "stay.csv"
    assert cli.main(["partition", str(small_run.folder.parent.parent), *options, "--out", str(out)]) == 2
    assert told in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize(
    "data",
    [
        None, [], "r", {"count": "many"}, {"count": True}, {"side": "left"}, {"threshold": "x"}, {"groups": ["x"]},
        {"trim": 1}, {"within": 3}, {"by": None}, {"balanced": "no"}, {"measure": "best"}, {"minimum": -1},
        {"groups": 5}, {"order": []}, {}, {"trim": "0.1"}, {"threshold": "0.5"},
    ],
)  # fmt: skip
def test_what_is_no_recipe_is_refused_in_one_sentence(data):
    with pytest.raises(DataError, match="no recipe of a partition"):
        PartitionRecipe.from_json(data)


def test_a_recipe_of_the_first_version_still_tells_the_same(small_run):
    kept = {"by": "r", "side": "low", "balanced": False, "percent": 30, "count": 18}
    found = split(PartitionRecipe.from_json(kept), Samples(small_run))
    assert found.count == 18
    assert set(small_run.scores.loc[found.selected, "r"]) == set(small_run.scores["r"].nsmallest(18))


def test_the_parts_follow_the_measure_of_the_recipe(small_run: ScoredRun):
    chosen = split(PartitionRecipe(count=20, measure="mmi"), Samples(small_run)).selected
    assert set(np.flatnonzero(chosen)) == set(with_measure(small_run.scores, "mmi")["r"].nlargest(20).index)


def test_sentences():
    told = lambda **more: recipe_told(PartitionRecipe(**more), ("image", "text"))
    assert told(count=3) == "the highest “both say it”"
    assert told(by="u1", side="low", threshold=0.5) == "“only the image knows” of at most 0.50 nats"
    assert told(count=9, balanced=True, minimum=2).endswith(
        "the same share of every category, at least 2 of every category"
    )
    assert told(how="groups", groups=("redundant", "unclear")) == "“both say it” or “neither helps”"
    assert told(how="groups") == "no group"
    assert told(how="policy", count=5, minimum=2, trim=0.15, order="even") == (
        "without the 15% of every category that mislead most; of the others crowds are thinned out, so that "
        "clear and unclear samples of every category stay alike, at least 2 of every category"
    )
    assert told(how="policy", count=5, trim=0.06, order="mostly-hard") == (
        "without the 6% that mislead most; of the others a random sample with more of the hard ones, and so more of "
        "the categories that are hard"
    )
    assert told(count=4, within={"kind": "tag", "tag": "odd"}).endswith("“both say it”, among tag 'odd'")


def test_examples_are_the_clearest_cases():
    samples = table(np.arange(8.0), s=0.0, u1=0.0, u2=0.0)
    recipe = PartitionRecipe(count=4)
    found = parts(samples, recipe)
    assert extremes(recipe, samples, found.selected, "selected", 2)["r"].tolist() == [7, 6]
    assert extremes(recipe, samples, found.rest, "rest", 2)["r"].tolist() == [0, 1]
    low = replace(recipe, side="low")
    assert extremes(low, samples, parts(samples, low).selected, "selected", 2)["r"].tolist() == [0, 1]


def test_examples_without_a_score_are_of_all_groups():
    samples = table([9.0, 8, 7, 0, 0], u1=0.0, u2=0.0, s=0.0)
    shown = extremes(PartitionRecipe("groups", groups=GROUPS), samples, np.ones(5, bool), "selected", 3)
    assert shown["r"].tolist() == [9, 0, 8]
