"""Files that are whole or not there, and the digests that tell whether they still are what was written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import save_file

__all__ = [
    "PART", "adopt_file", "digest_of", "link_or_copy", "settle", "unfinished_folder", "whole_file", "write_arrays",
    "write_atomically", "write_frame", "write_json",
]  # fmt: skip

PART = ".part-"
"""How every unfinished file or folder begins; nobody reads them, and leftovers may be removed at any time."""

BLOCK = 1 << 20


@contextmanager
def whole_file(path: Path, durable: bool = True) -> Iterator[Path]:
    """Give a temporary neighbour to write; put it in its place once it is whole and, if durable, on the disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        if durable:
            _flush(temporary)
        temporary.replace(path)
        if durable:
            _flush(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: to a temporary neighbour first, then renamed."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file, whole or not at all."""
    with whole_file(path) as temporary:
        frame.to_parquet(temporary, index=False)


def write_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write a safetensors file, whole or not at all.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    with whole_file(path) as temporary:
        try:
            # What is a single number stays one: numpy would make an array of it.
            save_file({name: np.ascontiguousarray(x).reshape(np.shape(x)) for name, x in arrays.items()}, temporary)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def write_json(data: dict, path: Path) -> None:
    """Write a JSON file, whole or not at all."""
    write_atomically(path, json.dumps(data, indent=2, ensure_ascii=False, default=float) + "\n")


def adopt_file(source: Path, workspace: Path, place: str, suffix: str) -> Path:
    """Keep a file under the name of its content; the same content is kept once.

    Parameters
    ----------
    source : pathlib.Path
        What lies in the workspace already, unpacked say, is linked; anything else is copied.
    workspace : pathlib.Path
    place : str
        Folder in the workspace whose 256 sub-folders hold the files, by the first two digits of their SHA-256.
    suffix : str
        Ending of the name, such as ".png".

    Returns
    -------
    pathlib.Path
    """
    digest = digest_of(source)
    target = workspace / place / digest[:2] / f"{digest}{suffix}"
    # Not flushed one by one: should power fail, a file of another size under this name is written again.
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return target
    inside = source.is_relative_to(workspace)
    link_or_copy(source, target, may_link=inside)
    if not inside and digest_of(target) != digest:
        target.unlink()
        raise OSError(None, f"{source.name} changed while it was copied")
    return target


def link_or_copy(source: Path, target: Path, may_link: bool = True) -> None:
    """Give a file a second name, or where that is not possible or wanted, copy it; whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (may_link and _link(source, target)):
        with whole_file(target, durable=False) as temporary:
            shutil.copyfile(source, temporary)


def _link(source: Path, target: Path) -> bool:
    """Return whether a second name for the file could be made."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        return False
    return True


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """Give a temporary folder to fill and then to settle; what was not settled is removed."""
    parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=parent, prefix=PART))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def settle(folder: Path, target: Path) -> bool:
    """Put a filled folder in its place, whole; return False where another one is there already."""
    folder.chmod(0o755)
    _flush(folder)
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return False
    _flush(target.parent)
    return True
