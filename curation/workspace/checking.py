"""Is everything still what was written? Files against their digests, and the catalogue against itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curation.errors import DataError, StorageError
from curation.workspace.catalogue import Catalogue
from curation.workspace.files import digest_of
from curation.workspace.folder import CATALOGUE, DATASETS, FEATURES, MEDIA, Workspace
from curation.workspace.opening import is_workspace, make_workspace, open_workspace
from curation.workspace.runs import LATER
from feature_extractors import FeatureCache

__all__ = ["Damage", "check_workspace", "repair_catalogue"]

NOTES = ("about", "tags", "selections", "exports", "views")  # what is in the catalogue alone


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written.

    Attributes
    ----------
    place : str
        Path in the workspace.
    what : str
        What is wrong with it.
    mend : str
        What it costs, and what to do.
    """

    place: str
    what: str
    mend: str


def check_workspace(folder: Path, count: Callable[[int, int], None]) -> tuple[list[Damage], int]:
    """Compare every file of a workspace with what was written.

    Parameters
    ----------
    folder : pathlib.Path
    count : callable
        Told (done, total) of the files.

    Returns
    -------
    damages : list of Damage
    n_files : int
        How many were looked at.

    Raises
    ------
    DataError
        When the folder is no workspace.
    """
    if is_workspace(folder) and (damage := _catalogue_damage(Path(folder) / CATALOGUE)):
        return [damage], 1
    workspace = open_workspace(folder)
    with workspace.catalogue.read() as db:
        listed = [tuple(row) for row in db.execute("SELECT path, sha256, bytes FROM files ORDER BY path")]
    media = _media(workspace)
    total = len(listed) + len(media)
    found = []
    for done, damage in enumerate(_damages(workspace, listed, media), start=1):
        count(done, total)
        found += [damage] if damage else []
    found += [
        Damage(Path(path).name, why, "Nothing is lost: these features are computed again when needed.")
        for path, why in FeatureCache(workspace.folder / FEATURES).check()
    ]
    return found, total


def repair_catalogue(folder: Path) -> Workspace:
    """Make a new catalogue from the folders that are whole; the damaged one is kept under another name.

    What can still be read of identity, tags, saved selections and exports is carried over; the list of jobs is not.

    Raises
    ------
    DataError
        When the catalogue is not damaged.
    """
    path = Path(folder) / CATALOGUE
    if _catalogue_damage(path) is None:
        raise DataError(f"The catalogue of {folder} is whole; there is nothing to repair.")
    aside = next(p for k in range(1, 1000) if not (p := path.with_name(f"catalogue.damaged-{k}.db")).exists())
    for suffix in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + suffix)).exists():
            part.replace(aside.with_name(aside.name + suffix))
    catalogue = Catalogue(path)
    with catalogue.write() as db:
        for table in NOTES:
            for row in _readable(aside, table):
                db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    Workspace(folder, catalogue).introduce("")
    return make_workspace(folder)


def _readable(damaged: Path, table: str) -> list[tuple]:
    """Return the rows that come before the damage."""
    rows = []
    try:
        with closing(sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)) as db:
            for row in db.execute(f"SELECT * FROM {table}"):
                rows.append(row)
    except sqlite3.DatabaseError:
        return rows
    return rows


def _catalogue_damage(path: Path) -> Damage | None:
    try:
        with Catalogue(path).read() as db:
            said = db.execute("PRAGMA integrity_check").fetchone()[0]
    except DataError as error:
        if isinstance(error, StorageError) or not isinstance(error.__cause__, sqlite3.DatabaseError):
            raise
        said = str(error.__cause__)
    if said == "ok":
        return None
    mend = "`check --repair` makes a new one from what is whole, with the tags and selections that can be read."
    return Damage(CATALOGUE, f"the catalogue is damaged ({said})", mend)


def _media(workspace: Workspace) -> list[tuple[str, str]]:
    """Return place and digest of every file of media: kept under its digest, or linked with it noted beside."""
    found: dict[str, str] = {}
    for dataset in workspace.datasets():
        try:
            frame = pd.read_parquet(dataset.folder / "samples.parquet")
        except (OSError, ValueError):
            continue  # listed as damaged by its digest
        for column in (c.removeprefix("file.") for c in frame if c.startswith("file.")):
            places = frame[f"item.{column}"]
            digests = frame.get(f"digest.{column}", places.map(lambda place: Path(place).stem))
            found |= dict(zip(places, digests, strict=True))
    return list(found.items())


def _damages(workspace: Workspace, listed: list[tuple], media: list[tuple[str, str]]) -> Iterator[Damage | None]:
    for place, digest, size in listed:
        yield _compare(workspace.folder / place, place, digest, size)
    for place, digest in media:
        yield _compare(workspace.folder / place, place, digest, None)


def _compare(path: Path, place: str, digest: str, size: int | None) -> Damage | None:
    try:
        if size is not None and path.stat().st_size != size:
            return Damage(place, f"has {path.stat().st_size:,} bytes instead of {size:,}", _mend(place))
        if digest_of(path) == digest:
            return None
        return Damage(place, "is not what was written", _mend(place))
    except FileNotFoundError:
        return Damage(place, "is missing", _mend(place))
    except OSError as error:
        return Damage(place, f"cannot be read ({error.strerror})", _mend(place))


def _mend(place: str) -> str:
    if place.startswith(DATASETS):
        return "Import this data set again; runs that were made of it still open."
    if place.startswith(MEDIA) or Path(place).is_absolute():
        return "Put the original file back, or import again; scores are not affected."
    if Path(place).name in LATER:
        return "The scores are not affected; score the data set again to have it anew."
    return "Score the data set again; its samples and features are not affected."
