"""The price of pruning where the answer is planted, and what it is measured with; policies: test_lsmi_core_policies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lsmi_core import InvalidInputError
from lsmi_core.applications import PruningSettings, price_of_pruning
from lsmi_core.applications.material import METRICS, Material, Pairs, hardness, held_out
from lsmi_core.applications.probes import Probes, default_steps
from lsmi_core.applications.pruning.duplicates import nearest_earlier
from lsmi_core.applications.pruning.measuring import PLAIN, RECIPES, choose_recipe
from lsmi_core.applications.pruning.policies import keep
from lsmi_core.applications.pruning.price import BASELINE, CHOSEN, POLICIES, PriceOfPruning
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.parallel import side_by_side
from lsmi_core.synthetic import gaussian_classes

QUICK = PruningSettings(budgets=(0.5,), n_repeats=3, n_choices=3, n_steps=80)


# --- what is measured -----------------------------------------------------------------------------------------------
def test_nearest_earlier_against_its_slow_twin(monkeypatch):
    monkeypatch.setattr("lsmi_core.applications.pruning.duplicates.BLOCK", 7)
    rng = np.random.default_rng(0)
    x, codes = rng.normal(size=(60, 5)).astype(np.float32), rng.integers(0, 2, 60)
    x[40] = 3 * x[[i for i in range(40) if codes[i] == codes[40]][0]]
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    slow = [max([float(unit[i] @ unit[j]) for j in range(i) if codes[j] == codes[i]], default=-1.0) for i in range(60)]
    found = nearest_earlier(x, codes)
    np.testing.assert_allclose(found, slow, atol=1e-5)
    assert found.argmax() == 40


def test_held_out_leaves_two_of_every_category():
    codes = np.repeat([0, 1, 2, 3], [40, 5, 3, 2])
    masks = held_out(codes, 5, 0)
    for mask in masks:
        assert np.bincount(codes[~mask]).min() >= 2
    assert (masks.sum(axis=0) <= 1).all() and masks[:, codes == 0].any(axis=0).all()


# --- probes ---------------------------------------------------------------------------------------------------------
def test_a_probe_learns_the_same_whoever_learns_beside_it():
    drawn = gaussian_classes(200, n_classes=3, random_state=1)
    x, y = torch.as_tensor(drawn.x1).float(), torch.as_tensor(drawn.y)
    rows = [np.arange(50), np.arange(150), np.arange(10, 90)]
    together = Probes.fit(x, y, rows, 3, 40, 0).scores(x)
    for own, scores in zip(rows, together, strict=True):
        torch.testing.assert_close(Probes.fit(x, y, [own], 3, 40, 0).scores(x)[0], scores, atol=1e-4, rtol=1e-4)


def test_gradients_against_automatic_ones():
    from lsmi_core.applications.probes import _gradients

    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 4, 6), (2, 1, 6), (2, 6, 3), (2, 1, 3))
    weights = [torch.randn(*s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes]
    x = torch.randn(2, 8, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(3, (2, 8), generator=generator)
    w1, b1, w2, b2 = weights
    scores = (x @ w1 + b1).relu() @ w2 + b2
    sum(torch.nn.functional.cross_entropy(s, t) for s, t in zip(scores, y, strict=True)).backward()
    plain = [w.detach().float() for w in weights]
    for found, weight in zip(_gradients(plain, x.float(), y), weights, strict=True):
        torch.testing.assert_close(found.double(), weight.grad, atol=1e-5, rtol=1e-4)


def test_wrong_labels_are_hard():
    drawn = gaussian_classes(300, n_classes=2, sigma=0.2, random_state=2)
    codes = drawn.y.copy()
    codes[:10] = 1 - codes[:10]
    found = hardness(torch.as_tensor(drawn.x1).float(), codes, 2, 600, 0)
    assert set(np.argsort(-found)[:10]) == set(range(10))


def test_steps_are_ten_passes_within_bounds():
    assert [default_steps(n) for n in (100, 10_000, 10**6)] == [200, 781, 1_500]


# --- the choice -----------------------------------------------------------------------------------------------------
def values_of(gains: dict[int, list[float]]) -> np.ndarray:
    values = np.full((len(RECIPES), 3, len(METRICS)), 0.5)
    for recipe, each in gains.items():
        values[recipe] += np.array(each)[:, None]
    return values


def test_the_recipe_with_the_highest_accuracy_is_chosen():
    assert choose_recipe(values_of({4: [0.02, 0.03, 0.02], 7: [0.04, 0.04, 0.05]})) == RECIPES[7]


def test_of_equals_the_one_that_bears_a_missing_modality_best_is_chosen():
    spread = np.array([-1, 0, 1]) * 0.02
    error = 0.02 / np.sqrt(len(RECIPES[1:]) * 3) * np.sqrt(2)  # two of the others spread so, the rest not at all
    values = values_of({4: list(0.10 + spread), 7: list(0.10 - 0.99 * error + spread)})
    values[7, :, -2:] += 0.05
    assert choose_recipe(values) == RECIPES[7]
    values[7, :, :-2] -= 0.02 * error
    assert choose_recipe(values) == RECIPES[4]


def test_a_gain_within_its_error_is_none():
    # All but one recipe gain nothing: the pooled error is sd / sqrt(others x 3).
    narrow, wide = np.array([-1, 0, 1]) * 0.01, np.array([-1, 0, 1]) * 0.05
    # accuracy and the mean without one modality move together: twice the gain
    edge = 2 * 2.5 * 0.05 / np.sqrt(3 * len(RECIPES[1:]))
    assert choose_recipe(values_of({4: list(edge / 2 * 1.01 + wide)})) == RECIPES[4]
    assert choose_recipe(values_of({4: list(edge / 2 * 0.99 + wide)})) == PLAIN
    assert choose_recipe(values_of({4: list(edge / 2 * 0.99 + narrow)})) == RECIPES[4]
    assert choose_recipe(values_of({})) == PLAIN


def test_what_costs_accuracy_is_not_chosen():
    values = values_of({4: [0.0, 0.0, 0.0]})
    values[4, :, -2:] += 0.2
    assert choose_recipe(values) == RECIPES[4]
    values[4, :, 0] -= 0.01
    assert choose_recipe(values) == PLAIN


# --- the price ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def planted() -> tuple:
    """Clusters that overlap a little; every third label to learn from is wrong, none of those that are asked."""
    drawn = gaussian_classes(700, n_classes=3, sigma=0.5, random_state=3)
    rng = np.random.default_rng(3)
    test = np.arange(700) >= 450
    wrong = ~test & (rng.random(700) < 1 / 3)
    y = np.where(wrong, (drawn.y + rng.integers(1, 3, 700)) % 3, drawn.y)
    return drawn.x1, drawn.x2, y, test, wrong


@pytest.fixture(scope="module")
def measured(planted) -> tuple[PriceOfPruning, dict]:
    cells = {}
    return price_of_pruning(*planted[:4], QUICK, on_cell=cells.__setitem__), cells


def test_trimming_finds_the_planted_errors_and_beats_chance(planted, measured):
    price, _ = measured
    best = price.recommend(0.5)
    assert best.recipe != PLAIN and best.metric == "accuracy" and best.low > 0.02
    assert best.sentence.startswith("At 50%: ") and "against random: +" in best.sentence
    assert price.gain("misleading-first", 0.5)[0] > 0.05
    for policy in ("redundant-first", "easy-first"):
        assert price.gain(policy, 0.5)[0] < -0.05, "keeping the least supported or the hardest keeps the errors"


def test_what_a_probe_is_worth():
    """The second modality is noise, and one category is never learned."""
    drawn = gaussian_classes(300, n_classes=3, sigma=0.1, random_state=5)
    noise = np.random.default_rng(5).normal(size=(300, 3))
    asked = held_out(drawn.y, 3, 0)[0]
    material = Material(Pairs(drawn.x1, noise, drawn.y), asked, LSMIEstimator(n_splits=2), 100, 0, lambda: None)
    rows = np.flatnonzero(material.codes < 2)
    told = dict(zip(METRICS, material.measure([rows, rows], 0)[1], strict=True))
    share = np.bincount(drawn.y[asked]) / asked.sum()
    assert told["accuracy"] == pytest.approx(share[:2].sum()) == told["accuracy_without_2"]
    assert told["balanced_accuracy"] == pytest.approx(2 / 3)
    assert told["worst_category"] == 0
    assert told["accuracy_without_1"] < 0.5


def test_the_least_supported_are_the_planted_errors(planted):
    x1, x2, y, test, wrong = planted
    material = Material(Pairs(x1, x2, y), test, LSMIEstimator(n_splits=3), 50, 0, lambda: None)
    trimmed_away = np.setdiff1d(np.arange(450), keep(material.standing.support, y[~test], 0.8))
    assert wrong[~test][trimmed_away].mean() > 0.85


def test_who_is_asked_is_not_looked_at_for_the_choice(planted, measured):
    x1, x2, y, test, _ = planted
    poisoned = np.where(test, (y + 1) % 3, y)
    elsewhere = np.where(test[:, None], -x1, x1)
    _, cells = measured
    choices = {}
    with pytest.raises(InterruptedError):
        price_of_pruning(elsewhere, x2, poisoned, test, QUICK, progress=stop_at(3), on_cell=choices.__setitem__)
    assert set(choices) == {c for c in cells if c.stage == "choice"}
    for cell, values in choices.items():
        np.testing.assert_array_equal(values, cells[cell])


def stop_at(n: int):
    def progress(done: int, total: int) -> None:
        if done == n:
            raise InterruptedError

    return progress


def test_cells_that_are_known_are_not_measured_again(planted, measured):
    price, cells = measured
    again = {}
    told = []
    some = {cell: values for cell, values in cells.items() if cell.stage == "choice" or cell.turn}
    resumed = price_of_pruning(
        *planted[:4], QUICK, known=some, on_cell=again.__setitem__, progress=lambda *done: told.append(done)
    )
    assert set(again) == set(cells) - set(some)
    np.testing.assert_array_equal(resumed.values, price.values)
    assert resumed.recipes == price.recipes
    assert told[0] == (len(some), len(cells)) and told[-1] == (len(cells), len(cells))


def test_rows_are_tidy_and_whole(measured):
    price, _ = measured
    rows = price.rows()
    assert len(rows) == (len(POLICIES) + 1) * 3 * len(METRICS)
    assert {r["policy"] for r in rows} == {*POLICIES, "all"}
    row = next(r for r in rows if (r["policy"], r["repeat"], r["metric"]) == (CHOSEN, 1, "accuracy"))
    assert row["value"] == price.values[POLICIES.index(CHOSEN), 0, 1, 0] and row["budget"] == 0.5


def test_where_nothing_matters_it_says_so():
    drawn = gaussian_classes(120, n_classes=2, sigma=0.05, random_state=4)
    price = price_of_pruning(
        drawn.x1, drawn.x2, drawn.y, held_out(drawn.y, 4, 0)[0], replace(QUICK, n_repeats=2, n_choices=2)
    )
    best = price.recommend(0.5)
    assert best.recipe == PLAIN and best.metric is None
    assert best.sentence.startswith("At 50% nothing beats a random choice within every category here")
    assert price.gain(BASELINE, 0.5) == (0, 0, 0)


# --- refusals -------------------------------------------------------------------------------------------------------
X, Y, TEST = np.arange(40.0).reshape(20, 2), np.tile([0, 1], 10), np.arange(20) < 6


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"budgets": ()}, "The 'budgets' must be different shares between 0 and 1. Got () instead."),
        ({"budgets": (0.5, 1.0)}, "The 'budgets' must be different shares between 0 and 1. Got (0.5, 1.0) instead."),
        ({"n_repeats": 1}, "The 'n_repeats' of pruning must be an int of at least 2. Got 1 instead."),
        ({"n_choices": True}, "The 'n_choices' of pruning must be an int of at least 2. Got True instead."),
        ({"n_steps": 0}, "The 'n_steps' of pruning must be an int of at least 1. Got 0 instead."),
    ],
)
def test_settings_refused(change, sentence):
    with pytest.raises(InvalidInputError) as caught:
        price_of_pruning(X, X, Y, TEST, PruningSettings(**change))
    assert str(caught.value) == sentence


SHAPE = "test must be true or false for each of the 20 samples, once or for each of the 3 repeats. Got "
LEFT = "test must hold samples and leave at least 2 of every category to learn from; use held_out to draw it."


@pytest.mark.parametrize(
    "test, sentence",
    [
        (TEST[:5], SHAPE + "bool of shape (5,)."),
        (TEST.astype(np.int64), SHAPE + "int64 of shape (20,)."),
        (Y == 1, LEFT),
        (Y == 2, LEFT),
    ],
)
def test_splits_refused(test, sentence):
    with pytest.raises(InvalidInputError) as caught:
        price_of_pruning(X, X, Y, test)
    assert str(caught.value) == sentence


def test_names_refused(measured):
    price, _ = measured
    for call, told in (
        (lambda: price.recommend(0.4), "The 'budget' must be one of 0.5. Got 0.4 instead."),
        (lambda: price.gain("best", 0.5), "The 'policy' must be one of 'random', 'balanced-random', "),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert str(caught.value).startswith(told)


def test_what_on_done_raises_cancels_the_rest(one_core):
    begun = []
    with pytest.raises(InterruptedError):
        side_by_side(begun.append, range(200), n_workers=1, on_done=stop_at_first)
    assert len(begun) < 200


def stop_at_first(done: int) -> None:
    raise InterruptedError
