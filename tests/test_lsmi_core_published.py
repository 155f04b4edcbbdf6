"""The KNIFE density and the estimator as published: exact facts, slow twins, known truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from benchmarks.published import published_fit_score
from lsmi_core import InvalidInputError
from lsmi_core.knife import KNIFE
from lsmi_core.published import PublishedModel
from lsmi_core.redundancy import adjust_means, decompose
from lsmi_core.synthetic import gaussian_classes

INFORMATION = ("i1", "i2", "i12", "h1", "h2")
N_TRAINED = 1600


def correlated(n_samples: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian samples in unlike units, and the root A of their covariance A A'."""
    rng = np.random.default_rng(seed)
    root = np.tril(rng.standard_normal((n_features, n_features))) + 2 * np.diag(np.geomspace(0.1, 10, n_features))
    return rng.standard_normal((n_samples, n_features)) @ root.T, root


@pytest.fixture(scope="module")
def demo():
    drawn = gaussian_classes(2000, n_classes=10, rho=0.5)
    model = PublishedModel(10).fit(drawn.x1[:N_TRAINED], drawn.x2[:N_TRAINED], drawn.y[:N_TRAINED])
    held_out = {key: getattr(drawn, key)[N_TRAINED:] for key in ("x1", "x2", "y", *INFORMATION)}
    return model, held_out, model.score(held_out["x1"], held_out["x2"], held_out["y"])


# Exact facts


@pytest.mark.parametrize("standardise", [True, False])
def test_the_density_integrates_to_one(standardise):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-1, 0.5, 200), rng.normal(4, 2, 200)])[:, None]
    knife = KNIFE(initial_scale=1.0, epochs=5, standardise=standardise).fit(x)
    grid = np.linspace(-100, 100, 40_001)  # the widest kernel has deviation e times that of x, about 8
    assert np.trapezoid(np.exp(knife.score_samples(grid[:, None])), grid) == pytest.approx(1, abs=1e-5)


def test_a_change_of_units_shifts_the_log_density_by_its_log_determinant():
    x, _ = correlated(400, 3, 0)
    units, offset = np.array([1000.0, 0.003, 7.0]), np.array([5e4, 0.0, -3.0])
    before = KNIFE(epochs=10).fit(x).score_samples(x)
    after = KNIFE(epochs=10).fit(x * units + offset).score_samples(x * units + offset)
    assert after == pytest.approx(before - np.log(units).sum(), abs=1e-3)


def test_constant_columns_give_no_nan():
    x, _ = correlated(200, 2, 1)
    x = np.hstack([x, np.full((200, 1), 4.2)])
    log_p = KNIFE(epochs=3).fit(x).score_samples(x)
    assert np.isfinite(log_p).all()
    assert np.isfinite(KNIFE(epochs=3).fit(np.zeros((5, 2))).score_samples(np.zeros((5, 2)))).all()


def test_far_samples_keep_a_finite_log_density():
    x, _ = correlated(200, 2, 1)
    log_p = KNIFE(epochs=1).fit(x).score_samples(x + 1e6)
    assert np.isfinite(log_p).all()
    assert (log_p < -1e6).all()


def test_one_seed_repeats_a_density_and_leaves_the_shared_generator_alone():
    x, _ = correlated(200, 2, 2)
    state = torch.get_rng_state()
    first, again, other = (KNIFE(epochs=3, random_state=s).fit(x).score_samples(x) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_the_learning_rate_falls_to_a_tenth_after_20_epochs():
    x, _ = correlated(640, 3, 4)
    # The same seed walks the same way, so one epoch more shows how far that epoch moved.
    means = [KNIFE(epochs=epochs).fit(x).kernels_.means.detach() for epochs in (19, 20, 21)]
    before, after = (float((b - a).abs().max()) for a, b in zip(means[:-1], means[1:], strict=True))
    assert 0 < after < before / 3


def test_scikit_learn_accepts_the_density():
    check_estimator(KNIFE(epochs=2), on_skip=None)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("n_components", 0), ("epochs", 1.5), ("batch_size", -1), ("initial_scale", 0.0), ("learning_rate", np.nan)],
)
def test_parameters_out_of_range_are_refused_at_fit(parameter, value):
    with pytest.raises(InvalidInputError, match=f"'{parameter}' parameter of KNIFE"):
        KNIFE(**{parameter: value}).fit(np.zeros((5, 2)))


