"""Files named by the checksum of what they hold: whole and unchanged, or not believed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

__all__ = ["Told", "peek", "read_sealed", "sealed_files", "sweep", "verify", "write_sealed"]

Told = dict[str, object]

_NAME = re.compile(r"[0-9a-f]{64}\.safetensors")
_UNFINISHED = ".writing-"
_ABANDONED = 3600.0  # seconds: no file takes so long to write, so whoever wrote it was killed


def write_sealed(folder: Path, arrays: dict[str, np.ndarray], told: Told) -> Path:
    """Write arrays so that a reader, and a computer that loses power, sees all of them or no file.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    arrays : dict of str to ndarray
        By name.
    told : dict
        Anything that JSON can hold. Equal arrays and equal told make equal bytes, so the same name.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # One entry: safetensors writes several in an order that changes from run to run.
    blob = save(plain, metadata={"told": json.dumps(told, sort_keys=True)})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(blob).hexdigest()}.safetensors"
    handle, name = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(blob)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def sealed_files(folder: Path) -> list[Path]:
    """List the files that `write_sealed` finished, whoever wrote them.

    Parameters
    ----------
    folder : Path
        May be missing.

    Returns
    -------
    list of Path
        In the order of their names; files of other names are not among them.

    Raises
    ------
    OSError
        If the folder is there and cannot be listed.
    """
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def verify(path: Path) -> None:
    """Hold what a file holds against its name.

    Parameters
    ----------
    path : Path
        From `sealed_files`.

    Raises
    ------
    ValueError
        If a byte has changed or is missing.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != path.stem:
            raise ValueError("it is damaged: its checksum is not that of its name")


def peek(path: Path, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], Told]:
    """Read some arrays of a file and what it tells, without holding it against its name.

    Parameters
    ----------
    path : Path
        From `sealed_files`.
    names : tuple of str
        The arrays wanted.

    Returns
    -------
    arrays : dict of str to ndarray
        Those of the names.
    told : dict
        As it was written.

    Raises
    ------
    ValueError
        If the file is no such file.
    OSError
        If it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as stored:
            told = json.loads(stored.metadata()["told"])
            arrays = {name: stored.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"it does not hold what it should ({error})") from error
    if not isinstance(told, dict):
        raise ValueError("it does not tell what it should")
    return arrays, told


def read_sealed(path: Path, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], Told]:
    """Verify a file, then read some of its arrays and what it tells.

    Parameters
    ----------
    path : Path
        From `sealed_files`.
    names : tuple of str
        The arrays wanted.

    Returns
    -------
    arrays : dict of str to ndarray
        Those of the names.
    told : dict
        As it was written.

    Raises
    ------
    ValueError
        If the file is damaged, or is no such file.
    OSError
        If it cannot be read.
    """
    verify(path)
    return peek(path, names)


def sweep(folder: Path) -> None:
    """Remove what killed writers have left behind; a file that another process writes just now stays.

    Parameters
    ----------
    folder : Path
        May be missing.
    """
    with suppress(OSError):
        for path in folder.glob(f"{_UNFINISHED}*"):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)
