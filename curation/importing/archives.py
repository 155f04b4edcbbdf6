"""Unpacking a .zip that somebody sent: checked first, and in its place only when whole."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from curation.errors import DataError, StorageError

__all__ = ["MAX_ENTRIES", "MAX_RATIO", "MAX_TOTAL", "RATIO_FREE", "check_entries", "unpack"]

MAX_ENTRIES = 200_000
MAX_TOTAL = 8 * 2**30
MAX_RATIO = 200
RATIO_FREE = 50 * 2**20  # small files may be as compressible as they like
_CHUNK = 1 << 20


def unpack(source: Path, into: Path) -> None:
    """Unpack a .zip into a folder that does not exist yet or is empty.

    Parameters
    ----------
    source : pathlib.Path
        The archive. Archives inside it stay packed.
    into : pathlib.Path
        Appears only when everything was unpacked.

    Raises
    ------
    DataError
        When the archive is damaged, encrypted, too large, or holds links or paths that lead out of it.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise DataError(f"The folder '{into.name}' is not empty; unpack '{source.name}' into a new folder.")
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{into.name}-", dir=into.parent))
    except OSError as error:
        raise StorageError(f"Cannot write beside '{into.name}' ({error.strerror}); choose another folder.") from error
    try:
        _unpack_all(source, part)
        if into.exists():
            into.rmdir()
        part.chmod(0o755)
        part.rename(into)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_entries(entries: list[zipfile.ZipInfo], source: str) -> None:
    """Raise DataError when an archive's own list of contents is not harmless."""
    if len(entries) > MAX_ENTRIES:
        raise DataError(f"'{source}' holds {len(entries):,} files, more than {MAX_ENTRIES:,}; split the archive.")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL:
        raise DataError(f"'{source}' unpacks to {total:,} bytes, more than {MAX_TOTAL:,}; split the archive.")
    seen: set[str] = set()
    for entry in entries:
        reason = _refusal(entry) or ("a name that occurs twice" if entry.filename in seen else "")
        seen.add(entry.filename)
        if reason:
            raise DataError(f"'{source}' was refused: '{entry.filename}' is {reason}. Pack the plain files again.")


def _refusal(entry: zipfile.ZipInfo) -> str:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if path.is_absolute() or path.as_posix()[1:2] == ":":
        return "an absolute path"
    if ".." in path.parts:
        return "a path that leads out of the archive"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a device"
    if entry.flag_bits & 1:
        return "encrypted"
    if entry.file_size > RATIO_FREE and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"packed more than {MAX_RATIO} to 1"
    return ""


def _unpack_all(source: Path, part: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            check_entries(archive.infolist(), source.name)
            for entry in archive.infolist():
                _unpack_one(archive, entry, part)
    except DataError:
        raise
    except OSError as error:
        raise StorageError(
            f"'{source.name}' cannot be unpacked ({error.strerror or error}); check the disk."
        ) from error
    except Exception as error:  # zipfile lets through what its decompressors raise
        raise DataError(f"'{source.name}' is damaged or not a .zip; pack or upload it again.") from error


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, part: Path) -> None:
    target = part / entry.filename.replace("\\", "/")
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The reader stops at the size that the list of contents declares: the checks above hold for the bytes too.
    with archive.open(entry) as packed, target.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, _CHUNK)
