"""Tier 3, slow obvious twins of mixture, label statistic and landmarks; tier 1, what a density must satisfy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.special import log_softmax, logsumexp
from scipy.stats import multivariate_normal
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from lsmi_core import InvalidInputError, density
from lsmi_core.density import TiedMixture, label_statistic
from lsmi_core.kernel import Landmarks

pytestmark = pytest.mark.usefixtures("one_core")


def clusters(
    n: int, n_groups: int = 3, n_features: int = 2, apart: float = 8.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Groups with one shared, slanted covariance, their centres no nearer than ``apart`` standard deviations or so."""
    rng = np.random.default_rng(seed)
    root = np.eye(n_features) + 0.4 * np.tril(rng.standard_normal((n_features, n_features)), -1)
    while True:
        centres = apart * n_groups ** (1 / n_features) * rng.standard_normal((n_groups, n_features))
        gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2) + 1e9 * np.eye(n_groups)
        if gaps.min() > apart:
            break
    codes = rng.integers(n_groups, size=n)
    return (centres[codes] + rng.standard_normal((n, n_features))) @ root.T, codes


def log_densities(model: TiedMixture, x: np.ndarray) -> np.ndarray:
    """Return log w_k N(x; mu_k, (root root')^-1) from the public attributes, one component at a time."""
    covariance = np.linalg.inv(model.root_ @ model.root_.T)
    return np.stack(
        [
            np.log(w) + multivariate_normal.logpdf(x, mean, covariance)
            for w, mean in zip(model.weights_, model.means_, strict=True)
        ],
        axis=1,
    )


# --- the mixture: twins ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_components", ["auto", 1, 3])
def test_log_density_and_posteriors_are_those_of_its_attributes(n_components):
    x, _ = clusters(400, n_features=3)
    model = TiedMixture(n_components).fit(x)
    new = clusters(50, n_features=3, seed=1)[0]
    for rows in (x, new):
        parts = log_densities(model, rows)
        assert model.score_samples(rows) == pytest.approx(logsumexp(parts, axis=1), abs=1e-8, rel=1e-9)
        # Less than e^-80 of the largest counts as that.
        assert model.responsibilities(rows) == pytest.approx(np.exp(log_softmax(parts, axis=1)), abs=1e-8)
    assert model.score(x) == pytest.approx(model.score_samples(x).mean())
    assert model.weights_.sum() == pytest.approx(1)
    n, d = x.shape
    penalty = 0.5 * len(model.weights_) * (d + 1) * np.log(n)
    assert model.criterion_ == pytest.approx(model.score_samples(x).sum() - penalty)


def test_one_component_is_the_normal_law_of_the_samples():
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((3, 3)) * [1, 10, 100]
    train, new = rng.standard_normal((500, 3)) @ mix + 7, rng.standard_normal((50, 3)) @ mix + 7
    model = TiedMixture(1, resolution=0.5).fit(train)
    covariance = np.cov(train.T, bias=True) + 0.25 * np.eye(3)
    theirs = multivariate_normal.logpdf(new, train.mean(axis=0), covariance)
    assert model.score_samples(new) == pytest.approx(theirs, abs=0.02)  # but for a ridge of 1e-6 of the mean variance


