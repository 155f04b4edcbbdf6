"""Tier 3, slow obvious twins: folds, linear heads for all parts at once, temperatures, pools."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.covariance import shrunk_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from toy_data import classes_in_space, folds_of, insides

from lsmi_core import pooling
from lsmi_core.folds import Folds, stratified_folds
from lsmi_core.linear import discriminant_coefficients, linear_scores, softmax_coefficients
from lsmi_core.pooling import calibrate, pool, pool_weights

pytestmark = pytest.mark.usefixtures("one_core")

either = pytest.mark.parametrize("with_all", [True, False], ids=["and all", "folds only"])


# --- folds ----------------------------------------------------------------------------------------------------------
@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(sizes=st.lists(st.integers(1, 17), min_size=1, max_size=6), n_splits=st.integers(2, 7), seed=st.integers(0, 99))
def test_folds_spread_every_class(sizes, n_splits, seed):
    codes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    folds = stratified_folds(codes, n_splits, np.random.default_rng(seed))
    assert folds.shape == codes.shape
    assert folds.dtype == np.int64
    assert set(folds) <= set(range(n_splits))
    assert np.ptp(np.bincount(folds, minlength=n_splits)) <= 1
    for label, size in enumerate(sizes):
        counts = np.bincount(folds[codes == label], minlength=n_splits)
        assert np.ptp(counts) <= 1
        if size >= 2:  # whoever is held out leaves one of its kind behind
            assert counts.max() < size
    assert np.array_equal(folds, stratified_folds(codes, n_splits, np.random.default_rng(seed)))


def test_folds_are_drawn_and_not_dealt_in_order():
    codes = np.zeros(60, dtype=int)
    draws = [stratified_folds(codes, 3, np.random.default_rng(seed)) for seed in range(2)]
    assert not np.array_equal(*draws)
    assert not np.array_equal(draws[0], np.arange(60) % 3)


@either
def test_parts_leave_out_their_fold_and_the_last_leaves_out_nobody(with_all):
    folds = Folds(np.array([0, 2, 1, 0, 2]), 3, with_all)
    assert folds.n_parts == 3 + with_all
    assert [rows.tolist() for rows in folds.outside] == [[0, 3], [2], [1, 4]]
    assert [rows.tolist() for rows in folds.inside] == [rows.tolist() for rows in insides(folds)]
    values = np.arange(10.0).reshape(5, 2)
    assert folds.sums(values) == pytest.approx(np.array([values[rows].sum(axis=0) for rows in insides(folds)]))
    pieces = [values[rows] for rows in ([0, 3], [2], [1, 4])]
    assert np.array_equal(folds.gather(pieces), values)


# --- linear ---------------------------------------------------------------------------------------------------------
def tensors(x: np.ndarray, codes: np.ndarray, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.as_tensor(x, dtype=dtype), torch.as_tensor(codes)


@either
@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_softmax_regression_is_sklearns(penalty, with_all):
    """sklearn minimises C sum(loss) + |W|^2 / 2: our problem at C = 1 / penalty, but for our tiny intercept ridge."""
    x, codes = classes_in_space(300)
    folds = folds_of(codes, with_all=with_all)
    fits = softmax_coefficients(*tensors(x, codes), folds, 3, (0.5, 20.0), max_iter=4000, tol=1e-9)
    assert fits.shape == (3 + with_all, 2, 5, 3)
    for part, rows in enumerate(insides(folds)):
        ours = softmax(linear_scores(torch.as_tensor(x), fits[part, [0.5, 20.0].index(penalty)]).numpy(), axis=1)
        theirs = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-9).fit(x[rows], codes[rows])
        assert np.abs(ours - theirs.predict_proba(x)).max() < 1e-3


def test_softmax_regression_as_the_heads_run_it_is_close():
    """Defaults stop early and run in single precision; a temperature is fitted afterwards."""
    x, codes = classes_in_space(300)
    data, labels = tensors(x, codes, torch.float32)
    folds = folds_of(codes)
    fits = softmax_coefficients(data, labels, folds, 3, (8.0,))
    for part, rows in enumerate(insides(folds)):
        theirs = LogisticRegression(C=1 / 8.0, max_iter=5000, tol=1e-9).fit(x[rows], codes[rows])
        ours = softmax(linear_scores(data, fits[part, 0]).numpy(), axis=1)
        assert np.abs(ours - theirs.predict_proba(x)).max() < 0.02


@either
@pytest.mark.parametrize("shrinkage", [1e-6, 0.3, 1.0])
def test_discriminant_is_sklearns(shrinkage, with_all):
    """Undo two conventions, and coefficients and intercepts agree.

    Our covariance divides by n - C where sklearn's divides by n, and our priors carry half a count more.
    """
    x, codes = classes_in_space(200)
    folds = folds_of(codes, with_all=with_all)
    fits = discriminant_coefficients(*tensors(x, codes), folds, 3, (0.9, shrinkage))
    assert fits.shape == (3 + with_all, 2, 5, 3)
    for part, rows in enumerate(insides(folds)):
        n, ours = len(rows), fits[part, 1].numpy()
        # Its own shrinkage standardises columns first; handed this one it shrinks on the scale of the data, as ours.
        theirs = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Shrunk(shrinkage))
        theirs.fit(x[rows], codes[rows])
        counts = np.bincount(codes[rows]) + 0.5
        assert ours[:-1] * n / (n - 3) == pytest.approx(theirs.coef_.T, rel=1e-6, abs=1e-8)
        quadratic = (ours[-1] - np.log(counts / counts.sum())) * n / (n - 3)
        assert quadratic == pytest.approx(theirs.intercept_ - np.log(theirs.priors_), rel=1e-6)


class _Shrunk:
    """A covariance estimator for sklearn that shrinks towards a sphere, on the scale of the data."""

    def __init__(self, shrinkage: float) -> None:
        self.shrinkage = shrinkage

    def fit(self, x: np.ndarray) -> _Shrunk:
        self.covariance_ = shrunk_covariance(np.cov(x.T, bias=True), self.shrinkage)
        return self


def test_discriminant_survives_a_class_it_never_saw():
    """Every member of the third class lies in the first fold."""
    x, codes = classes_in_space(90)
    of = np.arange(90) % 2 + 1
    of[codes == 2] = 0
    fit = discriminant_coefficients(*tensors(x, codes), Folds(of, 3, False), 3, (0.1,))[0, 0]
    p = softmax(linear_scores(torch.as_tensor(x), fit).numpy(), axis=1)
    assert np.isfinite(p).all()
    assert (p[codes == 0, 0] > p[codes == 0, 1]).mean() > 0.7


def test_linear_scores_row_by_row():
    rng = np.random.default_rng(0)
    x, coefficients = rng.standard_normal((5, 3)), rng.standard_normal((2, 4, 4))
    scores = linear_scores(torch.as_tensor(x), torch.as_tensor(coefficients)).numpy()
    for k in range(2):
        for n in range(5):
            for c in range(4):
                expected = sum(x[n, j] * coefficients[k, j, c] for j in range(3)) + coefficients[k, 3, c]
                assert scores[k, n, c] == pytest.approx(expected)


# --- temperatures and settings --------------------------------------------------------------------------------------
def drawn_scores(stretch: float, n: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two settings, the first worthless, and labels drawn from the second at temperature 1 / stretch."""
    rng = np.random.default_rng(1)
    truth = 1.5 * rng.standard_normal((n, 3))
    codes = np.array([rng.choice(3, p=softmax(row)) for row in truth])
    return np.stack([rng.standard_normal((n, 3)), stretch * truth]), codes


