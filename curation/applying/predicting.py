"""A trained model used on new samples: a table of items, or ready-made features, in; a row of answers a sample out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.applying.kinds import KINDS
from curation.applying.models import SavedModel
from curation.encoders import load_or_stand_in
from curation.errors import DataError
from curation.importing import Problems, describe_columns, is_features_file, open_media, read_table
from curation.importing.cells import read_cells
from curation.importing.feature_files import load_arrays
from curation.importing.media import Media
from curation.importing.report import join_problems
from curation.importing.roles import ModalityRole, parse_modality
from curation.importing.tables import row_numbers
from curation.plainly import listed
from curation.progress import Progress, silent, stage_counter
from feature_extractors import FeatureCache, encode_items

__all__ = ["predict"]


@dataclass(frozen=True)
class _Side:
    """One modality of the new samples: the rows that have it, rising, and their features."""

    rows: np.ndarray
    features: np.ndarray


def predict(
    model: SavedModel, path: Path, named: Sequence[str] = (), media: Path | None = None, progress: Progress = silent
) -> tuple[pd.DataFrame, Problems]:
    """Return what a model says about new samples.

    Parameters
    ----------
    model : SavedModel
    path : pathlib.Path
        A table, or a file of ready-made features.
    named : sequence of "NAME=COLUMN"
        Where each modality is; by default the columns that the model learned from. Of features, names of arrays.
    media : pathlib.Path, optional
        Folder or ZIP with pictures, sounds and videos; by default the table's own folder.
    progress : Progress

    Returns
    -------
    frame : pandas.DataFrame
        ``row`` and, for a joint representation, ``fused.1`` and so on; otherwise ``prediction``, ``probability`` and
        ``seen``, the modalities that the answer goes by.
    problems : Problems
        Rows, or sides of rows, that could not be used.

    Raises
    ------
    DataError, EncoderError, InvalidInputError
        When the file does not hold what the model reads.
    """
    with tempfile.TemporaryDirectory() as work:
        read = _from_arrays if is_features_file(path) else _from_table
        sides, problems = read(model, path, named, media, Path(work), progress)
    progress("Ask the model", 0, 1)
    frame = _joint(model, sides) if model.what == "fusion" else _answers(model, sides)
    progress("Ask the model", 1, 1)
    if not len(frame):
        raise DataError(f"No row of {path.name} has what the model reads. {problems.summary()}")
    return frame, problems


def _from_arrays(
    model: SavedModel, path: Path, named: Sequence[str], media: Path | None, work: Path, progress: Progress
) -> tuple[dict[int, _Side], Problems]:
    arrays = load_arrays(path)
    places = dict(text.partition("=")[::2] for text in named)
    found = {}
    for side in model.sides:
        name = model.modalities[side]["name"]
        array = arrays.get(places.get(name, name))
        if array is None or array.ndim != 2:
            raise DataError(
                f"{path.name} has no features for '{name}'; name their array with --modality {name}=ARRAY. "
                f"The arrays are: {listed(arrays)}."
            )
        found[side] = _Side(np.arange(len(array)), array)
    if len({len(side.rows) for side in found.values()}) > 1:
        raise DataError(f"The two arrays in {path.name} have different numbers of rows; a pair needs both.")
    return found, Problems()


def _from_table(
    model: SavedModel, path: Path, named: Sequence[str], media: Path | None, work: Path, progress: Progress
) -> tuple[dict[int, _Side], Problems]:
    read = read_table(path)
    place = Media(path.parent.resolve(), search=False) if media is None else open_media(media, work / "media")
    cache, found, problems = FeatureCache(work / "features"), {}, [read.problems]
    for side in model.sides:
        told = model.modalities[side]
        role = _role(told, read.frame, named, path)
        cells = read_cells(read.frame, role, place)
        usable = np.flatnonzero(cells.usable)
        encoder = load_or_stand_in(told["encoder"], told["kind"], "auto")
        if encoder.fingerprint != told["fingerprint"]:
            raise DataError(
                f"The model learned from features by '{told['encoder']}' as it was then, which cannot be loaded here: "
                "its answers would mean nothing. Use the version of Interplay in the model's config.json."
            )
        items = cells.items[usable] if isinstance(cells.items, np.ndarray) else [cells.items[i] for i in usable]
        done = encode_items(encoder, items, cache, stage_counter(progress, f"Encode the {told['name']}"))
        rows = row_numbers(read.frame)[usable]
        spoilt = [rows[i] for i, _ in done.problems]
        problems += [cells.problems, Problems.of(
            spoilt, told["name"], [reason for _, reason in done.problems], "Mend or replace the item."
        )]  # fmt: skip
        found[side] = _Side(rows[done.kept], done.features)
    return found, join_problems(problems)


def _role(told: dict, frame: pd.DataFrame, named: Sequence[str], path: Path) -> ModalityRole:
    """Return where a modality is in a table, as told or as it was when the model learned."""
    own = [text for text in named if text.partition("=")[0].strip() == told["name"]]
    columns = told["columns"]
    if not own and not (columns and set(columns) <= set(frame.columns)):
        raise DataError(
            f"Which column holds the {told['name']}? Name it with --modality {told['name']}=COLUMN. "
            f"The columns of {path.name} are: {listed(frame.columns)}."
        )
    text = own[0] if own else f"{told['name']}={','.join(columns)}"
    role = parse_modality(text, frame, describe_columns(frame, folder=path.parent))
    return ModalityRole(role.name, role.columns, told["kind"])


def _joint(model: SavedModel, sides: dict[int, _Side]) -> pd.DataFrame:
    rows = np.intersect1d(*(side.rows for side in sides.values()))
    fusion = KINDS[model.what].load(model.arrays, model.config)
    both = [_of(sides[k], rows) for k in (0, 1)]
    fused = fusion.transform(*both) if len(rows) else np.empty((0, 0))
    return pd.DataFrame({"row": rows} | {f"fused.{k + 1}": column for k, column in enumerate(fused.T)})


def _answers(model: SavedModel, sides: dict[int, _Side]) -> pd.DataFrame:
    """Return the answers, those of rows with both sides and of rows with one worked out apart."""
    loaded = KINDS[model.what].load(model.arrays, model.config)
    everywhere = np.unique(np.concatenate([side.rows for side in sides.values()]))
    has = {k: np.isin(everywhere, side.rows) for k, side in sides.items()}
    parts = []
    for wanted in {tuple(bool(has[k][i]) for k in sides) for i in range(len(everywhere))}:
        rows = everywhere[np.all([has[k] == w for k, w in zip(sides, wanted, strict=True)], axis=0)]
        given = [_of(sides[k], rows) if w else None for k, w in zip(sides, wanted, strict=True)]
        p = loaded.predict_proba(*given)
        names = [model.modalities[k]["name"] for k, w in zip(sides, wanted, strict=True) if w]
        answer = p.argmax(axis=1)
        parts.append(pd.DataFrame({
            "row": rows, "prediction": np.asarray(loaded.classes_)[answer],
            "probability": p[np.arange(len(p)), answer], "seen": " + ".join(names),
        }))  # fmt: skip
    return pd.concat(parts).sort_values("row", ignore_index=True) if parts else pd.DataFrame()


def _of(side: _Side, rows: np.ndarray) -> np.ndarray:
    return side.features[np.searchsorted(side.rows, rows)]
