"""Which columns make the two modalities, the category and the identifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from curation.errors import DataError
from curation.importing.columns import ColumnDescription, named_like_label, words_of
from curation.plainly import listed, short

__all__ = ["ModalityRole", "Roles", "friendly_name", "friendly_names", "parse_modality", "suggest_roles"]

_PREFERRED = ("picture", "video", "sound", "vectors", "text", "numbers")
_TRAILING = {"path", "paths", "file", "files", "filename", "filenames"}
_TRAILING |= {"feature", "features", "feat", "feats", "embedding", "embeddings", "emb", "vector", "vectors"}


@dataclass(frozen=True)
class ModalityRole:
    """One side of every pair.

    Parameters
    ----------
    name : str
    columns : tuple of str
        One column; for numbers one or more.
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}
    """

    name: str
    columns: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Roles:
    """Who plays what in a table; what could not be guessed is None or absent.

    Parameters
    ----------
    modalities : tuple of 0 to 2 ModalityRole
    label, identifier : str or None
        Column names.
    """

    modalities: tuple[ModalityRole, ...] = ()
    label: str | None = None
    identifier: str | None = None


def friendly_name(column: str) -> str:
    """Return a column name as one would say it: "image_path" gives "image"."""
    words = words_of(column)
    while len(words) > 1 and words[-1] in _TRAILING:
        words.pop()
    return " ".join(words) or column


def friendly_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return friendly names, or the columns' own where two would read alike."""
    names = tuple(friendly_name(column) for column in columns)
    return names if len(set(names)) == len(names) else tuple(columns)


def suggest_roles(descriptions: Sequence[ColumnDescription]) -> Roles:
    """Suggest roles from what the columns are made of.

    Files and vectors come before text, text before numbers; several number columns make one modality.

    Parameters
    ----------
    descriptions : sequence of ColumnDescription

    Returns
    -------
    Roles
    """
    labels = sorted(_names(descriptions, "label"), key=lambda name: not named_like_label(name))
    identifiers = _names(descriptions, "identifier")
    sides = [((name,), kind) for kind in _PREFERRED[:-1] for name in _names(descriptions, kind)]
    numbers = tuple(_names(descriptions, "numbers"))
    sides = (sides + ([(numbers, "numbers")] if numbers else []))[:2]
    spoken = friendly_names([columns[0] if kind != "numbers" else "numbers" for columns, kind in sides])
    modalities = tuple(ModalityRole(name, *side) for name, side in zip(spoken, sides, strict=True))
    return Roles(modalities, labels[0] if labels else None, identifiers[0] if identifiers else None)


def _names(descriptions: Sequence[ColumnDescription], kind: str) -> list[str]:
    return [d.name for d in descriptions if d.kind == kind]


def parse_modality(text: str, frame: pd.DataFrame, descriptions: Sequence[ColumnDescription]) -> ModalityRole:
    """Read a modality from the command line.

    Parameters
    ----------
    text : str
        "NAME=COLUMN", or "NAME=COLUMN,COLUMN" for columns of numbers. A column whose own name has a comma wins.
    frame : pandas.DataFrame
    descriptions : sequence of ColumnDescription

    Returns
    -------
    ModalityRole

    Raises
    ------
    DataError
        When it is not written so, a column does not exist, or cannot be used as a modality.
    """
    name, equals, target = (part.strip() for part in text.partition("="))
    if not (name and equals and target):
        raise DataError(f"'{text}' is not of the form NAME=COLUMN; write for example picture=image_path.")
    columns = (target,) if target in frame.columns else tuple(part.strip() for part in target.split(","))
    for column in columns:
        if column not in frame.columns:
            raise DataError(
                f"There is no column '{short(column)}' (in '{short(text)}'); the columns are {listed(frame.columns)}."
            )
    if len(columns) == 1:
        return ModalityRole(name, columns, _kind_of(columns[0], frame, descriptions))
    return _joined(name, columns, frame)


def _joined(name: str, columns: tuple[str, ...], frame: pd.DataFrame) -> ModalityRole:
    if len(set(columns)) < len(columns):
        raise DataError(f"The modality '{name}' names a column twice; name each once.")
    for column in columns:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise DataError(f"The column '{column}' is not made of numbers; only number columns can be joined.")
    return ModalityRole(name, columns, "numbers")


def _kind_of(column: str, frame: pd.DataFrame, descriptions: Sequence[ColumnDescription]) -> str:
    """Return what a column is made of when it is to be a modality, even if it looked like a label."""
    kind = next((d.kind for d in descriptions if d.name == column), "other")
    if kind in _PREFERRED:
        return kind
    if pd.api.types.is_numeric_dtype(frame[column]):
        return "numbers"
    if frame[column].dtype == "str":
        return "text"
    raise DataError(f"The column '{column}' cannot be a modality: it holds neither files, text, numbers nor vectors.")
