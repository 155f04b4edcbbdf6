"""The one loop that reads items ahead in a thread, runs the network on batches and reports progress."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from feature_extractors.contracts import EncodedItems, EncodedTokens, ItemProblem, Progress, collect

__all__ = ["chunks", "encode_in_batches"]

_AHEAD = 2  # batches read in advance: enough to hide decoding, and little memory
_Encoded = TypeVar("_Encoded", EncodedItems, EncodedTokens)
_Prepared = list[tuple[int, Any, ItemProblem | None]]


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


def encode_in_batches(
    items: Sequence[Any],
    batches: Sequence[Sequence[int]],
    read: Callable[[Any], Any],
    forward: Callable[[list[Any]], Sequence[np.ndarray]],
    width: int | None,
    progress: Progress | None = None,
    gather: Callable[..., _Encoded] = collect,
) -> _Encoded:
    """Read, run and collect, with reading one step ahead of running.

    Parameters
    ----------
    items : sequence
        All items.
    batches : sequence of sequence of int
        Every position once, in the order in which to work.
    read : callable
        Item to prepared item; raises ItemProblem for an item that cannot be encoded. Runs in a second thread.
    forward : callable
        List of m prepared items to m arrays: rows of length d, or sequences of shape (t, d).
    width : int or None
        Number of features, for when no item worked.
    progress : callable, optional
        Called with (done, total).
    gather : callable
        `collect` for rows, `collect_tokens` for sequences.

    Returns
    -------
    EncodedItems or EncodedTokens
        In item order, whatever the order of the batches.
    """
    rows: dict[int, np.ndarray] = {}
    problems: dict[int, ItemProblem] = {}
    report = progress or (lambda done, total: None)
    report(0, len(items))
    with _one_core_left():
        for prepared in _read_ahead(items, batches, read):
            _run(prepared, forward, rows, problems)
            report(len(rows) + len(problems), len(items))
    if not batches:
        report(len(items), len(items))
    passing = [i for i, problem in problems.items() if problem.passing]
    return gather(rows, {i: str(problem) for i, problem in problems.items()}, width, passing)


@contextmanager
def _one_core_left() -> Iterator[None]:
    """Let torch use all cores but one while encoding.

    Its threads wait for each other by spinning. As soon as one core is also decoding, or drawing the page,
    every small operation waits for that core: on two cores 6 pictures a second instead of 140.
    """
    torch = sys.modules.get("torch")  # a loaded encoder that needs torch has imported it
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run(prepared: _Prepared, forward: Callable, rows: dict[int, np.ndarray], problems: dict[int, ItemProblem]) -> None:
    problems.update({i: problem for i, _, problem in prepared if problem is not None})
    good = [(i, value) for i, value, problem in prepared if problem is None]
    if not good:
        return
    for (i, _), row in zip(good, forward([value for _, value in good]), strict=True):
        if np.isfinite(row).all():
            rows[i] = row
        else:
            why = "The encoder gave a value that is not a number for this item; choose another encoder."
            problems[i] = ItemProblem(why)


def _read_ahead(items: Sequence[Any], batches: Sequence[Sequence[int]], read: Callable) -> Iterator[_Prepared]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: deque = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_read_batch, items, batch, read))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # a cancelled run must not wait for batches that nobody will use
            for future in waiting:
                future.cancel()


def _read_batch(items: Sequence[Any], batch: Sequence[int], read: Callable) -> _Prepared:
    return [(i, *_read_one(items[i], read)) for i in batch]


def _read_one(item: Any, read: Callable) -> tuple[Any, ItemProblem | None]:
    try:
        return read(item), None
    except ItemProblem as problem:
        # Whatever a decoder says of the file: where the system failed beneath it, the file may be sound.
        cause = problem.__cause__
        failed = isinstance(cause, MemoryError) or getattr(cause, "errno", None) is not None
        return None, ItemProblem(str(problem), problem.passing or failed)
