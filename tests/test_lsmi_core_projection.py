"""Tier 3, a slow obvious twin, and tier 1, invariances: coordinates that no origin, unit or rotation moves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

from lsmi_core import projection
from lsmi_core.projection import MAX_COMPONENTS, UNEVEN, Projection

pytestmark = pytest.mark.usefixtures("one_core")


def coordinates(x: np.ndarray, **parameters: int) -> np.ndarray:
    return Projection(**parameters).fit_transform(x)


def skewed(n: int = 300, n_features: int = 5, seed: int = 0) -> np.ndarray:
    """Axes of unlike width and with a long side, so that neither their order nor their sign is open."""
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, size=(n, n_features)) * np.geomspace(1, 5, n_features)


def twin(x: np.ndarray) -> np.ndarray:
    """Principal components, mean variance 1, each turned to the side of its longer tail."""
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(centred.T, bias=True))
    z = centred @ vectors[:, ::-1] / np.sqrt(values.mean())
    return z * np.sign((z**3).sum(axis=0))


def distances(z: np.ndarray) -> np.ndarray:
    return np.linalg.norm(z[:, None] - z[None], axis=2)


# --- The twin -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_projection_is_principal_components(seed):
    x = skewed(seed=seed)
    fitted = Projection()
    found = fitted.fit_transform(x)
    assert found.dtype == np.float32
    assert found == pytest.approx(twin(x), abs=1e-4)
    assert fitted.transform(x) == pytest.approx(found, abs=1e-6)
    assert fitted.deviations_ == pytest.approx(found.std(axis=0), abs=1e-4)
    assert (found.var(axis=0)).mean() == pytest.approx(1, abs=1e-4)
    assert np.all(np.diff(fitted.deviations_) <= 0)


def test_uneven_columns_are_standardised():
    """A column a thousand times wider than the lower quarter is in another unit; up to then columns share theirs."""
    x = skewed(n_features=4)
    x /= x.std(axis=0)
    apart = x * [1, 5, 100, 1.1 * UNEVEN] + [0, 3, -7, 1e5]
    assert coordinates(apart) == pytest.approx(twin(x), abs=1e-4)
    together = x * [1, 5, 100, 0.9 * UNEVEN] + [0, 3, -7, 1e5]
    assert coordinates(together) == pytest.approx(twin(together), abs=1e-3)


def test_pieces_make_the_whole(monkeypatch):
    x = skewed(100)
    whole = coordinates(x)
    monkeypatch.setattr(projection, "CHUNK", 7)
    assert coordinates(x) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("n_samples, n_features, kept", [(20, 50, 19), (400, 300, MAX_COMPONENTS), (50, 1, 1)])
def test_wide_data(n_samples, n_features, kept):
    """What is left out says little: n centred samples span n - 1 dimensions, and no more than 256 are looked at."""
    x = np.random.default_rng(0).standard_normal((n_samples, n_features))
    fitted = Projection()
    found = fitted.fit_transform(x)
    assert found.shape == (n_samples, kept)
    assert found.var(axis=0).mean() == pytest.approx(1, abs=1e-4)
    assert fitted.transform(x[:3]) == pytest.approx(found[:3], abs=1e-5)
    if kept == n_samples - 1:  # nothing is lost: distances are those of the samples, in another unit
        ratio = distances(found)[~np.eye(20, dtype=bool)] / distances(x)[~np.eye(20, dtype=bool)]
        assert ratio == pytest.approx(np.full_like(ratio, ratio[0]), rel=1e-4)


def test_the_leading_axes_are_kept():
    x = skewed()
    found = Projection(max_components=2).fit_transform(x)
    both = twin(x)[:, :2]
    assert found == pytest.approx(both / np.sqrt((both.var(axis=0)).mean()), abs=1e-4)


# --- Invariances ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_samples, n_features", [(300, 5), (300, 40), (12, 60)], ids=["narrow", "wide", "d > n"])
def test_rotation_shift_and_scale_change_nothing(seed, n_samples, n_features):
    x = skewed(n_samples, n_features, seed)
    rotation = ortho_group.rvs(n_features, random_state=seed)
    plain = coordinates(x)
    for other in (x @ rotation, x + 1000.0, 1e-6 * x, 1e12 * x, -7.0 * (x @ rotation) + 40.0):
        assert coordinates(other) == pytest.approx(plain, abs=1e-4)


def test_units_of_each_column_change_nothing_where_they_are_uneven():
    x = skewed(n_features=4)
    plain = coordinates(x * [1, 10, 1e4, 1e5])
    assert coordinates(x * [1e-9, 1e3, 7, 1e9] + 50) == pytest.approx(plain, abs=1e-4)


def test_constant_columns_change_nothing():
    x = skewed(60, 4)
    padded = np.column_stack([x[:, 0], np.full(60, 0.1), x[:, 1:], np.zeros(60), np.full(60, -1e6)])
    assert coordinates(padded) == pytest.approx(coordinates(x), abs=1e-4)


def test_a_column_that_was_constant_is_never_read():
    x = skewed(60, 4)
    fitted = Projection()
    fitted.fit_transform(np.column_stack([x, np.ones(60)]))
    before, after = (fitted.transform(np.column_stack([x, np.full(60, v)])) for v in (1.0, 9.0))
    assert np.array_equal(before, after)


def test_nothing_but_constants():
    fitted = Projection()
    assert not fitted.fit_transform(np.full((10, 3), 4.0)).any()
    assert not fitted.transform(np.random.default_rng(0).random((5, 3))).any()


# --- Numbers of any size --------------------------------------------------------------------------------------------
def test_single_precision_goes_in_as_double_does():
    x = skewed().astype(np.float32)
    assert coordinates(x) == pytest.approx(coordinates(x.astype(np.float64)), abs=1e-4)
    assert coordinates(x).dtype == np.float32


def test_an_offset_far_above_the_spread():
    """1e8 takes half of the sixteen digits; what is left is the spread to eight."""
    x = skewed()
    assert coordinates(x + 1e8) == pytest.approx(coordinates(x), abs=1e-4)
    small = (x + 1000).astype(np.float32)
    assert coordinates(small) == pytest.approx(coordinates(x), abs=1e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-290, 1e-100, 1e100, 1e200, 1e306])
def test_numbers_near_the_ends_of_double_precision(size):
    x = skewed()
    assert coordinates(x * size) == pytest.approx(coordinates(x), abs=1e-4)


@pytest.mark.filterwarnings("error")
def test_numbers_near_the_ends_of_single_precision():
    x = skewed()
    for size in (1e-30, 1e36):
        assert coordinates((x * size).astype(np.float32)) == pytest.approx(coordinates(x), abs=1e-4)


def test_inputs_stay_as_they_are():
    x = skewed()
    before = x.copy()
    x.flags.writeable = False
    coordinates(x)
    assert np.array_equal(x, before)
