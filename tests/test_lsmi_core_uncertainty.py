"""Intervals of means corrected for what more samples would teach, the label null, and the power check."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student_t

from lsmi_core import FIELDS, TERMS, InvalidInputError, LSMIEstimator, PointwiseInteractions
from lsmi_core.crossed import could_be_seen
from lsmi_core.interactions import INGREDIENTS
from lsmi_core.intervals import extrapolated_intervals, grouped_intervals, mean_interval
from lsmi_core.synthetic import gaussian_classes
from lsmi_core.uncertainty import label_null, power_check


def result_of(values: np.ndarray) -> PointwiseInteractions:
    """Ingredients of shape (7, n_samples), decomposed by lsmi with equal surprisals, so that r = max(i1, i2)."""
    return PointwiseInteractions.from_information(dict(zip(INGREDIENTS, values, strict=True)), "lsmi")


# --- Tier 1: extrapolation ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_splits", [3, 5, 10])
def test_three_quarters_of_a_shortfall_of_one_in_n_are_taken_back(n_splits):
    """v(n) = v - b / n for every sample, learned from n (1 - 1/K) and from n / 2: a quarter of the first is left."""
    rng = np.random.default_rng(0)
    n, b = 50, 4.0
    unlimited = rng.standard_normal((7, n))
    unlimited[3:5] = 0
    learned = lambda share: result_of(unlimited - b / (share * n) * np.array([1, 1, 2, 0, 0, 1, 1])[:, None])
    found = extrapolated_intervals(learned(1 - 1 / n_splits), learned(1 / 2), n_splits)
    assert list(found) == list(FIELDS)
    left = (unlimited.mean(axis=1) - [getattr(learned(1 - 1 / n_splits), name).mean() for name in INGREDIENTS]) / 4
    for name, values, short in zip(INGREDIENTS, unlimited, left, strict=True):
        assert found[name][0] == pytest.approx(values.mean() - short, abs=1e-12)
    # r = max(i1, i2) falls short by b / n as well, and all else is a difference of such.
    assert found["r"][0] == pytest.approx(np.maximum(*unlimited[:2]).mean() - left[0], abs=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_part_of_the_correction_counts_as_uncertainty(level):
    """One field by hand: means 3 from four fifths and 2 from half of the samples, so 1/t = 5/4.

    d = (3 - 2) (5/4) / (3/4) = 5/3: three quarters of it make 17/4, and two fifths of it, 2/3, are unsure.
    """
    full, half = np.zeros((7, 3)), np.zeros((7, 3))
    full[2], half[2] = (1, 2, 6), (0, 2, 4)
    mean, low, high = extrapolated_intervals(result_of(full), result_of(half), 5, level)["i12"]
    assert mean == pytest.approx(17 / 4)
    quantile = student_t.ppf((1 + level) / 2, 2)
    spread = quantile * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert high - mean == pytest.approx(np.hypot(spread, quantile * 2 / 3))
    assert mean - low == pytest.approx(high - mean)


def test_runs_that_agree_leave_the_plain_interval():
    values = np.random.default_rng(0).standard_normal((7, 40))
    found = extrapolated_intervals(result_of(values), result_of(values), 5)
    for name in FIELDS:
        assert found[name] == pytest.approx(mean_interval(getattr(result_of(values), name)))


def test_extrapolated_means_keep_the_identities():
    rng = np.random.default_rng(0)
    full, half = rng.standard_normal((2, 7, 40))
    mean = {name: found[0] for name, found in extrapolated_intervals(result_of(full), result_of(half), 4).items()}
    assert mean["r"] + mean["u1"] == pytest.approx(mean["i1"])
    assert mean["r"] + mean["u2"] == pytest.approx(mean["i2"])
    assert mean["r"] + mean["u1"] + mean["u2"] + mean["s"] == pytest.approx(mean["i12"])


@pytest.mark.parametrize("n_half, n_splits", [(7, 5), (8, 2)])
def test_extrapolation_refuses(n_half, n_splits):
    with pytest.raises(InvalidInputError, match="Extrapolation needs the same samples scored with two folds and with"):
        extrapolated_intervals(result_of(np.zeros((7, 8))), result_of(np.zeros((7, n_half))), n_splits)


# --- Tier 2: nearer the law -----------------------------------------------------------------------------------------
def test_extrapolation_comes_nearer_the_law():
    """Ten classes and 600 samples: I12 falls short of the law's by .05 to .09 nats, extrapolated by less than half."""
    short, left = [], []
    for seed in range(3):
        drawn = gaussian_classes(600, n_classes=10, random_state=seed)
        full, half = (LSMIEstimator(n_splits=k).fit_score(drawn.x1, drawn.x2, drawn.y) for k in (5, 2))
        found = extrapolated_intervals(full, half, 5)["i12"]
        short.append(full.i12.mean() - drawn.i12.mean())
        left.append(found[0] - drawn.i12.mean())
        assert found[1] < drawn.i12.mean() < found[2]
    assert abs(np.mean(left)) < abs(np.mean(short))


