"""Tier 3, slow obvious twins: each part of the estimator against a plain way to compute the same thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import multivariate_normal
from sklearn.covariance import shrunk_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from toy_data import classes_in_space, two_subsets

from lsmi_core.density import MixtureSurprisal, label_statistic
from lsmi_core.linear import discriminant_coefficients, linear_scores, softmax_coefficients
from lsmi_core.pooling import fit_temperature, mean_log_likelihood, pool, pool_weights

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_core")


# --- linear ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("penalty", [0.5, 20.0])
@pytest.mark.parametrize("subset", [0, 1])
def test_softmax_regression_is_sklearns(penalty, subset):
    """sklearn minimises C sum(loss) + |W|^2 / 2: our problem at C = 1 / penalty, but for our tiny intercept ridge."""
    x, codes = classes_in_space(300)
    members = two_subsets(300)
    fits = softmax_coefficients(
        torch.as_tensor(x), torch.as_tensor(codes), members, 3, (0.5, 20.0), max_iter=4000, tol=1e-9
    )
    assert fits.shape == (2, 2, 5, 3)
    ours = softmax(linear_scores(torch.as_tensor(x), fits[subset, [0.5, 20.0].index(penalty)]).numpy(), axis=1)
    inside = members[subset].numpy()
    twin = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-9).fit(x[inside], codes[inside])
    assert np.abs(ours - twin.predict_proba(x)).max() < 1e-3


def test_softmax_regression_as_the_heads_run_it_is_close():
    """Defaults stop early and run in single precision; a temperature is fitted afterwards."""
    x, codes = classes_in_space(300)
    fits = softmax_coefficients(
        torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(codes), two_subsets(300), 3, (8.0,)
    )
    twin = LogisticRegression(C=1 / 8.0, max_iter=5000, tol=1e-9).fit(x, codes)
    scores = linear_scores(torch.as_tensor(x, dtype=torch.float32), fits[1, 0]).numpy()
    assert np.abs(softmax(scores, axis=1) - twin.predict_proba(x)).max() < 0.02


@pytest.mark.parametrize("shrinkage", [1e-6, 0.3])
def test_discriminant_is_sklearns(shrinkage):
    """Undo two conventions, and coefficients and intercepts agree.

    Our covariance divides by n - C where sklearn's divides by n, and our priors carry half a count more.
    """
    x, codes = classes_in_space(200)
    members = two_subsets(200)
    fits = discriminant_coefficients(torch.as_tensor(x), torch.as_tensor(codes), members, 3, (0.9, shrinkage))
    assert fits.shape == (2, 2, 5, 3)
    for subset in range(2):
        inside = members[subset].numpy()
        n, ours = inside.sum(), fits[subset, 1].numpy()
        # Its own shrinkage standardises columns first; handed this one it shrinks on the scale of the data, as ours.
        twin = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Shrunk(shrinkage))
        twin.fit(x[inside], codes[inside])
        counts = np.bincount(codes[inside]) + 0.5
        assert ours[:-1] * n / (n - 3) == pytest.approx(twin.coef_.T, rel=1e-6, abs=1e-8)
        quadratic = (ours[-1] - np.log(counts / counts.sum())) * n / (n - 3)
        assert quadratic == pytest.approx(twin.intercept_ - np.log(twin.priors_), rel=1e-6)


class _Shrunk:
    """A covariance estimator for sklearn that shrinks towards a sphere, on the scale of the data."""

    def __init__(self, shrinkage: float) -> None:
        self.shrinkage = shrinkage

    def fit(self, x: np.ndarray) -> _Shrunk:
        self.covariance_ = shrunk_covariance(np.cov(x.T, bias=True), self.shrinkage)
        return self


def test_discriminant_survives_a_class_it_never_saw():
    x, codes = classes_in_space(90)
    members = torch.as_tensor(codes != 2)[None]
    fit = discriminant_coefficients(torch.as_tensor(x), torch.as_tensor(codes), members, 3, (0.1,))[0, 0]
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


# --- pooling --------------------------------------------------------------------------------------------------------
def predictors(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The prior, a good predictor, another that is right elsewhere, and one that misleads."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(3, size=n)
    good = 3.0 * np.eye(3)[codes] + rng.standard_normal((n, 3))
    first, second = good.copy(), good.copy()
    first[: n // 2] = rng.standard_normal((n // 2, 3))
    second[n // 3 :] = rng.standard_normal((n - n // 3, 3))
    wrong = 2.0 * np.eye(3)[(codes + 1) % 3]
    return log_softmax(np.stack([np.zeros((n, 3)), first, second, wrong]), axis=2), codes


def test_pool_weights_are_the_best_on_the_simplex():
    log_p, codes = predictors()
    own = np.exp(log_p[:, np.arange(400), codes])
    found = minimize(
        lambda w: -np.log(w @ own).mean(), np.full(4, 0.25), method="SLSQP", bounds=[(1e-9, 1)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    # The prior keeps one sample in n on top of what it earned.
    best = (found.x + [1 / 400, 0, 0, 0]) / (1 + 1 / 400)
    assert pool_weights(log_p, codes, n_iter=5000) == pytest.approx(best, abs=2e-3)
    as_run = pool_weights(log_p, codes)
    assert mean_log_likelihood(pool(log_p, as_run), codes) == pytest.approx(np.log(best @ own).mean(), abs=2e-3)
    assert as_run.sum() == pytest.approx(1)
    assert as_run[3] < 0.02


def test_the_prior_is_never_pooled_away():
    """Otherwise one sample that a confident family gets wrong would carry an unbounded penalty."""
    codes = np.arange(100) % 2
    certain = np.where(np.arange(2) == codes[:, None], 0.0, -60.0)
    log_p = np.stack([np.full((100, 2), np.log(0.5)), certain])
    weights = pool_weights(log_p, codes)
    assert 0.5 / 100 < weights[0] < 2 / 100
    fooled = pool(np.stack([np.full((1, 2), np.log(0.5)), [[-60.0, 0.0]]]), weights)
    assert fooled[0, 0] > np.log(0.5 * 0.005)


def test_pool_is_a_mixture():
    log_p, _ = predictors(20)
    weights = np.array([0.1, 0.6, 0.3, 0.0])
    pooled = pool(log_p, weights)
    for n in range(20):
        for c in range(3):
            assert np.exp(pooled[n, c]) == pytest.approx(sum(weights[k] * np.exp(log_p[k, n, c]) for k in range(4)))
    assert np.exp(pooled).sum(axis=1) == pytest.approx(np.ones(20))


@pytest.mark.parametrize("stretch", [0.25, 1.0, 4.0])
def test_temperature_is_the_best_of_a_grid(stretch):
    rng = np.random.default_rng(1)
    truth = 1.5 * rng.standard_normal((3000, 3))
    codes = np.array([rng.choice(3, p=softmax(row)) for row in truth])
    scores = stretch * truth
    grid = np.exp(np.linspace(-3, 3, 1201))
    losses = [-mean_log_likelihood(log_softmax(scores / t, axis=1), codes) for t in grid]
    assert fit_temperature(scores, codes) == pytest.approx(grid[int(np.argmin(losses))], rel=0.006)
    # Scores drawn at temperature 1 and stretched by k are put right by dividing by k.
    assert fit_temperature(scores, codes) == pytest.approx(stretch, rel=0.1)
    assert fit_temperature(scores + rng.standard_normal((3000, 1)), codes) == pytest.approx(
        fit_temperature(scores, codes), rel=1e-3
    )


def test_mean_log_likelihood_by_hand():
    log_p = np.log([[0.5, 0.5], [0.2, 0.8]])
    assert mean_log_likelihood(log_p, np.array([0, 1])) == pytest.approx((np.log(0.5) + np.log(0.8)) / 2)


# --- density --------------------------------------------------------------------------------------------------------
def test_one_component_is_a_normal_density_of_whitened_data():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((3, 3)) * [1, 10, 100]
    train, new = rng.standard_normal((500, 3)) @ mix + 7, rng.standard_normal((50, 3)) @ mix + 7
    root = np.linalg.cholesky(np.linalg.inv(np.cov(train.T, bias=True)))
    white = (new - train.mean(axis=0)) @ root  # unit covariance, whatever the rotation
    twin = -multivariate_normal.logpdf(white, np.zeros(3), 1.001 * np.eye(3))  # the mixture's ridge is 1e-3
    assert MixtureSurprisal(1, resolution=1e-3**0.5, whiten=True).fit(train).surprisal(new) == pytest.approx(
        twin, abs=1e-6
    )


def test_surprisal_does_not_depend_on_units():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-3, 1, (150, 2)), rng.normal(3, 1, (150, 2))])
    plain = MixtureSurprisal(2, resolution=0.03, whiten=True).fit(x).surprisal(x)
    assert np.ptp(plain) > 3
    for units in (1e-6, 1e6, [2.0**4, 2.0**-3]):
        assert MixtureSurprisal(2, resolution=0.03, whiten=True).fit(x * units + 5).surprisal(
            x * units + 5
        ) == pytest.approx(plain, abs=1e-2)


@pytest.mark.parametrize("n_components", [1, 3])
def test_density_integrates_to_one(n_components):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-40, 2, 300), rng.normal(0, 5, 200), rng.normal(30, 1, 300)])[:, None]
    model = MixtureSurprisal(n_components, resolution=0.03, whiten=True).fit(x)
    grid = np.linspace(-200, 200, 40_001)[:, None]
    density = np.exp(-model.surprisal(grid))
    # The density is per unit of the whitened axis, whose unit is one standard deviation of x.
    assert trapezoid(density, grid[:, 0] / x.std()) == pytest.approx(1, abs=1e-4)
    # Three components see three humps: in the gap between the last two a sample is far more surprising.
    gap, hump = model.surprisal(np.array([[18.0], [30.0]]))
    assert (gap > hump + 3) == (n_components == 3)


def test_density_takes_few_samples_and_flat_columns():
    x = np.column_stack([np.arange(6.0), np.ones(6)])
    model = MixtureSurprisal(10, resolution=0.03, whiten=True).fit(x)
    assert model.mixture_.n_components == 1
    assert np.isfinite(model.surprisal(x)).all()


def test_label_statistic_keeps_all_and_only_what_is_said_about_the_label():
    rng = np.random.default_rng(0)
    log_p, log_prior = log_softmax(rng.standard_normal((30, 4)), axis=1), np.log([0.1, 0.2, 0.3, 0.4])
    t = label_statistic(log_p, log_prior)
    assert t.shape == (30, 3)
    # Nothing per sample, and no shift of all classes, matters.
    assert label_statistic(log_p + rng.standard_normal((30, 1)), log_prior) == pytest.approx(t)
    # Another prior, updated by the same evidence, gives the same statistic.
    other = np.log([0.4, 0.1, 0.1, 0.4])
    assert label_statistic(log_softmax(log_p - log_prior + other, axis=1), other) == pytest.approx(t)
    # Evidence-free samples sit at the origin.
    assert label_statistic(log_prior[None], log_prior) == pytest.approx(np.zeros((1, 3)))
    # Orthonormal coordinates: distances are those of the centred log-ratios, so nothing is lost.
    ratios = log_p - log_prior
    centred = ratios - ratios.mean(axis=1, keepdims=True)
    for a in range(5):
        for b in range(a):
            assert np.linalg.norm(t[a] - t[b]) == pytest.approx(np.linalg.norm(centred[a] - centred[b]))


def test_label_statistic_of_two_classes_is_the_log_odds():
    log_p = np.log([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    t = label_statistic(log_p, np.log([0.5, 0.5]))
    assert np.abs(t[:, 0]) == pytest.approx(np.abs(log_p[:, 0] - log_p[:, 1]) / np.sqrt(2))
