"""The folder with the pictures, sounds and videos, and finding in it the file that a cell means."""

from __future__ import annotations

import os
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from curation.errors import DataError
from curation.importing.archives import unpack
from curation.importing.report import Problems
from curation.plainly import short

__all__ = ["SUFFIXES", "Media", "open_media"]

SUFFIXES = {
    "picture": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"),
    "sound": (".wav", ".flac", ".ogg", ".oga", ".mp3", ".opus", ".aif", ".aiff", ".m4a"),
    "video": (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".3gp"),
}
"""How the files of each kind end."""
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")

_MANY = 1000  # bare names that occur so often are not worth comparing one by one


def _key(name: str) -> str:
    """Return a name so that case and the two ways to write accents do not matter."""
    return unicodedata.normalize("NFC", name).casefold()


@dataclass(frozen=True)
class Media:
    """Files below one folder.

    Parameters
    ----------
    root : pathlib.Path
    search : bool
        Whether to look for a file in all folders below the root; without, only where the cell says.
    problems : Problems
        Remarks about the files, such as archives inside an archive.
    """

    root: Path
    search: bool = True
    problems: Problems = field(default_factory=Problems, repr=False, compare=False)
    _listings: dict[str, dict[str, Path]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def find(self, name: str) -> Path | None:
        r"""Return the file that a cell means, or None; ``explain`` says why.

        Parameters
        ----------
        name : str
            A path below the root, with "/" or "\", or the end of one (a bare file name, say) when it occurs
            once. Case matters only between files that differ in nothing else.
        """
        return self._resolve(name)[0]

    def explain(self, name: str) -> str:
        """Return in one sentence where a cell's file was found, or why it was not."""
        path, reason = self._resolve(name)
        return f"'{short(name)}' is {short(path.relative_to(self.root).as_posix(), 300)}." if path else reason

    def _resolve(self, name: str) -> tuple[Path | None, str]:
        wanted, reason = _relative(name)
        if reason:
            return None, reason
        found = self._fitting(wanted)
        own_name = self.root.name + "/"
        if not found and wanted.startswith(own_name):  # a path that begins with the folder itself
            found = self._fitting(wanted.removeprefix(own_name))
        if len(found) == 1:
            return found[0], ""
        below = short(self.root.name)
        if found:
            return None, f"'{short(name)}' fits {len(found):,} files below '{below}'; write the whole path."
        return None, f"'{short(name)}' was not found below '{below}'; add the file or correct the name."

    def _fitting(self, wanted: str) -> list[Path]:
        """Return the files that a path may mean: the one of exactly that name, or those that read alike."""
        folder, _, bare = wanted.rpartition("/")
        exact = self._listing(folder).get(bare)
        return [exact] if exact else self._similar(wanted, folder, bare)

    def _similar(self, wanted: str, folder: str, bare: str) -> list[Path]:
        """Return the files whose path, or else the end of whose path, reads like the wanted one."""
        wanted = _key(wanted)
        if not self.search:
            return [path for name, path in self._listing(folder).items() if _key(name) == _key(bare)]
        named = self._by_name.get(_key(bare), [])
        if len(named) > _MANY:
            return named if "/" not in wanted else []
        whole = [path for path in named if self._key_of(path) == wanted]
        return whole or [path for path in named if self._key_of(path).endswith("/" + wanted)]

    def _key_of(self, path: Path) -> str:
        return "/" + _key(path.relative_to(self.root).as_posix())

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        named: defaultdict[str, list[Path]] = defaultdict(list)
        for folder, inner, _ in os.walk(self.root):  # does not follow links
            inner[:] = sorted(name for name in inner if name != "__MACOSX")
            relative = Path(folder).relative_to(self.root).as_posix()
            for name, path in self._listing("" if relative == "." else relative).items():
                named[_key(name)].append(path)
        return dict(named)

    def _listing(self, folder: str) -> dict[str, Path]:
        if folder not in self._listings:
            self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def _list(self, folder: str) -> dict[str, Path]:
        """Return the files in one folder by name; links that lead out of the root are not among them."""
        path = self.root / folder
        try:
            if not self._inside(path):
                return {}
            with os.scandir(path) as entries:
                names = [entry.name for entry in entries if self._is_own_file(entry)]
        except (OSError, ValueError):
            return {}
        return {name: path / name for name in sorted(names)}

    def _is_own_file(self, entry: os.DirEntry) -> bool:
        if not entry.is_symlink():
            return entry.is_file()
        return self._inside(Path(entry)) and Path(entry).is_file()

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve(strict=True).is_relative_to(self.root)
        except (OSError, RuntimeError):  # a link to nowhere, or to itself
            return False


def _relative(name: str) -> tuple[str, str]:
    """Return a cell as a path with "/" and no leading "./", and what is wrong with it, if anything."""
    text = str(name).strip().replace("\\", "/")
    if not text or "\0" in text:
        return "", "The cell names no file; write a file name there."
    if text.startswith("/") or text[1:3] == ":/":
        return "", f"'{short(name)}' is an absolute path; write it relative to the folder with the files."
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        return "", f"'{short(name)}' leads out of the folder with the files; put the file inside it."
    return "/".join(parts), ""


def open_media(source: Path | str, into: Path | str | None = None) -> Media:
    """Open a folder of files, or unpack a .zip of them.

    Parameters
    ----------
    source : path of a folder or of a .zip
    into : path of a new folder
        Where a .zip is unpacked to; not needed for a folder.

    Returns
    -------
    Media

    Raises
    ------
    DataError
        When there is nothing at ``source``, it is neither, or the archive is refused (see ``unpack``).
    """
    source = Path(source)
    if source.is_dir():
        return Media(source.resolve())
    if not source.is_file():
        raise DataError(f"There is no folder or .zip '{source.name}'; check the path.")
    if source.suffix.lower() != ".zip" and not zipfile.is_zipfile(source):
        raise DataError(f"'{source.name}' is neither a folder nor a .zip; give one of the two.")
    if into is None:
        raise DataError(f"'{source.name}' is a .zip and needs a folder to unpack it into; name one.")
    unpack(source, Path(into))
    root = Path(into).resolve()
    return Media(root, problems=_still_packed(root, source.name))


def _still_packed(root: Path, source: str) -> Problems:
    """Remark on archives inside the archive: they stay as they are."""
    packed = sorted(name for _, _, names in os.walk(root) for name in names if name.lower().endswith(_PACKED))
    if not packed:
        return Problems()
    there = "archive" if len(packed) == 1 else "archives"
    said = f"{len(packed):,} {there} inside '{short(source)}' stayed packed, like '{short(packed[0])}'"
    return Problems.note(said, "Unpack the inner archives, and pack the plain files together.")
