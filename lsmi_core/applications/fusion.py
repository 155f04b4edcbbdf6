"""How much more the estimator sees with a learned joint representation, out of fold and over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.base import clone

from lsmi_core.applications.comparison import Comparison, over_repeats
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.infmasking import InfMasking
from lsmi_core.validation import check_int

__all__ = ["METHODS", "METRICS", "compare_fusion", "default_epochs"]

METHODS, METRICS = ("with fusion", "features alone"), ("i12", "s")
STEPS, BATCH = 1_000, 64
LEARNING = 0.8  # the share of a repeat that is the training


def default_epochs(n_samples: int) -> int:
    """Return how many passes over the samples make about a thousand steps, at most a hundred."""
    return int(np.clip(round(STEPS / max(n_samples // BATCH, 1)), 1, 100))


def compare_fusion(
    x1: np.ndarray,
    x2: np.ndarray,
    y: np.ndarray,
    estimator: LSMIEstimator | None = None,
    n_repeats: int = 3,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
    known: Mapping[int, np.ndarray] | None = None,
    keep: Callable[[int, np.ndarray], None] | None = None,
) -> Comparison:
    """Measure what the estimator sees with InfMasking's vectors as ``x12``, and what it sees without.

    The fusion learns without labels, and the estimator scores every sample by models blind to its label: neither
    figure is flattered by having looked.

    Parameters
    ----------
    x1, x2 : array-like of shape (n_samples, n_features_k)
    y : array-like of shape (n_samples,)
    estimator : LSMIEstimator, optional
        Whose settings are used; its seed is replaced.
    n_repeats : int, default=3
        With other first weights, draws and folds.
    random_state : int, default=0
    progress : callable, optional
        Called with (hundredths of repeats done, hundredths in all); whatever it raises cancels.
    known : mapping of int to ndarray, optional
        Repeats that an earlier call with the same data and seed has finished.
    keep : callable, optional
        Handed every finished repeat, its number and its values, to be kept.

    Returns
    -------
    Comparison
        Of :data:`METHODS` under the condition "intact"; :data:`METRICS` are data-set means in nats.

    Raises
    ------
    InvalidInputError
        When an argument cannot be used.
    """
    check_int(n_repeats, "n_repeats", 1, owner="compare_fusion")
    check_int(random_state, "random_state", 0, 2**32, owner="compare_fusion")

    def measure(repeat: int, report: Callable[[float], None]) -> np.ndarray:
        return _measured(x1, x2, y, estimator or LSMIEstimator(), random_state + repeat, report)

    return Comparison(METHODS, ("intact",), METRICS, over_repeats(measure, n_repeats, progress, known, keep))


def _measured(
    x1: np.ndarray, x2: np.ndarray, y: np.ndarray, estimator: LSMIEstimator, seed: int,
    report: Callable[[float], None],
) -> np.ndarray:  # fmt: skip
    """Return the means of one repeat, shape (n_methods, 1, n_metrics)."""
    model = InfMasking(n_epochs=default_epochs(len(x1)), random_state=seed)
    model.fit(x1, x2, progress=lambda done, total: report(LEARNING * done / total))
    scores = []
    for turn, z in enumerate((model.transform(x1, x2), None)):

        def on_share(done: int, total: int, turn: int = turn) -> None:
            report(LEARNING + (1 - LEARNING) * (turn + done / total) / 2)

        scored = clone(estimator).set_params(random_state=seed).fit_score(x1, x2, y, x12=z, progress=on_share)
        scores.append([[scored.means()[metric] for metric in METRICS]])
    return np.array(scores)
