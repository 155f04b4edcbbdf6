"""Samples with their pictures, sounds, videos and texts, laid out as Hugging Face's imagefolder and its kin expect."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from curation.errors import DataError
from curation.export.choices import Chosen
from curation.export.tables import write_json_lines
from curation.workspace.files import digest_of, link_or_copy

__all__ = ["Archive", "Folder", "Media", "fill", "gather"]

LINES, LISTED = "metadata.jsonl", "samples.jsonl"
_BLOCK, _LARGE = 1 << 20, 1 << 31
_EVERY = 25  # files between two reports of progress
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive
_BASE = {"picture": "image", "sound": "audio", "video": "video"}  # what Hugging Face calls them
Count = Callable[[int, int], None]
Note = dict[str, object]


@dataclass(frozen=True)
class Media:
    """What goes into an archive or a folder.

    Attributes
    ----------
    files : dict of str to pathlib.Path
        Places below the target, and the files that go there.
    lines : pandas.DataFrame
        One row a sample, with the places of its files.
    gone : pandas.DataFrame
        ``sample_id`` and ``path`` of samples that are left out because a file is not where it was.
    loader : {"imagefolder", "audiofolder", "videofolder"}
        What Hugging Face's ``load_dataset`` opens it with.
    """

    files: dict[str, Path]
    lines: pd.DataFrame
    gone: pd.DataFrame
    loader: str


def gather(chosen: Chosen, only_listed: bool = False) -> Media:
    """Return the files of the samples, under names that cannot collide or lead outside.

    Files are numbered: their own names stand in the lines. Names such as ``test.png`` would make Hugging Face's loader
    sort them into splits. A file that several samples share is there once.

    Parameters
    ----------
    chosen : Chosen
    only_listed : bool
        Tell where the files are instead of taking them along.

    Raises
    ------
    DataError
        When no side is a picture, a sound or a video, or no sample has its files any more.
    """
    kinds, frame = chosen.run.kinds, chosen.frame
    sides = [name for name in chosen.run.modality_names if kinds[name] in _BASE and f"item.{name}" in frame]
    if not sides:
        raise DataError(
            "These samples have no pictures, sounds or videos to take along; export a table or arrays instead."
        )
    gone = _gone(frame, sides)
    frame = frame[~frame["sample_id"].isin(gone["sample_id"])]
    if frame.empty:
        raise DataError(f"None of the files is where it was ({gone['path'].iloc[0]}); put them back and export again.")
    files: dict[str, Path] = {}
    columns = {}
    for position, name in enumerate(sides):
        column = _column(position, name, kinds, sides, only_listed)
        items = frame[f"item.{name}"].tolist()
        columns[column] = items if only_listed else _placed(items, position, files)
    return Media(files, _lines(frame, columns, chosen), gone, f"{_BASE[kinds[sides[0]]]}folder")


def _gone(frame: pd.DataFrame, sides: list[str]) -> pd.DataFrame:
    told = [(i, p) for side in sides for i, p in zip(frame["sample_id"], frame[f"item.{side}"], strict=True)]
    return pd.DataFrame([(i, p) for i, p in told if not Path(p).is_file()], columns=["sample_id", "path"])


def _column(position: int, name: str, kinds: dict[str, str], sides: list[str], only_listed: bool) -> str:
    """Return the column with the places of one side's files: the loader turns ``*file_name`` into media of its kind."""
    if only_listed:
        return f"path.{name}"
    if position == 0:
        return "file_name"
    if kinds[name] != kinds[sides[0]]:
        return f"path.{name}"
    return f"{name} 2_file_name" if name in (*_BASE.values(), "label", "text", "sample_id") else f"{name}_file_name"


def _placed(items: list[str], position: int, files: dict[str, Path]) -> list[str]:
    """Return a place for every item, and enter it with its file; the same file has the same place."""
    known: dict[str, str] = {}
    for number, item in enumerate(items, start=1):
        if item not in known:
            known[item] = f"media/{number:07d}-{position + 1}{_ending(item)}"
            files[known[item]] = Path(item)
    return [known[item] for item in items]


def _ending(item: str) -> str:
    ending = Path(item).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,8}", ending) else ""


def _lines(frame: pd.DataFrame, columns: dict[str, list[str]], chosen: Chosen) -> pd.DataFrame:
    texts = [name for name, kind in chosen.run.kinds.items() if kind == "text"]
    told = {**columns, "label": frame["label"], **({"text": frame[f"item.{texts[0]}"]} if texts else {})}
    rest = [c for c in frame.columns if c != "label" and not c.startswith("item.")]
    # The loader would open what the last two words of a user's own column may name.
    told |= {re.sub("_file_name(s?)$", r"_filename\1", c): frame[c] for c in rest}
    return pd.DataFrame({name: list(values) for name, values in told.items()})


class Archive:
    """A ZIP that is written piece by piece: no file of it is ever whole in memory.

    Parameters
    ----------
    out : binary file
    """

    def __init__(self, out: BinaryIO) -> None:
        self._pack = zipfile.ZipFile(out, "w")

    def add(self, place: str, source: Path) -> Note:
        """Take a file along; return its place, size and digest."""
        digest, size = hashlib.sha256(), source.stat().st_size
        with source.open("rb") as held, self._pack.open(_entry(place), "w", force_zip64=size > _LARGE) as entry:
            while block := held.read(_BLOCK):
                digest.update(block)
                entry.write(block)
        return {"name": place, "bytes": size, "sha256": digest.hexdigest()}

    def write(self, place: str, content: bytes) -> Note:
        """Write a small file of our own, compressed; return its place, size and digest."""
        self._pack.writestr(_entry(place), content, zipfile.ZIP_DEFLATED)
        return _noted(place, content)

    def close(self) -> None:
        """Write the list of contents."""
        self._pack.close()


class Folder:
    """A folder that is filled with copies of files or links to them.

    Parameters
    ----------
    folder : pathlib.Path
    links : {"copies", "hard", "symbolic"}
    """

    def __init__(self, folder: Path, links: str) -> None:
        self._folder = folder
        self._links = links

    def add(self, place: str, source: Path) -> Note:
        """Take a file along; return its place, size and digest."""
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._links == "symbolic":
            target.symlink_to(source.absolute())
        else:
            link_or_copy(source, target, may_link=self._links == "hard")
        return {"name": place, "bytes": target.stat().st_size, "sha256": digest_of(target)}

    def write(self, place: str, content: bytes) -> Note:
        """Write a small file of our own; return its place, size and digest."""
        (self._folder / place).write_bytes(content)
        return _noted(place, content)


def fill(target: Archive | Folder, media: Media, count: Count) -> list[Note]:
    """Put media and the lines that tell of them into an archive or a folder; return what was put there."""
    total, notes = len(media.files), []
    for done, (place, source) in enumerate(media.files.items()):
        if done % _EVERY == 0:
            count(done, total)
        try:
            notes.append(target.add(place, source))
        except FileNotFoundError:
            raise DataError(f"{source} was taken away while it was exported; put it back and start again.") from None
    lines = io.BytesIO()
    write_json_lines(media.lines, lines)
    notes.append(target.write(LINES if media.files else LISTED, lines.getvalue()))
    count(total, total)
    return notes


def _entry(place: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(place, _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _noted(place: str, content: bytes) -> Note:
    return {"name": place, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
