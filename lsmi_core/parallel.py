"""Independent fits side by side, each on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

__all__ = ["side_by_side"]


def _settle() -> None:
    torch.set_num_threads(1)
    # Shares of 1e-40 mean nothing here, and a processor takes a hundred times longer over them.
    torch.set_flush_denormal(True)


Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    n_workers: int | None = None,
    on_done: Callable[[int], None] | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Return the function's results in the order of the tasks.

    The matrices here are small: splitting one fit over cores costs more in waiting than it saves, all the more where
    another process wants a core; docs/decisions.md has the figures.

    Parameters
    ----------
    function : callable
    tasks : iterable
    n_workers : int, optional
        By default as many as torch would use threads. Results do not depend on it.
    on_done : callable, optional
        Told how many tasks are done, whenever one is; what it raises cancels the tasks that have not begun.
    on_result : callable, optional
        Handed every result as soon as it is there, in the order of their ends, in the thread of the caller.

    Returns
    -------
    list
    """
    before = torch.get_num_threads()
    tasks = list(tasks)
    workers = max(1, min(n_workers or before, len(tasks)))
    try:
        with (
            threadpool_limits(1),
            ThreadPoolExecutor(workers, initializer=_settle) as pool,
        ):
            running = [pool.submit(function, task) for task in tasks]
            try:
                for done, future in enumerate(as_completed(running), start=1):
                    result = future.result()
                    if on_result is not None:
                        on_result(result)
                    if on_done is not None:
                        on_done(done)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return [future.result() for future in running]
    finally:
        torch.set_num_threads(before)