@either
@pytest.mark.parametrize("stretch", [0.25, 1.0, 4.0, 10.0])
def test_temperature_is_the_best_for_all_other_folds(stretch, with_all):
    """Read off a parabola over a coarse grid: within a tenth of the best, which costs less than 1e-3 nats."""
    scores, codes = drawn_scores(stretch)
    folds = folds_of(codes, with_all=with_all)
    found = calibrate(torch.as_tensor(scores), torch.as_tensor(codes), folds)
    assert found.n_parts == 3 + with_all
    assert found.setting.tolist() == [1] * found.n_parts
    for part, rows in enumerate(insides(folds)):

        def loss(log_t: float, rows: np.ndarray = rows) -> float:
            return -log_softmax(scores[1, rows] / np.exp(log_t), axis=1)[np.arange(len(rows)), codes[rows]].mean()

        best = minimize_scalar(loss, bounds=(-3, 4), method="bounded")
        assert found.temperature[part] == pytest.approx(np.exp(best.x), rel=0.1)
        assert loss(np.log(found.temperature[part])) < best.fun + 1e-3
        # Scores drawn at temperature 1 and stretched by k are put right by dividing by k.
        assert found.temperature[part] == pytest.approx(stretch, rel=0.2)


def test_temperatures_keep_within_bounds():
    """Scores that are always right would be sharpened without end, and noise flattened without end."""
    codes = np.arange(90) % 3
    folds = folds_of(codes)
    sure = calibrate(torch.as_tensor(np.eye(3)[codes][None]), torch.as_tensor(codes), folds)
    noise = torch.as_tensor(50 * np.random.default_rng(0).standard_normal((1, 90, 3)))
    lost = calibrate(noise, torch.as_tensor(codes), folds)
    low, high = np.exp(pooling.LOG_TEMPERATURES[[0, -1]])
    assert low <= 1 / 4
    assert high >= 20
    assert sure.temperature == pytest.approx(low, rel=0.5)
    assert sure.temperature.min() >= 0.99 * low
    assert 10 < lost.temperature.min() <= lost.temperature.max() <= 1.01 * high


