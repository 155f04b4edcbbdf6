"""Policies of pruning on cases small enough to see who goes; their price is in test_lsmi_core_pruning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsmi_core import InvalidInputError
from lsmi_core.applications.pruning.policies import (
    Recipe,
    Standing,
    keep,
    lowest_of_all,
    lowest_of_each,
    mostly_hard,
    spread_evenly,
    trimmed,
)  # fmt: skip

X, Y = np.arange(40.0).reshape(20, 2), np.tile([0, 1], 10)


def test_the_highest_of_every_category_stay():
    priority = np.array([5, 1, 4, 2, 9, 8, 7, 6.0])
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert keep(priority, codes, 0.5).tolist() == [0, 2, 4, 5]


def test_overall_the_highest_stay_but_for_the_minimum():
    priority = np.array([5, 1, 4, 2, 9, 8, 7, 6.0])
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert keep(priority, codes, 0.5, minimum=1, balanced=False).tolist() == [0, 4, 5, 6]
    assert keep(priority, codes, 0.5, minimum=2, balanced=False).tolist() == [0, 2, 4, 5]


def test_ties_go_to_the_earlier_sample():
    assert keep(np.zeros(4), np.zeros(4, dtype=int), 0.5).tolist() == [0, 1]


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    codes=st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array),
    budgets=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    minimum=st.integers(0, 5),
    balanced=st.booleans(),
    seed=st.integers(0, 9),
)
def test_minimum_share_and_nesting(codes, budgets, minimum, balanced, seed):
    priority = np.random.default_rng(seed).random(len(codes))
    less, more = (keep(priority, codes, b, minimum, balanced) for b in sorted(budgets))
    assert set(less) <= set(more), "what is kept at a small budget is part of what is kept at a larger one"
    counts, kept = np.bincount(codes), np.bincount(codes[less], minlength=codes.max() + 1)
    assert (kept >= np.minimum(minimum, counts)).all()
    if balanced:
        assert (kept == np.minimum(np.maximum((min(budgets) * counts + 0.5).astype(int), minimum), counts)).all()


def test_trimming_takes_the_least_supported_first_and_then_goes_by_order():
    support = np.array([-3.0, 1, 2, -1, 0, 3])
    lowest = lowest_of_each(support, np.zeros(6, dtype=int), 1 / 3)
    priority = trimmed(np.array([9.0, 1, 2, 8, 7, 3]), support, lowest)
    # Trimmed: 0 (-3) before 3 (-1). The others leave by order: 1, 2, 5, 4.
    assert np.argsort(priority).tolist() == [0, 3, 1, 2, 5, 4]


def test_trimming_is_by_category():
    support = np.array([-9.0, -8, 1, 2, 3, 4])
    codes = np.array([0, 0, 0, 0, 1, 1])
    assert np.flatnonzero(lowest_of_each(support, codes, 0.5)).tolist() == [0, 1, 4]


def test_trimming_over_all_takes_at_most_twice_the_share_of_a_category():
    support, codes = np.r_[np.arange(20.0), np.arange(100.0, 180.0)], np.repeat([0, 1], [20, 80])
    # Ten of all: the ten lowest are all of category 0; four of its twenty may go, so six are of the other.
    assert np.flatnonzero(lowest_of_all(support, codes, 0.1)).tolist() == [0, 1, 2, 3, 20, 21, 22, 23, 24, 25]
    assert not lowest_of_all(support, codes, 0.0).any()
    # Of categories too small to lose one none goes, whatever the share of all would be.
    assert not lowest_of_all(np.arange(50.0), np.repeat(np.arange(25), 2), 0.1).any()


def test_even_keeps_as_many_of_a_crowded_range_as_of_an_empty_one():
    score = np.r_[np.linspace(0.95, 1.0, 90), np.linspace(0.0, 0.05, 10)]
    random = np.random.default_rng(0).random(100)
    priority = spread_evenly(score, np.zeros(100, dtype=int), random)
    kept = keep(priority, np.zeros(100, dtype=int), 0.2)
    assert (kept < 90).sum() == 10 and (kept >= 90).sum() == 10


@pytest.mark.parametrize(
    "order, left_out",
    [("redundant-first", [5, 4]), ("misleading-first", [0, 1]), ("duplicates-first", [3, 2]), ("random", [1, 0])],
)
def test_orders_of_a_recipe(order, left_out):
    support, nearness = np.arange(6.0), np.array([-1, 0.1, 0.8, 0.9, 0.2, 0.3])
    random = np.array([0.2, 0.1, 0.5, 0.9, 0.8, 0.3])
    standing = Standing(np.zeros(6, dtype=int), support, support + 1, -support, nearness, np.zeros(6))
    assert np.argsort(Recipe(0.0, order).priority(standing, random))[:2].tolist() == left_out


def test_mostly_hard_keeps_in_proportion_to_the_root_of_hardness():
    hardness = np.repeat([0.01, 0.16, 1.0], 2_000)
    counts = np.zeros(3)
    for seed in range(5):
        priority = mostly_hard(hardness, np.random.default_rng(seed).random(6_000))
        kept = keep(priority, np.zeros(6_000, dtype=int), 0.1)
        counts += np.bincount(kept // 2_000, minlength=3) / 5
    np.testing.assert_allclose(counts / 600, [0.1 / 1.5, 0.4 / 1.5, 1 / 1.5], atol=0.02)


def test_mostly_hard_trims_and_draws_over_all_categories_and_assures_the_fewest():
    codes = np.repeat([0, 1], [50, 10])
    low = np.r_[0:6, 50:53]
    i1 = np.where(np.isin(np.arange(60), low), -1.0, 2.0)
    standing = Standing(codes, i1, i1 + 1, i1 + 2, np.zeros(60), np.full(60, 0.5))
    recipe, random = Recipe(0.15, "mostly-hard"), np.random.default_rng(0).random(60)
    assert not recipe.balanced and Recipe(0.15, "random").balanced
    assert np.setdiff1d(np.arange(60), recipe.kept(standing, random, 51 / 60, minimum=0)).tolist() == low.tolist()
    assert (recipe.kept(standing, random, 0.5, minimum=8) >= 50).sum() == 8
    np.testing.assert_allclose(standing.telling, i1 + 1)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((np.zeros(3), Y, 0.5), "priority and codes must be flat and of the same length."),
        ((np.zeros(20), Y, 1.1), "The 'budget' must be a share between 0 and 1. Got 1.1 instead."),
        ((np.zeros(20), Y, 0.5, -1), "The 'minimum' must be an int of at least 0. Got -1 instead."),
        ((np.full(20, np.nan), Y, 0.5), "priority has values that are not numbers; score the samples again."),
    ],
)
def test_keep_refuses(arguments, sentence):
    with pytest.raises(InvalidInputError) as caught:
        keep(*arguments)
    assert str(caught.value) == sentence


def test_an_unknown_order_is_refused():
    with pytest.raises(InvalidInputError, match="The 'order' of a recipe must be one of 'random', "):
        Recipe(0.1, "best").priority(Standing(Y, X, X, X, X, X), X)
