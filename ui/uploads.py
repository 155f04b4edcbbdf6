"""Files people hand in: kept on disk under their own import, read once, described once."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter
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
from curation.roots import below_roots
from ui import state

__all__ = [
    "MOST_SINGLE_FILES",
    "built",
    "described",
    "features",
    "keep_together",
    "keep_upload",
    "media_of",
    "open_checked",
    "table",
]

MOST_SINGLE_FILES = 500  # browsers take minutes over more, and give up on some beyond about 1,500

_LONGEST_NAME = 200  # bytes: file systems take 255, and endings are added while writing


def keep_upload(uploaded: object) -> Path:
    """Return where an upload is kept; the same upload is kept once."""
    path = state.upload_folder() / uploaded.file_id / _file_name(uploaded.name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name[-100:] + ".part")
        _put(uploaded, temporary)
        temporary.replace(path)
    return path


def keep_together(uploads: list) -> Path:
    """Return one folder that holds all the uploads, and that is there only when it holds them all.

    Raises
    ------
    DataError
        When two of them have the same name.
    """
    identity = hashlib.sha256("".join(sorted(u.file_id for u in uploads)).encode()).hexdigest()[:16]
    together = state.upload_folder() / f"files-{identity}"
    if not together.exists():
        _check_names(uploads)
        with tempfile.TemporaryDirectory(prefix=".files-", dir=together.parent) as part:
            whole = Path(part) / "whole"
            whole.mkdir()
            for upload in uploads:
                _put(upload, whole / _file_name(upload.name))
            whole.replace(together)
    return together.resolve()


def _file_name(name: str) -> str:
    """Return a name that any file system takes, in which nothing leads elsewhere; the ending is kept."""
    bare = one_line(name.replace("\\", "/").rpartition("/")[2]).strip()
    if bare.strip(".") == "":
        return "upload"
    return bare.encode("utf-8")[-_LONGEST_NAME:].decode("utf-8", "ignore")


def _check_names(uploads: list) -> None:
    name, count = Counter(_file_name(u.name) for u in uploads).most_common(1)[0]
    if count > 1:
        raise DataError(f"{count} of the uploaded files are called {name}; remove all but one, or bring one ZIP.")


def _put(uploaded: object, target: Path) -> None:
    """Put an upload into its place: a second name for the same file where it is on disk already, else a copy."""
    target.unlink(missing_ok=True)
    try:
        os.link(uploaded.path, target)
    except (AttributeError, OSError):  # in memory, as without ui.serve, or a disk that knows no second names
        with target.open("wb") as handle:
            uploaded.seek(0)
            shutil.copyfileobj(uploaded, handle, 1 << 20)


def media_of(uploads: list, folder: str) -> Path | None:
    """Return where the files of a table are: a ZIP, the folder of single files, or a folder named by the user.

    Raises
    ------
    DataError
        When the named folder is not there, or is not below a root.
    """
    if folder:
        named = below_roots(folder)
        if not named.is_dir():
            raise DataError(f"{folder} is not a folder on this computer; check the spelling.")
        return named
    if not uploads:
        return None
    if len(uploads) == 1 and uploads[0].name.lower().endswith(".zip"):
        return keep_upload(uploads[0])
    return keep_together(uploads)


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


@st.cache_resource(max_entries=4, show_spinner="Opening the files …")
def _media(source: str | None) -> Media | None:
    return None if source is None else open_checked(source)


def open_checked(source: str) -> Media:
    """Open what :func:`media_of` returned.

    Raises
    ------
    DataError
        When a folder was replaced by a link since it was checked: the link may lead anywhere.
    """
    if Path(source).is_file():
        return open_media(source, Path(f"{source}.unpacked"))
    media = open_media(source)
    if media.root != Path(source):
        raise DataError(f"{source} was replaced while it was being read; name the folder again.")
    return media


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
