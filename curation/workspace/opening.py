"""Opening a workspace: made if wished, and with everything in it that is whole, whoever wrote it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from curation.errors import DataError
from curation.workspace.catalogue import Catalogue
from curation.workspace.files import PART
from curation.workspace.folder import CATALOGUE, DATASETS, RECORD, RUNS, SAMPLES, Workspace
from curation.workspace.runs import LATER, ScoredRun, enter_later, enter_run, load_run
from curation.workspace.samples import enter_dataset

__all__ = ["is_workspace", "make_workspace", "open_run", "open_workspace"]


def is_workspace(folder: Path) -> bool:
    """Return whether a folder is a workspace, or a run of an earlier version, which opens as one."""
    folder = Path(folder)
    return (folder / CATALOGUE).is_file() or ((folder / RECORD).is_file() and _workspace_around(folder) is None)


def _workspace_around(run: Path) -> Path | None:
    """Return the workspace that a folder is a run of."""
    runs = run.resolve().parent
    return runs.parent if runs.name == RUNS and (runs.parent / CATALOGUE).is_file() else None


def open_workspace(folder: Path) -> Workspace:
    """Open a workspace.

    Folders that were finished just before their process died are entered into the catalogue.

    Parameters
    ----------
    folder : pathlib.Path
        Of a workspace, or of a run that an earlier version made.

    Returns
    -------
    Workspace

    Raises
    ------
    DataError
        When it is neither, or its catalogue cannot be read.
    """
    if not is_workspace(folder):
        raise DataError(f"{folder} is no workspace; give the folder that was named with --out, or score some data.")
    workspace = Workspace(folder, Catalogue(Path(folder) / CATALOGUE))
    if os.access(folder, os.W_OK):
        _take_in(workspace)
    return workspace


def make_workspace(folder: Path, owner: str = "") -> Workspace:
    """Open the workspace in a folder, or make one in a new or empty folder.

    Parameters
    ----------
    folder : pathlib.Path
    owner : str
        Who makes it, as the sign-in names them.

    Returns
    -------
    Workspace

    Raises
    ------
    DataError
        When the folder cannot be made, or holds something else.
    """
    if not is_workspace(folder):
        _claim(Path(folder))
        Workspace(folder, Catalogue(Path(folder) / CATALOGUE)).introduce(owner)
    return open_workspace(folder)


def open_run(folder: Path, run_id: str | None = None) -> tuple[Workspace, ScoredRun]:
    """Return a workspace and a run of it, by default the latest.

    Parameters
    ----------
    folder : pathlib.Path
        Of the workspace, or of one of its runs.
    run_id : str, optional

    Raises
    ------
    DataError
        When there is no such run, or it cannot be read.
    """
    around = _workspace_around(Path(folder))
    workspace = open_workspace(around or folder)
    return workspace, load_run(workspace.run_entry(Path(folder).resolve().name if around else run_id).folder)


def _claim(folder: Path) -> None:
    """Make the folder if needed, and refuse one that holds something."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be made ({error.strerror}); choose another one.") from None
    if others:
        raise DataError(f"The folder {folder} is not empty (it holds {others[0]}); choose a new one, or a workspace.")
    if not os.access(folder, os.W_OK):
        raise DataError(f"The folder {folder} cannot be written; choose another one.")


def _take_in(workspace: Workspace) -> None:
    """Enter what the catalogue does not list; what cannot be read stays out of it until it is mended."""
    if not workspace.id:
        workspace.introduce("")
    known = {entry.folder for entry in (*workspace.datasets(), *workspace.runs())}
    alone = [workspace.folder] if (workspace.folder / RECORD).is_file() else []
    found = [(f, enter_dataset) for f in _whole(workspace.folder / DATASETS, SAMPLES)]
    found += [(f, enter_run) for f in (*_whole(workspace.folder / RUNS, RECORD), *alone)]
    for folder, enter in found:
        if folder not in known:
            with suppress(DataError):
                enter(workspace, folder)
    listed = workspace.listed_files()
    for path in (run.folder / name for run in workspace.runs() for name in LATER):
        if path.is_file() and path.relative_to(workspace.folder).as_posix() not in listed:
            with suppress(DataError):
                enter_later(workspace, path)


def _whole(place: Path, last: str) -> Iterator[Path]:
    """Yield folders that have the file that is written last, the oldest first."""
    found = [f for f in place.glob("*") if not f.name.startswith(PART) and (f / last).is_file()]
    yield from sorted(found, key=lambda f: (f / last).stat().st_mtime)
