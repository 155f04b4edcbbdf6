"""Whether a student of one side gains from a teacher of both, and from weighing samples by what their sides tell.

``python -m benchmarks.distillation`` writes every section of ``benchmarks/distillation.md``;
``python -m benchmarks.distillation emoji`` writes that one again and leaves the others.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.fashion import spoil
from benchmarks.pairs import EMOJI, STAMPS, emoji_pairs, fashion_pairs, stamp_pairs
from benchmarks.report import table, write_sections
from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.distillation.lessons import Recipe, Teacher, weigh
from lsmi_core.applications.distillation.measuring import compare_distillation
from lsmi_core.applications.material import Pairs, held_out
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.synthetic import REGIMES, SWAPPED, planted_regimes

REPORT = Path(__file__).with_name("distillation.md")
INTRO = """
# Targeted distillation, measured

All figures by `make bench-applications`. A teacher of both sides, students of one: two-layer networks (128 hidden
units, at most 64 principal components) that start from the same weights and are shown the same samples for the same
number of steps. Strength and temperature of the uniform ones and the recipe of the targeted one are chosen on the same
inner splits, by log-loss; nothing sees those who are asked. Every student's probabilities are calibrated by one
temperature from those splits. "Random weights" are the targeted ones, dealt out to other samples. Each figure is a mean
over three seeds a repeat; intervals are Student's at 90 % over repeats, of differences within them. Developed on
Fashion-MNIST (pictures 0 to 29,999 of the shuffled training part), stamps (other folds) and planted sets (seeds from
100): emoji and the pictures below were not looked at.
"""
FOLDS, PARTITIONS = 5, 2
EVERY, FEW = (1.0,), (1.0, 0.2)
SWAP = 0.2
FIRST_FRESH, N_SMALL, N_LARGE, N_DRAWS = 30_000, 1_000, 20_000, 5
PLANTED = {"n_features": 16, "noise_features": 24, "spread": 1.8, "swapped": 0.2}

Draw = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""x1, x2, y, and who is asked in each repeat, bool of shape (n_repeats, n_samples)."""


def emoji() -> str:
    """Return the section on emoji, drawing and name."""
    x1, x2, y = emoji_pairs()
    return _section(f"{len(y):,} {EMOJI}.", ("drawing", "name"), [_folds(x1, x2, y)])


def stamps() -> str:
    """Return the section on stamps, spoken French and drawing."""
    x1, x2, y = stamp_pairs()
    return _section(f"{len(y):,} {STAMPS}.", ("speech", "drawing"), [_folds(x1, x2, y)])


def fashion() -> str:
    """Return the section on few halves of pictures: every repeat learns from other ones."""
    told = f"{N_SMALL:,} pictures cut into halves, others in every repeat; the 10,000 test pictures are asked."
    return _section(told, ("left half",), [_halves(k) for k in range(N_DRAWS)], FEW)


def large() -> str:
    """Return the section on many halves of pictures."""
    told = f"{N_LARGE:,} pictures cut into halves; the 10,000 test pictures are asked, and repeats are seeds."
    return _section(told, ("left half",), [_halves(0, N_LARGE, n_repeats=3)])


def planted() -> str:
    """Return the section on drawn samples whose regimes are known."""
    draws = []
    for seed in range(N_DRAWS):
        drawn = planted_regimes(800 + 5_000, random_state=seed, **PLANTED)
        draws.append((drawn.x1, drawn.x2, drawn.y, np.arange(len(drawn.y))[None] >= 800))
    told = "800 samples of known regimes, others in every repeat; 5,000 more are asked."
    return f"{_section(told, ('x1', 'x2'), draws)}\n\n{_found()}"


def mismatched() -> str:
    """Return the section on pairs of which two fifths are spoilt: one side is that of another category's sample."""
    x1, x2, y = emoji_pairs()
    x1, x2, regime = spoil(x1, x2, y, "swapped", SWAP)
    masks = held_out(np.unique(y, return_inverse=True)[1], FOLDS, 0) & (regime == "redundant")
    told = f"{len(y):,} {EMOJI}; intact pairs of another fifth are asked in each repeat."
    parts = [f"### Emoji\n\n{_section(told, ('drawing', 'name'), [(x1, x2, y, masks)])}"]
    draws = [_halves(k, spoilt=True) for k in range(N_DRAWS)]
    told = f"{N_SMALL:,} pictures, others in every repeat; the intact test pictures are asked."
    parts.append(f"### Fashion-MNIST halves\n\n{_section(told, ('left half', 'right half'), draws)}")
    what = f"In {SWAP:.0%} of the pairs the first side, and in as many others the second, is that of another category."
    return "\n\n".join([what, *parts])


