"""How long figures take: ``python -m benchmarks.figures`` prints processor times for 200 made-up categories."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from curation.figures import (
    Cloud,
    Names,
    Reading,
    Score,
    fingerprint_figure,
    map_figure,
    quadrants_figure,
    ridges_figure,
)
from curation.summary import category_means, category_order, dataset_means
from curation.words import terms

CATEGORIES, REPEATS, NAMES = 200, 5, ("photo", "caption")


def made_up(n: int) -> pd.DataFrame:
    """Return scores and places of n samples that lie in one cloud a category."""
    rng = np.random.default_rng(0)
    kind = rng.integers(CATEGORIES, size=n)
    r, u1, u2, s = (rng.normal(0, 0.5, (CATEGORIES, 4))[kind] + rng.gamma(2, 0.5, (n, 4))).T
    x, y = (rng.normal(0, 8, (CATEGORIES, 2))[kind] + rng.normal(0, 0.8, (n, 2))).T
    columns = {"r": r, "u1": u1, "u2": u2, "s": s, "i1": r + u1, "i2": r + u2, "i12": r + u1 + u2 + s, "x": x, "y": y}
    ids, names = np.arange(n).astype(str), np.array([f"category {k}" for k in range(CATEGORIES)])
    return pd.DataFrame({"sample_id": ids, "label": pd.Series(names[kind], dtype="str"), **columns})


def tasks(frame: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """Return what is timed, by its name."""
    means, whole, raw = category_means(frame), dataset_means(frame), Reading("cautious")
    order, some = category_order(means, "r", 20), (frame["r"] > 1).to_numpy()
    place = {key: frame[key].to_numpy() for key in ("x", "y", "sample_id", "i1", "i2")}
    describe = lambda rows: frame["label"].iloc[rows]
    cloud = Cloud(place["x"], place["y"], place["sample_id"], describe, selected=some, uncertain=~some)
    told = Cloud(place["i1"], place["i2"], place["sample_id"], describe)
    return {
        "means and intervals": lambda: category_means(frame),
        "fingerprint, all categories": lambda: fingerprint_figure(means, whole, NAMES, raw),
        "four panels of 20 ridges": lambda: ridges_figure(frame, terms(NAMES), order, raw),
        "map by category, half selected": lambda: map_figure(cloud, Names("category", frame["label"]), raw),
        "quadrants by score": lambda: quadrants_figure(told, Score("r", frame["r"]), NAMES, raw),
    }


def shortest(task: Callable[[], object]) -> float:
    """Return the least processor time of some runs, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    for size in (100_000, 1_000_000):
        for name, task in tasks(made_up(size)).items():
            print(f"{size:9,} samples  {name:32} {shortest(task):.3f} s")
