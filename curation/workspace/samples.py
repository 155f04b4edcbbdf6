"""Data sets in a workspace: samples as Parquet, vectors as safetensors, media under the name of their content."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file

from curation.dataset import MEDIA_KINDS, Modality, PairedDataset
from curation.errors import DataError
from curation.importing import ImportResult, Problems
from curation.workspace.files import (
    PART,
    adopt_file,
    digest_of,
    link_or_copy,
    settle,
    unfinished_folder,
    write_arrays,
    write_frame,
    write_json,
)
from curation.workspace.folder import DATASETS, FEATURES, MEDIA, SAMPLES, Workspace

__all__ = ["add_dataset", "carry_features", "enter_dataset", "load_dataset"]

TABLE, VECTORS, PROBLEMS = "samples.parquet", "vectors.safetensors", "problems.parquet"
EVERY = 25  # media files between two reports of progress


def add_dataset(
    workspace: Workspace, found: ImportResult, count: Callable[[int, int], None], link: bool = False
) -> tuple[str, bool]:
    """Put a data set into a workspace; the same one is kept once.

    Parameters
    ----------
    workspace : Workspace
    found : ImportResult
    count : callable
        Told (done, total) of the media files.
    link : bool
        Leave pictures, sounds and videos where they are and note their digests, instead of copying them.

    Returns
    -------
    id : str
        Made from the content, so that a repeated import gives the same.
    is_new : bool

    Raises
    ------
    OSError
        When something cannot be read or written; nothing half-imported is left.
    """
    data = found.dataset
    with unfinished_folder(workspace.folder / DATASETS) as folder:
        write_frame(_table(workspace, data, count, link), folder / TABLE)
        arrays = {str(k): m.items for k, m in enumerate(data.modalities) if isinstance(m.items, np.ndarray)}
        if arrays:
            write_arrays(arrays, folder / VECTORS)
        write_frame(found.problems.frame, folder / PROBLEMS)
        told = {
            "name": data.name,
            "modalities": [{"name": m.name, "kind": m.kind} for m in data.modalities],
            "attribution": data.attribution,
            "n_samples": len(data),
            "n_rows": found.problems.n_total,
            "added": time.time(),
        }
        dataset_id = _identity(folder, told["modalities"])
        write_json(told, folder / SAMPLES)
        is_new = settle(folder, workspace.folder / DATASETS / dataset_id)
    enter_dataset(workspace, workspace.folder / DATASETS / dataset_id)
    return dataset_id, is_new


def carry_features(source: Workspace, workspace: Workspace) -> None:
    """Take over features that another workspace has computed: second names for its files, or copies."""
    for path in (source.folder / FEATURES).rglob("*.safetensors"):
        target = workspace.folder / path.relative_to(source.folder)
        if not path.name.startswith(PART) and not target.exists():
            link_or_copy(path, target)


def enter_dataset(workspace: Workspace, folder: Path) -> None:
    """Enter a data set's folder into the catalogue."""
    told = _told(folder)
    workspace.list_folder(DATASETS, folder, (folder.name, told["name"], told["n_samples"], told["added"]))


def load_dataset(workspace: Workspace, dataset_id: str) -> ImportResult:
    """Return a data set of the workspace as it was imported.

    Raises
    ------
    DataError
        When it is not there or cannot be read.
    """
    folder = workspace.folder / DATASETS / dataset_id
    told = _told(folder)
    try:
        frame = pd.read_parquet(folder / TABLE)
        problems = Problems(pd.read_parquet(folder / PROBLEMS), told["n_rows"])
        arrays = load_file(folder / VECTORS) if (folder / VECTORS).exists() else {}
        data = PairedDataset(
            name=told["name"],
            sample_ids=frame["sample_id"].to_numpy(dtype=np.str_),
            labels=frame["label"].to_numpy(dtype=np.str_),
            modalities=tuple(
                Modality(m["name"], m["kind"], _items(workspace, m, frame, arrays.get(str(k))), _file_names(m, frame))
                for k, m in enumerate(told["modalities"])
            ),
            extras=_columns(frame, "extra."),
            known=_columns(frame, "known."),
            attribution=told["attribution"],
            rows=frame["row"].to_numpy(dtype=np.int64),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"The data set in {folder} cannot be read ({type(error).__name__}); import it again.") from None
    return ImportResult(data, problems)


