"""Files people hand in: kept on disk under their own import, read once, described once."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from curation.errors import DataError
from curation.importing import (
    ColumnDescription,
    ImportResult,
    Media,
    Roles,
    TableRead,
    build_dataset,
    describe_columns,
    open_media,
    read_features,
    read_table,
)
from curation.plainly import one_line
from ui import state

__all__ = ["built", "described", "features", "keep_together", "keep_upload", "media_of", "table"]

_LONGEST_NAME = 200  # bytes: file systems take 255, and endings are added while writing


def keep_upload(uploaded: object) -> Path:
    """Return where an upload is kept; the same upload is written once."""
    path = state.import_folder() / uploaded.file_id / _file_name(uploaded.name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        with temporary.open("wb") as handle:
            while block := uploaded.read(1 << 20):
                handle.write(block)
        temporary.replace(path)
    return path


def _file_name(name: str) -> str:
    """Return a name that any file system takes, in which nothing leads elsewhere; the ending is kept."""
    bare = one_line(name.replace("\\", "/").rpartition("/")[2]).strip()
    if bare.strip(".") == "":
        return "upload"
    return bare.encode("utf-8")[-_LONGEST_NAME:].decode("utf-8", "ignore")


def media_of(uploads: list, folder: str) -> Path | None:
    """Return where the pictures or sounds are: a ZIP, the folder of single files, or a folder named by the user.

    Raises
    ------
    DataError
        When the named folder is not there.
    """
    if folder:
        named = Path(folder).expanduser()
        if not named.is_dir():
            raise DataError(f"{folder} is not a folder on this computer; check the spelling.")
        return named
    if not uploads:
        return None
    if len(uploads) == 1 and uploads[0].name.lower().endswith(".zip"):
        return keep_upload(uploads[0])
    return keep_together(uploads)


def keep_together(uploads: list) -> Path:
    """Return one folder that holds all the uploads."""
    together = state.import_folder() / ("files-" + "-".join(sorted(u.file_id[:8] for u in uploads))[:120])
    together.mkdir(exist_ok=True)
    for upload in uploads:
        target = together / _file_name(upload.name)
        if not target.exists():
            keep_upload(upload).replace(target)
    return together


def table(path: Path) -> TableRead:
    """Return the table of a file, read once for every state of the file."""
    return _table(str(path), path.stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner="Reading the table …")
def _table(path: str, changed: int) -> TableRead:
    return read_table(Path(path))


def described(path: Path, media: Path | None) -> tuple[ColumnDescription, ...]:
    """Return what each column of the table looks like."""
    return _described(str(path), path.stat().st_mtime_ns, str(media) if media else None)


@st.cache_resource(max_entries=4, show_spinner="Looking at the columns …")
def _described(path: str, changed: int, media: str | None) -> tuple[ColumnDescription, ...]:
    return describe_columns(_table(path, changed).frame, media=_media(media), folder=Path(path).parent)


@st.cache_resource(max_entries=4, show_spinner="Opening the pictures and sounds …")
def _media(source: str | None) -> Media | None:
    if source is None:
        return None
    return open_media(source, Path(f"{source}.unpacked") if source.lower().endswith(".zip") else None)


def built(path: Path, media: Path | None, roles: Roles, name: str) -> ImportResult:
    """Return the data set of a table under the chosen roles, with every problem found."""
    return _built(str(path), path.stat().st_mtime_ns, str(media) if media else None, roles, name)


@st.cache_resource(max_entries=4, show_spinner="Checking every row …", hash_funcs={Roles: repr})
def _built(path: str, changed: int, media: str | None, roles: Roles, name: str) -> ImportResult:
    read = _table(path, changed)
    result = build_dataset(read.frame, roles, media=_media(media), name=name, base=Path(path).parent)
    return ImportResult(result.dataset, read.problems + result.problems)


@st.cache_resource(max_entries=4, show_spinner="Reading the features …")
def _features(path: str, changed: int) -> ImportResult:
    return read_features(Path(path))


def features(path: Path) -> ImportResult:
    """Return the data set of a features file, read once for every state of the file."""
    return _features(str(path), path.stat().st_mtime_ns)
