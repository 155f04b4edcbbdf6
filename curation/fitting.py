"""The fits of a run: its scores, the same again with other folds and seeds, and checks of what could be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pandas as pd

from curation.settings import RunSettings
from lsmi_core import InvalidInputError, LSMIEstimator
from lsmi_core.interactions import INGREDIENTS
from lsmi_core.uncertainty import label_null, power_check

__all__ = ["CHECKED", "check_fits", "new_estimator", "repeat_fits", "some_rows"]

FURTHER = 2
LOOKED_AT = 5_000
SEEDS = 2**32  # the next of the last seed is the first
CHECKED = ("r", "u1", "u2", "s", "i1", "i2", "i12")


def new_estimator(settings: RunSettings, further: int = 0) -> LSMIEstimator:
    """Return the estimator of a run; of its k-th further fit with the seed that ``n_repeats`` would give it."""
    seed = settings.random_state  # as it was given, so that a seed that is none is refused in the estimator's words
    return LSMIEstimator(
        redundancy=settings.redundancy,
        surprisal=settings.surprisal,
        n_splits=settings.n_splits,
        random_state=(seed + further) % SEEDS if further else seed,
        device=settings.device,
    )


def repeat_fits(
    features: list[np.ndarray], scores: pd.DataFrame, settings: RunSettings, count: Callable[[int, int], None]
) -> pd.DataFrame:
    """Fit twice more, with other folds and seeds.

    Parameters
    ----------
    features : two ndarrays of shape (n_samples, n_features_k)
    scores : pandas.DataFrame
        With ``sample_id`` and ``label``.
    settings : RunSettings
    count : callable
        Told (done, total).

    Returns
    -------
    pandas.DataFrame
        ``sample_id``, then ``i1.k``, ``i2.k``, ``i12.k``, ``h1.k``, ``h2.k``, ``b1.k``, ``b2.k`` for k = 1, 2 (nats).
    """
    columns: dict[str, object] = {"sample_id": scores["sample_id"]}
    for k in range(1, FURTHER + 1):

        def told(done: int, total: int, before: int = k - 1) -> None:
            count(before * total + done, FURTHER * total)

        found = new_estimator(settings, k).fit_score(*features, scores["label"].to_numpy(dtype=np.str_), progress=told)
        columns |= {f"{name}.{k}": getattr(found, name) for name in INGREDIENTS}
    return pd.DataFrame(columns)


def check_fits(
    features: list[np.ndarray], labels: np.ndarray, settings: RunSettings, count: Callable[[int, int], None],
    most: int = LOOKED_AT,
) -> dict:  # fmt: skip
    """Score with categories dealt out at random, and with synergy planted.

    Parameters
    ----------
    features : two ndarrays of shape (n_samples, n_features_k)
    labels : ndarray of shape (n_samples,)
    settings : RunSettings
    count : callable
        Told (done, total).
    most : int
        Of more samples, about so many are looked at, all categories in proportion.

    Returns
    -------
    dict
        ``null``: mean of every term under random categories (nats, by the run's measure). ``power``: what
        :func:`lsmi_core.uncertainty.power_check` tells. ``looked_at`` and ``n_samples``: how many samples.

    See Also
    --------
    lsmi_core.uncertainty.label_null, lsmi_core.uncertainty.power_check
    """
    count(0, 2)
    rows, estimator = some_rows(np.asarray(labels), most, settings.random_state), new_estimator(settings)
    few = [x[rows] for x in features]
    null = label_null(estimator, *few, np.asarray(labels)[rows]).means()
    count(1, 2)
    power = _power(estimator, few)
    if len(rows) < len(labels):
        power["sentence"] += f" {len(rows):,} of {len(labels):,} samples were looked at."
    count(2, 2)
    return {
        "null": {key: null[key] for key in CHECKED},
        "power": power,
        "looked_at": len(rows),
        "n_samples": len(labels),
    }


def _power(estimator: LSMIEstimator, features: list[np.ndarray]) -> dict:
    try:
        return asdict(power_check(estimator, *features))
    except InvalidInputError:  # a handful of samples, or features that never vary, leave nothing to plant it in
        said = f"{len(features[0]):,} samples like these are too few to check whether synergy could have been seen."
        return {"planted": 0.0, "found": 0.0, "seen": False, "sentence": said}


def some_rows(labels: np.ndarray, most: int, random_state: int) -> np.ndarray:
    """Return all rows, or about so many: neighbours in the order of categories, so that none is left alone."""
    n = len(labels)
    if n <= most:
        return np.arange(n)
    order = np.lexsort((np.random.default_rng(random_state).random(n), labels))
    starts = np.linspace(0, n - 2, most // 2).astype(np.int64)
    rows = np.unique(order[np.concatenate([starts, starts + 1])])
    values, counts = np.unique(labels[rows], return_counts=True)
    return rows[np.isin(labels[rows], values[counts >= 2])]
