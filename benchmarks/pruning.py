"""What leaving samples out costs on real pairs, and whether the chosen recipe beats a random choice.

``python -m benchmarks.pruning`` writes every section of ``benchmarks/pruning.md``;
``python -m benchmarks.pruning emoji`` writes that one again and leaves the others.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.pairs import EMOJI, STAMPS, emoji_pairs, fashion_pairs, stamp_pairs
from benchmarks.report import table, write_sections
from lsmi_core.applications import PriceOfPruning, PruningSettings, price_of_pruning
from lsmi_core.applications.material import METRICS, held_out
from lsmi_core.applications.pruning.price import BASELINE, CHOSEN, POLICIES

REPORT = Path(__file__).with_name("pruning.md")
INTRO = """
# The price of pruning, measured

All figures by `make bench-pruning`. Two-layer probes (128 hidden units, Adam, cosine schedule), the same number of
steps, first weights and draws for every policy; features reduced to at most 64 principal components a side and
standardised by the samples that are learned from; a missing modality is zero. Scores, choices and components never see
those who are asked. Intervals are Student's at 90 % over repeats, of differences to class-balanced random.
"""
N_FASHION, N_ASKED = 20_000, 10_000
FOLDS = 5
SHOWN = ("accuracy", "accuracy_without_1", "accuracy_without_2")


def fashion() -> str:
    """Return the section on halves of pictures: many pairs, the official test pictures asked."""
    learned, asked = fashion_pairs(N_FASHION), fashion_pairs(part="t10k")
    left, right, y = (np.concatenate(both) for both in zip(learned, asked, strict=True))
    test = np.arange(len(y)) >= N_FASHION
    told = f"{N_FASHION:,} pictures cut into left and right half, raw grey values; {len(asked[2]):,} others are asked."
    return _section(told, left, right, y, test, PruningSettings())


def fresh() -> str:
    """Return the same section on pictures that no recipe was thought up on."""
    left, right, y = (part[N_FASHION:] for part in fashion_pairs(2 * N_FASHION + N_ASKED))
    test = np.arange(len(y)) >= N_FASHION
    told = f"{N_FASHION:,} other pictures are learned from and {N_ASKED:,} others asked: none was used in development."
    return _section(told, left, right, y, test, PruningSettings())


def emoji() -> str:
    """Return the section on emoji, drawing and name: few pairs, so every repeat asks another fifth."""
    return _small(EMOJI, *emoji_pairs())


def stamps() -> str:
    """Return the section on stamps, spoken French and drawing: small categories, the smallest of three."""
    return _small(STAMPS, *stamp_pairs())


def _small(what: str, x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> str:
    codes = np.unique(y, return_inverse=True)[1]
    told = f"{len(y):,} {what}, {codes.max() + 1} categories; every one of {FOLDS} repeats asks another fifth."
    return _section(told, x1, x2, y, held_out(codes, FOLDS, 0), PruningSettings(n_repeats=FOLDS))


def _section(
    told: str, x1: np.ndarray, x2: np.ndarray, y: np.ndarray, test: np.ndarray, settings: PruningSettings
) -> str:
    wall, processor = time.monotonic(), time.process_time()
    price = price_of_pruning(x1, x2, y, test, settings)
    took = f"{time.monotonic() - wall:.0f} s, {time.process_time() - processor:.0f} s of processor time"
    return f"{told} {took}.\n\n{_accuracies(price)}\n\n{_gains(price)}"


def _accuracies(price: PriceOfPruning) -> str:
    def cell(values: np.ndarray) -> str:  # (n_repeats, n_metrics)
        return " / ".join(f"{values[:, METRICS.index(m)].mean():.3f}".removeprefix("0") for m in SHOWN)

    rows = [["100 %", *[cell(price.whole)] * len(POLICIES)]]
    rows += [[f"{b:.0%}", *(cell(v[i]) for v in price.values)] for i, b in enumerate(price.budgets)]
    return f"Accuracy with both / without the first / without the second.\n\n{table(['kept', *POLICIES], rows)}"


def _gains(price: PriceOfPruning) -> str:
    rows = []
    for recipes, budget in zip(price.recipes, price.budgets, strict=True):
        named = "; ".join(f"{r} ({n}x)" for r, n in Counter(recipes).most_common())
        gains = [_points(*price.gain(CHOSEN, budget, metric)) for metric in METRICS]
        rows.append([f"{budget:.0%}", *gains, named, price.recommend(budget).sentence])
    header = ["kept", *METRICS, "recipes", "recommendation"]
    return f"`{CHOSEN}` less `{BASELINE}`, in points, with its interval.\n\n{table(header, rows)}"


def _points(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:+.1f} ({100 * low:+.1f}, {100 * high:+.1f})"


SECTIONS = {
    "fashion": ("Fashion-MNIST halves", fashion),
    "fresh": ("Fashion-MNIST halves, not used in development", fresh),
    "emoji": ("Emoji", emoji),
    "stamps": ("Tux Paint stamps", stamps),
}

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.pruning", __doc__)
