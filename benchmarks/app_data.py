"""A made-up run of any size, written as a real workspace: what screens need, without hours of encoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from curation.places import known_workspace, new_id, new_workspace
from curation.summary import category_means, dataset_means, finding, label_entropy, with_measure
from curation.workspace import Workspace, add_later, add_run

__all__ = ["made_up_workspace"]

NAMES = ("picture", "text")
PICTURES = 300
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "jade", "moss", "reed")
POWER = {"planted": 0.693, "found": 0.55, "seen": True, "sentence": "Planted synergy was found again."}


def made_up_workspace(n_samples: int, n_categories: int = 20, seed: int = 0) -> tuple[str, str]:
    """Write a workspace with one run of pictures and texts into the home folder.

    Each side says a category with a certainty of its own; one sample in fifty has a side of another category, one in
    fifty a wrong label. All scores follow from the probabilities, as they would in a real run.

    Returns
    -------
    workspace, run : str
        Identifiers.
    """
    identifier, run_id = new_workspace(""), new_id()
    workspace = known_workspace(identifier, "")
    rng = np.random.default_rng(seed)
    scores = _scores(rng, n_samples, n_categories, _pictures(rng, workspace.folder / "media"))
    run = add_run(workspace, run_id, scores, _summary(scores), {"settings": {}, "encoders": []}, pd.DataFrame())
    _add_the_rest(workspace, run, rng, scores)
    return identifier, run_id


def _pictures(rng: np.random.Generator, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(PICTURES):
        picture = Image.new("RGB", (256, 256), tuple(rng.integers(120, 255, 3).tolist()))
        corners = sorted(rng.integers(10, 246, 2).tolist()), sorted(rng.integers(10, 246, 2).tolist())
        box = [corners[0][0], corners[1][0], corners[0][1], corners[1][1]]
        ImageDraw.Draw(picture).ellipse(box, fill=tuple(rng.integers(0, 120, 3).tolist()))
        picture.save(folder / f"{number:03d}.png")
    return [f"media/{number:03d}.png" for number in range(PICTURES)]


def _says(rng: np.random.Generator, truth: np.ndarray, n_categories: int, sure: float) -> np.ndarray:
    """Return log-probabilities of every category, shape (n_samples, n_categories)."""
    logits = rng.normal(size=(len(truth), n_categories))
    certainty = sure * rng.gamma(2.0, 1.0, len(truth))
    logits[np.arange(len(truth)), truth] += certainty
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _scores(rng: np.random.Generator, n: int, k: int, pictures: list[str]) -> pd.DataFrame:
    truth = rng.choice(k, n, p=rng.dirichlet(np.full(k, 8.0)))
    other = lambda: np.where(rng.random(n) < 0.02, rng.integers(0, k, n), truth)
    label, sides = other(), [_says(rng, other(), k, 2.0), _says(rng, other(), k, 3.0)]
    prior = np.log(np.bincount(label, minlength=k) / n)
    both = sides[0] + sides[1] - prior
    both -= np.log(np.exp(both).sum(axis=1, keepdims=True))
    rows, names = np.arange(n), np.array([f"{WORDS[i % len(WORDS)]} {i:02d}" for i in range(k)])
    told = {"sample_id": [f"made-up-{i:07d}" for i in rows], "label": names[label]}
    told |= {
        key: says[rows, label] - prior[label] for key, says in zip(("i1", "i2", "i12"), (*sides, both), strict=True)
    }
    told |= {f"h{i}": rng.normal(13, 1.5, n) for i in (1, 2)}
    told |= {f"b{i}": (np.exp(says) * (says - prior)).sum(axis=1) for i, says in enumerate(sides, 1)}
    frame = with_measure(pd.DataFrame(told), "cautious")
    chosen = rng.integers(0, len(pictures), n)
    frame["item.picture"] = frame["file.picture"] = np.array(pictures)[chosen]
    frame["item.text"] = _texts(rng, n)
    for name, says in zip((*NAMES, "both"), (*sides, both), strict=True):
        frame[f"says.{name}"], frame[f"sure.{name}"] = names[says.argmax(axis=1)], np.exp(says.max(axis=1))
    frame["suspect.label_error"] = both.max(axis=1) - both[rows, label]
    frame["suspect.swapped_pair"] = np.abs(frame["i1"] - frame["i2"])
    return frame


def _texts(rng: np.random.Generator, n: int) -> list[str]:
    """Return captions of eight to twenty words."""
    words, lengths = np.array(WORDS), rng.integers(8, 21, n)
    return [" ".join(words[rng.integers(0, len(words), length)]) for length in lengths]


def _summary(scores: pd.DataFrame) -> dict:
    """Return what the pipeline tells of a run; the sides were encoded by nobody."""
    return {
        "name": "Made up", "n_samples": len(scores), "n_left_out": 0, "unit": "nats", "redundancy": "cautious",
        "surprisal": "task", "modalities": [{"name": n, "kind": n, "encoder": "precomputed"} for n in NAMES],
        "attribution": "", "finding": finding(scores, NAMES), "warnings": [],
        "label_entropy": label_entropy(scores["label"]), "means": dataset_means(scores),
        "categories": category_means(scores).to_dict(orient="records"),
    }  # fmt: skip


def _add_the_rest(workspace: Workspace, run: object, rng: np.random.Generator, scores: pd.DataFrame) -> None:
    """Add maps, near-duplicates, further fits and checks."""
    ids, n = scores["sample_id"], len(scores)
    codes, names = pd.factorize(scores["label"])
    for name in ("map.parquet", "map-first.parquet", "map-second.parquet"):
        places = rng.uniform(-12, 12, (len(names), 2))[codes] + rng.normal(size=(n, 2))
        add_later(workspace, run, name, _placed(ids, places))
    add_later(workspace, run, "map-terms.parquet", _placed(ids, scores[["r", "u1"]]))
    copied = rng.random(n) < 0.01
    kept = np.where(copied, ids.to_numpy()[rng.integers(0, n, n)], "")
    copies = pd.DataFrame({"sample_id": ids, "copy_of": kept, "similarity": np.where(copied, 0.97, np.nan)})
    add_later(workspace, run, "copies.parquet", copies)
    parts = ("i1", "i2", "i12", "h1", "h2", "b1", "b2")
    moved = {f"{key}.{fit}": scores[key] + rng.normal(0, 0.15, n) for fit in (1, 2) for key in parts}
    add_later(workspace, run, "repeats.parquet", pd.DataFrame({"sample_id": ids, **moved}))
    null = dict.fromkeys(("r", "u1", "u2", "s", "i1", "i2", "i12"), 0.0)
    add_later(workspace, run, "checks.json", {"null": null, "power": POWER, "looked_at": n, "n_samples": n})


def _placed(ids: pd.Series, places: object) -> pd.DataFrame:
    x, y = np.asarray(places, dtype=np.float32).T
    return pd.DataFrame({"sample_id": ids, "x": x, "y": y})
