"""A lock that a process holds as long as it lives: the one sign of life that no crash and no clock can fake."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["held", "is_alive"]

MOMENT = 0.3  # seconds: whoever asks whether a process lives holds the lock for less


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Hold a lock, and give its file handle: a child that inherits the handle holds the lock as well.

    Raises
    ------
    BlockingIOError
        When another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(handle, time.monotonic() + MOMENT)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, until: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def is_alive(path: Path) -> bool:
    """Return whether some process holds the lock."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who ask at once do not see each other
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
