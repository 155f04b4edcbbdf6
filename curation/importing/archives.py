"""Unpacking a .zip that somebody sent: checked first, and in its place only when whole."""

from __future__ import annotations

import io
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from curation.errors import DataError, StorageError
from curation.plainly import short

__all__ = ["MAX_ENTRIES", "MAX_RATIO", "MAX_TOTAL", "RATIO_FREE", "checked_archive", "unpack"]

MAX_ENTRIES = 200_000
MAX_TOTAL = 8 * 2**30
MAX_RATIO = 200
RATIO_FREE = 50 * 2**20  # small files may be as compressible as they like
_MAX_LIST = 128 * 2**20  # bytes of the list of contents
_MAX_NAME, _MAX_PATH, _MAX_DEPTH = 255, 1024, 64  # bytes that file systems take, and folders in folders
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\1\2"
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
        part = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=into.parent))
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


@contextmanager
def checked_archive(source: Path) -> Iterator[zipfile.ZipFile]:
    """Open a .zip whose list of contents is harmless.

    Parameters
    ----------
    source : pathlib.Path

    Yields
    ------
    zipfile.ZipFile

    Raises
    ------
    DataError
        When the list is too long, or names what ``unpack`` refuses.
    """
    with source.open("rb", buffering=0) as file:
        contents = _Contents(file, source.name)
        with zipfile.ZipFile(contents) as archive:
            contents.opening = False
            _check_entries(archive.infolist(), source)
            yield archive


class _Contents(io.BufferedReader):
    """A .zip as a file: refuses a list of contents that is too long before it becomes a million objects."""

    def __init__(self, raw: io.RawIOBase, name: str):
        super().__init__(raw, _CHUNK)
        self._source, self.opening = name, True

    def read(self, size: int | None = -1) -> bytes:
        if not self.opening:
            return super().read(size)
        if size is not None and size > _MAX_LIST:
            raise DataError(f"'{self._source}' has an endless list of contents; split the archive.")
        data = super().read(size)
        _check_count(data.count(_ENTRY), self._source)
        return data


def _check_count(count: int, source: str) -> None:
    if count > MAX_ENTRIES:
        raise DataError(f"'{source}' holds {count:,} files, more than {MAX_ENTRIES:,}; split the archive.")


def _check_entries(entries: list[zipfile.ZipInfo], source: Path) -> None:
    """Raise DataError when an archive's own list of contents is not harmless."""
    _check_count(len(entries), source.name)
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL:
        raise DataError(f"'{source.name}' unpacks to {total:,} bytes, more than {MAX_TOTAL:,}; split the archive.")
    if total > RATIO_FREE and total > MAX_RATIO * source.stat().st_size:
        # Entries may be small and many, overlap, or lie about their packed size: the file itself cannot.
        raise DataError(f"'{source.name}' was refused: it is packed more than {MAX_RATIO} to 1. Pack the files again.")
    seen: set[str] = set()
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        reason = _refused_name(path) or _refused_content(entry)
        reason = reason or ("a name that occurs twice" if str(path) in seen else "")
        seen.add(str(path))
        if reason:
            name = short(entry.filename)
            raise DataError(f"'{source.name}' was refused: '{name}' is {reason}. Pack the plain files again.")


def _refused_name(path: PurePosixPath) -> str:
    if path.is_absolute() or path.as_posix()[1:2] == ":":
        return "an absolute path"
    if ".." in path.parts:
        return "a path that leads out of the archive"
    if not path.parts:
        return "a file without a name"
    sizes = [len(part.encode("utf-8", "replace")) for part in path.parts]
    if max(sizes) > _MAX_NAME or sum(sizes) > _MAX_PATH or len(sizes) > _MAX_DEPTH:
        return "a name too long to be written"
    return ""


def _refused_content(entry: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a device"
    if entry.flag_bits & 1:
        return "encrypted"
    if entry.compress_type not in _METHODS:  # others unpack a megabyte into many gigabytes in one go
        return "packed in a way other than the usual one (deflate)"
    if entry.file_size > RATIO_FREE and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"packed more than {MAX_RATIO} to 1"
    return ""


def _unpack_all(source: Path, part: Path) -> None:
    try:
        with checked_archive(source) as archive:
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
