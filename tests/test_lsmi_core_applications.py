"""Contract: intervals of means, and partitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsmi_core import InvalidInputError
from lsmi_core.applications import partition
from lsmi_core.intervals import mean_interval


# --- mean_interval --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("level, t", [(0.9, 2.131847), (0.95, 2.776445), (0.99, 4.604095)])
def test_interval_by_the_table_of_student(level, t):
    # 1..5: mean 3, variance 2.5, so the half width is t(4) sqrt(2.5 / 5).
    mean, low, high = mean_interval(np.array([5.0, 1, 4, 2, 3]), level)
    assert mean == 3
    assert (low, high) == (pytest.approx(3 - t * 0.5**0.5, abs=1e-5), pytest.approx(3 + t * 0.5**0.5, abs=1e-5))


def test_interval_is_at_ninety_percent_unless_told():
    values = np.array([1.0, 2, 4])
    assert mean_interval(values) == mean_interval(values, 0.9)
    assert mean_interval(values) != mean_interval(values, 0.95)


def test_interval_covers_as_often_as_it_says():
    """3,000 trials of six values: the standard error of the coverage is .0055."""
    values = np.random.default_rng(0).normal(2.0, 3.0, (3000, 6))
    covered = [low <= 2.0 <= high for _, low, high in (mean_interval(row, 0.9) for row in values)]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


def test_interval_of_one_value_and_of_equal_values():
    assert mean_interval(np.array([4.0])) == (4.0, -np.inf, np.inf)
    assert mean_interval(np.full(5, 4.0)) == (4.0, 4.0, 4.0)


@pytest.mark.parametrize(
    "values, level, sentence",
    [
        ([], 0.9, "values must hold at least one number."),
        ([1, 2], 0, "The 'level' parameter must be in the range (0, 1). Got 0 instead."),
        ([1, 2], 1.0, "The 'level' parameter must be in the range (0, 1). Got 1.0 instead."),
        ([1, 2], 95, "The 'level' parameter must be in the range (0, 1). Got 95 instead."),
        ([1, 2], float("nan"), "The 'level' parameter must be in the range (0, 1). Got nan instead."),
    ],
)
def test_interval_refuses(values, level, sentence):
    with pytest.raises(InvalidInputError) as caught:
        mean_interval(np.array(values), level)
    assert str(caught.value) == sentence


# --- partition ------------------------------------------------------------------------------------------------------
@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(
    scores=st.lists(st.integers(-4, 4), max_size=25).map(np.array),
    budget=st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0]),
    side=st.sampled_from(["high", "low"]),
)
def test_partition_takes_the_best_one_by_one(scores, budget, side):
    """The twin picks the best sample left, the earliest of equals, until the count is reached."""
    wanted = int(np.floor(budget * len(scores) + 0.5))
    left, picked = list(range(len(scores))), []
    for _ in range(wanted):
        best = left[0]
        for n in left:
            if (scores[n] > scores[best]) if side == "high" else (scores[n] < scores[best]):
                best = n
        left.remove(best)
        picked.append(best)
    selected = partition(scores, budget, side=side)
    assert selected.dtype == bool
    assert selected.shape == (len(scores),)
    assert np.flatnonzero(selected).tolist() == sorted(picked)


def test_partition_by_hand():
    scores = [0.3, -1.0, 2.0, 0.3, 0.5]
    assert partition(scores, 0.4).tolist() == [False, False, True, False, True]
    assert partition(scores, 0.6).tolist() == [True, False, True, False, True]  # of the two .3 the earlier
    assert partition(scores, 0.4, side="low").tolist() == [True, True, False, False, False]
    # A share of 2.5 samples is rounded up, one of 2.4 down.
    assert partition(np.arange(10), 0.25).sum() == 3
    assert partition(np.arange(10), 0.24).sum() == 2


def test_partition_of_distinct_scores_has_two_sides():
    scores = np.random.default_rng(0).standard_normal(40)
    assert np.array_equal(partition(scores, 0.3, side="high"), ~partition(scores, 0.7, side="low"))


def test_partition_within_groups():
    rng = np.random.default_rng(0)
    groups = np.array(["a"] * 20 + ["b"] * 10 + ["c"])[rng.permutation(31)]
    scores = rng.standard_normal(31) + 10 * (groups == "a")  # together, only a would be chosen
    selected = partition(scores, 0.3, groups=groups)
    assert {g: int(selected[groups == g].sum()) for g in "abc"} == {"a": 6, "b": 3, "c": 0}
    for g in "ab":
        inside = groups == g
        assert scores[inside & selected].min() > scores[inside & ~selected].max()
    assert partition(scores, 0.5, groups=groups)[groups == "c"].all()  # half of one is rounded up
    assert not partition(scores, 0.3)[groups != "a"].any()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"budget": 1.1}, "The 'budget' must be a share between 0 and 1. Got 1.1 instead."),
        ({"budget": -0.1}, "The 'budget' must be a share between 0 and 1. Got -0.1 instead."),
        ({"budget": float("nan")}, "The 'budget' must be a share between 0 and 1. Got nan instead."),
        ({"side": "top"}, "The 'side' must be 'high' or 'low'. Got 'top' instead."),
        ({"scores": [1.0, np.nan]}, "scores must be finite; score the samples again or leave the bad ones out."),
        ({"scores": [1.0, np.inf]}, "scores must be finite; score the samples again or leave the bad ones out."),
    ],
)
def test_partition_refuses(arguments, sentence):
    with pytest.raises(InvalidInputError) as caught:
        partition(**{"scores": [1.0, 2.0], "budget": 0.5, **arguments})
    assert str(caught.value) == sentence
