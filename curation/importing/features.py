"""Ready-made features of two modalities with labels, recognised by their names and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from curation.dataset import Modality, PairedDataset
from curation.errors import DataError
from curation.importing.building import check_labels, common_categories, row_ids
from curation.importing.columns import named_like_label
from curation.importing.feature_files import load_arrays
from curation.importing.report import ImportResult, Problems, join_problems
from curation.importing.roles import friendly_names
from curation.importing.values import label_text
from curation.plainly import short

__all__ = ["read_features"]

_IDS = ("sample_ids", "ids", "sample_id", "id")
_NAMED = 20  # arrays in an error
_SPLITS = ("train", "val")
_SIX = tuple(f"{split}_{part}" for split in _SPLITS for part in ("modal_1_features", "modal_2_features", "targets"))


@dataclass(frozen=True)
class _Parts:
    """Arrays with their parts in the pair; ``names`` are the modalities' names, not yet checked for length."""

    names: tuple[str, str]
    features: tuple[np.ndarray, np.ndarray]
    labels: np.ndarray
    label_name: str
    ids: np.ndarray | None = None
    extras: dict[str, np.ndarray] = field(default_factory=dict)


def read_features(path: Path | str, names: Sequence[str] | None = None) -> ImportResult:
    """Read ready-made features.

    Parameters
    ----------
    path : path
        A .npz or .safetensors with two 2-D arrays and one 1-D array of labels; a folder of three such .npy
        files, or one of these; or either kind of file or a .pt with the six keys
        ``{train,val}_modal_{1,2}_features`` and ``{train,val}_targets``, which are stacked and told apart by
        an extra column ``split``.
    names : two str, optional
        The modalities' names. Where both are names of arrays, they also choose among more than two.

    Returns
    -------
    ImportResult
        Modalities of the kind "vectors", float32 of shape (n_samples, n_features).

    Raises
    ------
    DataError
        When the file cannot be read, the arrays are not recognised or differ in length, or fewer than two
        categories keep two usable samples.
    """
    path = Path(path)
    wanted = _wanted(names)
    arrays = load_arrays(path)
    parts = _six_keys(arrays) if set(_SIX) <= set(arrays) else _by_shape(arrays, wanted, path.name)
    _check_lengths(parts, path.name)
    return _build(parts, wanted or parts.names, path.stem)


def _wanted(names: Sequence[str] | None) -> tuple[str, str] | None:
    if names is None:
        return None
    cleaned = tuple(str(name).strip() for name in names)
    if len(cleaned) != 2 or not all(cleaned) or cleaned[0] == cleaned[1]:
        raise DataError("Two different modality names are needed; give for example image and text.")
    return cleaned


def _six_keys(arrays: dict[str, np.ndarray]) -> _Parts:
    for split in _SPLITS:
        lengths = {key: len(np.atleast_1d(arrays[key])) for key in _SIX if key.startswith(split)}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"The '{split}' arrays differ in length: {_listed(lengths)}; save them for the same samples."
            )
    sizes = [len(np.atleast_1d(arrays[f"{split}_targets"])) for split in _SPLITS]
    first, second, labels = (
        _stacked([arrays[f"{split}_{part}"] for split in _SPLITS], part)
        for part in ("modal_1_features", "modal_2_features", "targets")
    )
    split = np.repeat(_SPLITS, sizes)
    return _Parts(("modality 1", "modality 2"), (first, second), _flat(labels), "targets", extras={"split": split})


def _stacked(pair: Sequence[np.ndarray], part: str) -> np.ndarray:
    if pair[0].ndim == 0 or pair[0].ndim != pair[1].ndim or pair[0].shape[1:] != pair[1].shape[1:]:
        shapes = " and ".join(str(array.shape) for array in pair)
        raise DataError(f"'train_{part}' and 'val_{part}' do not fit together: {shapes}; give both the same features.")
    if part != "targets" and pair[0].ndim != 2:
        raise DataError(f"'train_{part}' has the shape {pair[0].shape}; give one row of features per sample.")
    if part == "targets" and _flat(pair[0]).ndim != 1:
        raise DataError(f"'train_targets' has the shape {pair[0].shape}; give one category per sample.")
    return np.concatenate(pair)


