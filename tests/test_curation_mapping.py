"""The map: any number of samples, both modalities, the same every time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.mapping import draw_map


def places(features: list[np.ndarray], seed: int = 0) -> pd.DataFrame:
    ids = pd.Series([f"s{i}" for i in range(len(features[0]))])
    drawn = draw_map(features, ids, seed, lambda done, total: None)
    assert list(drawn.columns) == ["sample_id", "x", "y"]
    assert drawn["sample_id"].tolist() == ids.tolist()
    assert np.isfinite(drawn[["x", "y"]].to_numpy()).all()
    return drawn


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 9, 17])
def test_few_samples_and_narrow_features(n):
    rng = np.random.default_rng(n)
    drawn = places([rng.normal(size=(n, 1)), rng.normal(size=(n, 3)).astype(np.float32)])
    assert len(drawn.drop_duplicates(["x", "y"])) == n


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_features_that_never_vary():
    rng = np.random.default_rng(0)
    places([np.ones((12, 4)), rng.normal(size=(12, 3))])
    places([np.zeros((3, 2)), np.zeros((3, 2))])


def test_the_same_map_every_time():
    rng = np.random.default_rng(1)
    features = [rng.normal(size=(40, 5)), rng.normal(size=(40, 60))]
    pd.testing.assert_frame_equal(places(features), places(features), check_exact=True)
    assert not places(features).equals(places(features, seed=1))


@pytest.mark.parametrize("side", [0, 1])
def test_neighbours_are_alike_whichever_modality_tells_them_apart(side):
    """Two far groups in one modality only, whose unit is a thousandth of the other's, end up far apart."""
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1], 40)
    clear = (20 * group[:, None] + rng.normal(size=(80, 3))) / 1000
    features = [rng.normal(size=(80, 3)), rng.normal(size=(80, 3))]
    features[side] = clear
    xy = places(features)[["x", "y"]].to_numpy()
    distances = np.linalg.norm(xy[:, None] - xy[None], axis=2) + np.diag(np.full(80, np.inf))
    assert (group[distances.argmin(axis=1)] == group).mean() > 0.9


def test_progress_is_told():
    told = []
    draw_map([np.eye(3), np.eye(3)], pd.Series(["a", "b", "c"]), 0, lambda done, total: told.append((done, total)))
    assert told == [(0, 1), (1, 1)]


@pytest.mark.parametrize("n", [65, 200])
def test_of_many_samples_some_are_learned_from_and_the_others_put_among_them(n):
    rng = np.random.default_rng(3)
    group = rng.integers(2, size=n)
    side = (20 * group[:, None] + rng.normal(size=(n, 6))).astype(np.float32)
    ids, told = pd.Series(np.arange(n).astype(str)), []
    drawn = [
        draw_map([side, side[:, :2]], ids, 0, lambda done, total: told.append((done, total)), most=60) for _ in "ab"
    ]
    assert told[:3] == [(0, 2), (1, 2), (2, 2)]
    pd.testing.assert_frame_equal(*drawn, check_exact=True)
    xy = drawn[0][["x", "y"]].to_numpy()
    distances = np.linalg.norm(xy[:, None] - xy[None], axis=2) + np.diag(np.full(n, np.inf))
    assert np.isfinite(xy).all() and (group[distances.argmin(axis=1)] == group).mean() > 0.95
