"""Every reader as a user meets it: a file goes in; out comes a result that holds together, or one plain sentence."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.dataset import KINDS
from curation.errors import USER_ERRORS
from curation.export import export_bytes
from curation.importing import (
    ImportResult,
    ModalityRole,
    Problems,
    Roles,
    build_dataset,
    describe_columns,
    open_media,
    read_features,
    read_table,
    suggest_roles,
)
from feature_extractors.contracts import ItemProblem
from feature_extractors.films import FRAMES, read_film
from feature_extractors.pictures import MAX_PIXELS, read_picture
from feature_extractors.sounds import read_sound

__all__ = ["READERS", "Outcome", "meet"]

LONGEST = 3_000  # characters of a sentence, lists of names included
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
NOT_FOR_PEOPLE = ("Traceback", "Error:", "Exception", "0x", "<class", "\n", "\x1b")


@dataclass(frozen=True)
class Outcome:
    """What a user would be told: ``kind`` is "refused" or "handled"."""

    kind: str
    told: str


def meet(reader: str, path: Path, into: Path) -> Outcome:
    """Read a file in the way of a reader.

    Parameters
    ----------
    reader : str
        One of ``READERS``.
    path : pathlib.Path
    into : pathlib.Path
        The only folder that may be written to.

    Returns
    -------
    Outcome

    Raises
    ------
    AssertionError
        When a result does not hold together, or a sentence is none. Any other exception is a defect, too.
    """
    try:
        told = READERS[reader](path, into)
    except (*USER_ERRORS, ItemProblem) as error:
        _check_sentence(str(error))
        return Outcome("refused", str(error))
    return Outcome("handled", told)


def _check_sentence(told: str) -> bool:
    assert 15 < len(told) < LONGEST, f"no sentence of {len(told)} characters: {told[:200]}"
    assert told.endswith("."), told[-200:]
    found = [word for word in NOT_FOR_PEOPLE if word in told]
    assert not found, f"{found} in: {told[:500]}"
    return True


def _check_problems(problems: Problems, n_rows: int) -> str:
    told = problems.summary()
    _check_sentence(told)
    assert problems.frame["row"].between(0, max(n_rows, problems.n_total)).all()
    assert not problems.frame["problem"].str.contains("\n").any()
    return told


def _table(path: Path, into: Path) -> str:
    read = read_table(path)
    frame = read.frame
    assert len(frame) and frame.index.is_unique and frame.index.name == "row"
    assert not set(frame.index) & set(read.problems.frame["row"])
    told = _check_problems(read.problems, int(frame.index.max()))
    _check_stored(frame)
    roles = suggest_roles(describe_columns(frame, folder=path.parent))
    if len(roles.modalities) == 2 and roles.label:
        told += " " + _built(frame, roles, path)
    return told


def _roles(path: Path, into: Path) -> str:
    """Give columns at random to modalities of every kind, as a hasty user would."""
    frame = read_table(path).frame
    usual = suggest_roles(describe_columns(frame))
    chance = random.Random(path.stat().st_size)
    names = list(frame.columns)
    told, refused = [], None
    for kind in KINDS:
        first, second, label, own = (chance.choice(names) for _ in range(4))
        other = chance.choice([*usual.modalities, ModalityRole("two", (second,), chance.choice(KINDS))])
        sides = (ModalityRole("one", (first,), kind), other)
        label = chance.choice([usual.label or label, label])
        try:
            told.append(_built(frame, Roles(sides, label, own), path))
        except USER_ERRORS as error:
            _check_sentence(str(error))
            refused = error
    if not told:
        raise refused
    return told[0]


def _built(frame: pd.DataFrame, roles: Roles, path: Path) -> str:
    return _check_pairs(build_dataset(frame, roles, base=path.parent), int(frame.index.max()))


def _check_pairs(result: ImportResult, last_row: int = 0) -> str:
    data = result.dataset
    kept = set(data.rows.tolist())
    assert not kept & set(result.problems.frame["row"])
    names, counts = np.unique(data.labels, return_counts=True)
    assert len(names) >= 2 and counts.min() >= 2 and "" not in names
    for side in data.modalities:
        if side.kind == "vectors":
            assert np.isfinite(side.items).all()
    _check_stored(data.extras)
    return _check_problems(result.problems, last_row)


def _check_stored(frame: pd.DataFrame) -> None:
    """What was read can be written with the scores, and is harmless in a spreadsheet."""
    few = frame.iloc[:50, :50]
    few.to_parquet(io.BytesIO(), index=False)
    export_bytes(few, "jsonl")
    csv.field_size_limit(2**31 - 1)
    rows = list(csv.reader(io.StringIO(export_bytes(few, "csv").decode("utf-8"), newline="")))
    assert not few.shape[1] or len(rows) == len(few) + 1, "a cell began a row of its own"
    texts = [not pd.api.types.is_numeric_dtype(kind) for kind in few.dtypes]
    formulas = [cell for row in rows for cell, text in zip(row, texts, strict=True) if text and cell.startswith(RISKY)]
    assert not formulas, formulas[:3]


def _archive(path: Path, into: Path) -> str:
    media = open_media(path, into / "unpacked")
    names = [file.relative_to(media.root).as_posix() for file in media.root.rglob("*") if file.is_file()]
    for name in names[:20]:
        found = media.find(name)
        assert found is None or found.resolve().is_relative_to(into.resolve())
        assert found or _check_sentence(media.explain(name))
    return _check_problems(media.problems, 0)


def _features(path: Path, into: Path) -> str:
    return _check_pairs(read_features(path))


def _picture(path: Path, into: Path) -> str:
    picture = read_picture(path, enough=256)
    assert picture.mode == "RGB" and 0 < picture.width * picture.height <= MAX_PIXELS
    picture.resize((8, 8))
    return f"{picture.width} x {picture.height}"


def _sound(path: Path, into: Path) -> str:
    samples = read_sound(path, 16_000)
    assert samples.dtype == np.float32 and samples.ndim == 1 and len(samples) and np.isfinite(samples).all()
    return f"{len(samples)} samples"


def _video(path: Path, into: Path) -> str:
    sizes = [frame.size for frame in read_film(path) if frame.mode == "RGB" and min(frame.size) > 0]
    assert 0 < len(sizes) <= FRAMES
    return f"{len(sizes)} frames of {sizes[0][0]} x {sizes[0][1]}"


READERS: dict[str, Callable[[Path, Path], str]] = {
    "table": _table,
    "roles": _roles,
    "archive": _archive,
    "features": _features,
    "picture": _picture,
    "sound": _sound,
    "video": _video,
}
"""What a user can hand in: each reads a path, may write below a folder, and tells what became of it."""
