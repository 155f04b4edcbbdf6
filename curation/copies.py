"""Near-duplicates: samples of one category that are alike in both modalities, and which of them to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from feature_extractors import row_blocks

__all__ = ["LARGEST", "find_copies"]

NEAR = 0.08
"""Copies are at most this part as far apart as two samples of a category are on average; docs/decisions.md says why."""
NARROW = 8
"""With fewer directions than this in the features, chance alone brings samples so near: there only equal ones count."""
PAIRS = 2_000  # drawn to see how far apart samples are, and in how many directions
BLOCK = 512
LARGEST = 20_000
"""Categories up to this size are searched exactly."""
TREES, SMALLER = 4, 4


def find_copies(
    features: list[np.ndarray],
    labels: np.ndarray,
    sample_ids: pd.Series,
    random_state: int = 0,
    count: Callable[[int, int], None] = lambda done, total: None,
    largest: int = LARGEST,
) -> pd.DataFrame:
    r"""Return for every sample the one it is a near-duplicate of, if there is one in its category.

    Each modality is centred and each of its rows divided by its length; how alike two samples are is the mean of the
    two cosines. A sample with many near ones is kept, and those are its copies; then the next that is neither. So every
    copy is near the sample that is kept for it, not merely linked to it by others, and equal samples are always found.

    Parameters
    ----------
    features : two ndarrays of shape (n_samples, n_features_k)
        Arrays or memory maps; they are read in blocks.
    labels : ndarray of shape (n_samples,)
    sample_ids : pandas.Series of length n_samples
    random_state : int
    count : callable
        Told (done, total) of the samples.
    largest : int
        Larger categories are cut into cells of a quarter of this, four times in different ways, by the medians along
        random directions (random projection trees). What is found is as near as elsewhere; some may be missed.

    Returns
    -------
    pandas.DataFrame with the columns sample_id, copy_of, similarity
        ``copy_of`` is "" and ``similarity`` is NaN where the sample is no copy.

    References
    ----------
    Dasgupta and Freund 2008, "Random projection trees and low dimensional manifolds", STOC.
    """
    rng, n = np.random.default_rng([random_state, 0xC0]), len(labels)
    count(0, n)
    codes = pd.factorize(np.asarray(labels))[0]
    digests = [_row_digests(x) for x in features]
    space = _Space(features, codes, rng)
    first, weight = _equal_rows(codes, digests)
    owner, similarity = first.copy(), np.where(first == np.arange(n), np.nan, 1.0)
    alone = np.flatnonzero(first == np.arange(n))
    groups = _numbered(codes[alone], *(d[alone] for d, wide in zip(digests, space.wide, strict=True) if not wide))
    done = 0
    for rows in (alone[group] for group in _members(groups) if space.any_wide):
        found = _Stars(rows, weight[rows])
        for cell in _cells(rows, space, rng, largest):
            found.look(cell, space)
        owner[rows], similarity[rows] = found.owner, found.similarity
        done += int(weight[rows].sum())
        count(done, n)
    similarity = np.where(owner[first] == first, similarity, similarity[first])  # equal to a copy: as near as that is
    owner, ids = owner[first], np.asarray(sample_ids, dtype=object)
    count(n, n)
    is_copy = owner != np.arange(n)
    named = {"copy_of": np.where(is_copy, ids[owner], ""), "similarity": np.where(is_copy, similarity, np.nan)}
    return pd.DataFrame({"sample_id": ids} | named)


class _Space:
    """What is near: rows of the modalities that have many directions, and how near rows of copies are.

    Attributes
    ----------
    wide : list of bool
        Which modalities have many directions. In the others only equal rows count as alike, and cosines are not taken.
    least : float
        Smallest mean cosine of copies.
    """

    def __init__(self, features: list[np.ndarray], codes: np.ndarray, rng: np.random.Generator) -> None:
        self.features, self.means = features, [_mean(x) for x in features]
        one, other = _pairs(codes, rng)
        differences = [self._side(k, one) - self._side(k, other) for k in range(len(features))]
        self.wide = [_directions(d) >= NARROW for d in differences]
        apart = [float((d * d).sum(axis=1).mean()) / 2 for d, wide in zip(differences, self.wide, strict=True) if wide]
        self.least = 1 - NEAR * min(float(np.mean(apart)), 1.0) if apart else 1.0  # half a squared length is 1 - cosine

    @property
    def any_wide(self) -> bool:
        """Whether anything but equal rows can count as alike."""
        return any(self.wide)

    def rows(self, index: np.ndarray) -> np.ndarray:
        """Return rows whose products are mean cosines."""
        sides = [self._side(k, index) for k, wide in enumerate(self.wide) if wide]
        return np.hstack(sides) / np.sqrt(np.float32(len(sides)))

    def _side(self, k: int, index: np.ndarray) -> np.ndarray:
        x = (self.features[k][index] - self.means[k]).astype(np.float32)
        return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12))


class _Stars:
    """Who is kept and who is whose copy, among the rows of one group.

    Attributes
    ----------
    owner : int64 ndarray of shape (n_rows,)
        The row kept for each; its own number where it is no copy.
    similarity : ndarray of shape (n_rows,)
    """

    def __init__(self, rows: np.ndarray, weight: np.ndarray) -> None:
        self._rows, self._weight = rows, weight.astype(np.float32)
        self.owner, self.similarity = rows.copy(), np.full(len(rows), np.nan)
        self._kept = np.zeros(len(rows), dtype=bool)

    def look(self, cell: np.ndarray, space: _Space) -> None:
        """Find the copies among the rows at these places of the group."""
        cell = cell[self.owner[cell] == self._rows[cell]]
        z, least = space.rows(self._rows[cell]), np.float32(space.least)
        near = np.concatenate([(z[k : k + BLOCK] @ z.T >= least) @ self._weight[cell] for k in range(0, len(z), BLOCK)])
        order = np.argsort(-near, kind="stable")
        order = order[near[order] > self._weight[cell][order]]
        for k in range(0, len(order), BLOCK):
            block = order[k : k + BLOCK]
            for middle, alike in zip(block, z[block] @ z.T, strict=True):
                self._keep(cell, middle, alike, alike >= least)

    def _keep(self, cell: np.ndarray, middle: int, alike: np.ndarray, near: np.ndarray) -> None:
        """Let one keep its place, unless it is a copy; whoever is near and has no place yet is its copy."""
        here = cell[middle]
        if self.owner[here] != self._rows[here]:
            return
        mine = near & ~self._kept[cell] & (self.owner[cell] == self._rows[cell])
        mine[middle] = False
        self._kept[here] |= mine.any()
        self.owner[cell[mine]] = self._rows[here]
        self.similarity[cell[mine]] = np.minimum(alike[mine], 1.0)


def _cells(rows: np.ndarray, space: _Space, rng: np.random.Generator, largest: int) -> Iterator[np.ndarray]:
    """Yield the places of rows to compare with each other: all at once, or for a large group cell after cell."""
    if len(rows) <= largest:
        yield np.arange(len(rows))
        return
    levels = int(np.ceil(np.log2(len(rows) * SMALLER / largest)))
    for _ in range(TREES):
        across = rng.standard_normal((space.rows(rows[:1]).shape[1], levels), dtype=np.float32)
        along = np.concatenate([space.rows(rows[k : k + BLOCK]) @ across for k in range(0, len(rows), BLOCK)])
        cells = [np.arange(len(rows))]
        for level in along.T:
            cells = [half for c in cells for half in np.array_split(c[np.argsort(level[c], kind="stable")], 2)]
        yield from (np.sort(cell) for cell in cells)


def _pairs(codes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides of pairs within categories, drawn at random."""
    order = np.lexsort((rng.random(len(codes)), codes))
    starts = np.flatnonzero(codes[order[:-1]] == codes[order[1:]])
    starts = np.sort(rng.permutation(starts)[:PAIRS])
    return order[starts], order[starts + 1]


