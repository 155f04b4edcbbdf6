"""What each column of a table is made of, with the reason in plain words."""

from __future__ import annotations

import marshal
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.importing.media import SUFFIXES, Media
from curation.importing.values import is_missing, parse_vector, stripped, typed

__all__ = ["ColumnDescription", "describe_columns", "named_like_label", "words_of"]

_LABEL_WORDS = {"label", "labels", "category", "categories", "class", "classes", "target", "targets", "species", "y"}
_LABEL_WORDS |= {"genre", "breed", "sentiment", "emotion", "topic", "diagnosis"}
_ID_WORDS = {"id", "ids", "uuid", "guid", "key", "identifier", "index", "idx"}
_TEXT_WORDS = {"text", "caption", "captions", "title", "description", "sentence", "review", "transcript", "comment"}
_LOOKED_AT = 200  # cells parsed to recognise vectors, files tried to be found
_LABEL_LENGTH = 40  # characters, at the median: longer values are prose


@dataclass(frozen=True)
class ColumnDescription:
    """What one column is made of.

    Parameters
    ----------
    name : str
    kind : {"picture", "text", "sound", "video", "numbers", "vectors", "label", "identifier", "other"}
    reason : str
        Why, in one sentence.
    n_missing, n_distinct : int
        Cells without a value, and different values.
    example : str
        The first value, shortened.
    """

    name: str
    kind: str
    reason: str
    n_missing: int
    n_distinct: int
    example: str


@dataclass(frozen=True)
class _Look:
    """The values of a column that are there, and how often each occurs."""

    words: frozenset[str]
    values: pd.Series
    counts: pd.Series

    @property
    def distinct(self) -> bool:
        return len(self.counts) == len(self.values)

    @property
    def repeated(self) -> bool:
        return len(self.counts) * 2 <= len(self.values)


def words_of(name: str) -> list[str]:
    """Return the words of a column name: "imagePath_2" gives image, path, 2."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name))
    return re.findall(r"[^\W_]+", spaced.lower())


def named_like_label(name: str) -> bool:
    """Return whether a column's name says that it holds the category."""
    return not _LABEL_WORDS.isdisjoint(words_of(name))


def describe_columns(
    frame: pd.DataFrame, media: Media | None = None, folder: Path | str | None = None
) -> tuple[ColumnDescription, ...]:
    """Recognise what each column of a table is made of.

    Parameters
    ----------
    frame : pandas.DataFrame
    media : Media, optional
        Where the files are; the reasons then say how many of the first ones are there.
    folder : path, optional
        The table's own folder, used when there is no ``media``.

    Returns
    -------
    tuple of ColumnDescription, one per column in order
    """
    if media is None and folder is not None:
        media = Media(Path(folder).resolve(), search=False)
    return tuple(_describe(str(name), frame[name], media) for name in frame.columns)


def _describe(name: str, column: pd.Series, media: Media | None) -> ColumnDescription:
    column = typed(column)
    missing = is_missing(column)
    values = column[~missing]
    if values.empty:
        return ColumnDescription(name, "other", "Every cell is empty.", len(column), 0, "")
    if column.dtype == object:
        kind, reason, n_distinct = _lists(values)
    else:
        values = stripped(values) if column.dtype == "str" else values
        look = _Look(frozenset(words_of(name)), values, values.value_counts())
        kind, reason = _scalars(look, media)
        n_distinct = len(look.counts)
    return ColumnDescription(name, kind, reason, int(missing.sum()), n_distinct, _example(values.iloc[0]))


def _example(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


def _lists(values: pd.Series) -> tuple[str, str, int]:
    n_distinct = len({_content(value) for value in values})
    return *(_vectors(values) or ("other", "The cells hold neither text nor numbers.")), n_distinct


def _content(value: object) -> int:
    """Return a number that is the same for cells that hold the same."""
    if isinstance(value, np.ndarray):
        if value.dtype != object:
            return hash(value.tobytes())
        value = value.tolist()
    try:
        return hash(marshal.dumps(value, 2))  # printing a million numbers takes far longer
    except ValueError:  # dates and the like
        return hash(repr(value))


def _vectors(values: pd.Series) -> tuple[str, str] | None:
    """Return the kind and reason when the first cells are vectors, nearly all of one length."""
    first = [parse_vector(value) for value in values.iloc[:_LOOKED_AT]]
    lengths = [len(vector) for vector in first if vector is not None]
    if not lengths or len(lengths) * 2 <= len(first):
        return None
    usual = max(set(lengths), key=lengths.count)
    if lengths.count(usual) * 2 <= len(lengths):
        return None
    return "vectors", f"Cells are lists of {usual:,} numbers."


def _scalars(look: _Look, media: Media | None) -> tuple[str, str]:
    if pd.api.types.is_bool_dtype(look.values):
        return "label", "Every cell is true or false."
    if pd.api.types.is_numeric_dtype(look.values):
        return _numeric(look)
    if look.values.dtype != "str":
        return "other", "Dates, times and the like are carried along unchanged."
    return _files(look, media) or _bracketed(look) or _textual(look)


def _numeric(look: _Look) -> tuple[str, str]:
    # A blank header is the row count that spreadsheets and pandas write.
    named_id = not _ID_WORDS.isdisjoint(look.words) or look.words & {"unnamed"}
    if named_id and look.distinct:
        return "identifier", "Every number is different and the name says it is an identifier."
    if not _LABEL_WORDS.isdisjoint(look.words) and look.repeated:
        return "label", f"{len(look.counts):,} different numbers, and the name says they are categories."
    if len(look.counts) == 1 and len(look.values) > 1:
        return "other", "Every cell holds the same number."
    return "numbers", "Cells are numbers."


def _files(look: _Look, media: Media | None) -> tuple[str, str] | None:
    endings = look.values.str.lower()
    for kind, suffixes in SUFFIXES.items():
        n_files = int(endings.str.endswith(suffixes).sum())
        if n_files * 2 > len(endings):
            said = f"{n_files:,} of {len(endings):,} cells end like a {kind} file"
            return kind, f"{said}{_found(look.values, media)}."
    return None


def _found(values: pd.Series, media: Media | None) -> str:
    if media is None:
        return ""
    first = values.iloc[:_LOOKED_AT]
    n_found = sum(media.find(value) is not None for value in first)
    return f"; {n_found:,} of the first {len(first):,} files were found"


def _bracketed(look: _Look) -> tuple[str, str] | None:
    return _vectors(look.values) if int(look.values.str.startswith("[").sum()) * 2 > len(look.values) else None


def _textual(look: _Look) -> tuple[str, str]:
    if look.distinct and not _ID_WORDS.isdisjoint(look.words):
        return "identifier", "Every cell is different and the name says it is an identifier."
    if len(look.counts) == 1 and len(look.values) > 1:
        return "other", "Every cell says the same."
    if _is_label(look):
        return "label", f"{len(look.counts):,} different values, each used again and again."
    return "text", "Cells are text."


def _is_label(look: _Look) -> bool:
    """Few values, each repeated; a name that says "label" forgives single ones, "caption" forbids it."""
    if not _LABEL_WORDS.isdisjoint(look.words):
        return look.repeated
    few = len(look.counts) <= max(10, min(1000, len(look.values) // 10))
    prose = not _TEXT_WORDS.isdisjoint(look.words) or look.values.str.len().median() > _LABEL_LENGTH
    return few and not prose and int(look.counts.min()) >= 2