def test_a_constant_for_every_sample_is_free():
    scores, codes = drawn_scores(1.0, 300)
    folds = folds_of(codes)
    plain = calibrate(torch.as_tensor(scores), torch.as_tensor(codes), folds)
    shifted = scores + 100 * np.random.default_rng(0).standard_normal((300, 1))
    moved = calibrate(torch.as_tensor(shifted), torch.as_tensor(codes), folds)
    assert moved.temperature == pytest.approx(plain.temperature, rel=1e-6)


def test_of_very_many_samples_some_are_enough(monkeypatch):
    scores, codes = drawn_scores(2.0)
    folds = folds_of(codes)
    every = calibrate(torch.as_tensor(scores), torch.as_tensor(codes), folds)
    monkeypatch.setattr(pooling, "ENOUGH", 1500)  # of 4,500 numbers a setting: every third sample
    third = calibrate(torch.as_tensor(scores), torch.as_tensor(codes), folds)
    kept = np.arange(0, 1500, 3)
    monkeypatch.undo()
    alone = calibrate(
        torch.as_tensor(scores[:, kept]), torch.as_tensor(codes[kept]), Folds(folds.of[kept], 3, True)
    )  # fmt: skip
    assert third.temperature == pytest.approx(alone.temperature, rel=1e-9)
    assert third.temperature == pytest.approx(every.temperature, rel=0.2)


def test_a_part_applies_its_own_setting_and_temperature():
    found = pooling.Calibration(np.array([1, 0]), np.array([2.0, 0.5]))
    scores = torch.as_tensor(np.random.default_rng(0).standard_normal((2, 4, 3)))
    assert found.apply(0, scores) == pytest.approx(log_softmax(scores[1].numpy() / 2, axis=1))
    assert found.apply(1, scores) == pytest.approx(log_softmax(scores[0].numpy() * 2, axis=1))


