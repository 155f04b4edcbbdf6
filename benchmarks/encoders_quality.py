"""What the offline encoders are worth: a linear probe on their features, on real sets, one side at a time and both."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

import feature_extractors as fx
from benchmarks import drums, fashion, stamps
from benchmarks.debian import fetch_package
from benchmarks.report import table
from curation.demos import load_demo
from curation.settings import home

__all__ = ["Probed", "probe", "quality"]

_FOLDS, _INNER, _CS = 5, 3, (0.1, 1.0, 10.0, 100.0)
_GARMENTS = 2_000
_LANGUAGES = ("fr", "es")
_ABOUT = (
    "Multinomial logistic regression on standardised features, every side weighted alike; C of 0.1, 1, 10, 100 by "
    f"log-loss in {_INNER} inner folds; accuracy and balanced accuracy over {_FOLDS} outer stratified folds, mean ± "
    "standard deviation. Everything of one stamp, and all takes of one drum, are in the same fold, outer and inner. "
    "Majority: the share of the largest category. Items that could not be read are left out."
)
_WORTH = (
    "The defaults, which need no network and no graphics card, are worth a good first look at English text, pictures "
    "of things and short sounds, and little on speech that is not English; what they miss counts as unknown. Stronger "
    "ones are on the Hugging Face hub (SigLIP or DINOv2 for pictures, larger text networks, CLAP for sounds) and take "
    "their place with `--encoder picture=org/name`; they were not measured here, where the hub is out of reach."
)


@dataclass(frozen=True)
class Probed:
    """Accuracies of the outer folds, each of shape (n_folds,), and how large the largest category is."""

    accuracy: np.ndarray
    balanced: np.ndarray
    majority: float
    n: int
    n_labels: int


def probe(blocks: Sequence[np.ndarray], y: np.ndarray, groups: np.ndarray, seed: int = 0) -> Probed:
    """Measure how well a linear classifier tells the labels from features.

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n, d_k)
        Features of one side, or of several.
    y : ndarray of shape (n,)
        Labels.
    groups : ndarray of shape (n,)
        Samples of one group stay together.
    seed : int

    Returns
    -------
    Probed
    """
    told = []
    for train, test in _folds(_FOLDS, seed).split(y, y, groups):
        x = np.hstack([_scaled(block, train) for block in blocks])
        inner = list(_folds(_INNER, seed).split(train, y[train], groups[train]))
        model = LogisticRegressionCV(
            Cs=_CS, cv=inner, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False,
            tol=1e-3, max_iter=500,
        ).fit(x[train], y[train])  # fmt: skip
        said = model.predict(x[test])
        told.append((accuracy_score(y[test], said), balanced_accuracy_score(y[test], said)))
    accuracy, balanced = np.array(told).T
    counts = np.unique(y, return_counts=True)[1]
    return Probed(accuracy, balanced, counts.max() / len(y), len(y), len(counts))


def _folds(n: int, seed: int) -> StratifiedGroupKFold:
    return StratifiedGroupKFold(n, shuffle=True, random_state=seed)


def _scaled(block: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Standardise by the training rows, and so that a row has length 1 on average, however wide it is."""
    mean, sd = block[train].mean(axis=0), block[train].std(axis=0)
    return ((block - mean) / np.where(sd > 1e-6, sd, 1.0) / np.sqrt(block.shape[1])).astype(np.float32)


def quality() -> str:
    """Return the section on the worth of the defaults."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for part in (_emoji, _stamps, _drums, _fashion) for row in part(Path(folder))]
    head = ["set", "samples", "categories", "features of", "accuracy", "balanced accuracy", "majority"]
    return "\n\n".join([_ABOUT, table(head, rows), _WORTH])


def _encoded(kind: str, items: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Return features of shape (n, d), zeros where an item could not be read, and where it could, shape (n,)."""
    encoder = fx.load_encoder(fx.default_encoder(kind), kind)
    done = fx.encode_items(encoder, items, fx.FeatureCache(home() / "features"))
    features, readable = np.zeros((len(items), done.features.shape[1]), np.float32), np.zeros(len(items), bool)
    features[done.kept], readable[done.kept] = done.features, True
    return features, readable


def _rows(title: str, frame: pd.DataFrame, kinds: dict[str, str], pairs: Sequence[tuple[str, ...]]) -> list[list[str]]:
    """Probe sides of a table with ``label`` and ``group``; the sides are columns of items, by kind."""
    encoded = {name: _encoded(kind, frame[name].tolist()) for name, kind in kinds.items()}
    readable = np.all([good for _, good in encoded.values()], axis=0)
    rows = []
    for names in pairs:
        # Without speech, the rows of one stamp are all the same.
        chosen = readable & ~frame.duplicated(["group", *names]).to_numpy()
        found = probe(
            [encoded[n][0][chosen] for n in names], *(frame.loc[chosen, c].to_numpy() for c in ("label", "group"))
        )
        rows.append([title, f"{found.n:,}", str(found.n_labels), " + ".join(names), *_figures(found)])
    return rows


def _figures(found: Probed) -> list[str]:
    spread = [f"{100 * a.mean():.1f} ± {100 * a.std(ddof=1):.1f} %" for a in (found.accuracy, found.balanced)]
    return [*spread, f"{100 * found.majority:.1f} %"]


def _emoji(folder: Path) -> list[list[str]]:
    demo = load_demo("emoji")
    drawings, names = demo.modalities
    frame = pd.DataFrame({"picture": drawings.items, "name": names.items, "label": demo.labels})
    frame["group"] = range(len(frame))
    return _rows("Emoji", frame, {"picture": "picture", "name": "text"}, [("picture",), ("name",), ("picture", "name")])


def _stamps(folder: Path) -> list[list[str]]:
    made = stamps.make_table(fetch_package(stamps.PACKAGE), folder / "stamps", _LANGUAGES)
    made = made[made.groupby("category")["stamp"].transform("nunique") >= 2 * _FOLDS].reset_index(drop=True)
    frame = made.rename(columns={"sound": "speech", "category": "label", "stamp": "group"})
    for name in ("picture", "speech"):
        frame[name] = [folder / "stamps" / place for place in frame[name]]
    kinds = {"picture": "picture", "text": "text", "speech": "sound"}
    pairs = [("picture",), ("text",), ("speech",), ("picture", "text"), ("picture", "speech"), ("text", "speech")]
    return _rows("Tux Paint stamps (speech in French and Spanish)", frame, kinds, pairs)


def _drums(folder: Path) -> list[list[str]]:
    frame = drums.load_drums(fetch_package(drums.PACKAGE) / drums.INSIDE).rename(columns={"drum": "group"})
    return _rows("Drums", frame, {"sound": "sound"}, [("sound",)])


def _fashion(folder: Path) -> list[list[str]]:
    *halves, y = fashion.load_halves(fashion.fetch(), _GARMENTS)
    whole = np.concatenate([half.reshape(-1, fashion.SIDE, fashion.SIDE // 2) for half in halves], axis=2)
    frame = pd.DataFrame({"picture": _saved(folder / "garments", whole), "label": y, "group": range(len(y))})
    return _rows("Fashion-MNIST", frame, {"picture": "picture"}, [("picture",)])


def _saved(folder: Path, pictures: np.ndarray) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{i}.png" for i in range(len(pictures))]
    for path, pixels in zip(paths, pictures, strict=True):
        Image.fromarray(pixels).save(path)
    return paths
