"""A table and its roles into a paired data set, with every row that cannot be used listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from curation.dataset import Modality, PairedDataset
from curation.errors import DataError
from curation.importing.cells import Cells, read_cells
from curation.importing.media import Media
from curation.importing.report import ImportResult, Problems, join_problems
from curation.importing.roles import ModalityRole, Roles
from curation.importing.tables import row_numbers
from curation.importing.values import label_text
from curation.plainly import listed, short

__all__ = ["build_dataset", "check_labels", "common_categories", "row_ids"]

_MANY_VALUES = 50
_LONGEST = 200  # characters of a label or identifier: NumPy gives every row the room of the longest


def build_dataset(
    frame: pd.DataFrame,
    roles: Roles,
    media: Media | None = None,
    name: str = "data set",
    base: Path | str | None = None,
) -> ImportResult:
    """Pair the two modalities of every row and give it its category.

    Parameters
    ----------
    frame : pandas.DataFrame
        As from ``read_table``.
    roles : Roles
        With two modalities and a label.
    media : Media, optional
        Where pictures, sounds and videos are.
    name : str
    base : path, optional
        The table's own folder: files are looked up below it when there is no ``media``.

    Returns
    -------
    ImportResult

    Raises
    ------
    DataError
        When a role is open or names a column that is not there, the category is a measured number, or fewer
        than two categories keep two usable samples.
    """
    _check_roles(roles, frame)
    if media is None and base is not None:
        media = Media(Path(base).resolve(), search=False)
    rows = row_numbers(frame)
    sides = [read_cells(frame, role, media) for role in roles.modalities]
    labels = label_text(frame[roles.label])
    check_labels(labels, frame[roles.label].name)
    usable = sides[0].usable & sides[1].usable
    keep, about_labels = common_categories(labels.to_numpy(dtype=object), usable, rows, roles.label)
    about_media = media.problems if media else Problems()
    notes = [Problems(n_total=len(frame)), about_media, *(side.problems for side in sides), about_labels]
    _check_categories(labels[keep], join_problems(notes))
    sample_ids, about_ids = _identifiers(frame, roles.identifier, keep)
    kept = np.flatnonzero(keep)
    dataset = PairedDataset(
        name=name,
        sample_ids=sample_ids,
        labels=labels[keep].to_numpy(dtype=np.str_),
        modalities=tuple(_modality(*pair, kept) for pair in zip(roles.modalities, sides, strict=True)),
        extras=_extras(frame, roles, named=not len(about_ids)).iloc[kept].reset_index(drop=True),
        known=pd.DataFrame(index=range(len(kept))),
        rows=rows[kept],
    )
    return ImportResult(dataset, join_problems([*notes, about_ids]))


def _check_roles(roles: Roles, frame: pd.DataFrame) -> None:
    if len(roles.modalities) != 2:
        raise DataError(f"A pair needs two modalities, but {len(roles.modalities)} are chosen; choose two columns.")
    if roles.label is None:
        raise DataError("No category column is chosen; choose the column that says what each sample is.")
    first, second = roles.modalities
    if first.name == second.name:
        raise DataError(f"Both modalities are named '{first.name}'; give them different names.")
    used = [*first.columns, *second.columns, roles.label, *([roles.identifier] if roles.identifier else [])]
    for column in used:
        if column not in frame.columns:
            raise DataError(f"There is no column '{short(column)}'; the columns are {listed(frame.columns)}.")
    if roles.label in (*first.columns, *second.columns):
        raise DataError(f"The column '{roles.label}' is both category and modality; choose another for one of them.")


def check_labels(labels: pd.Series, column: str) -> None:
    """Raise DataError when a category column is a measurement: numbers that are nearly all different."""
    filled = labels[labels != ""]
    distinct = filled.unique()
    if len(distinct) <= _MANY_VALUES or len(distinct) * 2 <= len(filled):
        return
    if pd.to_numeric(pd.Series(distinct), errors="coerce").notna().all():
        raise DataError(
            f"The column '{short(column)}' holds {len(distinct):,} different numbers, which is a measurement; "
            "a category column is needed: choose one, or sort the numbers into a few named groups."
        )


def common_categories(
    labels: np.ndarray, usable: np.ndarray, rows: np.ndarray, column: str
) -> tuple[np.ndarray, Problems]:
    """Find the rows that can be kept: usable, labelled, and not alone in their category.

    Parameters
    ----------
    labels : ndarray of str, shape (n_rows,)
        "" where missing.
    usable : ndarray of bool, shape (n_rows,)
    rows : ndarray of int, shape (n_rows,)
        Row numbers to show.
    column : str

    Returns
    -------
    (ndarray of bool, shape (n_rows,), Problems)
    """
    names = pd.Series(labels, dtype="str")
    unlabelled, endless = labels == "", (names.str.len() > _LONGEST).to_numpy(dtype=bool)
    keep = usable & ~unlabelled & ~endless
    counts = names[keep].value_counts()
    alone = keep & names.isin(counts.index[counts < 2]).to_numpy(dtype=bool)
    said = [f"sample alone in its category: '{label}' has no other usable sample" for label in labels[alone]]
    problems = [
        Problems.of(rows[unlabelled], column, "label missing", "Write the category in the cell."),
        Problems.of(rows[endless], column, f"label longer than {_LONGEST} characters", "Write a short category."),
        Problems.of(rows[alone], column, said, "Add samples of this category, or correct a misspelt label."),
        _case_note(pd.unique(labels[keep & ~alone]), column),
    ]
    return keep & ~alone, join_problems(problems)


def _case_note(names: Sequence[str], column: str) -> Problems:
    """Remark on categories that differ only in capitals: mostly they are one."""
    alike = pd.Series(names, dtype=object).groupby([name.casefold() for name in names]).apply(list)
    pairs = ["'" + "' and '".join(group) + "'" for group in alike if len(group) > 1]
    mend = "Write them alike if they mean the same."
    said = [f"the categories {pair} differ only in capitals and were kept apart" for pair in pairs]
    return Problems.of([0] * len(said), column, said, mend)


def _check_categories(labels: pd.Series, problems: Problems) -> None:
    n_categories = labels.nunique()
    if n_categories < 2:
        said = "no category has" if n_categories == 0 else f"only the category '{labels.iloc[0]}' has"
        raise DataError(
            f"At least two categories with two usable samples each are needed, but {said}. "
            f"{problems.summary()} "
            "Mend these rows, or choose another category column."
        )


def _identifiers(frame: pd.DataFrame, column: str | None, keep: np.ndarray) -> tuple[np.ndarray, Problems]:
    """Return the kept rows' identifiers: the user's own if they serve, otherwise by row number."""
    if column is None:
        return row_ids(row_numbers(frame)[keep]), Problems()
    own = label_text(frame[column])[keep]
    bad = own.duplicated(keep=False) | (own == "") | (own.str.len() > _LONGEST)
    if not bad.any():
        return own.to_numpy(dtype=np.str_), Problems()
    return row_ids(row_numbers(frame)[keep]), Problems.note(
        f"{bad.sum():,} identifiers in '{column}' repeat, are empty or too long, so samples are named by "
        "row, like 'row-000001'",
        "Give every row its own identifier.",
        column,
    )


def row_ids(rows: np.ndarray) -> np.ndarray:
    """Return identifiers like "row-000001"; shape (n_rows,)."""
    return np.array([f"row-{row:06d}" for row in rows], dtype=np.str_)


def _modality(role: ModalityRole, cells: Cells, kept: np.ndarray) -> Modality:
    return Modality(role.name, role.kind, cells.items).take(kept)


def _extras(frame: pd.DataFrame, roles: Roles, named: bool) -> pd.DataFrame:
    """Return the user's other columns; an identifier that could not name the samples is one of them."""
    columns = [column for role in roles.modalities for column in role.columns]
    used = {*columns, roles.label, *([roles.identifier] if named else [])}
    return frame[[column for column in frame.columns if column not in used]]