def test_scoring_needs_a_fit():
    with pytest.raises(NotFittedError):
        KNIFE().score_samples(np.zeros((5, 2)))


# A slow obvious twin


def twin_log_density(knife: KNIFE, x: np.ndarray) -> np.ndarray:
    """Sum weighted normal densities, one sample and one kernel at a time, precision written out."""
    p = {name: value.detach().numpy().astype(float) for name, value in knife.kernels_.named_parameters()}
    weights = np.exp(p["log_weights"]) / np.exp(p["log_weights"]).sum()
    log_density = []
    for row in x:
        z, density = (row - knife.mean_) / knife.scale_, 0.0
        for k, weight in enumerate(weights):
            root = np.tril(p["off_diagonal"][k], -1) + np.diag(np.exp(np.tanh(p["log_scales"][k])))
            precision = root.T @ root
            apart = z - p["means"][k]
            height = np.sqrt(np.linalg.det(precision / (2 * np.pi)))
            density += weight * height * np.exp(-0.5 * apart @ precision @ apart)
        log_density.append(np.log(density) - np.log(knife.scale_).sum())
    return np.array(log_density)


def test_the_log_density_agrees_with_its_twin():
    x, _ = correlated(150, 4, 3)
    knife = KNIFE(initial_scale=1.0, epochs=5).fit(x)
    assert len(np.unique(knife.kernels_.log_weights.detach().numpy())) == 5, "weights must have moved to be tested"
    assert knife.score_samples(x) == pytest.approx(twin_log_density(knife, x), abs=1e-5)


def test_information_agrees_with_its_twin(demo):
    model, held_out, scored = demo
    joint = np.hstack([held_out["x1"], held_out["x2"]])
    for view, network, x in zip(
        ("1", "2", "12"), model.networks_, (held_out["x1"], held_out["x2"], joint), strict=True
    ):
        w1, b1, w2, b2, w3, b3 = (p.detach().numpy().astype(float) for p in network.parameters())
        assert w1.shape == (64, x.shape[1]) and w2.shape == (64, 64) and w3.shape == (10, 64)
        for n in range(20):
            hidden = np.maximum(w2 @ np.maximum(w1 @ x[n] + b1, 0) + b2, 0)
            p = np.exp(w3 @ hidden + b3)
            p /= p.sum()
            assert scored[f"i{view}"][n] == pytest.approx(np.log(p[held_out["y"][n]] / 0.1), abs=1e-4)
            assert scored[f"top{view}"][n] == p.argmax()
            assert scored[f"p{view}"][n] == pytest.approx(p.max(), abs=1e-5)


# Known truth


@pytest.mark.parametrize("seed", [0, 1])
def test_the_density_recovers_the_entropy_of_a_gaussian(seed):
    x, root = correlated(4000, 3, seed)
    trained, fresh = x[:2000], x[2000:]
    h = -KNIFE(random_state=seed).fit(trained).score_samples(fresh)
    log_det = np.linalg.slogdet(root)[1]
    exact = 0.5 * 3 * np.log(2 * np.pi) + log_det + 0.5 * (np.linalg.solve(root, fresh.T) ** 2).sum(axis=0)
    assert h.mean() == pytest.approx(0.5 * 3 * np.log(2 * np.pi * np.e) + log_det, abs=0.1)  # sampling alone: .03
    assert h.mean() == pytest.approx(exact.mean(), abs=0.02)  # measured: within .003 for seeds 0, 1, 2
    assert np.corrcoef(h, exact)[0, 1] > 0.99  # measured: .997 or more


