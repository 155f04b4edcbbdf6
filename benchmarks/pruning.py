"""What leaving samples out costs on real pairs, and whether the chosen recipe beats a random choice.

``python -m benchmarks.pruning`` writes every section of ``benchmarks/pruning.md``;
``python -m benchmarks.pruning emoji`` writes that one again and leaves the others.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.debian import fetch_package
from benchmarks.fashion import fetch, load_halves
from benchmarks.report import table, write_sections
from benchmarks.stamps import PACKAGE, make_table
from curation.demos import load_demo
from curation.settings import home
from feature_extractors import FeatureCache, default_encoder, encode_items, load_encoder
from lsmi_core.applications import PriceOfPruning, PruningSettings, price_of_pruning
from lsmi_core.applications.material import METRICS, held_out
from lsmi_core.applications.price import BASELINE, CHOSEN, POLICIES

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
    folder = fetch()
    learned, asked = load_halves(folder, N_FASHION), load_halves(folder, part="t10k")
    left, right, y = (np.concatenate(both) for both in zip(learned, asked, strict=True))
    test = np.arange(len(y)) >= N_FASHION
    told = f"{N_FASHION:,} pictures cut into left and right half, raw grey values; {len(asked[2]):,} others are asked."
    return _section(told, left / 255, right / 255, y, test, PruningSettings())


def fresh() -> str:
    """Return the same section on pictures that no recipe, and no constant of the choice, was thought up on."""
    left, right, y = (part[N_FASHION:] for part in load_halves(fetch(), 2 * N_FASHION + N_ASKED))
    test = np.arange(len(y)) >= N_FASHION
    told = f"{N_FASHION:,} other pictures are learned from and {N_ASKED:,} others asked: none was used in development."
    return _section(told, left / 255, right / 255, y, test, PruningSettings())


def emoji() -> str:
    """Return the section on emoji, drawing and name: few pairs, so every repeat asks another fifth."""
    data = load_demo("emoji")
    x1, x2 = (_features(m.kind, list(m.items))[1] for m in data.modalities)
    return _small("emoji, drawing and name", x1, x2, data.labels)


def stamps() -> str:
    """Return the section on stamps, spoken French and drawing: small categories, the smallest of three."""
    made = home() / "stamps"
    if not (made / "stamps.csv").exists():
        make_table(fetch_package(PACKAGE), made)
    rows = pd.read_csv(made / "stamps.csv")
    heard, x1 = _features("sound", [made / name for name in rows["sound"]])
    seen, x2 = _features("picture", [made / name for name in rows["picture"]])
    both = np.intersect1d(heard, seen)
    sides = (x[np.searchsorted(kept, both)] for kept, x in ((heard, x1), (seen, x2)))
    return _small("stamps, spoken French and drawing", *sides, rows["category"].to_numpy().astype(str)[both])


def _features(kind: str, items: list) -> tuple[np.ndarray, np.ndarray]:
    encoder = load_encoder(default_encoder(kind), kind)
    done = encode_items(encoder, items, FeatureCache(home() / "features"))
    return done.kept, done.features


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
