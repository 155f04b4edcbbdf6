"""Whether weighing models by predicted interactions beats plain ways to make one answer of them.

``python -m benchmarks.ensemble`` writes every section of ``benchmarks/ensemble.md``;
``python -m benchmarks.ensemble emoji`` writes that one again and leaves the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.pairs import EMOJI, STAMPS, emoji_pairs, fashion_pairs, stamp_pairs
from benchmarks.report import table, write_sections
from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.ensemble.measuring import CONDITIONS, METHODS, METRICS, compare_ensembles
from lsmi_core.applications.ensemble.model import InteractionEnsemble
from lsmi_core.applications.material import held_out
from lsmi_core.synthetic import REGIMES, planted_regimes

REPORT = Path(__file__).with_name("ensemble.md")
INTRO = """
# Ensembles, measured

All figures by `make bench-applications`. Six ways to make one answer of the same three members (calibrated models of
the first side, the second, and both), all learned without those who are asked. Swapped: half of those asked have
one side, either as often, that belongs to a sample of another class; nobody is told which. Missing: everybody is told.
ECE has fifteen bins of equal width. Intervals are Student's at 90 % over repeats, of differences within repeats.
What was tried, and on which other data the design was chosen: docs/decisions.md. One change was prompted by an earlier
run of this page, and settled on other pictures: weights are learned from up to 30,000 samples, not 5,000. With a side
missing, uniform, validation-weighted and best single are one and the same model, so counts of better and worse hold it
three times; of 60 level comparisons about three each would be called better and worse by chance.
"""
OURS = METHODS[0]
N_FASHION, N_DRAWN, FOLDS = 20_000, 30_000, 5
N_PLANTED, PLANTED_CLASSES, SPREAD = 3_000, 4, 1.5

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def planted() -> str:
    """Return the section on samples whose regime is known, so which side deserves weight is as well."""

    def draws() -> Iterator[Split]:
        for seed in range(FOLDS):
            drawn = _drawn(seed)
            yield drawn.x1, drawn.x2, drawn.y, np.arange(2 * N_PLANTED) >= N_PLANTED

    told = (
        f"{N_PLANTED:,} planted samples in {PLANTED_CLASSES} classes are learned from and as many asked, drawn anew "
        f"for each of {FOLDS} repeats; a fifth each is redundant, unique to either side, synergistic, and noise."
    )
    return f"{_section(told, draws())}\n\n{_weights_by_regime()}"


def _drawn(seed: int):
    return planted_regimes(2 * N_PLANTED, n_classes=PLANTED_CLASSES, spread=SPREAD, random_state=seed)


def _weights_by_regime() -> str:
    """Return what each member contributes to the answers about samples of every regime."""
    drawn = _drawn(0)
    asked = np.arange(2 * N_PLANTED) >= N_PLANTED
    ensemble = InteractionEnsemble().fit(drawn.x1[~asked], drawn.x2[~asked], drawn.y[~asked])
    x1, x2, regimes = drawn.x1[asked], drawn.x2[asked], drawn.regime[asked]
    weights, right = ensemble.weights(x1, x2), ensemble.predict(x1, x2) == drawn.y[asked]
    rows = [
        [name, *(f"{w:.2f}" for w in weights[regimes == name].mean(axis=0)), f"{right[regimes == name].mean():.3f}"]
        for name in REGIMES
    ]
    header = ["planted regime", "weight of first", "of second", "of both", "accuracy"]
    return f"Mean weights of `{OURS}` in the first repeat.\n\n{table(header, rows)}"


def emoji() -> str:
    """Return the section on emoji, drawing and name."""
    return _small(EMOJI, *emoji_pairs())


def stamps() -> str:
    """Return the section on stamps, spoken French and drawing."""
    return _small(STAMPS, *stamp_pairs())


def fashion() -> str:
    """Return the section on halves of pictures: every repeat asks another part of the official test pictures."""
    learned, asked = fashion_pairs(N_DRAWN), fashion_pairs(part="t10k")
    parts = np.array_split(np.arange(len(asked[2])), FOLDS)

    def draws() -> Iterator[Split]:
        for seed, part in enumerate(parts):
            rows = np.random.default_rng(seed).permutation(N_DRAWN)[:N_FASHION]
            both = [np.concatenate([a[rows], b[part]]) for a, b in zip(learned, asked, strict=True)]
            yield *both, np.arange(len(both[2])) >= N_FASHION

    told = (
        f"Pictures cut into left and right half, raw grey values: each of {FOLDS} repeats learns from {N_FASHION:,} of "
        f"{N_DRAWN:,} and asks another {len(parts[0]):,} of the official test pictures."
    )
    return _section(told, draws())


def _small(what: str, x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> str:
    codes = np.unique(y, return_inverse=True)[1]
    told = f"{len(y):,} {what}, {codes.max() + 1} categories; every one of {FOLDS} repeats asks another fifth."
    return _section(told, iter([(x1, x2, codes, held_out(codes, FOLDS, 0))]))


def _section(told: str, splits: Iterator[Split]) -> str:
    wall, processor, found = time.monotonic(), time.process_time(), []
    for seed, (x1, x2, y, asked) in enumerate(splits):
        found.append(compare_ensembles(x1, x2, y, asked, asked.shape[0] if asked.ndim == 2 else 1, random_state=seed))
    compared = Comparison(METHODS, CONDITIONS, METRICS, np.concatenate([one.values for one in found], axis=-1))
    took = f"{time.monotonic() - wall:.0f} s, {time.process_time() - processor:.0f} s of processor time"
    return f"{told} {took}.\n\n{_figures(compared)}\n\n{_gains(compared)}"


def _figures(compared: Comparison) -> str:
    def cell(method: str, condition: str) -> str:
        return " / ".join(f"{compared.of(method, condition, m).mean():.3f}".removeprefix("0") for m in METRICS)

    rows = [[f"`{method}`", *(cell(method, condition) for condition in CONDITIONS)] for method in METHODS]
    return f"Accuracy / ECE / log loss.\n\n{table(['', *CONDITIONS], rows)}"


def _gains(compared: Comparison) -> str:
    rows, tally = [], {"better": 0, "level": 0, "worse": 0}
    for condition in CONDITIONS:
        for method in METHODS[1:]:
            gains = [compared.gain(OURS, method, condition, metric) for metric in METRICS]
            for metric, (_, low, high) in zip(METRICS, gains, strict=True):
                tally[_verdict(low, high, metric)] += 1
            rows.append(
                [condition, f"`{method}`", *(_shown(metric, *g) for metric, g in zip(METRICS, gains, strict=True))]
            )
    counted = ", ".join(f"{n} {name}" for name, n in tally.items())
    header = ["condition", "against", "accuracy, points", "ECE, points", "log loss, nats"]
    return (
        f"`{OURS}` less each other, with its interval, **bold** where it is better beyond the interval and _slanted_ "
        f"where it is worse: {counted}.\n\n{table(header, rows)}"
    )


def _verdict(low: float, high: float, metric: str) -> str:
    if metric != "accuracy":
        low, high = -high, -low
    return "better" if low > 0 else "worse" if high < 0 else "level"


def _shown(metric: str, mean: float, low: float, high: float) -> str:
    scale, digits = (1, 3) if metric == "log_loss" else (100, 1)
    told = " ".join([f"{scale * mean:+.{digits}f}", f"({scale * low:+.{digits}f}, {scale * high:+.{digits}f})"])
    mark = {"better": "**", "level": "", "worse": "_"}[_verdict(low, high, metric)]
    return f"{mark}{told}{mark}"


SECTIONS = {
    "planted": ("Planted interactions", planted),
    "emoji": ("Emoji", emoji),
    "stamps": ("Tux Paint stamps", stamps),
    "fashion": ("Fashion-MNIST halves", fashion),
}

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.ensemble", __doc__)