def _directions(differences: np.ndarray) -> float:
    r"""Return in how many directions rows differ: :math:`1 / E[\cos^2]` of two differences."""
    lengths = np.linalg.norm(differences, axis=1, keepdims=True)
    d = (differences / np.maximum(lengths, 1e-12))[lengths[:, 0] > 1e-6]
    if len(d) < 2:
        return 0.0
    total = float(((d @ d.T) ** 2).sum()) - len(d)
    return len(d) * (len(d) - 1) / max(total, 1e-12)


def _mean(x: np.ndarray) -> np.ndarray:
    return sum(block.sum(axis=0, dtype=np.float64) for _, block in row_blocks(x)) / len(x)


def _row_digests(x: np.ndarray) -> np.ndarray:
    """Return a number for the content of every row."""
    told = [hashlib.blake2b(row, digest_size=8).digest() for _, block in row_blocks(x) for row in _plain(block)]
    return np.frombuffer(b"".join(told), dtype=np.int64)


def _plain(block: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(block + np.float32(0))  # -0 is 0


def _equal_rows(codes: np.ndarray, digests: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first sample equal to each in category and both modalities, and how many are equal to it."""
    same = _numbered(codes, *digests)
    _, first, counts = np.unique(same, return_index=True, return_counts=True)
    return first[same], counts[same]


def _numbered(*columns: np.ndarray) -> np.ndarray:
    """Return a number from 0 on for every row of the columns; equal rows have equal ones."""
    frame = pd.DataFrame(dict(enumerate(columns)))
    return frame.groupby(list(frame), sort=False).ngroup().to_numpy()


def _members(groups: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the places of each group that has more than one."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    yield from (part for part in parts if len(part) > 1)