def _flat(array: np.ndarray) -> np.ndarray:
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _by_shape(arrays: dict[str, np.ndarray], wanted: tuple[str, str] | None, file_name: str) -> _Parts:
    arrays = {name: _flat(array) if named_like_label(name) else array for name, array in arrays.items()}
    ids = next((name for name in _IDS if name in arrays and arrays[name].ndim == 1), None)
    tables = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"]
    lines = [name for name, array in arrays.items() if array.ndim == 1 and name != ids]
    if wanted and set(wanted) <= set(tables):
        tables = list(wanted)
    labels = lines if len(lines) == 1 else [name for name in lines if named_like_label(name)]
    if len(tables) != 2 or len(labels) != 1:
        there = _listed({name: array.shape for name, array in arrays.items()})
        raise DataError(
            f"'{file_name}' must hold two 2-D arrays of features and one 1-D array of labels, like x1, x2 "
            "and y; "
            f"it holds {there or 'nothing'}."
        )
    others = {name: arrays[name] for name in lines if name != labels[0]}
    spoken = friendly_names(tables)
    chosen = None if ids is None else arrays[ids]
    return _Parts(
        (spoken[0], spoken[1]), (arrays[tables[0]], arrays[tables[1]]), arrays[labels[0]], labels[0], chosen, others
    )


def _listed(named: dict[str, object]) -> str:
    said = [f"'{short(name)}' {size}" for name, size in named.items()]
    return ", ".join(said[:_NAMED] + ([f"and {len(said) - _NAMED:,} more"] if len(said) > _NAMED else []))


def _check_lengths(parts: _Parts, file_name: str) -> None:
    lengths = dict(zip(parts.names, map(len, parts.features), strict=True))
    lengths[parts.label_name] = len(parts.labels)
    lengths |= {name: len(array) for name, array in parts.extras.items()}
    if parts.ids is not None:
        lengths["ids"] = len(parts.ids)
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"The arrays of '{file_name}' differ in length: {_listed(lengths)}; save all of them for the same samples."
        )
    widths = [array.shape[1] for array in parts.features]
    if not len(parts.labels) or not all(widths):
        raise DataError(f"'{file_name}' holds arrays without any value; save at least one sample and one feature.")


def _build(parts: _Parts, names: tuple[str, str], name: str) -> ImportResult:
    rows = np.arange(1, len(parts.labels) + 1)
    with np.errstate(over="ignore"):
        features = [array.astype(np.float32) for array in parts.features]
    finite = [np.isfinite(array).all(axis=1) for array in features]
    labels = label_text(pd.Series(parts.labels))
    check_labels(labels, parts.label_name)
    keep, about_labels = common_categories(labels.to_numpy(dtype=object), finite[0] & finite[1], rows, parts.label_name)
    mend = "Compute this sample's features again, or leave it out for good."
    lost = [
        Problems.of(rows[~good], side, "vector with a value that is not finite", mend)
        for side, good in zip(names, finite, strict=True)
    ]
    ids, about_ids = _ids(parts.ids, rows, keep)
    problems = join_problems([Problems(n_total=len(rows)), *lost, about_labels, about_ids])
    if len(np.unique(labels[keep])) < 2:
        raise DataError(f"At least two categories with two usable samples each are needed. {problems.summary()}")
    sides = tuple(Modality(side, "vectors", array[keep]) for side, array in zip(names, features, strict=True))
    extras = pd.DataFrame({key: array[keep] for key, array in parts.extras.items()}, index=range(int(keep.sum())))
    known = pd.DataFrame(index=range(len(extras)))
    categories = labels[keep].to_numpy(dtype=np.str_)
    return ImportResult(PairedDataset(name, ids, categories, sides, extras, known, rows=rows[keep]), problems)


def _ids(ids: np.ndarray | None, rows: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, Problems]:
    if ids is None:
        return row_ids(rows[keep]), Problems()
    own = label_text(pd.Series(ids))[keep]
    if own.is_unique and (own != "").all():
        return own.to_numpy(dtype=np.str_), Problems()
    note = "identifiers repeat or are empty, so samples are named by row, like 'row-000001'"
    return row_ids(rows[keep]), Problems.note(note, "Give every sample its own identifier.", "ids")
