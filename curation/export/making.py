"""Writes an export and its manifest: both or neither, and nothing that was there before is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from curation.errors import DataError, reason
from curation.exploring import Samples
from curation.export.arrays import write_arrays, write_ids, write_rows, write_tensors
from curation.export.choices import Choice, Chosen, choose
from curation.export.manifest import ENDING, MANIFEST, manifest, manifest_text
from curation.export.media import Archive, Folder, Media, fill, gather
from curation.export.repeating import commands, snippet
from curation.export.tables import TABLES, write_table
from curation.formats import FORMATS, LINKS, check_target
from curation.progress import Progress, silent, stage_counter
from curation.workspace import note_export, open_run, tags_of
from curation.workspace.files import digest_of, settle, unfinished_folder, whole_file, write_atomically

__all__ = ["Made", "export", "make_file"]

_INSIDE = ("zip", "folder")  # formats that hold their manifest


@dataclass(frozen=True)
class Made:
    """What was written.

    Attributes
    ----------
    path : pathlib.Path
        The file or folder.
    manifest : dict
    gone : pandas.DataFrame
        ``sample_id`` and ``path`` of samples left out because a file of theirs is gone.
    """

    path: Path
    manifest: dict
    gone: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def n_samples(self) -> int:
        """Number of samples in it."""
        return self.manifest["n_samples"]

    @property
    def manifest_path(self) -> Path | None:
        """Where the manifest lies beside the file; None where it is inside."""
        return None if self.manifest["format"] in _INSIDE else Path(f"{self.path}{ENDING}")


def export(
    workspace: Path | str,
    out: Path | str,
    form: str,
    choice: Choice | None = None,
    *,
    run: str | None = None,
    measure: str | None = None,
    features: bool = False,
    links: str = "copies",
    progress: Progress = silent,
) -> Made:
    """Export samples of a workspace.

    Parameters
    ----------
    workspace : path
    out : path
        A file, or for ``folder`` a folder, that is not there yet.
    form : str
        One of :data:`FORMATS`.
    choice : Choice, optional
        By default all samples.
    run : str, optional
        By default the latest.
    measure : str, optional
        A definition of redundancy; by default the one that the run was scored with.
    features, links, progress
        As for :func:`make_file`.

    Returns
    -------
    Made

    Raises
    ------
    DataError
        When something asked for is not there, or the target cannot be written.
    """
    place, scored = open_run(Path(workspace), run)
    samples = Samples(scored, measure, tags_of(place, scored.dataset))
    chosen = choose(place, scored, samples, choice or Choice())
    made = make_file(chosen, form, Path(out), features=features, links=links, progress=progress)
    note_export(place, scored.folder.name, made.path / MANIFEST if made.path.is_dir() else made.path, made.n_samples)
    return made


def make_file(
    chosen: Chosen, form: str, out: Path, *, features: bool = False, links: str = "copies", progress: Progress = silent
) -> Made:
    """Write chosen samples and their manifest: beside a file, inside an archive or a folder.

    Parameters
    ----------
    chosen : Chosen
    form : str
    out : pathlib.Path
    features : bool
        Put the features of both modalities into an ``npz`` as well; a ``pt`` always has them.
    links : {"copies", "hard", "symbolic", "paths"}
        How a folder gets its media. Hard links share their content with the workspace: copy what you want to change.
    progress : Progress

    Returns
    -------
    Made

    Raises
    ------
    DataError
        When something asked for is not there, or the target exists or cannot be written.
    """
    check_target(out, form)
    _check_options(form, features, links)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if form == "folder":
            return _folder(chosen, out, links, progress)
        return (_archive if form == "zip" else _single)(chosen, form, out, features, progress)
    except OSError as error:
        raise DataError(f"{out} cannot be written ({reason(error)}); choose another place.") from None


def _check_options(form: str, features: bool, links: str) -> None:
    if form not in FORMATS:
        raise DataError(f"There is no export format '{form}'; choose one of: {', '.join(FORMATS)}.")
    if features and form not in ("npz", "pt"):
        raise DataError(f"{FORMATS[form].title} cannot hold features; export npz or pt, or leave features out.")
    if links not in LINKS or (links != "copies" and form != "folder"):
        raise DataError(f"Only a folder can be made of links; they are one of: {', '.join(LINKS)}.")


def _single(chosen: Chosen, form: str, out: Path, features: bool, progress: Progress) -> Made:
    arrays = _features(chosen, progress) if features or form == "pt" else None
    with whole_file(out) as temporary:
        with temporary.open("wb") as handle:
            more = _writer(form, arrays)(chosen, handle) or {}
        files = [{"name": out.name, "bytes": temporary.stat().st_size, "sha256": digest_of(temporary)}]
        told = manifest(chosen, form, files, _again(chosen, form, out.name, features=features), more)
        # First: once the file is in its place, its manifest is there.
        write_atomically(Path(f"{out}{ENDING}"), manifest_text(told))
    return Made(out, told)


def _features(chosen: Chosen, progress: Progress) -> list[np.ndarray]:
    from curation.pipeline import features_of  # with all encoders: a table needs none of it

    return features_of(chosen.workspace, chosen.run, progress)


def _writer(form: str, features: list[np.ndarray] | None) -> Callable[[Chosen, BinaryIO], dict | None]:
    if form in TABLES:
        return lambda chosen, out: write_table(chosen.frame, form, out)
    return {
        "txt": write_ids,
        "json": write_rows,
        "npz": lambda chosen, out: write_arrays(chosen, features, out),
        "pt": lambda chosen, out: write_tensors(chosen, features, out),
    }[form]


def _archive(chosen: Chosen, form: str, out: Path, features: bool, progress: Progress) -> Made:
    media = gather(chosen)
    with whole_file(out) as temporary, temporary.open("wb") as handle:
        pack = Archive(handle)
        told = _filled(pack, chosen, media, _again(chosen, form, out.name), form, progress)
        pack.close()
    return Made(out, told, media.gone)


def _folder(chosen: Chosen, out: Path, links: str, progress: Progress) -> Made:
    media = gather(chosen, only_listed=links == "paths")
    with unfinished_folder(out.parent) as temporary:
        again = _again(chosen, "folder", out.name, links=links)
        told = _filled(Folder(temporary, links), chosen, media, again, "folder", progress)
        if not settle(temporary, out):
            raise DataError(f"{out} exists already; choose another name, nothing was overwritten.")
    return Made(out, told, media.gone)


def _filled(target: Archive | Folder, chosen: Chosen, media: Media, again: dict, form: str, progress: Progress) -> dict:
    """Put everything into an archive or a folder, the manifest last; return the manifest."""
    files = fill(target, media, stage_counter(progress, "Take the media along"))
    more = {
        "n_samples": len(media.lines),
        "n_files": len(media.files),
        "open_with": f'datasets.load_dataset("{media.loader}", data_dir=…)' if media.files else "",
        "left_out": media.gone.to_dict(orient="records"),
    }
    told = manifest(chosen, form, files, again, more)
    target.write(MANIFEST, manifest_text(told).encode("utf-8"))
    return told


def _again(chosen: Chosen, form: str, name: str, **options: object) -> dict[str, str]:
    return {
        "command": commands(chosen, form, name, **options),
        "python": snippet(chosen, form, name, **options),
    }
