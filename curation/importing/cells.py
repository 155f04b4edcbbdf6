"""The cells of one modality into its items, with every cell that cannot be used listed by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from curation.dataset import MEDIA_KINDS
from curation.errors import DataError
from curation.importing.media import Media
from curation.importing.report import Problems, join_problems
from curation.importing.roles import ModalityRole
from curation.importing.tables import row_numbers
from curation.importing.values import is_missing, parse_vector, stripped, to_numbers
from curation.plainly import short

__all__ = ["Cells", "read_cells", "stack_vectors"]


@dataclass(frozen=True)
class Cells:
    """One modality as read from a table.

    Parameters
    ----------
    items : list of Path or str, or ndarray of shape (n_rows, n_features)
        With a placeholder where ``usable`` is False.
    usable : ndarray of bool, shape (n_rows,)
    problems : Problems
    """

    items: Sequence[Path | None] | Sequence[str] | np.ndarray
    usable: np.ndarray
    problems: Problems


def read_cells(frame: pd.DataFrame, role: ModalityRole, media: Media | None) -> Cells:
    """Read one modality's columns.

    Parameters
    ----------
    frame : pandas.DataFrame
    role : ModalityRole
    media : Media or None
        Where pictures, sounds and videos are looked up.

    Returns
    -------
    Cells

    Raises
    ------
    DataError
        When the modality needs files and there is no folder, or does not hold what its kind says.
    """
    readers: dict[str, Callable[[pd.DataFrame, ModalityRole], Cells]] = {
        **dict.fromkeys(MEDIA_KINDS, partial(_files, media=media)),
        "text": _texts,
        "vectors": _vectors,
        "numbers": _numbers,
    }
    if role.kind not in readers:
        raise DataError(f"The modality '{role.name}' has the kind '{role.kind}'; choose one of {', '.join(readers)}.")
    if len(role.columns) != 1 and (role.kind != "numbers" or not role.columns):
        raise DataError(f"The modality '{role.name}' needs exactly one column; choose one.")
    return readers[role.kind](frame, role)


def _listed(frame: pd.DataFrame, column: str, bad: np.ndarray, problem: str | Sequence[str], mend: str) -> Problems:
    return Problems.of(row_numbers(frame)[bad], column, problem, mend)


def _files(frame: pd.DataFrame, role: ModalityRole, media: Media | None) -> Cells:
    if media is None:
        raise DataError(
            f"The modality '{role.name}' is made of {role.kind} files; give the folder or .zip they are in."
        )
    column = frame[role.columns[0]]
    missing = is_missing(column)
    names = column.astype("str").fillna("").tolist()
    paths = [None if gone else media.find(name) for name, gone in zip(names, missing, strict=True)]
    lost = np.array([path is None for path in paths], dtype=bool) & ~missing
    empty = np.array([path is not None and path.stat().st_size == 0 for path in paths], dtype=bool)
    problems = [
        _listed(frame, column.name, missing, f"{role.kind} missing", "Write the file's name in the cell."),
        _listed(
            frame,
            column.name,
            lost,
            [f"{role.kind} not found: {media.explain(names[i])}" for i in np.flatnonzero(lost)],
            "Put the file into the folder or .zip, or correct the name in the cell.",
        ),
        _listed(
            frame,
            column.name,
            empty,
            [f"{role.kind} empty: '{short(names[i])}' is a file of 0 bytes." for i in np.flatnonzero(empty)],
            "Copy the file again.",
        ),
    ]
    return Cells(paths, ~(missing | lost | empty), join_problems(problems))


def _texts(frame: pd.DataFrame, role: ModalityRole) -> Cells:
    column = frame[role.columns[0]]
    missing = is_missing(column)
    problems = _listed(frame, column.name, missing, "text missing", "Write the text, or leave the row out for good.")
    return Cells(stripped(column).fillna("").tolist(), ~missing, problems)


def _vectors(frame: pd.DataFrame, role: ModalityRole) -> Cells:
    column = frame[role.columns[0]]
    missing = is_missing(column)
    parsed = [None if gone else parse_vector(cell) for cell, gone in zip(column, missing, strict=True)]
    items, reasons = stack_vectors(parsed)
    if items is None:
        raise DataError(f"No cell of '{column.name}' is a list of numbers; write vectors like [0.1, 0.2].")
    reasons = ["vector missing" if gone else reason for reason, gone in zip(reasons, missing, strict=True)]
    bad = np.array([bool(reason) for reason in reasons], dtype=bool)
    mend = f"Write a list of {items.shape[1]:,} finite numbers, like [0.1, 0.2]."
    return Cells(items, ~bad, _listed(frame, column.name, bad, [reason for reason in reasons if reason], mend))


def stack_vectors(parsed: Sequence[np.ndarray | None]) -> tuple[np.ndarray | None, list[str]]:
    """Stack vectors of the most usual length.

    Parameters
    ----------
    parsed : sequence of n_rows float32 ndarrays, or None where there is no vector

    Returns
    -------
    (ndarray of float32, shape (n_rows, n_features), zeros where there is no usable vector, or None if none is)
    and (list of n_rows str, the problem of each row or "")
    """
    lengths = np.array([0 if vector is None else len(vector) for vector in parsed], dtype=np.int64)
    if not lengths.any():
        return None, ["vector not readable"] * len(parsed)
    usual = int(np.bincount(lengths[lengths > 0]).argmax())
    items = np.zeros((len(parsed), usual), dtype=np.float32)
    fits = np.flatnonzero(lengths == usual)
    items[fits] = [parsed[i] for i in fits]
    finite = np.isfinite(items).all(axis=1)
    return items, [_vector_problem(n, usual, good) for n, good in zip(lengths, finite, strict=True)]


def _vector_problem(length: int, usual: int, finite: bool) -> str:
    if length == 0:
        return "vector not readable"
    if length != usual:
        return f"vector of another length: {length:,} numbers instead of {usual:,}"
    return "" if finite else "vector with a value that is not finite"


def _numbers(frame: pd.DataFrame, role: ModalityRole) -> Cells:
    names = list(role.columns)
    read = [to_numbers(frame[name]) for name in names]
    items = np.column_stack([numbers for numbers, _ in read])
    unreadable = np.column_stack([bad for _, bad in read])
    if unreadable.sum() * 2 > items.size:
        raise DataError(f"The modality '{role.name}' is not made of numbers; choose number columns.")
    items[np.isinf(items)] = np.nan
    gaps = np.isnan(items) & ~unreadable
    hopeless = np.isnan(items).all(axis=1) & ~unreadable.any(axis=1)
    mend = "Write at least one number in the row."
    said = "number missing or not finite"
    problems = [
        _unreadable(frame[names], unreadable),
        _listed(frame, short(", ".join(names)), hopeless, said, mend),
    ]
    usable = ~(hopeless | unreadable.any(axis=1))
    problems.append(_gap_notes(names, (gaps & usable[:, None]).sum(axis=0)))
    return Cells(items, usable, join_problems(problems))


def _unreadable(frame: pd.DataFrame, bad: np.ndarray) -> Problems:
    """List the first such cell of every row."""
    rows = np.flatnonzero(bad.any(axis=1))
    places = bad[rows].argmax(axis=1)
    cells = [frame.iat[i, j] for i, j in zip(rows, places, strict=True)]
    said = [f"number not readable: '{short(cell)}'" for cell in cells]
    mend = "Write a plain number like 1.5, or leave the cell empty."
    return Problems.of(row_numbers(frame)[rows], [frame.columns[j] for j in places], said, mend)


def _gap_notes(names: Sequence[str], counts: np.ndarray) -> Problems:
    filled = np.flatnonzero(counts)
    said = [
        f"{counts[j]:,} {'cell is' if counts[j] == 1 else 'cells are'} empty or not finite in '{short(names[j])}' "
        "and counted as unknown"
        for j in filled
    ]
    mend = "Nothing needs to be done; fill the cells if the values are known."
    return Problems.of(np.zeros(len(filled)), [names[j] for j in filled], said, mend)
