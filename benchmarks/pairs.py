"""Real pairs with categories that applications are measured on: emoji, stamps and halves of pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.debian import fetch_package
from benchmarks.fashion import fetch, load_halves
from benchmarks.stamps import PACKAGE, make_table
from curation.demos import load_demo
from curation.settings import home
from feature_extractors import FeatureCache, default_encoder, encode_items, load_encoder

__all__ = ["EMOJI", "STAMPS", "emoji_pairs", "fashion_pairs", "stamp_pairs"]

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
EMOJI, STAMPS = "emoji, drawing and name", "stamps, spoken French and drawing"


def emoji_pairs() -> Arrays:
    """Return features of drawings and names, and the category, of emoji."""
    data = load_demo("emoji")
    x1, x2 = (_features(m.kind, list(m.items))[1] for m in data.modalities)
    return x1, x2, data.labels


def stamp_pairs() -> Arrays:
    """Return features of spoken French names and drawings, and the category, of Tux Paint stamps."""
    made = home() / "stamps"
    if not (made / "stamps.csv").exists():
        make_table(fetch_package(PACKAGE), made)
    rows = pd.read_csv(made / "stamps.csv")
    heard, x1 = _features("sound", [made / name for name in rows["sound"]])
    seen, x2 = _features("picture", [made / name for name in rows["picture"]])
    both = np.intersect1d(heard, seen)
    x1, x2 = (x[np.searchsorted(kept, both)] for kept, x in ((heard, x1), (seen, x2)))
    return x1, x2, rows["category"].to_numpy().astype(str)[both]


def fashion_pairs(n: int | None = None, part: str = "train") -> Arrays:
    """Return raw grey values, 0 to 1, of left and right halves, and the garment; see ``load_halves``."""
    left, right, y = load_halves(fetch(), n, part=part)
    return left / 255, right / 255, y


def _features(kind: str, items: list) -> tuple[np.ndarray, np.ndarray]:
    encoder = load_encoder(default_encoder(kind), kind)
    done = encode_items(encoder, items, FeatureCache(home() / "features"))
    return done.kept, done.features