def em_step(x: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and the shared covariance that suit the shares, sample by sample."""
    n, n_components = shares.shape
    weights = shares.sum(axis=0) / n
    means = np.stack([(shares[:, k, None] * x).sum(axis=0) / shares[:, k].sum() for k in range(n_components)])
    covariance = np.zeros((x.shape[1],) * 2)
    for row, share in zip(x, shares, strict=True):
        for k in range(n_components):
            covariance += share[k] * np.outer(row - means[k], row - means[k]) / n
    return weights, means, covariance


def test_one_step_by_plain_loops():
    x, codes = clusters(60)
    guess = 0.8 * np.eye(3)[codes] + 0.2 / 3
    model = TiedMixture(max_iter=1).fit_from(x, guess)
    weights, means, covariance = em_step(x, guess)
    assert model.weights_ == pytest.approx(weights, abs=1e-6)
    assert model.means_ == pytest.approx(means, abs=1e-5)
    assert np.linalg.inv(model.root_ @ model.root_.T) == pytest.approx(covariance, rel=1e-4, abs=1e-4)


# --- the mixture: what must hold ------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("apart", [1.0, 3.0])
def test_no_iteration_lowers_the_likelihood(seed, apart):
    x, _ = clusters(200, apart=apart, seed=seed)
    guess = np.random.default_rng(seed).dirichlet(np.ones(4), size=200)
    climbed = [TiedMixture(max_iter=k).fit_from(x, guess).score(x) for k in range(1, 30)]
    assert np.all(np.diff(climbed) >= -1e-9)
    assert climbed[-1] > climbed[0]


@pytest.mark.parametrize("n_components", [1, 3, "auto"])
@pytest.mark.parametrize("resolution", [0.0, 0.7])
def test_density_integrates_to_one(n_components, resolution):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-40, 2, 300), rng.normal(0, 2, 200), rng.normal(30, 2, 300)])[:, None]
    model = TiedMixture(n_components, resolution=resolution).fit(x)
    grid = np.linspace(-300, 300, 60_001)[:, None]
    assert trapezoid(np.exp(model.score_samples(grid)), grid[:, 0]) == pytest.approx(1, abs=1e-4)
    if n_components != 1:  # in the gap between the last two humps a sample is far more surprising
        gap, hump = model.score_samples(np.array([[16.0], [30.0]]))
        assert gap < hump - 10


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_groups, n_features, n", [(1, 2, 300), (2, 1, 200), (3, 2, 300), (5, 3, 500), (12, 6, 1500)])
def test_separated_groups_are_counted_and_told_apart(seed, n_groups, n_features, n):
    x, codes = clusters(n, n_groups, n_features, apart=9.0, seed=seed)
    model = TiedMixture(random_state=seed).fit(x)
    assert len(model.weights_) == n_groups
    found = model.responsibilities(x).argmax(axis=1)
    table = np.zeros((n_groups, n_groups), dtype=int)
    np.add.at(table, (codes, found), 1)
    assert np.all((table > 0).sum(axis=0) == 1)
    assert np.all((table > 0).sum(axis=1) == 1)


def test_resolution_is_the_least_spread():
    x = np.repeat([[0.0, 0.0], [5.0, 1.0]], 50, axis=0)
    model = TiedMixture(2, resolution=0.5).fit(x)
    covariance = np.linalg.inv(model.root_ @ model.root_.T)
    assert covariance == pytest.approx(0.25 * np.eye(2), rel=1e-3, abs=1e-6)
    # A sample half a unit off is one deviation off: exp(-1/2) as dense.
    at, off = model.score_samples(np.array([[0.0, 0.0], [0.0, 0.5]]))
    assert at - off == pytest.approx(0.5, abs=1e-3)


def test_units_move_the_log_density_by_their_logarithm():
    x, _ = clusters(300)
    plain = TiedMixture().fit(x)
    for unit in (1e-3, 1e4):
        other = TiedMixture().fit(unit * x + 5)
        assert len(other.weights_) == len(plain.weights_)
        assert other.responsibilities(unit * x + 5) == pytest.approx(plain.responsibilities(x), abs=1e-4)
        moved = other.score_samples(unit * x + 5) + 2 * np.log(unit)
        assert moved == pytest.approx(plain.score_samples(x), abs=1e-2)


def test_far_from_the_origin():
    x, _ = clusters(300)
    plain, far = TiedMixture().fit(x), TiedMixture().fit(x + 1e8)
    assert far.score_samples(x + 1e8) == pytest.approx(plain.score_samples(x), abs=1e-3)


def test_single_precision_is_close_to_double():
    x, _ = clusters(300)
    plain, single = TiedMixture().fit(x), TiedMixture().fit(x.astype(np.float32))
    assert single.score_samples(x.astype(np.float32)) == pytest.approx(plain.score_samples(x), abs=1e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [60, 200, 1000, 5000])
@pytest.mark.parametrize("kind", ["coin", "two coins", "one of three", "one of ten", "five rows over and over"])
def test_samples_that_repeat_a_few_values(kind, n, dtype):
    """Categories and duplicates: nothing varies within a group, and rounding must not make it vary less than that."""
    rng = np.random.default_rng(n)
    x = {
        "coin": rng.integers(2, size=(n, 1)),
        "two coins": rng.integers(2, size=(n, 2)),
        "one of three": np.eye(3)[rng.integers(3, size=n)],
        "one of ten": np.eye(10)[rng.integers(10, size=n)],
        "five rows over and over": np.repeat(rng.standard_normal((5, 4)), n // 5, axis=0),
    }[kind].astype(dtype)
    model = TiedMixture().fit(x)
    assert np.isfinite(model.score_samples(x)).all()
    found = model.responsibilities(x).argmax(axis=1)
    values = np.unique(x, axis=0, return_inverse=True)[1]
    assert len(set(zip(values.tolist(), found.tolist(), strict=True))) == len(set(values.tolist()))


def test_few_samples_and_flat_columns():
    x = np.column_stack([np.arange(6.0), np.ones(6)])
    model = TiedMixture(10, resolution=0.03).fit(x)
    assert len(model.weights_) == 1  # a group takes twelve samples
    assert np.isfinite(model.score_samples(x)).all()
    constant = TiedMixture(resolution=0.5).fit(np.ones((40, 3)))
    expected = multivariate_normal.logpdf(np.ones(3), np.ones(3), 0.25 * np.eye(3))
    assert constant.score_samples(np.ones((1, 3))) == pytest.approx([expected], abs=1e-3)


def test_pieces_make_the_whole(monkeypatch):
    x, _ = clusters(100)
    model = TiedMixture().fit(x)
    whole = model.score_samples(x), model.responsibilities(x)
    monkeypatch.setattr(density, "CHUNK", 7)
    assert model.score_samples(x) == pytest.approx(whole[0], abs=1e-9)
    assert model.responsibilities(x) == pytest.approx(whole[1], abs=1e-9)


def test_one_seed_repeats_a_mixture():
    x, _ = clusters(300, apart=2.0)
    first, again = (TiedMixture(random_state=3).fit(x) for _ in range(2))
    assert np.array_equal(first.score_samples(x), again.score_samples(x))
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    TiedMixture().fit(x)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.fixture
def every_warning() -> Iterator[None]:
    """Torch warns every time, not once a session."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("every_warning")
def test_inputs_stay_as_they_are():
    """Arrays that may not be written to, memory-mapped ones for instance, are read without a warning."""
    x, _ = clusters(100)
    before = x.copy()
    x.flags.writeable = False
    model = TiedMixture().fit(x)
    model.score_samples(x)
    model.responsibilities(x)
    assert np.array_equal(x, before)


def test_scikit_learn_accepts_the_mixture():
    check_estimator(TiedMixture(), on_skip=None)
    check_estimator(TiedMixture(2), on_skip=None)


@pytest.mark.parametrize("value", [0, -3, "many"])
def test_a_number_of_components_that_makes_no_sense(value):
    with pytest.raises(InvalidInputError, match="The 'n_components' parameter of TiedMixture must be 'auto' or an int"):
        TiedMixture(value).fit(np.zeros((5, 2)))


def test_scoring_needs_a_fit():
    for method in ("score_samples", "responsibilities"):
        with pytest.raises(NotFittedError):
            getattr(TiedMixture(), method)(np.zeros((5, 2)))


# --- the label statistic --------------------------------------------------------------------------------------------
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


# --- landmarks ------------------------------------------------------------------------------------------------------
def gaussian_kernel(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    return np.array([[np.exp(-sum((p - q) ** 2) / width) for q in b] for p in a])


def test_with_every_sample_a_landmark_inner_products_are_the_kernel():
    """Before centring and scaling. Directions of less than 1e-5 of the largest eigenvalue, here 20, are left out."""
    x = np.random.default_rng(0).standard_normal((60, 3))
    fitted = Landmarks(n_landmarks=100).fit(torch.as_tensor(x))
    squared = sorted(sum((x[i] - x[j]) ** 2) for i in range(60) for j in range(i))
    assert fitted.width_ == pytest.approx(np.median(squared), rel=0.01)
    plain = (fitted.transform(torch.as_tensor(x)) * fitted.size_ + fitted.centre_).numpy()
    assert plain @ plain.T == pytest.approx(gaussian_kernel(x, x, fitted.width_), abs=1e-3)


def test_new_samples_are_as_similar_to_landmarks_as_the_kernel_says():
    rng = np.random.default_rng(0)
    x, new = rng.standard_normal((200, 2)), rng.standard_normal((30, 2))
    fitted = Landmarks(n_landmarks=50).fit(torch.as_tensor(x))
    assert len(fitted.landmarks_) == 50
    plain = [(fitted.transform(torch.as_tensor(v)) * fitted.size_ + fitted.centre_).numpy() for v in (new, x)]
    chosen = fitted.landmarks_.numpy()
    rows = [int(np.flatnonzero((x == c).all(axis=1))[0]) for c in chosen]
    assert plain[0] @ plain[1][rows].T == pytest.approx(gaussian_kernel(new, chosen, fitted.width_), abs=1e-2)


def test_features_are_centred_and_of_norm_one_on_average():
    x = torch.as_tensor(np.random.default_rng(0).standard_normal((300, 4)))
    z = Landmarks(n_landmarks=40).fit(x).transform(x).numpy()
    assert z.mean(axis=0) == pytest.approx(np.zeros(z.shape[1]), abs=1e-9)
    assert (z**2).sum(axis=1).mean() == pytest.approx(1)


def test_units_and_origin_do_not_move_the_features():
    x = np.random.default_rng(0).standard_normal((150, 4))
    plain, other = (Landmarks(50).fit(torch.as_tensor(v)).transform(torch.as_tensor(v)) for v in (x, 1e3 * x + 500))
    assert (plain @ plain.T).numpy() == pytest.approx((other @ other.T).numpy(), abs=1e-6)


def test_constant_and_far_samples_have_finite_features():
    same = torch.ones(40, 3, dtype=torch.float32)
    fitted = Landmarks(10).fit(same)
    assert torch.isfinite(fitted.transform(same)).all()
    assert torch.isfinite(Landmarks(10).fit(torch.randn(40, 3)).transform(same * 1e15)).all()


def test_landmarks_are_drawn_by_the_seed_and_leave_samples_as_they_are():
    x = torch.as_tensor(np.random.default_rng(0).standard_normal((100, 3)))
    before = x.clone()
    one, again, other = (Landmarks(10, random_state=seed).fit(x) for seed in (0, 0, 1))
    one.transform(x)
    assert torch.equal(x, before)
    assert torch.equal(one.landmarks_, again.landmarks_)
    assert not torch.equal(one.landmarks_, other.landmarks_)
