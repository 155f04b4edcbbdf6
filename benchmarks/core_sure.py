"""How sure: coverage of intervals, standard errors, and suspects found in a real data set."""

from __future__ import annotations

import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import roc_auc_score

from benchmarks.core_right import exact_terms
from benchmarks.fashion import components, fetch, load_halves
from benchmarks.report import table
from lsmi_core import TERMS, LSMIEstimator
from lsmi_core.folds import default_splits
from lsmi_core.interactions import DEFAULT_REDUNDANCY
from lsmi_core.intervals import extrapolated_intervals, mean_interval
from lsmi_core.synthetic import ExactSamples, gaussian_classes, planted_regimes

SEEDS = range(1_000, 1_200)  # others than those on which the two numbers in extrapolated_intervals were chosen
EXTRA = 200_000
NAMES = ("i1", "i2", "i12", *TERMS)
LAWS = {
    "planted regimes, n=1,000": (1_000, lambda n, seed: planted_regimes(n, random_state=seed)),
    "Gaussian classes, C=2, n=1,600": (1_600, lambda n, seed: gaussian_classes(n, n_classes=2, random_state=seed)),
    "Gaussian classes, C=10, n=1,600": (1_600, lambda n, seed: gaussian_classes(n, random_state=seed)),
}


def uncertainty() -> str:
    """Return the section on intervals for data-set means, and on standard errors of single samples."""
    rows = []
    for name, (n, law) in LAWS.items():
        hits = np.array([_replicate(law(n + EXTRA, seed), n) for seed in SEEDS])  # (replicates, 2, terms)
        for kind, covered in zip(("plain", "extrapolated"), hits.mean(axis=0), strict=True):
            rows.append([name, kind, *(f"{c:.3f}" for c in covered)])
    return (
        f"Share of {len(SEEDS)} replicates in which the 90 % interval of a data-set mean covers the exact value (mean "
        f"of the exact quantities over {EXTRA:,} further samples of the same law).\n\n"
        + table(["law", "interval", *NAMES], rows)
        + "\n\n"
        + _standard_errors()
    )


def _replicate(drawn: ExactSamples, n: int) -> list[list[bool]]:
    exact = {name: float(v[n:].mean()) for name, v in exact_terms(drawn, DEFAULT_REDUNDANCY).items()}
    x1, x2, y = drawn.x1[:n], drawn.x2[:n], drawn.y[:n]
    full, half = (LSMIEstimator(n_splits=k).fit_score(x1, x2, y) for k in (default_splits(n), 2))
    told = extrapolated_intervals(full, half, default_splits(n))
    plain = {name: mean_interval(getattr(full, name)) for name in NAMES}
    return [[low <= exact[name] <= high for name in NAMES for _, low, high in [kind[name]]] for kind in (plain, told)]


def _standard_errors() -> str:
    drawn = gaussian_classes(1_600, random_state=3)
    result = LSMIEstimator(n_repeats=5).fit_score(drawn.x1, drawn.x2, drawn.y)
    other = LSMIEstimator(n_repeats=5, random_state=100).fit_score(drawn.x1, drawn.x2, drawn.y)
    rows = []
    for term, error in result.standard_errors().items():
        between = np.abs(getattr(result, term) - getattr(other, term)) / np.sqrt(2)
        rows.append(
            [
                term,
                f"{np.median(error):.3f}",
                f"{np.sqrt((error**2).mean()):.3f}",
                f"{np.sqrt((between**2).mean()):.3f}",
            ]
        )
    return (
        "Standard errors of single samples from five repeats (Gaussian classes, C=10, n=1,600), nats; last column: how "
        "much a second set of five repeats differs, divided by the square root of two.\n\n"
        + table(["term", "median", "root mean square", "seen between two sets"], rows)
    )


def suspects() -> str:
    """Return the section on planted label errors and swapped pairs, cleanlab's scores beside ours."""
    left, right, y = load_halves(fetch(), 10_000, random_state=5)
    rng = np.random.default_rng(5)
    order, n_bad = rng.permutation(len(y)), len(y) // 20
    wrong, swapped = order[:n_bad], order[n_bad : 2 * n_bad]
    labels = y.copy()
    labels[wrong] = (y[wrong] + rng.integers(1, 10, n_bad)) % 10
    partners = rng.permutation(swapped)
    while (same := y[partners] == y[swapped]).any():
        partners[same] = rng.choice(len(y), same.sum())
    right = right.copy()
    right[swapped] = right[partners]
    estimator = LSMIEstimator()
    x1, x2 = components(left), components(right)
    result = estimator.fit_score(x1, x2, labels)
    log_p = estimator.fit(x1, x2, labels).model_.joint.held_out
    is_wrong, is_swapped = np.isin(np.arange(len(y)), wrong), np.isin(np.arange(len(y)), swapped)
    scores = {
        "Interplay: label error": result.suspicion.label_error,
        "Interplay: swapped pair": result.suspicion.swapped_pair,
    }
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        scores[f"cleanlab, {method}"] = -get_label_quality_scores(labels, np.exp(log_p), method=method)
    rows = [
        [name, f"{roc_auc_score(is_wrong, s):.4f}", f"{roc_auc_score(is_swapped, s):.4f}"] for name, s in scores.items()
    ]
    return (
        "Fashion-MNIST halves, n=10,000: 5 % of the labels changed, 5 % of the right halves taken from a picture of "
        "another label. AUROC; cleanlab sees the same held-out p(y | x1, x2).\n\n"
        + table(["score", "label errors", "swapped pairs"], rows)
    )
