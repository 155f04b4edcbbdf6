"""Near-duplicates against a slow obvious twin, on equal rows, in narrow features and in categories cut into cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.copies import _Space, find_copies


def found(features, labels, **more) -> pd.DataFrame:
    ids = pd.Series([f"s{i:04d}" for i in range(len(labels))])
    frame = find_copies(features, labels, ids, **more)
    assert list(frame.columns) == ["sample_id", "copy_of", "similarity"] and frame["sample_id"].tolist() == ids.tolist()
    is_copy = frame["copy_of"] != ""
    assert (frame["similarity"].notna() == is_copy).all()
    assert not set(frame["copy_of"][is_copy]) & set(ids[is_copy]), "who is kept is nobody's copy"
    assert (labels[is_copy] == pd.Series(labels, index=ids)[frame["copy_of"][is_copy]].to_numpy()).all()
    return frame


def with_copies(n: int, seed: int, n_classes: int = 3) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Features of which a fifth are others over again with a little noise, and some of these exactly."""
    rng = np.random.default_rng(seed)
    features = [2 + rng.normal(size=(n, 24)), rng.normal(size=(n, 16)).astype(np.float32)]
    labels = rng.integers(n_classes, size=n)
    copies = rng.permutation(n)[: n // 5]
    originals = rng.choice(np.setdiff1d(np.arange(n), copies), len(copies))
    noise = rng.choice([0, 0.15, 0.3], len(copies))[:, None]
    for x in features:
        x[copies] = x[originals] + noise * rng.normal(size=(len(copies), x.shape[1]))
    labels[copies] = labels[originals]
    return features, labels, copies, originals


def obvious(features: list[np.ndarray], labels: np.ndarray, least: float) -> list[tuple[int, float]]:
    """Whose copy each sample is (its own number if nobody's), and how alike: one pair after the other."""
    n = len(labels)
    sides = [
        [row / np.sqrt((row**2).sum()) for row in x.astype(float) - x.astype(float).mean(axis=0)] for x in features
    ]
    alike = {(i, j): np.mean([side[i] @ side[j] for side in sides]) for i in range(n) for j in range(n)}
    near = {i: [j for j in range(n) if j != i and labels[i] == labels[j] and alike[i, j] >= least] for i in range(n)}
    owner = dict.fromkeys(range(n))
    for i in sorted(range(n), key=lambda i: (-len(near[i]), i)):
        if owner[i] is None:
            owner[i] = i
            owner |= {j: i for j in near[i] if owner[j] is None}
    return [(owner[i], alike[i, owner[i]]) for i in range(n)]


@pytest.mark.parametrize("seed", range(4))
def test_the_twin_finds_the_same(seed):
    features, labels, copies, _ = with_copies(120, seed)
    space = _Space(features, pd.factorize(labels)[0], np.random.default_rng([seed, 0xC0]))
    assert space.wide == [True, True] and 0.9 < space.least < 0.95
    frame, expected = found(features, labels, random_state=seed), obvious(features, labels, space.least)
    owners = [f"s{o:04d}" if o != i else "" for i, (o, _) in enumerate(expected)]
    assert frame["copy_of"].tolist() == owners
    assert 12 < sum(o != "" for o in owners) < 40
    told = frame["similarity"].dropna()
    np.testing.assert_allclose(told, [expected[i][1] for i in told.index], atol=1e-5)


def test_how_near_copies_are_follows_how_far_apart_samples_are():
    """Features in which the categories have nearly collapsed to points are no heap of copies."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    centres = [10 * rng.normal(size=(3, 20)) for _ in range(2)]
    features = [c[labels] + rng.normal(size=(180, 20)) for c in centres]
    z = [x - x.mean(axis=0) for x in features]
    z = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in z]
    apart = [
        1 - np.mean([s[i] @ s[j] for s in z]) for i in range(180) for j in range(180) if labels[i] == labels[j] != i
    ]
    assert np.mean(apart) < 0.05, "by a fixed bound nearly all would be copies"
    space = _Space(features, labels, np.random.default_rng(0))
    assert 1 - space.least == pytest.approx(0.08 * np.mean(apart), rel=0.15)
    assert (found(features, labels)["copy_of"] == "").all()


@pytest.mark.parametrize("widths", [(1, 1), (3, 2), (2, 24)])
def test_in_few_directions_only_equal_rows_count(widths):
    rng = np.random.default_rng(1)
    features, labels = [rng.normal(size=(300, w)) for w in widths], np.zeros(300, int)
    assert (found(features, labels)["copy_of"] == "").all()
    for x in features:
        x[[7, 250]] = x[3]
    frame = found(features, labels)
    assert frame["copy_of"][frame["copy_of"] != ""].to_dict() == {7: "s0003", 250: "s0003"}
    np.testing.assert_allclose(frame["similarity"].dropna(), 1)


def test_alike_in_one_modality_only_or_of_another_category_is_no_copy():
    rng = np.random.default_rng(2)
    features, labels = [rng.normal(size=(90, 20)) for _ in range(2)], np.arange(90) % 2
    features[0][2] = features[0][0]
    for x in features:
        x[5] = x[4]
    assert (found(features, labels)["copy_of"] == "").all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_samples_and_features_that_never_vary(n):
    assert (found([np.ones((n, 9)), np.ones((n, 2))], np.zeros(n, int))["copy_of"].tolist()) == [""] + ["s0000"] * (
        n - 1
    )
    rng = np.random.default_rng(n)
    assert (found([rng.normal(size=(n, 30)), np.ones((n, 2))], np.arange(n))["copy_of"] == "").all()


def test_large_categories_are_cut_into_cells():
    features, labels, copies, originals = with_copies(600, 3, n_classes=1)
    space = _Space(features, np.zeros(600, int), np.random.default_rng([0, 0xC0]))
    counted = []
    frame = found(features, labels, largest=200, count=lambda done, total: counted.append((done, total)))
    whole = found(features, labels)
    assert counted[0] == (0, 600) and counted[-1] == (600, 600)
    assert frame["similarity"].min() >= space.least
    equal = [i for i, o in zip(copies, originals, strict=True) if all((x[i] == x[o]).all() for x in features)]
    kept = frame["copy_of"].where(frame["copy_of"] != "", frame["sample_id"])
    partner = dict(zip(copies, originals, strict=True))
    assert len(equal) > 20 and all(kept[i] == kept[partner[i]] for i in equal), "equal samples are always found"
    n_exact, n_cells = ((f["copy_of"] != "").sum() for f in (whole, frame))
    assert 0.8 * n_exact < n_cells <= 1.05 * n_exact
    pd.testing.assert_frame_equal(frame, found(features, labels, largest=200))


def test_memory_maps_are_read_the_same(tmp_path):
    features, labels, *_ = with_copies(100, 5)
    maps = []
    for k, x in enumerate(features):
        np.save(tmp_path / f"{k}.npy", x)
        maps.append(np.load(tmp_path / f"{k}.npy", mmap_mode="r"))
    pd.testing.assert_frame_equal(found(features, labels), found(maps, labels), check_exact=True)
