"""What others use to get the same features: torch's DataLoader for pictures, sentence-transformers for texts."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.encoders_race import CORES, LONGEST, Arm, Inputs, features, picture_rows, threads
from feature_extractors.text import MINILM

__all__ = ["data_loaders", "sentence_transformers"]


def data_loaders(encoder: Any, items: list[str]) -> list[Arm]:
    """Return plain loops over a DataLoader with our decoding and our network, without and with worker processes."""
    return [Arm("peer", f"DataLoader, {n} workers", partial(_loader, encoder, items, n)) for n in (0, CORES)]


def _loader(encoder: Any, items: list[str], workers: int) -> float:
    from torch.utils.data import DataLoader

    begun = time.perf_counter()
    collected = 0
    # A list of paths is a data set; what is done with one of them is in the collating, which workers do as well.
    for inputs in DataLoader(items, batch_size=16, num_workers=workers, collate_fn=partial(_prepared, encoder)):
        collected += len(features(partial(_rows, encoder), inputs))
        if time.perf_counter() - begun > LONGEST:
            break
    return collected / (time.perf_counter() - begun)


def _rows(encoder: Any, first: torch.Tensor) -> torch.Tensor:
    return picture_rows(encoder, first)


def _prepared(encoder: Any, paths: list[str]) -> Inputs:
    stacked = torch.from_numpy(np.stack([encoder._read(path)["pixel_values"] for path in paths]))
    return {"first": stacked.contiguous(memory_format=torch.channels_last)}


def sentence_transformers(items: list[str]) -> list[Arm]:
    """Return ways to encode texts by the same weights in sentence-transformers; none where it is not installed."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        return []
    model = SentenceTransformer(str(MINILM.verified_path().parent), device="cpu")
    return [
        Arm(
            "peer",
            f"batches of {size}, {count} torch thread{'s' * (count > 1)}",
            partial(_encode, model, items, size, count),
        )
        for size in (32, 64, 128)
        for count in sorted({1, CORES})
    ]


def _encode(model: Any, items: list[str], size: int, count: int) -> float:
    with threads(count):
        begun = time.perf_counter()
        model.encode(items, batch_size=size, show_progress_bar=False)
        return len(items) / (time.perf_counter() - begun)
