"""What is wrong with which rows and how to mend it, and the data set that the good rows make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from curation.dataset import PairedDataset
from curation.plainly import short

__all__ = ["ImportResult", "Problems", "join_problems"]

_TYPES = {"row": "int64", "column": "str", "problem": "str", "mend": "str"}
_NOTES = 5  # in the summary
_LONGEST = 300  # characters of a problem: it quotes the cell, which may hold millions


def _no_problems() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in _TYPES.items()})


def _told(problem: str) -> str:
    return short(problem, _LONGEST)


def _plural(phrase: str, count: int) -> str:
    """Return "2 pictures not found" for ("picture not found", 2): the first word is the noun."""
    noun, _, rest = phrase.partition(" ")
    if count != 1:
        noun = f"{noun[:-1]}ies" if re.search("[^aeiou]y$", noun) else f"{noun}s"
    return f"{count:,} {noun} {rest}".strip()


@dataclass(frozen=True)
class Problems:
    """A list of what is wrong, one line per finding; nothing is cut off.

    Parameters
    ----------
    frame : pandas.DataFrame with the columns ``row``, ``column``, ``problem`` and ``mend``
        ``row`` counts data rows from 1, and such a row is left out; 0 means the whole file, and is a remark.
        The problem of a row reads "picture not found: a.png": a noun, what is wrong, a colon, the detail.
    n_total : int
        Data rows that were looked at, good and bad together; 0 when unknown.
    """

    frame: pd.DataFrame = field(default_factory=_no_problems)
    n_total: int = 0

    def __post_init__(self) -> None:
        tidy = self.frame[list(_TYPES)].astype(_TYPES).reset_index(drop=True)
        object.__setattr__(self, "frame", tidy)

    @classmethod
    def of(cls, rows: Sequence[int], column: str | Sequence[str], problem: str | Sequence[str], mend: str) -> Problems:
        """Return one finding per row; ``column`` and ``problem`` are one for all rows or one for each."""
        problem = _told(problem) if isinstance(problem, str) else [_told(one) for one in problem]
        columns = {"row": np.asarray(rows, dtype=np.int64), "column": column, "problem": problem, "mend": mend}
        return cls(pd.DataFrame(columns))

    @classmethod
    def note(cls, problem: str, mend: str, column: str = "") -> Problems:
        """Return one remark about the whole file."""
        return cls.of([0], column, problem, mend)

    def __len__(self) -> int:
        return len(self.frame)

    def __add__(self, other: Problems) -> Problems:
        return join_problems([self, other])

    @property
    def n_rows(self) -> int:
        """How many different rows were left out."""
        return int(self.frame.loc[self.frame["row"] > 0, "row"].nunique())

    def reasons(self) -> str:
        """Return how often which problem was met, e.g. "2 pictures not found, 1 label missing"; empty without any."""
        by_row = self.frame["row"] > 0
        phrases = self.frame.loc[by_row, "problem"].str.partition(": ")[0] if by_row.any() else pd.Series(dtype=str)
        counts = phrases.str.removesuffix(".").value_counts(sort=True)
        return ", ".join(_plural(phrase, count) for phrase, count in counts.items())

    def summary(self) -> str:
        """Return e.g. "3 of 120 rows were left out: 2 pictures not found, 1 label missing."."""
        total = f" of {self.n_total:,}" if self.n_total else ""
        verb = "row was" if self.n_rows == 1 and not total else "rows were"
        said = "No row was left out."
        if self.n_rows:
            said = f"{self.n_rows:,}{total} {verb} left out: {self.reasons()}."
        notes = self.frame.loc[self.frame["row"] <= 0, "problem"].tolist()
        more = [f"Note: {len(notes) - _NOTES:,} more remarks are in the list."] if len(notes) > _NOTES else []
        return " ".join([said, *(f"Note: {note}." for note in notes[:_NOTES]), *more])


def join_problems(parts: Iterable[Problems]) -> Problems:
    """Return all findings in one list, by row; the remarks about the whole file come first."""
    parts = list(parts)
    filled = [part.frame for part in parts if len(part)]
    frame = pd.concat(filled, ignore_index=True) if filled else _no_problems()
    total = max((part.n_total for part in parts), default=0)
    return Problems(frame.sort_values("row", kind="stable"), total)


@dataclass(frozen=True)
class ImportResult:
    """The usable samples, and what became of the others.

    Parameters
    ----------
    dataset : PairedDataset
    problems : Problems
    """

    dataset: PairedDataset
    problems: Problems
