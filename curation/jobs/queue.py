"""One queue a server: so many jobs at once, each with so much memory, first come first served."""

from __future__ import annotations

import os
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from curation.jobs.alive import is_alive
from curation.settings import home

__all__ = ["jobs_at_once", "limit_memory", "memory_per_job", "place_in_queue", "wait_for_turn"]

LOOK_EVERY = 0.2
SHARE = 0.6  # of the machine's memory, for all jobs together


def jobs_at_once() -> int:
    """Return how many jobs may run at the same time: ``INTERPLAY_JOBS``, or one for every two cores."""
    return max(1, _number("INTERPLAY_JOBS", (os.cpu_count() or 2) // 2))


def memory_per_job() -> int:
    """Return the bytes a job may use: ``INTERPLAY_JOB_MEMORY`` in GB, or its part of most of the machine's memory."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(_number("INTERPLAY_JOB_MEMORY", 0) * 1e9) or int(whole * SHARE / jobs_at_once())


def _number(name: str, default: int) -> int:
    try:
        return max(0, int(os.environ.get(name, default)))
    except ValueError:
        return default


def limit_memory() -> None:
    """Let allocations of this process beyond its share fail, so that it can say so; a killed one could not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = memory_per_job() if hard == resource.RLIM_INFINITY else min(memory_per_job(), hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def wait_for_turn(job: str, lock: Path, is_wanted: Callable[[], bool]) -> bool:
    """Wait until this job may run; return False when it is not wanted any more.

    Parameters
    ----------
    job : str
    lock : pathlib.Path
        Held by this process. Whoever dies loses the lock, and with it its place.
    is_wanted : callable
        Asked again and again while waiting.
    """
    ticket = _draw_ticket(job, lock)
    while not _may_start(ticket):
        if not is_wanted():
            return False
        time.sleep(LOOK_EVERY)
    return True


def place_in_queue(job: str) -> int:
    """Return how many jobs go first, those that run included."""
    with _queue() as db:
        row = db.execute("SELECT ticket FROM queue WHERE job = ? ORDER BY ticket DESC LIMIT 1", (job,)).fetchone()
        if row is None:
            return 0
        return sum(is_alive(Path(lock)) for (lock,) in db.execute("SELECT lock FROM queue WHERE ticket < ?", row))


def _draw_ticket(job: str, lock: Path) -> int:
    with _queue() as db:
        db.execute("DELETE FROM queue WHERE lock = ?", (str(lock),))  # of a process that died and was resumed
        return db.execute("INSERT INTO queue (job, lock, running) VALUES (?, ?, 0)", (job, str(lock))).lastrowid


def _may_start(ticket: int) -> bool:
    with _queue() as db:
        for number, lock in db.execute("SELECT ticket, lock FROM queue").fetchall():
            if not is_alive(Path(lock)):
                db.execute("DELETE FROM queue WHERE ticket = ?", (number,))
        running = db.execute("SELECT COUNT(*) FROM queue WHERE running").fetchone()[0]
        first = db.execute("SELECT MIN(ticket) FROM queue WHERE NOT running").fetchone()[0]
        if running >= jobs_at_once() or first != ticket:
            return False
        db.execute("UPDATE queue SET running = 1 WHERE ticket = ?", (ticket,))
        return True


@contextmanager
def _queue() -> Iterator[sqlite3.Connection]:
    home().mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(home() / "queue.db", timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")  # first of all, and without a write-ahead log: two who make the file then wait
        db.execute(
            "CREATE TABLE IF NOT EXISTS queue (ticket INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, "
            "lock TEXT NOT NULL, running INTEGER NOT NULL)"
        )
        yield db
        db.execute("COMMIT")
