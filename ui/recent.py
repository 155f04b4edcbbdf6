"""Runs read once for all sessions, as many as fit into a bound of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path

from curation.workspace import ScoredRun, load_run

__all__ = ["RecentRuns"]


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
        self._runs: OrderedDict[Hashable, tuple[ScoredRun, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path, finished: float) -> ScoredRun:
        """Return a run, read if need be; nobody writes into what this returns.

        Raises
        ------
        DataError
            When it cannot be read.
        """
        key = (folder, finished)
        with self._lock:
            if key in self._runs:
                self._runs.move_to_end(key)
                return self._runs[key][0]
        run = load_run(folder)  # outside the lock: a large one keeps nobody waiting
        with self._lock:
            self._runs[key] = run, int(run.scores.memory_usage(deep=True).sum())
            while len(self._runs) > 1 and sum(size for _, size in self._runs.values()) > self.most:
                self._runs.popitem(last=False)
        return run