def test_the_published_estimator_recovers_the_gaussian_classes(demo):
    _, _, scored = demo
    terms = decompose("lsmi", *(scored[key] for key in INFORMATION))
    adjusted = adjust_means({name: term.mean() for name, term in zip(("r", "u1", "u2", "s"), terms, strict=True)})
    # Published for this law: R 1.23, S .23. Measured here for seeds 0, 1, 2: R 1.17, 1.18, 1.27; S .25, .24, .26.
    assert adjusted["r"] == pytest.approx(1.23, abs=0.1)
    assert adjusted["s"] == pytest.approx(0.23, abs=0.1)
    assert min(adjusted["u1"], adjusted["u2"]) == pytest.approx(0, abs=1e-12)


def test_every_term_follows_the_exact_one_sample_by_sample(demo):
    _, held_out, scored = demo
    for key in INFORMATION:
        assert np.corrcoef(scored[key], held_out[key])[0, 1] > 0.9, key  # measured: .93 to .97
        assert scored[key].dtype == np.float64


# What was mended


def test_terms_belong_to_their_sample(demo):
    model, held_out, scored = demo
    order = np.random.default_rng(0).permutation(400)
    shuffled = model.score(*(held_out[key][order] for key in ("x1", "x2", "y")))
    for key, values in scored.items():
        assert shuffled[key] == pytest.approx(values[order], abs=1e-4), key


def test_information_does_not_underflow(demo):
    model, held_out, _ = demo
    x1, x2 = 300 * held_out["x1"], 300 * held_out["x2"]
    told = model.score(x1, x2, model.score(x1, x2, held_out["y"])["top12"])
    wrong = model.score(x1, x2, (told["top12"] + 1) % 10)
    assert wrong["i12"].min() < np.log(10) - 104  # exp of less is 0 in float32
    assert all(np.isfinite(values).all() for values in wrong.values())


def test_mended_densities_come_nearer_the_truth_than_the_published_ones():
    x = np.random.default_rng(0).standard_normal((2000, 32))  # standardised already: units are not what differs
    exact = 0.5 * (x**2 + np.log(2 * np.pi)).sum(axis=1)
    mended = -KNIFE().fit(x[:1000]).score_samples(x[1000:])
    published = published_fit_score(x[:1000], x[:1000, :1], np.arange(1000) % 2, 2)["h1"]
    assert abs(mended.mean() - exact[1000:].mean()) < 1.0  # measured: .54 to .66 over three seeds
    assert published.mean() - exact[:1000].mean() > 20  # measured: 35 to 50


# Reproducibility and refusals


def test_one_seed_repeats_the_published_estimator():
    drawn = gaussian_classes(100, n_classes=2)
    state = torch.get_rng_state()
    parts = (drawn.x1, drawn.x2, drawn.y)
    first, again, other = (PublishedModel(2, seed).fit(*parts).score(*parts) for seed in (0, 0, 1))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not any(np.array_equal(first[key], other[key]) for key in INFORMATION)
    assert torch.equal(state, torch.get_rng_state())


def test_the_baseline_gives_every_term_of_every_sample():
    drawn = gaussian_classes(100, n_classes=2)
    scored, again = (published_fit_score(1e3 * drawn.x1, drawn.x2, drawn.y, 2) for _ in range(2))
    assert tuple(scored) == INFORMATION
    for key in INFORMATION:
        assert scored[key].shape == (100,) and np.isfinite(scored[key]).all()
        assert np.array_equal(scored[key], again[key])


def test_other_widths_and_huge_features_are_refused(demo):
    model, held_out, _ = demo
    x1, x2, y = (held_out[key] for key in ("x1", "x2", "y"))
    model.check_widths(x1, x2)
    with pytest.raises(InvalidInputError, match="x2 has 9 features but fit saw 10"):
        model.check_widths(x1, x2[:, 1:])
    with pytest.raises(InvalidInputError, match="Features of x1 are too large"):
        model.score(1e39 * x1, x2, y)
