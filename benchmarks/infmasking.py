"""How much synergy a learned fusion brings to light, beside CoMM, plain contrast and plain concatenation.

``python -m benchmarks.infmasking`` writes every section of ``benchmarks/infmasking.md``;
``python -m benchmarks.infmasking xor`` writes that one again. Finished trainings are kept in the folder that Interplay
keeps its own files in, under ``infmasking``: a run that was stopped goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.pairs import EMOJI, STAMPS, emoji_pairs, fashion_pairs, stamp_pairs
from benchmarks.report import table, write_sections
from benchmarks.trifeature_runs import TARGETS, Plan, measure
from curation.settings import home
from lsmi_core import LSMIEstimator
from lsmi_core.applications.fusion import METHODS, METRICS, compare_fusion
from lsmi_core.fusion.objectives import OBJECTIVES
from lsmi_core.fusion.training import Checkpoint
from lsmi_core.infmasking import InfMasking
from lsmi_core.intervals import mean_interval
from lsmi_core.synthetic import continuous_xor

REPORT = Path(__file__).with_name("infmasking.md")
INTRO = """
# InfMasking, measured

All figures by `make bench-infmasking`.
"""
SEEDS = range(5)
PUBLISHED = {
    "contrast": ("100", "11.6", "50.0"),
    "comm": ("99.9", "86.8 ± 3.0", "71.4 ± 3.5"),
    "infmasking": ("99.9", "90.6 ± 2.3", "77.0 ± 4.2"),
}
WIDTHS, SIZES, STEPS = (16, 64, 256), (600, 2_000, 8_000), 400
DRAWS = 3
PAIRS = {EMOJI: emoji_pairs, STAMPS: stamp_pairs, "Fashion-MNIST halves, 5,000": lambda: fashion_pairs(5_000)}
REPEATS = 5


def trifeature() -> str:
    """Return the section on pictures: what a linear probe reads from each representation."""
    plan = Plan()
    told = {
        name: [
            _kept("trifeature", {**asdict(plan), "objective": name, "seed": seed}, lambda at: _trifeature(plan, at))
            for seed in SEEDS
        ]
        for name in OBJECTIVES
    }
    values = {name: {t: np.array([run[t] for run in runs]) for t in TARGETS} for name, runs in told.items()}
    how = (
        f"Pairs of pictures drawn by `benchmarks/trifeature.py` ({plan.n_train:,} pairs to learn from, as many to "
        f"probe with for the couples, {plan.n_test:,} to ask; 32 x 32 pixels), a small convolutional encoder a side "
        f"trained from scratch, {plan.n_epochs} epochs, {len(SEEDS)} seeds of pictures, couples and weights. Balanced "
        "accuracy in per cent of logistic regression on the fused vectors, its strength chosen on a fifth of what it "
        "learns from; ± is the standard deviation over seeds. Published: pictures of 224 x 224, AlexNet, 100 epochs."
    )
    head = ["trained for", *(f"{target}, here (published)" for target in TARGETS)]
    rows = [
        [name, *(f"{_spread(values[name][t])} ({PUBLISHED[name][k]})" for k, t in enumerate(TARGETS))]
        for name in OBJECTIVES
    ]
    gains = [
        [f"{a} - {b}", *(_interval(values[a][t] - values[b][t]) for t in TARGETS)]
        for a, b in (("infmasking", "comm"), ("comm", "contrast"), ("infmasking", "contrast"))
    ]
    differences = table(["difference in points, 90 % interval over seeds", *TARGETS], gains)
    return "\n\n".join([how, table(head, rows), differences])


def _trifeature(plan: Plan, at: dict) -> dict[str, float]:
    key = _digest(at)

    def checkpoint(name: str) -> Checkpoint:
        return Checkpoint(_folder() / f"{key}-{name}.pt", key)

    told = measure(at["objective"], plan, at["seed"], checkpoint, lambda done, total: None)
    for left in _folder().glob(f"{key}-*.pt"):
        left.unlink()
    return told


def xor() -> str:
    """Return the section on continuous XOR: how much of log 2 each representation lets the estimator see."""
    names = ("concatenation", *reversed(OBJECTIVES), "estimator", "estimator with x12")
    rows = []
    for n in SIZES:
        for d in WIDTHS:
            drawn = [_kept("xor", {"n": n, "d": d, "steps": STEPS, "seed": seed}, _xor) for seed in range(DRAWS)]
            told = {name: np.array([one[name] for one in drawn]) for name in names}
            gain = "{:+.3f} ({:+.3f} to {:+.3f})".format(*mean_interval(told["infmasking"] - told["comm"]))
            rows.append([f"{n:,}", str(d), *(f"{told[name].mean():.3f}" for name in names), gain])
    how = (
        "Two signs, one in a direction of each modality, and the label their exclusive or: all information is synergy, "
        f"log 2 = {np.log(2):.3f} nats, and neither modality says anything alone. Nats about the label that the "
        "estimator's calibrated heads for a single modality read, out of fold, from each representation alone: the "
        f"features side by side, and what was learned in {STEPS:,} steps without labels; then what the estimator sees "
        f"in both modalities by itself, and with InfMasking's vectors as its `x12`. Means of {DRAWS} draws; the last "
        "column is InfMasking less CoMM with its 90 % interval over draws."
    )
    return "\n\n".join([how, table(["samples", "features a side", *names, "infmasking - comm"], rows)])


def _xor(at: dict) -> dict[str, float]:
    drawn = continuous_xor(at["n"], at["d"], at["seed"])
    told = {"concatenation": _alone(np.hstack([drawn.x1, drawn.x2]), drawn.y)}
    epochs = max(1, round(at["steps"] / (at["n"] // 64)))
    for name in OBJECTIVES:
        model = InfMasking(objective=name, n_epochs=epochs, random_state=at["seed"])
        z = model.fit(drawn.x1, drawn.x2).transform(drawn.x1, drawn.x2)
        told[name] = _alone(z, drawn.y)
        if name == "infmasking":
            told["estimator with x12"] = LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y, x12=z).means()["i12"]
    told["estimator"] = LSMIEstimator().fit_score(drawn.x1, drawn.x2, drawn.y).means()["i12"]
    return told


def _alone(z: np.ndarray, y: np.ndarray) -> float:
    """Return what one modality says about the label, in nats; the other one is noise that nothing can be read from."""
    noise = np.random.default_rng(0).standard_normal((len(y), 1))
    return LSMIEstimator().fit_score(z, noise, y).means()["i1"]


def real() -> str:
    """Return the section on real pairs: what the estimator sees with the vectors as its joint representation."""
    rows = []
    for name, load in PAIRS.items():
        told = _kept("real", {"pairs": name, "repeats": REPEATS}, lambda at, load=load: _real(load))
        for metric in METRICS:
            ours, plain = (np.array(told[f"{method}, {metric}"]) for method in METHODS)
            gain = "{:+.3f} ({:+.3f} to {:+.3f})".format(*mean_interval(ours - plain))
            rows.append([name, metric, f"{plain.mean():.3f}", f"{ours.mean():.3f}", gain])
    how = (
        f"Pooled features of real pairs; means over {REPEATS} repeats with other weights and folds, in nats. What both "
        "modalities say together (i12) and what only both say (s), by the estimator from the features alone and with "
        "InfMasking's vectors as its `x12`; the last column is the difference with its 90 % interval."
    )
    return "\n\n".join([how, table(["pairs", "term", "features alone", "with fusion", "difference"], rows)])


def _real(load: Callable) -> dict[str, list[float]]:
    compared = compare_fusion(*load(), n_repeats=REPEATS)
    return {f"{method}, {m}": compared.of(method, "intact", m).tolist() for method in METHODS for m in METRICS}


def _spread(values: np.ndarray) -> str:
    return f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f}"


def _interval(values: np.ndarray) -> str:
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * v for v in mean_interval(values)))


def _folder() -> Path:
    folder = home() / "infmasking"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(at: dict) -> str:
    return hashlib.sha256(json.dumps(at, sort_keys=True).encode()).hexdigest()[:16]


def _kept(section: str, at: dict, work: Callable[[dict], dict]) -> dict:
    """Return what was found with these settings earlier, or find it now."""
    path = _folder() / f"{section}-{_digest(at)}.json"
    if not path.exists():
        told = work(at)
        path.write_text(json.dumps({"at": at, "told": told}), encoding="utf-8")
        print(section, at, told, flush=True)
    return json.loads(path.read_text(encoding="utf-8"))["told"]


SECTIONS = {"trifeature": ("Trifeature in pairs", trifeature), "xor": ("Continuous exclusive or", xor),
            "real": ("Real pairs", real)}  # fmt: skip

if __name__ == "__main__":
    write_sections(REPORT, INTRO, SECTIONS, "benchmarks.infmasking", __doc__)
