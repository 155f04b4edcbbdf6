"""Runs read once for all sessions, as many as fit into a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

import pandas as pd

from curation.exploring import Samples
from curation.workspace import ScoredRun, load_run

__all__ = ["RecentRuns"]

T = TypeVar("T")


class RecentRuns:
    """The runs that people look at, the longest unused given up first.

    Streamlit's own cache counts entries. Few entries make twenty people read their files again at every click; many
    would fill the memory where runs are large.

    Parameters
    ----------
    most : int
        Bytes of all tables together; a single run may be larger.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._things: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path, finished: float) -> ScoredRun:
        """Return a run, read if need be; nobody writes into what this returns.

        Raises
        ------
        DataError
            When it cannot be read.
        """
        return self._kept((folder, finished), lambda: load_run(folder), lambda run: run.scores)

    def samples(self, folder: Path, finished: float, measure: str) -> Samples:
        """Return the samples of a run in a measure, put together if need be.

        Raises
        ------
        DataError
            When the run cannot be read, or lacks what the measure is made of.
        """
        make = lambda: Samples(self.get(folder, finished), measure)
        return self._kept((folder, finished, measure), make, lambda samples: samples.frame)

    def _kept(self, key: Hashable, make: Callable[[], T], table: Callable[[T], pd.DataFrame]) -> T:
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key][0]
        thing = make()  # outside the lock: a large one keeps nobody waiting
        size = int(table(thing).memory_usage(deep=True).sum())
        with self._lock:
            self._things[key] = thing, size
            while len(self._things) > 1 and sum(size for _, size in self._things.values()) > self.most:
                self._things.popitem(last=False)
        return thing