# --- the label null ---------------------------------------------------------------------------------------------------
def test_dealt_out_labels_say_nothing():
    drawn = gaussian_classes(400, n_classes=3)
    estimator = LSMIEstimator(n_splits=2, redundancy="mmi")
    found, again = (label_null(estimator, drawn.x1, drawn.x2, drawn.y) for _ in range(2))
    means = found.means()
    assert [means[key] for key in ("i1", "i2", "i12")] == pytest.approx([0] * 3, abs=0.03)
    assert [means[key] for key in TERMS] == pytest.approx([0] * 4, abs=0.06)
    assert found.redundancy == "mmi"
    assert np.array_equal(found.i12, again.i12)
    assert not hasattr(estimator, "classes_")
    # Exactly zero where only the prior is left, so a covariance and no correlation.
    assert abs(np.cov(found.i12, drawn.i12)[0, 1]) < 0.3 * found.i12.std() * drawn.i12.std() + 1e-12
    as_lists = label_null(estimator, drawn.x1.tolist(), drawn.x2.tolist(), drawn.y.tolist())
    assert np.array_equal(found.i12, as_lists.i12)


# --- the power check --------------------------------------------------------------------------------------------------
def test_power_where_there_is_enough_of_everything():
    x1, x2 = np.random.default_rng(0).standard_normal((2, 2000, 5))
    estimator = LSMIEstimator(n_splits=3)
    found = power_check(estimator, x1, x2)
    assert found.planted == pytest.approx(np.log(2))
    assert 0.35 < found.found < np.log(2)
    assert found.seen is True
    assert found.sentence == (
        f"Synergy spread over all columns is seen: of 0.69 nats planted in 2,000 samples with 5 and 5 columns, "
        f"{found.found:.2f} were found."
    )
    assert found == power_check(estimator, x1, x2)
    assert not hasattr(estimator, "classes_")


def test_power_where_there_is_too_little():
    x1, x2 = np.random.default_rng(0).standard_normal((2, 100, 60))
    found = power_check(LSMIEstimator(), x1, x2)
    assert found.seen is False
    assert found.found < 0.1
    assert found.sentence.startswith(
        "Synergy spread over all columns could not have been seen, so a small value does not mean there is none: of "
    )
    assert found.sentence.endswith("were found.")


def test_power_of_a_constant_column_beside_others():
    x1, x2 = np.random.default_rng(0).standard_normal((2, 600, 4))
    x1[:, 2] = 7.0
    assert power_check(LSMIEstimator(n_splits=2), x1, x2).found > 0.2


def test_what_could_be_seen_is_told_before_it_is_tried():
    """n (2/pi)^2 beside 1.2 times the edge of chance, (sqrt d1 + sqrt d2)^2; from 64 columns on, all alike."""
    assert not could_be_seen(100, (60, 60))
    assert could_be_seen(2000, (5, 5))
    for d1, d2 in ((1, 1), (5, 20), (64, 64)):
        least = 1.2 * (d1**0.5 + d2**0.5) ** 2 * (np.pi / 2) ** 2
        assert not could_be_seen(int(least) - 1, (d1, d2))
        assert could_be_seen(int(least) + 2, (d1, d2))
    assert could_be_seen(2000, (700, 700)) == could_be_seen(2000, (64, 64))


def test_grouped_intervals_are_those_of_every_group():
    """The slow twin: one group at a time."""
    rng = np.random.default_rng(3)
    groups = np.r_[0, rng.integers(1, 7, 300)]
    values = rng.normal(5, 1, 301) * groups
    for found in zip(*grouped_intervals(values, groups, 0.8), strict=True):
        expected = mean_interval(values[groups == round(found[0] / 5)], 0.8)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert grouped_intervals(values, groups)[1][0] == -np.inf, "the first group holds one value"
    for wrong, level in ((np.array([0, 2]), 0.9), (np.array([], int), 0.9), (np.array([0, 0]), 1.0)):
        with pytest.raises(InvalidInputError):
            grouped_intervals(np.ones(len(wrong)), wrong, level)
