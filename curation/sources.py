"""From the source named in the settings to a data set: a demo, a table with media, or ready-made features."""

from __future__ import annotations

import json
from pathlib import Path

from curation.demos import load_demo
from curation.errors import DataError
from curation.importing import (
    ImportResult,
    ModalityRole,
    Problems,
    Roles,
    build_dataset,
    describe_columns,
    open_media,
    parse_modality,
    read_features,
    read_table,
    suggest_roles,
)
from curation.plainly import listed
from curation.progress import Progress, silent
from curation.workspace import is_workspace, load_dataset, open_workspace
from curation.workspace.files import digest_of

__all__ = [
    "demo_source", "describe_table", "features_source", "file_digest", "load_source", "recorded_source",
    "table_source", "workspace_source",
]  # fmt: skip


def demo_source(name: str) -> dict:
    """Return the source record of a demo."""
    return {"kind": "demo", "name": name}


def features_source(path: Path, name: str | None = None) -> dict:
    """Return the source record of a features file."""
    return {"kind": "features", "path": _place(path), "name": name or Path(path).stem}


def table_source(path: Path, roles: Roles, media: Path | None = None, name: str | None = None) -> dict:
    """Return the source record of a table, its media and the roles of its columns."""
    return {
        "kind": "table",
        "path": _place(path),
        "name": name or Path(path).stem,
        "media": None if media is None else _place(media),
        "modalities": [{"name": m.name, "columns": list(m.columns), "kind": m.kind} for m in roles.modalities],
        "label": roles.label,
        "identifier": roles.identifier,
    }


def workspace_source(folder: Path, dataset: str | None = None) -> dict:
    """Return the source record of a data set that a workspace holds, by default its latest.

    Raises
    ------
    DataError
        When it holds none.
    """
    datasets = [entry.id for entry in open_workspace(folder).datasets()]
    if not datasets:
        raise DataError(f"{folder} holds no data set; import one first.")
    return {"kind": "dataset", "workspace": str(Path(folder).absolute()), "id": dataset or datasets[0]}


def recorded_source(record: Path, source: dict) -> dict:
    """Return where a recorded run's samples are: in the workspace around the record, else where they were."""
    dataset = json.loads(Path(record).read_text(encoding="utf-8")).get("dataset")  # its settings were read before
    around = Path(record).absolute().parent.parent.parent
    kept = dataset and is_workspace(around) and dataset in {entry.id for entry in open_workspace(around).datasets()}
    return workspace_source(around, dataset) if kept else source


def _place(path: Path) -> str:
    """Return where a file is, as it is written into the run record."""
    place = str(Path(path).resolve())
    try:
        place.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(f"The name of '{Path(path).name}' is not valid UTF-8; rename the file or its folder.") from None
    return place


def load_source(source: dict, unpack_into: Path, progress: Progress = silent) -> ImportResult:
    """Read the data set a source record names.

    Parameters
    ----------
    source : dict
        Made by :func:`demo_source`, :func:`features_source`, :func:`table_source` or :func:`workspace_source`.
    unpack_into : pathlib.Path
        Folder for the contents of a ZIP of media.
    progress : Progress

    Returns
    -------
    ImportResult
        The data set and the problems found on the way.

    Raises
    ------
    DataError
        When the source cannot be read, or has changed since it was recorded.
    """
    if source.get("kind") == "demo":
        return ImportResult(load_demo(source.get("name", ""), progress), Problems())
    if source.get("kind") == "dataset" and {"workspace", "id"} <= set(source):
        return load_dataset(open_workspace(Path(source["workspace"])), source["id"])
    if source.get("kind") not in ("table", "features") or not isinstance(source.get("path"), str):
        raise _unnamed()
    path = Path(source["path"])
    _check_unchanged(path, source.get("sha256"))
    progress("Read the data", 0, 1)
    result = read_features(path) if source["kind"] == "features" else _load_table(path, source, unpack_into)
    progress("Read the data", 1, 1)
    return result


def _load_table(path: Path, source: dict, unpack_into: Path) -> ImportResult:
    roles = _roles(source)
    read = read_table(path)
    media = open_media(Path(source["media"]), unpack_into) if source.get("media") else None
    built = build_dataset(read.frame, roles, media=media, name=source.get("name", path.stem), base=path.parent)
    return ImportResult(built.dataset, read.problems + built.problems)


def _roles(source: dict) -> Roles:
    try:
        return Roles(
            modalities=tuple(ModalityRole(m["name"], tuple(m["columns"]), m["kind"]) for m in source["modalities"]),
            label=source["label"],
            identifier=source.get("identifier"),
        )
    except (KeyError, TypeError):
        raise _unnamed() from None


def _unnamed() -> DataError:
    return DataError("The run record names no source; use a run.json that Interplay wrote.")


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None for a folder."""
    return digest_of(path) if path.is_file() else None


def _check_unchanged(path: Path, recorded: str | None) -> None:
    if not path.exists():
        raise DataError(f"{path} is not there; give the path of a table or a features file that exists.")
    if recorded and file_digest(path) != recorded:
        raise DataError(
            f"{path} has changed since the run was recorded, so its scores cannot be repeated; "
            "bring the old file back or score the new one."
        )


def describe_table(path: Path, modalities: list[str], label: str | None, media: Path | None = None) -> dict:
    """Return the source record of a table whose columns are named in part or not at all.

    Parameters
    ----------
    path : pathlib.Path
    modalities : list of "NAME=COLUMN"
        Two, or none to take the two that are recognised.
    label : str or None
        Column of the category; recognised when None.
    media : pathlib.Path, optional

    Returns
    -------
    dict

    Raises
    ------
    DataError
        When the table cannot be read, a column is unknown, or roles are missing.
    """
    frame = read_table(path).frame
    descriptions = describe_columns(frame, folder=path.parent)
    suggested = suggest_roles(descriptions)
    chosen = tuple(parse_modality(text, frame, descriptions) for text in modalities) or suggested.modalities
    label = label or suggested.label
    if len(chosen) != 2:
        raise DataError(
            f"A pair needs two modalities, {len(chosen)} {'is' if len(chosen) == 1 else 'are'} given or recognised; "
            f"name both with --modality NAME=COLUMN. The columns are: {listed(frame.columns)}."
        )
    if label is None:
        raise DataError(
            f"No column looks like a category; name it with --label COLUMN. The columns are: {listed(frame.columns)}."
        )
    return table_source(path, Roles(modalities=chosen, label=label, identifier=suggested.identifier), media)