def _folds(x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> Draw:
    codes = np.unique(y, return_inverse=True)[1]
    return x1, x2, codes, np.concatenate([held_out(codes, FOLDS, seed) for seed in range(PARTITIONS)])


def _halves(k: int, n: int = N_SMALL, n_repeats: int = 1, spoilt: bool = False) -> Draw:
    """Return pictures to learn from that were not looked at in development, and the test pictures."""
    learned = [part[FIRST_FRESH + k * n :][:n] for part in fashion_pairs()]
    if spoilt:
        learned[:2] = spoil(*learned, "swapped", SWAP, k)[:2]
    left, right, y = (np.concatenate(both) for both in zip(learned, fashion_pairs(part="t10k"), strict=True))
    return left, right, y, np.repeat(np.arange(len(y))[None] >= n, n_repeats, axis=0)


def _section(told: str, sides: tuple[str, ...], draws: list[Draw], shares: tuple[float, ...] = EVERY) -> str:
    parts = [told]
    for student, side in enumerate(sides, start=1):
        wall, processor = time.monotonic(), time.process_time()
        each = [
            compare_distillation(*draw, student, len(draw[3]), shares, random_state=k) for k, draw in enumerate(draws)
        ]
        result = Comparison(
            each[0].methods, each[0].conditions, each[0].metrics, np.concatenate([e.values for e in each], axis=3)
        )
        took = f"{time.monotonic() - wall:.0f} s, {time.process_time() - processor:.0f} s of processor time"
        parts.append(f"**Student of the {side}**, {result.values.shape[3]} repeats ({took}).")
        parts.append(_table(result))
    return "\n\n".join(parts)


def _table(result: Comparison) -> str:
    rows = []
    for condition in result.conditions:
        for method in result.methods:
            means = [result.of(method, condition, metric).mean() for metric in result.metrics]
            gains = (
                []
                if method in ("targeted", "teacher")
                else [
                    _gain(result, method, condition, "accuracy", 100, ".1f"),
                    _gain(result, method, condition, "log_loss", 1, ".3f"),
                ]
            )
            rows.append([condition, method, *(f"{m:.3f}" for m in means), *(gains or ["", ""])])
    header = ["condition", "method", *result.metrics, "targeted less it: accuracy, points", "log-loss"]
    return table(header, rows)


def _gain(result: Comparison, method: str, condition: str, metric: str, unit: float, form: str) -> str:
    mean, low, high = (unit * v for v in result.gain("targeted", method, condition, metric))
    bold = "**" if low > 0 and metric == "accuracy" or high < 0 and metric == "log_loss" else ""
    return f"{bold}{mean:+{form}} ({low:+{form}}, {high:+{form}}){bold}"


def _found() -> str:
    """Return what weights the samples of each regime got, for a student of x2, whose sides were swapped."""
    drawn = planted_regimes(800, random_state=0, **PLANTED)
    teacher = Teacher(Pairs(drawn.x1, drawn.x2, drawn.y), 2, LSMIEstimator(), 0, lambda: None)
    weights = weigh(Recipe(0.5, trust="odds", carry="odds"), teacher.terms, teacher.labelled)[:3]
    rows = [
        [regime, (drawn.regime == regime).sum(), *(f"{w:.2f}" for w in weights[:, drawn.regime == regime].mean(axis=1))]
        for regime in (*REGIMES, SWAPPED)
    ]
    told = "Mean weights of a student of x2 by regime, half labels and half beliefs, trust and carry by odds:"
    return f"{told}\n\n{table(['regime', 'samples', 'label', 'belief of both', 'belief of x2'], rows)}"


SECTIONS = {
    "emoji": ("Emoji", emoji),
    "stamps": ("Tux Paint stamps", stamps),
    "fashion": ("Fashion-MNIST halves, few", fashion),
    "large": ("Fashion-MNIST halves, many", large),
    "planted": ("Planted regimes", planted),
    "mismatched": ("Mismatched pairs", mismatched),
}

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.distillation", __doc__)