def _table(workspace: Workspace, data: PairedDataset, count: Callable[[int, int], None], link: bool) -> pd.DataFrame:
    columns: dict[str, object] = {"sample_id": data.sample_ids, "label": data.labels, "row": data.rows}
    media = [m for m in data.modalities if m.kind in MEDIA_KINDS]
    total = len(media) * len(data)
    count(0, total)
    for before, modality in enumerate(media):
        paths = [Path(item) for item in modality.items]
        columns[f"file.{modality.name}"] = modality.names or _names(paths)

        def seen(done: int, before: int = before) -> None:
            if done % EVERY == 0 or done == len(data):
                count(before * len(data) + done, total)

        kept = _linked(paths, seen) if link else _kept(workspace, paths, seen)
        columns |= {f"{column}.{modality.name}": values for column, values in kept.items()}
    for modality in data.modalities:
        if modality.kind == "text":
            columns[f"item.{modality.name}"] = list(modality.items)
    columns |= {f"known.{c}": data.known[c].to_numpy() for c in data.known}
    columns |= {f"extra.{c}": data.extras[c].to_numpy() for c in data.extras}
    return pd.DataFrame(columns)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the files' own names, below the folder they have in common."""
    common = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(common).as_posix() for path in paths]


def _kept(workspace: Workspace, paths: Sequence[Path], seen: Callable[[int], None]) -> dict[str, list[str]]:
    places = []
    for done, path in enumerate(paths, start=1):
        try:
            kept = adopt_file(path, workspace.folder, MEDIA, path.suffix.lower())
        except (FileNotFoundError, PermissionError) as error:
            raise DataError(f"{path} cannot be read ({error.strerror}); put it back, or leave its row out.") from None
        places.append(kept.relative_to(workspace.folder).as_posix())
        seen(done)
    return {"item": places}


def _linked(paths: Sequence[Path], seen: Callable[[int], None]) -> dict[str, list[str]]:
    digests = []
    for done, path in enumerate(paths, start=1):
        digests.append(digest_of(path))
        seen(done)
    return {"item": [str(path.absolute()) for path in paths], "digest": digests}


def _identity(folder: Path, modalities: list[dict]) -> str:
    digests = [digest_of(folder / name) for name in (TABLE, VECTORS, PROBLEMS) if (folder / name).exists()]
    return hashlib.sha256(json.dumps([digests, modalities]).encode()).hexdigest()[:16]


def _told(folder: Path) -> dict:
    try:
        told = json.loads((folder / SAMPLES).read_text(encoding="utf-8"))
        needed = {"name", "modalities", "attribution", "n_samples", "n_rows", "added"}
        if not isinstance(told, dict) or not needed <= set(told):
            raise ValueError
    except FileNotFoundError:
        raise DataError(f"There is no data set in {folder}; import it again.") from None
    except (OSError, ValueError):
        raise DataError(f"The data set in {folder} cannot be read ({SAMPLES}); import it again.") from None
    return told


def _items(workspace: Workspace, told: dict, frame: pd.DataFrame, array: np.ndarray | None) -> Sequence | np.ndarray:
    if told["kind"] in ("numbers", "vectors"):
        return array
    items = frame[f"item.{told['name']}"].tolist()
    return items if told["kind"] == "text" else [workspace.folder / item for item in items]


def _file_names(told: dict, frame: pd.DataFrame) -> list[str] | None:
    column = f"file.{told['name']}"
    return frame[column].tolist() if column in frame else None


def _columns(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    some = frame[[c for c in frame if c.startswith(prefix)]]
    return some.rename(columns=lambda c: c.removeprefix(prefix))
