"""Ways to get features, timed in turn in one process: ours from file to cache, and the bare network.

In turn and several times, so that whoever else works on the machine disturbs all of them alike.
"""

from __future__ import annotations

import inspect
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import feature_extractors as fx
from feature_extractors.image import EFFICIENTNET, _efficientnet
from feature_extractors.recipes import pool

__all__ = [
    "CORES",
    "LONGEST",
    "Arm",
    "Inputs",
    "Network",
    "Result",
    "bare",
    "count_rows",
    "features",
    "network_of",
    "picture_rows",
    "ours",
    "race",
    "rebatched",
    "recorded",
    "threads",
    "unfolded",
]

Inputs = dict[str, torch.Tensor]
CORES = torch.get_num_threads()
LONGEST = 10.0  # seconds: a pass that takes longer is cut off, and what was done until then counts
_OTHER_SIZES = (0.5, 2)  # times our own batch


@dataclass(frozen=True)
class Arm:
    """One way, in a group of which only the quickest counts; ``run`` gives items per second."""

    group: str
    name: str
    run: Callable[[], float]


class Result(NamedTuple):
    """The quickest of a group: its best rate, and the median over the rounds of our rate divided by its own."""

    name: str
    rate: float
    ratio: float


@dataclass(frozen=True)
class Network:
    """Where an encoder's prepared batches come by, and the call that turns one into features."""

    gate: torch.nn.Module
    call: Callable[..., torch.Tensor]


def race(contestants: Sequence[Arm], rounds: int) -> dict[str, Result]:
    """Let all run once to find the quickest of each group; those run in turn, and only that counts.

    Parameters
    ----------
    contestants : sequence of Arm
        The first is what the others are compared with.
    rounds : int

    Returns
    -------
    dict of str to Result
        By group.
    """
    first = {arm: arm.run() for arm in contestants}
    groups = dict.fromkeys(arm.group for arm in contestants)
    finalists = [max((a for a in contestants if a.group == group), key=first.__getitem__) for group in groups]
    told = [[arm.run() for arm in finalists] for _ in range(rounds)]
    return {
        arm.group: Result(
            arm.name, max(rates), statistics.median(r[0] / rate for r, rate in zip(told, rates, strict=True))
        )
        for arm, rates in zip(finalists, zip(*told, strict=True), strict=True)
    }


def network_of(encoder: Any) -> Network:
    """Find the network within a packaged encoder."""
    if encoder.spec.kind == "text":
        model = encoder._loaded.model
        mean = lambda **x: pool(model(**x).last_hidden_state, x["attention_mask"], "mean")
        return Network(model, lambda **x: torch.nn.functional.normalize(mean(**x), dim=1))
    if encoder.spec.kind == "picture":
        network = inspect.getclosurevars(encoder._network).nonlocals["network"]
        return Network(network._conv_stem, lambda first: picture_rows(encoder, first))
    model = inspect.getclosurevars(encoder._run).nonlocals["run"].args[0]
    return Network(model, lambda first: model(first).last_hidden_state)