# --- pools ----------------------------------------------------------------------------------------------------------
def predictors(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The prior, a good predictor, another that is right elsewhere, and one that misleads."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(3, size=n)
    good = 3.0 * np.eye(3)[codes] + rng.standard_normal((n, 3))
    first, second = good.copy(), good.copy()
    half = rng.random(n) < 0.5
    first[half] = rng.standard_normal((half.sum(), 3))
    second[~half] = rng.standard_normal((n - half.sum(), 3))
    wrong = 2.0 * np.eye(3)[(codes + 1) % 3]
    return log_softmax(np.stack([np.zeros((n, 3)), first, second, wrong]), axis=2), codes


@either
def test_pool_weights_are_the_best_on_the_simplex(with_all):
    log_p, codes = predictors()
    folds = folds_of(codes, with_all=with_all)
    own = log_p[:, np.arange(600), codes]
    found = pool_weights(own, folds, n_iter=20_000)
    assert found.shape == (3 + with_all, 4)
    for weights, as_run, rows in zip(found, pool_weights(own, folds), insides(folds), strict=True):
        mine = np.exp(own[:, rows])
        best = minimize(
            lambda w, mine=mine: -np.log(w @ mine).mean(), np.full(4, 0.25), method="SLSQP", bounds=[(1e-9, 1)] * 4,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-12, "maxiter": 500},
        )  # fmt: skip
        # The prior keeps one sample in n on top of what it earned.
        floored = (best.x + [1 / len(rows), 0, 0, 0]) / (1 + 1 / len(rows))
        assert weights == pytest.approx(floored, abs=5e-3)
        assert -np.log(weights @ mine).mean() < best.fun + 2 / len(rows)
        assert -np.log(as_run @ mine).mean() < best.fun + 5e-3
        assert as_run.sum() == pytest.approx(1)
        assert as_run[3] < 0.02


def test_the_best_predictor_stands_alone_where_the_pool_is_not_clearly_better():
    """Two predictors of which one is the other with noise: a mixture gains less than its standard error."""
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=300)
    good = 3.0 * np.eye(3)[codes] + rng.standard_normal((300, 3))
    log_p = log_softmax(np.stack([np.zeros((300, 3)), good + rng.standard_normal((300, 3)), good]), axis=2)
    weights = pool_weights(log_p[:, np.arange(300), codes], folds_of(codes))
    assert np.array_equal(weights[:, 1], np.zeros(4))
    assert np.all(weights[:, 2] > 0.99)


def test_the_prior_is_never_pooled_away():
    """Otherwise one sample that a confident family gets wrong would carry an unbounded penalty."""
    codes = np.arange(100) % 2
    certain = np.where(np.arange(2) == codes[:, None], 0.0, -60.0)
    log_p = np.stack([np.full((100, 2), np.log(0.5)), certain])
    for weights in pool_weights(log_p[:, np.arange(100), codes], folds_of(codes, 5)):
        assert 0.5 / 100 < weights[0] < 2 / 80
        fooled = pool([np.full((1, 2), np.log(0.5)), np.array([[-60.0, 0.0]])], weights)
        assert fooled[0, 0] > np.log(0.5 * 0.005)


def test_a_predictor_that_is_certainly_wrong_somewhere_does_no_harm():
    """Log-probabilities far below what exp can hold, for every predictor but the prior."""
    codes = np.arange(60) % 2
    own = np.stack([np.full(60, np.log(0.5)), np.where(np.arange(60) == 7, -1e5, -0.01), np.full(60, -1e5)])
    weights = pool_weights(own, folds_of(codes))
    assert np.isfinite(weights).all()
    assert weights.sum(axis=1) == pytest.approx(np.ones(4))
    assert np.all(weights[:, 2] < 1e-6)


def test_pool_is_a_mixture():
    log_p, _ = predictors(20)
    weights = np.array([0.1, 0.6, 0.3, 0.0])
    pooled = pool(list(log_p), weights)
    for n in range(20):
        for c in range(3):
            assert np.exp(pooled[n, c]) == pytest.approx(sum(weights[k] * np.exp(log_p[k, n, c]) for k in range(4)))
    assert np.exp(pooled).sum(axis=1) == pytest.approx(np.ones(20))
