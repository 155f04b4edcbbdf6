"""A corpus of files that somebody might hand in to do harm, or by mistake: each case is really written.

``CASES`` lists them. A maker gets an empty folder and returns the file to read. ``said`` must occur in the sentence
that refuses it, or in the remarks about it when it is handled; ``megabytes`` bounds the memory that reading may take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CASES", "SENTINEL", "Case", "handled", "refused"]

SENTINEL = "executed"
"""The file that appears beside the corpus when anything in it was run."""


@dataclass(frozen=True)
class Case:
    name: str
    reader: str
    make: Callable[[Path], Path]
    outcome: str
    said: str
    megabytes: int


CASES: list[Case] = []


def refused(reader: str, said: str, megabytes: int = 150) -> Callable:
    return _case(reader, "refused", said, megabytes)


def handled(reader: str, said: str = "", megabytes: int = 150) -> Callable:
    return _case(reader, "handled", said, megabytes)


def _case(reader: str, outcome: str, said: str, megabytes: int) -> Callable:
    def register(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        CASES.append(Case(f"{make.__name__}-{reader}", reader, make, outcome, said, megabytes))
        return make

    return register


from hostile import archives, features, films, media, tables  # noqa: E402, F401 - they fill the list
