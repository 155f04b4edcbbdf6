"""The workspaces this server knows, each by an identifier that goes into links and cannot be guessed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from curation.errors import DataError
from curation.settings import home
from curation.workspace import Entry, Workspace, is_workspace, make_workspace, open_workspace
from curation.workspace.files import write_atomically
from curation.workspace.folder import CATALOGUE, DATASETS, RUNS

__all__ = ["check_id", "known_workspace", "new_id", "new_workspace", "recent_runs", "remember"]

ELSEWHERE = ".path"  # ending of a note that says where a workspace outside the home folder is


def new_id() -> str:
    """Return an identifier that cannot be guessed."""
    return os.urandom(8).hex()


def check_id(identifier: str) -> str:
    """Return an identifier from a link.

    Raises
    ------
    DataError
        When it is not one that this app hands out.
    """
    if len(identifier) != 16 or set(identifier) - set("0123456789abcdef"):
        raise DataError("This link names nothing that is here; open a run from the start page.")
    return identifier


def new_workspace(owner: str) -> str:
    """Make a workspace in the home folder and return its identifier."""
    identifier = new_id()
    make_workspace(_places() / identifier, owner)
    return identifier


def remember(folder: Path) -> str:
    """Return the identifier of a workspace that is anywhere, so that links can name it.

    Raises
    ------
    DataError
        When the folder is no workspace.
    """
    identifier = open_workspace(folder).id
    if not (_places() / identifier).is_dir():
        _places().mkdir(parents=True, exist_ok=True)
        write_atomically(_places() / f"{identifier}{ELSEWHERE}", str(Path(folder).absolute()))
    return identifier


def known_workspace(identifier: str, person: str) -> Workspace:
    """Return the workspace of an identifier.

    Parameters
    ----------
    identifier : str
        From :func:`new_workspace`, :func:`remember` or a link.
    person : str
        Who asks, as the sign-in names them; empty where nobody signs in.

    Raises
    ------
    DataError
        When it is not here, or belongs to somebody else. Both are told alike.
    """
    folder = _folder(check_id(identifier))
    workspace, owner = _opened(folder, _contents(folder)) if folder and is_workspace(folder) else (None, "")
    if workspace is None or owner != person:
        raise DataError("This workspace is not on this server, or not yours; open one from the start page.")
    return workspace


def _contents(folder: Path) -> tuple[int, ...]:
    """Return what changes when a data set or a run is put into a workspace, or its catalogue is another file."""
    places = [folder / name for name in (CATALOGUE, DATASETS, RUNS)]
    told = [place.stat() if place.exists() else None for place in places]
    return (told[0].st_ino if told[0] else 0, *(t.st_mtime_ns if t else 0 for t in told[1:]))


@lru_cache(maxsize=256)
def _opened(folder: Path, contents: tuple[int, ...]) -> tuple[Workspace, str]:
    """Open a workspace, and ask for its owner, once for every state of it: a page asks a dozen times while drawn."""
    workspace = open_workspace(folder)
    return workspace, workspace.owner


def recent_runs(person: str, limit: int = 6) -> list[tuple[str, Entry]]:
    """Return (identifier of the workspace, run) of somebody's latest runs, the newest first."""
    found = []
    for identifier in _known():
        try:
            workspace = known_workspace(identifier, person)
            found += [(identifier, run) for run in workspace.runs()]
        except DataError:  # somebody else's, damaged, or gone: not offered
            continue
    return sorted(found, key=lambda pair: pair[1].when, reverse=True)[:limit]


def _places() -> Path:
    return home() / "workspaces"


def _earlier() -> Path:
    """Where versions before workspaces kept their runs, each of which opens as a workspace."""
    return home() / "runs"


def _known() -> Iterator[str]:
    for place in (_places(), _earlier()):
        for path in place.glob("*"):
            name = path.name.removesuffix(ELSEWHERE)
            if len(name) == 16:
                yield name


def _folder(identifier: str) -> Path | None:
    note = _places() / f"{identifier}{ELSEWHERE}"
    if note.is_file():
        return Path(note.read_text(encoding="utf-8"))
    return next((p for p in (_places() / identifier, _earlier() / identifier) if p.is_dir()), None)
