"""Scores and features as arrays and tensors, and lists of samples. Nothing in them is a Python object."""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.export.choices import Chosen
from curation.workspace import load_dataset
from lsmi_core import FIELDS

__all__ = ["write_arrays", "write_ids", "write_rows", "write_tensors"]

_TENTH = 10  # one in so many samples of a category is for validation
_SPLITS = ("train", "val")


def write_ids(chosen: Chosen, out: BinaryIO) -> None:
    """Write one identifier a line.

    Raises
    ------
    DataError
        When an identifier would be read as several lines.
    """
    ids = [str(i) for i in chosen.frame["sample_id"]]
    broken = next((i for i in ids if len(i.splitlines()) > 1 or i != i.rstrip("\r\n")), None)
    if broken is not None:
        raise DataError(f"The identifier '{broken}' has several lines; export the list of rows (json) instead.")
    out.write("".join(f"{i}\n" for i in ids).encode("utf-8"))


def write_rows(chosen: Chosen, out: BinaryIO) -> None:
    """Write identifiers with the rows of the user's own table that they stood in, counted from 1."""
    told = {"sample_id": [str(i) for i in chosen.frame["sample_id"]], "row": _rows(chosen).tolist()}
    out.write(json.dumps(told, ensure_ascii=False).encode("utf-8"))


def write_arrays(chosen: Chosen, features: list[np.ndarray] | None, out: BinaryIO) -> None:
    """Write an .npz: ``sample_id``, ``label``, all scores in nats, and on request ``features_1`` and ``features_2``.

    Where a score is about one side, ``.1`` or ``.2`` stands for its name, as in ``sure.1``.
    """
    frame = chosen.frame
    arrays = {name: frame[name].to_numpy(dtype=np.str_) for name in ("sample_id", "label")}
    arrays |= {_plain_name(chosen, name): _array(frame[name]) for name in frame.columns if _is_score(name)}
    arrays |= {f"features_{k}": x[chosen.rows] for k, x in enumerate(features or (), start=1)}
    np.savez(out, allow_pickle=False, **arrays)


def _is_score(column: str) -> bool:
    return column in FIELDS or column.startswith(("says.", "sure.", "known.", "suspect."))


def _plain_name(chosen: Chosen, column: str) -> str:
    """Return a name for an array: names that users give to modalities may hold what names of files may not."""
    start, dot, name = column.partition(".")
    if start in ("says", "sure") and name in chosen.run.modality_names:
        return f"{start}.{chosen.run.modality_names.index(name) + 1}"
    return column


def _array(column: pd.Series) -> np.ndarray:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return column.to_numpy(dtype=np.float64 if numeric else np.str_)


def write_tensors(chosen: Chosen, features: list[np.ndarray], out: BinaryIO) -> dict:
    """Write a .pt as the published LSMI code reads it, with the scores beside what it reads.

    ``{train,val}_modal_{1,2}_features`` (float32), ``{train,val}_targets`` (positions in the alphabetical order of the
    labels), and in the same order ``{train,val}_{i1, …, s}`` in nats (float64) and ``{train,val}_row`` (rows of the
    user's own table, counted from 1). The split is that of a column ``split`` of the user's; else every tenth sample of
    each category is for validation.

    Returns
    -------
    dict
        ``classes`` in the order of the targets, and how the ``split`` was made: for the manifest.
    """
    import torch  # heavy, and not needed for anything else here

    frame, rows = chosen.frame, _rows(chosen)
    codes, classes = pd.factorize(frame["label"], sort=True)
    held_out, how = _validation(frame, codes)
    tensors = {}
    for split, part in zip(_SPLITS, (~held_out, held_out), strict=True):
        for k, x in enumerate(features, start=1):
            tensors[f"{split}_modal_{k}_features"] = torch.from_numpy(x[chosen.rows][part].astype(np.float32))
        tensors[f"{split}_targets"] = torch.from_numpy(codes[part].astype(np.int64))
        tensors[f"{split}_row"] = torch.from_numpy(rows[part])
        for name in (name for name in FIELDS if name in frame):
            tensors[f"{split}_{name}"] = torch.from_numpy(frame[name].to_numpy(dtype=np.float64)[part])
    torch.save(tensors, out)
    return {"classes": [str(c) for c in classes], "split": how}


def _validation(frame: pd.DataFrame, codes: np.ndarray) -> tuple[np.ndarray, str]:
    """Return which samples are for validation, and how they were chosen."""
    if "extra.split" in frame and frame["extra.split"].isin(_SPLITS).all():
        return (frame["extra.split"] == "val").to_numpy(), "column 'split'"
    place = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    return place % _TENTH == _TENTH - 1, "every tenth sample of each category is for validation"


def _rows(chosen: Chosen) -> np.ndarray:
    """Return where each sample stood in the user's own table, counted from 1."""
    data = load_dataset(chosen.workspace, chosen.run.dataset).dataset
    at = pd.Index(data.sample_ids).get_indexer(chosen.frame["sample_id"])
    return np.asarray(data.rows, dtype=np.int64)[at]
