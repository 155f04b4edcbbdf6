"""Progress of a run: one callable that the pipeline feeds and each door shows in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

__all__ = ["ConsoleProgress", "Progress", "both", "silent", "stage_counter"]


class Progress(Protocol):
    """Told the stage, how many of its units are done, and how many there are."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""


def silent(stage: str, done: int, total: int) -> None:
    """Take no note."""


def both(first: Progress, second: Progress) -> Progress:
    """Return a progress that tells two."""

    def tell(stage: str, done: int, total: int) -> None:
        first(stage, done, total)
        second(stage, done, total)

    return tell


def stage_counter(progress: Progress, stage: str) -> Callable[[int, int], None]:
    """Return a (done, total) callable that reports under the given stage."""
    return lambda done, total: progress(stage, done, total)


class ConsoleProgress:
    """A bar on a terminal, one plain line a stage elsewhere.

    Parameters
    ----------
    stream : text stream
    """

    WIDTH = 28

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._stage, self._since, self._finished = "", 0.0, True

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Draw the bar, or print a line when a stage begins and when it ends."""
        if stage != self._stage:
            self._stage, self._since, self._finished = stage, time.monotonic(), False
            if not self.stream.isatty():
                self._line(f"{stage}: {total:,} to do" if total > 1 else f"{stage} ...")
        if self._finished:
            return
        self._finished = done >= total
        if self.stream.isatty():
            self._bar(stage, done, total)
        elif self._finished:
            self._line(f"{stage}: done in {time.monotonic() - self._since:.1f} s")

    def close(self) -> None:
        """End the line of a bar that was left unfinished, so that what follows starts on its own."""
        if not self._finished and self.stream.isatty():
            self._line("")
        self._finished = True

    def _bar(self, stage: str, done: int, total: int) -> None:
        spent = time.monotonic() - self._since
        filled = self.WIDTH * done // max(total, 1)
        left = f"{spent * (total - done) / done:.0f} s left" if 0 < done < total else f"{spent:.1f} s"
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        end = "\n" if done >= total else ""
        self.stream.write(f"\r\033[K{stage:<22.22} {bar} {done:,}/{total:,}  {left}{end}")
        self.stream.flush()

    def _line(self, text: str) -> None:
        self.stream.write(text + "\n")
        self.stream.flush()
