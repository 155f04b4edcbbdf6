"""Planted regimes of unequal width, imbalanced and swapped, held against a slow obvious twin and against identities."""

from __future__ import annotations

from math import exp, log, pi

import numpy as np
import pytest

from lsmi_core import InvalidInputError, synthetic
from lsmi_core.exact import label_information, log_mixture, log_normal
from lsmi_core.synthetic import REGIMES, SWAPPED, planted_regimes


@pytest.fixture
def centres(monkeypatch) -> list[np.ndarray]:
    """The drawn centres of both modalities: the one thing that is taken from the generator."""
    heard, clustered = [], synthetic._clustered

    def listen(*arguments):
        heard[:] = arguments[3:5]
        return clustered(*arguments)

    monkeypatch.setattr(synthetic, "_clustered", listen)
    return heard


def geometric(imbalance: float, n_classes: int) -> list[float]:
    weights = [imbalance ** (-c / max(n_classes - 1, 1)) for c in range(n_classes)]
    return [w / sum(weights) for w in weights]


# --- The slow obvious twin ------------------------------------------------------------------------------------------
def normal(x: np.ndarray, centre: np.ndarray, sigma: float) -> float:
    value = 1.0
    for a, b in zip(x, centre, strict=True):
        value *= exp(-((float(a) - float(b)) ** 2) / (2 * sigma**2)) / (sigma * (2 * pi) ** 0.5)
    return value


def ways(label: int, prior: list[float], shares: tuple, swapped: float) -> list[tuple[float, int, int]]:
    """Return (probability, cluster in the first modality, cluster in the second) given the label."""
    n_classes = len(prior)
    blank = 2 * n_classes
    listed = [
        (shares[0] * (1 - swapped), label, label),
        (shares[1], label, blank),
        (shares[2], blank, label),
        (shares[4], blank, blank),
    ]
    for a in range(n_classes):
        for b in range(n_classes):
            if (a + b) % n_classes == label:
                listed.append((shares[3] / n_classes, n_classes + a, n_classes + b))
    others = [c for c in range(n_classes) if c != label]
    for c in others:
        listed.append((shares[0] * swapped * prior[c] / sum(prior[o] for o in others), label, c))
    return listed


@pytest.mark.parametrize(
    "settings",
    [
        {"imbalance": 5.0},
        {"n_features": (2, 5)},
        {"n_features": (4, 1), "noise_features": (1, 3), "spread": 2.0},
        {"swapped": 0.4},
        {"swapped": 1.0, "imbalance": 6.0, "n_features": (3, 2), "shares": (0.6, 0.1, 0.05, 0.15, 0.1), "spread": 1.7},
        {"swapped": 0.5, "n_classes": 2, "noise_features": 2},
    ],
)
def test_planted_regimes_are_exact(settings, centres):
    settings = {"n_classes": 3, "n_features": 3} | settings
    drawn = planted_regimes(30, random_state=11, **settings)
    n_classes, spread = settings["n_classes"], settings.get("spread", 1.0)
    prior = geometric(settings.get("imbalance", 1.0), n_classes)
    listed = [
        ways(c, prior, settings.get("shares", (0.2,) * 5), settings.get("swapped", 0.0)) for c in range(n_classes)
    ]
    for n in range(30):
        one, two = drawn.x1[n], drawn.x2[n]
        width1, width2 = centres[0].shape[1], centres[1].shape[1]
        noise = [normal(one[width1:], 0 * one[width1:], 1.0), normal(two[width2:], 0 * two[width2:], 1.0)]
        p1 = [sum(w * normal(one[:width1], centres[0][a], spread) for w, a, _ in way) for way in listed]
        p2 = [sum(w * normal(two[:width2], centres[1][b], spread) for w, _, b in way) for way in listed]
        p12 = [
            sum(w * normal(one[:width1], centres[0][a], spread) * normal(two[:width2], centres[1][b], spread)
                for w, a, b in way) for way in listed
        ]  # fmt: skip
        for view, given in (("1", p1), ("2", p2), ("12", p12)):
            total = sum(p * q for p, q in zip(prior, given, strict=True))
            assert getattr(drawn, f"i{view}")[n] == pytest.approx(log(given[drawn.y[n]] / total), abs=1e-9)
            if view != "12":
                assert getattr(drawn, f"h{view}")[n] == pytest.approx(-log(total * noise[int(view) - 1]), abs=1e-9)


# --- Identities of a true posterior ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "settings", [{}, {"imbalance": 4.0}, {"n_features": (4, 40)}, {"swapped": 0.5, "imbalance": 3.0}]
)
def test_inverse_posteriors_count_the_labels(settings):
    """E 1/p(y|x) = E_x sum_y p(y|x)/p(y|x) = C, and p(y|x) = p(y) e^i: true of the law that drew, of no other.

    E e^-i = E p(y)/p(y|x) = 1 likewise. Wide clusters, because e^-i has heavy tails where they hardly overlap.
    Measured over seeds 0-2: within .06 of C = 3, and within .02 of 1; a law that forgets the swapping says 4.0 for x2.
    """
    drawn = planted_regimes(20_000, n_classes=3, spread=4.0, **settings)
    prior = np.array(geometric(settings.get("imbalance", 1.0), 3))
    for i in (drawn.i1, drawn.i2, drawn.i12):
        assert np.mean(np.exp(-i) / prior[drawn.y]) == pytest.approx(3, abs=0.1)
        assert np.mean(np.exp(-i)) == pytest.approx(1, abs=0.03)