def picture_rows(encoder: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Return the features of prepared pictures, by the encoder's own network and pooling."""
    return encoder._pooling(encoder._network({"pixel_values": pixels}))


def recorded(gate: torch.nn.Module, encode: Callable[[], object]) -> list[Inputs]:
    """Copy every batch that comes to a module.

    Parameters
    ----------
    gate : torch.nn.Module
    encode : callable

    Returns
    -------
    list of dict of str to Tensor
        In the order of their shapes; a positional argument is called "first".
    """
    found: list[Inputs] = []

    def keep(module: Any, given: tuple, named: dict) -> None:
        found.append({name: value.clone() for name, value in [*zip(("first",), given, strict=False), *named.items()]})

    handle = gate.register_forward_pre_hook(keep, with_kwargs=True)
    encode()
    handle.remove()
    found.sort(key=lambda inputs: [value.shape for value in inputs.values()])
    return found


def rebatched(batches: Sequence[Inputs], factor: float) -> list[Inputs]:
    """Split batches, or join neighbours, padding them with zeros.

    Parameters
    ----------
    batches : sequence of dict of str to Tensor
        In the order of their lengths.
    factor : float
        1/2, or how many to join.

    Returns
    -------
    list of dict of str to Tensor
        The same rows.
    """
    if factor < 1:
        halves = [{n: v.chunk(2) for n, v in batch.items()} for batch in batches]
        return [{n: v[i] for n, v in half.items()} for half in halves for i in range(len(next(iter(half.values()))))]
    step = int(factor)
    return [_joined(batches[i : i + step]) for i in range(0, len(batches), step)]


def _joined(batches: Sequence[Inputs]) -> Inputs:
    return {name: _stacked([batch[name] for batch in batches]) for name in batches[0]}


def _stacked(parts: list[torch.Tensor]) -> torch.Tensor:
    longest = max(part.shape[1] for part in parts)
    if any(part.shape[1] < longest for part in parts):  # texts: tokens and masks, of shape (m, t)
        parts = [torch.nn.functional.pad(part, (0, longest - part.shape[1])) for part in parts]
    joined = torch.cat(parts)
    return joined.contiguous(memory_format=torch.channels_last) if joined.ndim == 4 else joined


def count_rows(inputs: Inputs) -> int:
    """Count the texts, pictures or windows of sound in a batch."""
    return len(next(iter(inputs.values())))


def bare(call: Callable, batches: list[Inputs], per_row: float, group: str = "one stream") -> list[Arm]:
    """Set up bare loops over prepared batches of several sizes.

    Parameters
    ----------
    call : callable
        A batch to its features.
    batches : list of dict of str to Tensor
        As the encoder prepared them.
    per_row : float
        Items for each row of a batch.
    group : str
        Of the loops in one stream; only the encoder's own network is also run in several.

    Returns
    -------
    list of Arm
    """
    found = []
    for factor in (1, *_OTHER_SIZES):
        these = rebatched(batches, factor)
        random.Random(0).shuffle(these)  # a pass that is cut off has seen short and long ones
        size = f"batches of up to {max(map(count_rows, these))}"
        for count in sorted({1, CORES}):
            name = f"{size}, {count} torch thread{'s' * (count > 1)}"
            found.append(Arm(group, name, partial(_one_stream, call, these, per_row, count)))
        if group == "one stream":
            streams = partial(_streams, call, these, per_row)
            found.append(Arm("all cores", f"{size}, {CORES} streams of 1 torch thread", streams))
    return found


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Set the number of torch threads for a while."""
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(CORES)


def features(call: Callable, inputs: Inputs) -> np.ndarray:
    """Run the bare network on a batch."""
    with torch.inference_mode():
        return call(**inputs).numpy()


def _one_stream(call: Callable, batches: list[Inputs], per_row: float, count: int) -> float:
    collected, done = [], 0
    with threads(count):
        begun = time.perf_counter()
        for inputs in batches:
            collected.append(features(call, inputs))
            done += count_rows(inputs)
            if time.perf_counter() - begun > LONGEST:
                break
        return per_row * done / (time.perf_counter() - begun)


def _streams(call: Callable, batches: list[Inputs], per_row: float) -> float:
    with threads(CORES), ThreadPoolExecutor(CORES, initializer=lambda: torch.set_num_threads(1)) as pool:
        begun = time.perf_counter()
        list(pool.map(partial(features, call), batches))
        return per_row * sum(map(count_rows, batches)) / (time.perf_counter() - begun)


def ours(encoder: Any, items: list[str]) -> Arm:
    """Return the whole way of ours: from items to a fresh cache."""
    return Arm("ours", "encode_items", partial(_encode_items, encoder, items))


def _encode_items(encoder: Any, items: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        done = fx.encode_items(encoder, items, fx.FeatureCache(Path(folder) / "cache"))
        taken = time.perf_counter() - begun
    if len(done.kept) < len(items):
        raise RuntimeError(f"{len(items) - len(done.kept)} items were not encoded: {done.problems[:3]}")
    return len(items) / taken


def unfolded(batches: list[Inputs], per_row: float) -> list[Arm]:
    """Return the bare loops of the picture network as its package has it, with batch normalisation."""
    network = _efficientnet()
    network.load_state_dict(torch.load(EFFICIENTNET.verified_path(), weights_only=True))
    network.eval().to(memory_format=torch.channels_last)
    call = lambda first: network.extract_features(first).mean((2, 3))
    return bare(call, batches, per_row, "one stream, not folded")
