"""Planted regimes: on a law that is known exactly, and on real pictures."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from benchmarks.fashion import KINDS, components, fetch, load_halves, spoil
from benchmarks.published import published_fit_score
from benchmarks.report import table
from lsmi_core import LSMIEstimator, PointwiseInteractions
from lsmi_core.interactions import DEFAULT_REDUNDANCY, INGREDIENTS
from lsmi_core.redundancy import REDUNDANCIES, decompose
from lsmi_core.synthetic import SWAPPED, ExactSamples, planted_regimes

REGIME_OF_TERM = ("redundant", "unique1", "unique2", "synergistic")
SEED = 11
DRAWS = {"n=500": 8, "40 classes": 4}
VARIANTS: dict[str, dict] = {
    "plain: 4 classes, 16 columns, n=6,000": {},
    "48 noise columns": {"noise_features": 48},
    "256 noise columns": {"noise_features": 256},
    "clusters 2.3 times wider": {"spread": 2.3},
    "half the samples redundant": {"shares": (0.5, 0.125, 0.125, 0.125, 0.125)},
    "2 classes": {"n_classes": 2},
    "10 classes": {"n_classes": 10},
    "40 classes": {"n_classes": 40},
    "40 classes, n=50,000": {"n_classes": 40, "n_samples": 50_000},
    "imbalance 20:1": {"imbalance": 20.0},
    "n=500": {"n_samples": 500},
    "n=1,500": {"n_samples": 1_500},
    "n=50,000": {"n_samples": 50_000},
    "x1 times 1,000 and rotated": {"turned": True},
    "16 columns against 768": {"n_features": (16, 768)},
    "30 % of the redundant pairs swapped": {"swapped": 0.3},
}
ENOUGH_FOR_PUBLISHED = 6_000


def draw(n_samples: int = 6_000, turned: bool = False, seed: int = SEED, **settings: object) -> ExactSamples:
    """Return planted samples; ``turned`` scales the first modality by 1,000 and rotates it."""
    drawn = planted_regimes(n_samples, random_state=seed, **settings)
    if not turned:
        return drawn
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=2 * drawn.x1.shape[1:]))[0]
    return ExactSamples(**drawn.__dict__ | {"x1": 1e3 * drawn.x1 @ rotation})


def areas(measure: str, ingredients: dict[str, np.ndarray], regime: np.ndarray) -> np.ndarray:
    """Return the AUROC of r, u1, u2 and s, NaN where a regime does not occur."""
    told = np.where(regime == SWAPPED, "unique1", regime)  # only the first modality still names the label
    terms = decompose(measure, **ingredients)
    found = [(told == name, term) for name, term in zip(REGIME_OF_TERM, terms, strict=True)]
    return np.array([roc_auc_score(hit, term) if hit.any() else np.nan for hit, term in found])


def regimes() -> str:
    """Return the section on the planted law."""
    rows, by_measure = [], []
    for name, settings in VARIANTS.items():
        # One draw of few samples says little: several are averaged.
        draws = [draw(seed=SEED + k, **settings) for k in range(DRAWS.get(name, 1))]
        results = [LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y) for drawn in draws]
        ours = _mean_areas(DEFAULT_REDUNDANCY, [r.ingredients() for r in results], draws)
        law = _mean_areas(DEFAULT_REDUNDANCY, [_exact(drawn) for drawn in draws], draws)
        told = _published(draws[0])
        short = [f"{(law - ours).mean():.4f}", f"{(law - ours).max():.3f}"]
        rows.append([name, f"{ours.mean():.4f}", f"{law.mean():.4f}", *short, _spelt(ours), told])
        fits = [r.ingredients() for r in results]
        by_measure.append([name, *(f"{_mean_areas(m, fits, draws).mean():.4f}" for m in REDUNDANCIES)])
    header = ["variant", "mean AUROC", "law", "short by", "worst term short by", "r u1 u2 s", "published"]
    return (
        "One draw each; means of 8 draws at n=500 and of 4 with 40 classes. The published protocol fits one draw, and "
        f"no more than {ENOUGH_FOR_PUBLISHED:,} of its samples.\n\n{table(header, rows)}\n\nThe same fits under "
        f"every measure, mean AUROC:\n\n{table(['variant', *REDUNDANCIES], by_measure)}"
    )


def _exact(drawn: ExactSamples) -> dict[str, np.ndarray]:
    return {name: getattr(drawn, name) for name in INGREDIENTS}


def _mean_areas(measure: str, ingredients: list[dict[str, np.ndarray]], draws: list[ExactSamples]) -> np.ndarray:
    return np.mean([areas(measure, i, drawn.regime) for i, drawn in zip(ingredients, draws, strict=True)], axis=0)


def _spelt(found: np.ndarray) -> str:
    return " ".join(f"{a:.3f}" for a in found)


def _published(drawn: ExactSamples) -> str:
    some = slice(0, ENOUGH_FOR_PUBLISHED)
    terms = fit_published(drawn.x1[some], drawn.x2[some], drawn.y[some])
    found = areas("lsmi", terms, drawn.regime[some])
    return f"{found.mean():.3f} ({' '.join(f'{a:.2f}' for a in found)})"


def fit_published(x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Return the published protocol's terms, fitted on one thread: small steps only wait for a second one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return published_fit_score(x1, x2, y, int(y.max()) + 1)
    finally:
        torch.set_num_threads(before)


def fashion() -> str:
    """Return the section on real pictures: halves of Fashion-MNIST, some of them spoilt."""
    left, right, y = load_halves(fetch(), 10_000, random_state=SEED)
    rows = []
    for kind in KINDS:
        for other_label in (True, False) if kind == "swapped" else (True,):
            x1, x2, regime = spoil(left, right, y, kind, seed=SEED, other_label=other_label)
            x1, x2 = components(x1), components(x2)
            result = LSMIEstimator().fit_score(x1, x2, y)
            partner = f", partner of {'another' if other_label else 'any'} label" if kind == "swapped" else ""
            rows.append(
                [
                    kind + partner,
                    *(_three(measure, result, regime) for measure in REDUNDANCIES),
                    _told(x1, x2, y, regime),
                ]
            )
    return (
        "10,000 Fashion-MNIST pictures cut into left and right half, 64 principal components each; 20 % of the samples "
        "have their left half spoilt, another 20 % their right half. Mean AUROC over r, u1, u2 (each in brackets). A "
        "partner of any label shares the label in one case of ten, which scores of what is said about the label cannot "
        "tell from an intact pair: about .95 is the most there is to reach in that row.\n\n"
        + table(["halves", *REDUNDANCIES, "published"], rows)
    )


def _three(measure: str, result: PointwiseInteractions, regime: np.ndarray) -> str:
    found = areas(measure, result.ingredients(), regime)[:3]
    return f"{found.mean():.3f} ({' '.join(f'{a:.2f}' for a in found)})"


def _told(x1: np.ndarray, x2: np.ndarray, y: np.ndarray, regime: np.ndarray) -> str:
    found = areas("lsmi", fit_published(x1, x2, y), regime)[:3]
    return f"{found.mean():.3f} ({' '.join(f'{a:.2f}' for a in found)})"