def test_posteriors_sum_to_one(centres):
    drawn = planted_regimes(200, n_classes=4, n_features=(3, 9), swapped=0.3, imbalance=5.0)
    prior = np.array(geometric(5.0, 4))
    cells = np.array(synthetic._cells(np.full(5, 0.2), 0.3, prior))
    logs = [log_normal(x, c, 1.0) for x, c in zip((drawn.x1, drawn.x2), centres, strict=True)]
    likelihood = log_mixture(logs, cells[:, :2].T.astype(int), cells[:, 2].astype(int), cells[:, 3])
    every = [label_information(likelihood, np.full(200, c), prior)[0] for c in range(4)]
    assert np.exp(every).T @ prior == pytest.approx(np.ones(200), abs=1e-12)
    assert np.choose(drawn.y, every) == pytest.approx(drawn.i12, abs=1e-12)


@pytest.mark.parametrize("swapped", [0.0, 0.3, 1.0])
def test_cells_are_a_law(swapped):
    cells = synthetic._cells(np.array([0.5, 0.1, 0.2, 0.15, 0.05]), swapped, np.array([0.7, 0.2, 0.1]))
    for label in range(3):
        assert sum(w for *_, c, w in cells if c == label) == pytest.approx(1, abs=1e-12)
    assert all(w >= 0 for *_, w in cells)
    assert len({cell[:3] for cell in cells}) == len(cells)


# --- What swapping does ---------------------------------------------------------------------------------------------
def test_swapped_samples_show_another_label(centres):
    """Labels keep the prior; label c is shown with the sum of p(y) p(c) / (1 - p(y)) over all other y."""
    drawn = planted_regimes(2000, n_classes=3, spread=0.3, imbalance=4.0, shares=(1, 0, 0, 0, 0), swapped=0.8)
    rows = drawn.regime == SWAPPED
    assert rows.mean() == pytest.approx(0.8, abs=0.04)
    own, shown = (log_normal(x, c, 0.3).argmax(axis=1) for x, c in zip((drawn.x1, drawn.x2), centres, strict=True))
    assert np.array_equal(own, drawn.y)
    assert np.array_equal(shown != drawn.y, rows)
    prior = np.array(geometric(4.0, 3))
    expected = [sum(prior[y] * prior[c] / (1 - prior[y]) for y in range(3) if y != c) for c in range(3)]
    assert np.bincount(drawn.y) / 2000 == pytest.approx(prior, abs=0.04)
    assert np.bincount(drawn.y[rows]) / rows.sum() == pytest.approx(prior, abs=0.04)
    assert np.bincount(shown[rows]) / rows.sum() == pytest.approx(expected, abs=0.04)
    for label in range(3):
        met = np.bincount(shown[rows & (drawn.y == label)], minlength=3) / (rows & (drawn.y == label)).sum()
        left = np.where(np.arange(3) == label, 0, prior)
        assert met == pytest.approx(left / left.sum(), abs=0.06)


def test_swapping_misleads_and_leaves_the_others_alone():
    plain, swapped = planted_regimes(2000), planted_regimes(2000, swapped=0.25)
    rows = swapped.regime == SWAPPED
    assert np.all(plain.regime[rows] == "redundant")
    assert np.array_equal(plain.regime[~rows], swapped.regime[~rows])
    assert np.array_equal(plain.x1, swapped.x1)
    assert np.array_equal(plain.y, swapped.y)
    assert np.array_equal(plain.x2[~rows], swapped.x2[~rows])
    # Hardly overlapping clusters. x1 tells y, log 4. The second cluster c has p(c|y) = .2 x .75 + .2 = .35 for y = c
    # (redundant, unique) and .2 x .25 / 3 for each other y, so p(y|c) = 1/24 there and i2 = log (4 / 24) = -1.79.
    assert swapped.i1[rows].mean() == pytest.approx(log(4), abs=0.03)
    assert swapped.i2[rows].mean() == pytest.approx(log(4 / 24), abs=0.05)
    assert set(swapped.regime) == {*REGIMES, SWAPPED}
    assert SWAPPED not in REGIMES


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_swapped_is_a_share(share):
    with pytest.raises(InvalidInputError, match="The 'swapped' parameter must be a share in the range"):
        planted_regimes(10, swapped=share)


def test_swapping_needs_another_label():
    with pytest.raises(InvalidInputError, match="at least 2 classes"):
        planted_regimes(10, n_classes=1, swapped=0.5)
    assert planted_regimes(10, n_classes=1).i12 == pytest.approx(np.zeros(10), abs=1e-12)


# --- Size -----------------------------------------------------------------------------------------------------------
def test_squared_distances_survive_a_far_origin():
    """|x|^2 near 6e9 would leave six digits of a squared distance near 60."""
    rng = np.random.default_rng(0)
    centres, x = rng.standard_normal((7, 60)), rng.standard_normal((50, 60))
    near = -0.5 * ((x[:, None] - centres) ** 2).sum(axis=2) / 0.3**2 - 30 * log(2 * pi * 0.3**2)
    assert log_normal(x, centres, 0.3) == pytest.approx(near, abs=1e-9)
    assert log_normal(x + 1e4, centres + 1e4, 0.3) == pytest.approx(near, abs=1e-6)


def test_many_classes_in_wide_and_narrow_modalities():
    drawn = planted_regimes(2000, n_classes=40, n_features=(16, 768), swapped=0.3)
    assert (drawn.x1.shape, drawn.x2.shape) == ((2000, 16), (2000, 768))
    assert all(np.isfinite(getattr(drawn, key)).all() for key in ("i1", "i2", "i12", "h1", "h2"))
    assert drawn.i12.dtype == drawn.h2.dtype == np.float64
    assert drawn.i12.max() <= log(40) + 1e-9
