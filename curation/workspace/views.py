"""The chain of views of a run: what was on show, what was on show before it, and what was done to the tags between."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from curation.workspace.folder import Workspace
from curation.workspace.notes import tag_rows, untag_rows

__all__ = ["KeptView", "keep_view", "last_view", "view_of", "view_tagging", "view_undone"]

_ID_LENGTH = 12


@dataclass(frozen=True)
class KeptView:
    """A view in the chain.

    Attributes
    ----------
    id : str
        What an address calls it: a digest of what it shows and of the view before.
    state : dict
        What it shows; empty for the first view of all.
    before : str
        Identifier of the view that undo goes back to; empty for the first.
    did : dict
        ``tag``, ``ids`` and ``added`` where this step changed tags; else empty.
    """

    id: str = ""
    state: dict | None = None
    before: str = ""
    did: dict | None = None


FIRST = KeptView("", {}, "", {})


def keep_view(workspace: Workspace, run: str, state: dict, before: str, did: dict) -> str:
    """Keep what is on show, and return its identifier.

    Parameters
    ----------
    workspace : Workspace
    run : str
    state : dict
        What is on show.
    before : str
        Identifier of the view that undo goes back to.
    did : dict
        What the step did to tags: that of the earlier view where only the way of showing changes.

    Raises
    ------
    StorageError
        When the workspace cannot be written.
    """
    with workspace.catalogue.write() as db:
        return _entered(db, run, state, before, did)


def view_tagging(
    workspace: Workspace, run: str, before: str, dataset: str, sample_ids: Iterable[str], tag: str, add: bool
) -> tuple[str, int]:
    """Give or take a tag as a step that can be undone; what is on show stays.

    Returns
    -------
    id : str
        Of the new view; the one before where no sample changed.
    count : int
        Samples that changed.

    Raises
    ------
    DataError
        When the tag is empty or too long, or the workspace cannot be written.
    """
    with workspace.catalogue.write() as db:
        changed = (tag_rows if add else untag_rows)(db, dataset, sample_ids, tag)
        if not changed:
            return before, 0
        did = {"tag": tag, "ids": changed, "added": add, "dataset": dataset}
        return _entered(db, run, _found(db, run, before).state, before, did), len(changed)


def view_undone(workspace: Workspace, run: str, view: str) -> str:
    """Take the last step back, its tags too, and return the identifier of the view before.

    Raises
    ------
    StorageError
        When the workspace cannot be written.
    """
    with workspace.catalogue.write() as db:
        kept = _found(db, run, view)
        if kept.did:
            back = untag_rows if kept.did["added"] else tag_rows
            back(db, kept.did["dataset"], kept.did["ids"], kept.did["tag"])
        # What is on show last is what a restart opens.
        db.execute("UPDATE views SET made = ? WHERE run = ? AND id = ?", (time.time(), run, kept.before))
        return kept.before


def view_of(workspace: Workspace, run: str, view: str) -> KeptView:
    """Return a view by its identifier; the first view of all where there is none of that name."""
    with workspace.catalogue.read() as db:
        return _found(db, run, view)


def last_view(workspace: Workspace, run: str) -> str:
    """Return the identifier of the view that was on show last; empty for a run that nobody has looked at."""
    with workspace.catalogue.read() as db:
        row = db.execute("SELECT id FROM views WHERE run = ? ORDER BY made DESC, number DESC", (run,)).fetchone()
    return row["id"] if row else ""


def _found(db: sqlite3.Connection, run: str, view: str) -> KeptView:
    row = db.execute("SELECT state, before, did FROM views WHERE run = ? AND id = ?", (run, view)).fetchone()
    return KeptView(view, json.loads(row["state"]), row["before"], json.loads(row["did"])) if row else FIRST


def _entered(db: sqlite3.Connection, run: str, state: dict, before: str, did: dict) -> str:
    told = json.dumps(state, sort_keys=True), before, json.dumps(did, sort_keys=True)
    identifier = hashlib.sha256("\0".join(told).encode()).hexdigest()[:_ID_LENGTH]
    db.execute(
        "INSERT INTO views (run, id, state, before, did, made) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run, id) DO UPDATE SET made = excluded.made",
        (run, identifier, *told, time.time()),
    )
    return identifier
