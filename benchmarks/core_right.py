"""How right: exact mixtures, invariance, nulls, the published protocol on its own demonstration."""

from __future__ import annotations

import numpy as np

from benchmarks.core_regimes import draw
from benchmarks.report import table
from lsmi_core import TERMS, LSMIEstimator, PointwiseInteractions
from lsmi_core.crossed import could_be_seen
from lsmi_core.folds import default_splits
from lsmi_core.interactions import INGREDIENTS
from lsmi_core.redundancy import adjust_means, decompose
from lsmi_core.synthetic import ExactSamples, continuous_xor, gaussian_classes
from lsmi_core.uncertainty import label_null, power_check

SEEDS = (1, 2, 3, 4, 5)
INFORMATION = ("i1", "i2", "i12")


def exact_terms(drawn: ExactSamples, measure: str) -> dict[str, np.ndarray]:
    """Return the exact r, u1, u2, s and informations of drawn samples."""
    ingredients = {name: getattr(drawn, name) for name in INGREDIENTS}
    return ingredients | dict(zip(TERMS, decompose(measure, **ingredients), strict=True))


def mixtures() -> str:
    """Return the section on Gaussian classes: agreement with the exact answer, sample by sample."""
    rows = []
    for n_classes in (10, 2):
        for n_splits in (5, 10):
            agreement = np.array([_agreement(n_classes, n_splits, seed) for seed in SEEDS])  # (seeds, terms, 2)
            cells = [f"{c:.3f} / {e:.3f}" for c, e in agreement.mean(axis=0)]
            low = agreement[:, :2, 0].min(axis=0)
            folds = f"{n_splits} (default)" if n_splits == default_splits(1_600) else n_splits
            rows.append([n_classes, folds, *cells, f"{low[0]:.3f}, {low[1]:.3f}"])
    return (
        'n=1,600, rho=.5, sigma=.5, `surprisal="feature", redundancy="lsmi"`: correlation with the exact value / '
        f"root-mean-square error in nats, means over {len(SEEDS)} draws.\n\n"
        + table(["classes", "folds", "r", "s", *INFORMATION, "lowest r, s"], rows)
    )


def _agreement(n_classes: int, n_splits: int, seed: int) -> list[tuple[float, float]]:
    drawn = gaussian_classes(1_600, n_classes=n_classes, random_state=seed)
    estimator = LSMIEstimator(redundancy="lsmi", surprisal="feature", n_splits=n_splits)
    found, exact = estimator.fit_score(drawn.x1, drawn.x2, drawn.y), exact_terms(drawn, "lsmi")
    pairs = [(getattr(found, name), exact[name]) for name in ("r", "s", *INFORMATION)]
    return [(np.corrcoef(a, b)[0, 1], float(np.sqrt(np.mean((a - b) ** 2)))) for a, b in pairs]


def invariance() -> str:
    """Return the section on changes that change nothing."""
    rng = np.random.default_rng(0)
    rows = []
    for name, drawn in {"planted regimes": draw(), "Gaussian classes": gaussian_classes(1_600, random_state=6)}.items():
        rotation = np.linalg.qr(rng.normal(size=2 * drawn.x1.shape[1:]))[0]
        noise = rng.normal(size=(len(drawn.x1), 64))
        changes = {
            "x1 scaled by 1,000": 1e3 * drawn.x1,
            "x1 shifted by 100": drawn.x1 + 100,
            "x1 rotated": drawn.x1 @ rotation,
            "64 noise columns beside x1": np.hstack([drawn.x1, noise]),
        }
        base = LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y)
        for change, x1 in changes.items():
            other = LSMIEstimator().fit_score(x1, drawn.x2, drawn.y)
            rows.append([name, change, *(f"{r:.5f}" for r in _correlations(base, other))])
        turned = LSMIEstimator().fit_score(drawn.x2, drawn.x1, drawn.y)
        same = all(
            np.array_equal(getattr(base, a), getattr(turned, b))
            for a, b in (("r", "r"), ("u1", "u2"), ("u2", "u1"), ("s", "s"))
        )
        rows.append([name, "modalities swapped", *["equal bit for bit" if same else "DIFFERS"] * 4])
    return "Per-sample correlation with the unchanged run.\n\n" + table(["law", "change", *TERMS], rows)


def _correlations(a: PointwiseInteractions, b: PointwiseInteractions) -> list[float]:
    return [float(np.corrcoef(getattr(a, t), getattr(b, t))[0, 1]) for t in TERMS]


def nulls() -> str:
    """Return the section on what is not there, and on what is and must be seen."""
    names = (*INFORMATION, *TERMS)
    drawn, planted = gaussian_classes(1_600, random_state=7), draw()
    runs = {
        "labels permuted, Gaussian classes": label_null(LSMIEstimator(), drawn.x1, drawn.x2, drawn.y),
        "labels permuted, planted regimes": label_null(LSMIEstimator(), planted.x1, planted.x2, planted.y),
        "x2 = x1, Gaussian classes": LSMIEstimator().fit_score(drawn.x1, drawn.x1, drawn.y),
        "x2 = x1, planted regimes": LSMIEstimator().fit_score(planted.x1, planted.x1, planted.y),
    }
    for n in (8_000, 600):
        xor = continuous_xor(n, 64, random_state=8)
        runs[f"exclusive or, d=64, n={n:,} (S .6855)"] = LSMIEstimator().fit_score(xor.x1, xor.x2, xor.y)
    rows = [[name, *(f"{result.means()[key]:.4f}" for key in names)] for name, result in runs.items()]
    checks = []
    for n, d in ((600, 4), (600, 16), (600, 64), (2_000, 64), (8_000, 64)):
        xor = continuous_xor(n, d, random_state=9)
        found = power_check(LSMIEstimator(), xor.x1, xor.x2)
        checks.append(
            [
                f"{n:,}",
                d,
                f"{found.found:.3f} of {found.planted:.3f}",
                _said(found.seen),
                _said(could_be_seen(n, (d, d))),
            ]
        )
    return (
        f"Means in nats.\n\n{table(['run', *names], rows)}\n\nPower check: synergy along random directions through all "
        "columns, planted in the same features.\n\n"
        + table(["n", "d", "found", "seen", "expected by the warning"], checks)
    )


def _said(yes: bool) -> str:
    return "yes" if yes else "no"


def published_demo() -> str:
    """Return the section on `protocol="published"` and the demonstration it was published with."""
    rows = []
    for seed in (0, 1, 2):
        drawn = gaussian_classes(2_000, random_state=seed)
        train, rest = slice(0, 1_600), slice(1_600, None)
        model = LSMIEstimator(protocol="published", random_state=seed).fit(
            drawn.x1[train], drawn.x2[train], drawn.y[train]
        )
        found = model.score_samples(drawn.x1[rest], drawn.x2[rest], drawn.y[rest]).adjusted_means()
        exact = exact_terms(drawn, "lsmi")
        law = adjust_means({t: float(exact[t][rest].mean()) for t in TERMS})
        rows.append([seed, *(f"{found[t]:.3f}" for t in TERMS), f"{law['r']:.3f} / {law['s']:.3f}"])
    return (
        "Gaussian classes, C=10, rho=.5, 1,600 to learn from and 400 to score: adjusted means of the 400, in nats "
        "(published: R 1.23, S .23).\n\n" + table(["seed", *TERMS, "exact r / s of the same 400"], rows)
    )
