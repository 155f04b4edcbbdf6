"""The one loop that reads items and runs the network on batches, as many batches side by side as there are cores."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from feature_extractors.contracts import EncodedItems, EncodedTokens, ItemProblem, Progress, collect

__all__ = ["chunks", "encode_in_batches", "like_lengths"]

_Encoded = TypeVar("_Encoded", EncodedItems, EncodedTokens)
_Rows = dict[int, np.ndarray]
_Problems = dict[int, ItemProblem]


def chunks(order: Sequence[int], size: int) -> list[list[int]]:
    """Cut an order of positions into batches.

    Parameters
    ----------
    order : sequence of int
        Positions.
    size : int
        Largest batch.

    Returns
    -------
    list of list of int
        Batches; none when there are no positions.
    """
    return [list(order[start : start + size]) for start in range(0, len(order), size)]


def like_lengths(lengths: Sequence[int], size: int, positions: int) -> list[list[int]]:
    """Batches of items of like length, so that little padding is computed.

    The longest come first: what takes longest is not what all cores wait for in the end, and memory that is too
    small is noticed at once.

    Parameters
    ----------
    lengths : sequence of int
        Of each item.
    size : int
        Most items in a batch.
    positions : int
        Most positions in a batch, padding included, where it has more than one item.

    Returns
    -------
    list of list of int
        Every position once.
    """
    batches: list[list[int]] = []
    room = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if room == 0:
            batches.append([])
            room = min(size, positions // max(1, lengths[i])) or 1
        batches[-1].append(i)
        room -= 1
    return batches


def encode_in_batches(
    items: Sequence[Any],
    batches: Sequence[Sequence[int]],
    read: Callable[[Any], Any],
    forward: Callable[[list[Any]], Sequence[np.ndarray]],
    width: int | None,
    progress: Progress | None = None,
    gather: Callable[..., _Encoded] = collect,
) -> _Encoded:
    """Read, run and collect.

    Each core works on a batch of its own from the file to the features. Sharing out one small batch between cores
    costs more in waiting than it saves, all the more where another process, or reading, wants a core. Which core
    a batch meets, and how many there are, changes no bit of its features.

    Parameters
    ----------
    items : sequence
        All items.
    batches : sequence of sequence of int
        Every position once, in the order in which to work.
    read : callable
        Item to prepared item; raises ItemProblem for an item that cannot be encoded. Runs in several threads.
    forward : callable
        List of m prepared items to m arrays: rows of length d, or sequences of shape (t, d). Runs in several threads.
    width : int or None
        Number of features, for when no item worked.
    progress : callable, optional
        Called with (done, total), always from the caller's thread; an exception it raises stops the work.
    gather : callable
        `collect` for rows, `collect_tokens` for sequences.

    Returns
    -------
    EncodedItems or EncodedTokens
        In item order, whatever the order of the batches.
    """
    rows: _Rows = {}
    problems: _Problems = {}
    report = progress or (lambda done, total: None)
    report(0, len(items))
    for good, bad in _side_by_side(lambda batch: _encode_batch(items, batch, read, forward), batches):
        rows |= good
        problems |= bad
        report(len(rows) + len(problems), len(items))
    if not batches:
        report(len(items), len(items))
    passing = [i for i, problem in problems.items() if problem.passing]
    return gather(rows, {i: str(problem) for i, problem in problems.items()}, width, passing)


def _side_by_side(function: Callable, batches: Sequence[Sequence[int]]) -> Iterator[tuple[_Rows, _Problems]]:
    """Give the results in the order of the batches; a few are begun beyond the one that is waited for."""
    torch = sys.modules.get("torch")  # a loaded encoder that needs torch has imported it
    before = torch.get_num_threads() if torch else 1
    pool = ThreadPoolExecutor(before, initializer=lambda: torch and torch.set_num_threads(1))
    waiting: deque = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(function, batch))
            if len(waiting) > 2 * before:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # a cancelled run must not wait for batches that nobody will use
        pool.shutdown(cancel_futures=True)
        if torch:  # threads made from now on get as many as before
            torch.set_num_threads(before)


def _encode_batch(
    items: Sequence[Any], batch: Sequence[int], read: Callable, forward: Callable
) -> tuple[_Rows, _Problems]:
    prepared = [(i, *_read_one(items[i], read)) for i in batch]
    problems = {i: problem for i, _, problem in prepared if problem is not None}
    good = [(i, value) for i, value, problem in prepared if problem is None]
    rows: _Rows = {}
    if not good:
        return rows, problems
    for (i, _), row in zip(good, forward([value for _, value in good]), strict=True):
        if np.isfinite(row).all():
            rows[i] = row
        else:
            why = "The encoder gave a value that is not a number for this item; choose another encoder."
            problems[i] = ItemProblem(why)
    return rows, problems


def _read_one(item: Any, read: Callable) -> tuple[Any, ItemProblem | None]:
    try:
        return read(item), None
    except ItemProblem as problem:
        # Whatever a decoder says of the file: where the system failed beneath it, the file may be sound.
        cause = problem.__cause__
        failed = isinstance(cause, MemoryError) or getattr(cause, "errno", None) is not None
        return None, ItemProblem(str(problem), problem.passing or failed)
