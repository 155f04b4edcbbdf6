"""Halves of pictures that are spoilt on purpose; all pictures here are made up, nothing is downloaded."""

from __future__ import annotations

import gzip
import shutil

import numpy as np
import pytest

from benchmarks import fashion
from benchmarks.fashion import KINDS, components, fetch, load_halves, spoil

N_FAKES = 200


@pytest.fixture
def fakes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Made-up halves of 6 pixels: sample n is filled with n + 1, left and right told apart by their first pixel."""
    y = np.arange(N_FAKES) % 4
    left = np.repeat(np.arange(1, N_FAKES + 1, dtype=np.uint8)[:, None], 6, axis=1)
    right = left.copy()
    left[:, 0], right[:, 0] = 251, 252
    return left, right, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_only_the_half_that_the_regime_names_is_spoilt(fakes, kind, seed):
    before = [half.copy() for half in fakes]
    left, right, regime = spoil(*fakes, kind, seed=seed)
    for half, kept in zip(fakes, before, strict=True):
        assert np.array_equal(half, kept), "the caller's arrays stay as they are"
    assert [(regime == name).sum() for name in ("redundant", "unique1", "unique2")] == [120, 40, 40]
    assert np.array_equal((left != fakes[0]).any(axis=1), regime == "unique2")
    assert np.array_equal((right != fakes[1]).any(axis=1), regime == "unique1")
    assert left.dtype == right.dtype == np.uint8


def test_blank_and_noise(fakes):
    left, _, regime = spoil(*fakes, "blank")
    assert not left[regime == "unique2"].any()
    wide = [np.zeros((N_FAKES, 500), np.uint8)] * 2
    left, right, regime = spoil(*wide, fakes[2], "noise")
    for half, name in ((left, "unique2"), (right, "unique1")):
        pixels = half[regime == name]
        # Uniform on 0 to 255: mean 127.5, deviation 73.9; the standard error of 20,000 pixels is 0.5.
        assert (pixels.min(), pixels.max()) == (0, 255)
        assert pixels.mean() == pytest.approx(127.5, abs=2.5)
        assert pixels.std() == pytest.approx(73.9, abs=2.0)


@pytest.mark.parametrize("other_label", [True, False])
def test_swapped_halves_are_whole_halves_of_the_same_side(fakes, other_label):
    *halves, regime = spoil(*fakes, "swapped", other_label=other_label)
    shared = 0
    for half, name, mark in zip(halves, ("unique2", "unique1"), (251, 252), strict=True):
        rows = np.flatnonzero(regime == name)
        partners = half[rows, 1].astype(int) - 1
        assert np.all(half[:, 0] == mark)
        assert np.array_equal(half[rows, 1:], np.repeat(half[rows, 1:2], 5, axis=1))
        assert np.all(partners != rows)
        shared += (fakes[2][partners] == fakes[2][rows]).sum()
    # Any partner shares one of four labels a quarter of the time: 20 of 80, deviation 3.9.
    assert shared == 0 if other_label else 6 < shared < 34


def test_spoiling_repeats_by_seed(fakes):
    once, again, other = (spoil(*fakes, "swapped", seed=seed) for seed in (4, 4, 5))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not np.array_equal(once[2], other[2])


def test_share(fakes):
    regime = spoil(*fakes, "blank", share=0.05)[2]
    assert (regime == "unique1").sum() == (regime == "unique2").sum() == 10
    assert set(spoil(*fakes, "swapped", share=0)[2]) == {"redundant"}
    assert "redundant" not in spoil(*fakes, "blank", share=0.5)[2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": "torn"}, "must be one of 'swapped', 'blank', 'noise'. Got 'torn'"),
        ({"kind": "blank", "share": 0.6}, r"must be in the range \[0, 0.5\]. Got 0.6"),
        ({"kind": "swapped", "y": np.zeros(N_FAKES)}, "needs another label"),
    ],
)
def test_refusals(fakes, change, told):
    with pytest.raises(ValueError, match=told):
        spoil(**dict(zip(("left", "right", "y"), fakes, strict=True)) | change)


def test_pictures_are_cut_down_the_middle(tmp_path):
    """Fake idx files: 5 pictures whose left columns hold 10 + n and whose right columns hold 100 + n."""
    pictures = np.full((5, 28, 28), 10, np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None]
    pictures[:, :, 14:] += 90
    for name, data in (("images-idx3", b"-" * 16 + pictures.tobytes()), ("labels-idx1", b"-" * 8 + bytes(range(5)))):
        (tmp_path / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(data))
    left, right, y = load_halves(tmp_path, n=4, random_state=1)
    assert left.shape == right.shape == (4, 392)
    assert len(set(y)) == 4
    assert np.array_equal(left, np.repeat(10 + y[:, None], 392, axis=1))
    assert np.array_equal(right, np.repeat(100 + y[:, None], 392, axis=1))
    assert sorted(load_halves(tmp_path)[2]) == list(range(5))
    with pytest.raises(ValueError, match="There are 5 pictures in the part 'train'. Got n=6"):
        load_halves(tmp_path, n=6)


def test_fetch_says_when_apt_is_absent(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(FileNotFoundError, match="this machine has no apt-get and no dpkg"):
        fetch(tmp_path / "cache")
    kept = tmp_path / "cache" / fashion.INSIDE
    kept.mkdir(parents=True)
    (kept / "train-labels-idx1-ubyte.gz").touch()
    assert fetch(tmp_path / "cache") == kept, "what is there is not fetched again"


def test_components_are_centred_and_ordered():
    scores = components(np.random.default_rng(0).integers(256, size=(50, 20)), n=5)
    assert scores.shape == (50, 5)
    assert scores.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-9)
    assert np.all(np.diff(scores.var(axis=0)) <= 0)
    assert np.cov(scores.T) == pytest.approx(np.diag(scores.var(axis=0, ddof=1)), abs=1e-9)
