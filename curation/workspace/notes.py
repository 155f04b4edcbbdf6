"""What people note about samples: tags, saved selections, and what was exported."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from curation.errors import DataError, StorageError
from curation.workspace.files import digest_of
from curation.workspace.folder import Workspace

__all__ = [
    "drop_selection",
    "note_export",
    "save_selection",
    "saved_selection",
    "selection_names",
    "tag_rows",
    "tag_samples",
    "tags_of",
    "untag_rows",
    "untag_samples",
    "with_tags",
]

LONGEST = 60  # characters of a tag


def tag_samples(workspace: Workspace, dataset: str, sample_ids: Iterable[str], tag: str) -> int:
    """Give samples of a data set a tag, all of them or none; return how many had it not.

    Raises
    ------
    DataError
        When the tag is empty or too long, or the workspace cannot be written.
    """
    with workspace.catalogue.write() as db:
        return len(tag_rows(db, dataset, sample_ids, tag))


def untag_samples(workspace: Workspace, dataset: str, sample_ids: Iterable[str], tag: str) -> int:
    """Take a tag away from samples; return how many had it."""
    with workspace.catalogue.write() as db:
        return len(untag_rows(db, dataset, sample_ids, tag))


def tag_rows(db: sqlite3.Connection, dataset: str, sample_ids: Iterable[str], tag: str) -> list[str]:
    """Give samples a tag within a larger change of the catalogue; return those that had it not.

    Raises
    ------
    DataError
        When the tag is empty or too long.
    """
    tag = checked_tag(tag)
    having = _having(db, dataset, tag)
    new = [s for s in dict.fromkeys(map(str, sample_ids)) if s not in having]
    db.executemany("INSERT INTO tags VALUES (?, ?, ?, ?)", [(dataset, s, tag, time.time()) for s in new])
    return new


def untag_rows(db: sqlite3.Connection, dataset: str, sample_ids: Iterable[str], tag: str) -> list[str]:
    """Take a tag away from samples within a larger change of the catalogue; return those that had it."""
    tag = checked_tag(tag)
    having = _having(db, dataset, tag)
    gone = [s for s in dict.fromkeys(map(str, sample_ids)) if s in having]
    db.executemany(
        "DELETE FROM tags WHERE dataset = ? AND sample_id = ? AND tag = ?", [(dataset, s, tag) for s in gone]
    )
    return gone


def _having(db: sqlite3.Connection, dataset: str, tag: str) -> set[str]:
    rows = db.execute("SELECT sample_id FROM tags WHERE dataset = ? AND tag = ?", (dataset, tag))
    return {row["sample_id"] for row in rows}


def tags_of(workspace: Workspace, dataset: str) -> pd.DataFrame:
    """Return the columns ``sample_id`` and ``tag`` of a data set, in alphabetical order."""
    with workspace.catalogue.read() as db:
        rows = db.execute(
            "SELECT sample_id, tag FROM tags WHERE dataset = ? ORDER BY sample_id, tag", (dataset,)
        ).fetchall()
    return pd.DataFrame([tuple(row) for row in rows], columns=["sample_id", "tag"])


def with_tags(workspace: Workspace, dataset: str, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with a column ``tags``, separated by semicolons; unchanged where nothing is tagged."""
    tags = tags_of(workspace, dataset)
    if tags.empty:
        return scores
    joined = tags.groupby("sample_id")["tag"].agg("; ".join)
    return scores.assign(tags=scores["sample_id"].map(joined).fillna("").astype("str"))


def checked_tag(tag: str) -> str:
    """Return a tag without blanks around it.

    Raises
    ------
    DataError
        When it is empty or too long.
    """
    tag = " ".join(tag.split())
    if not 0 < len(tag) <= LONGEST:
        raise DataError(f"A tag has 1 to {LONGEST} characters; '{tag[:20]}' has {len(tag)}.")
    return tag


def save_selection(workspace: Workspace, run: str, name: str, recipe: dict) -> None:
    """Keep a selection's recipe under a name; an earlier one of that name gives way."""
    with workspace.catalogue.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO selections VALUES (?, ?, ?, ?)", (run, name, json.dumps(recipe), time.time())
        )


def saved_selection(workspace: Workspace, run: str, name: str) -> dict | None:
    """Return the recipe kept under a name, or None."""
    with workspace.catalogue.read() as db:
        row = db.execute("SELECT recipe FROM selections WHERE run = ? AND name = ?", (run, name)).fetchone()
    return json.loads(row["recipe"]) if row else None


def selection_names(workspace: Workspace, run: str) -> list[str]:
    """Return the names of the kept selections of a run, in alphabetical order."""
    with workspace.catalogue.read() as db:
        rows = db.execute("SELECT name FROM selections WHERE run = ? ORDER BY name", (run,)).fetchall()
    return [row["name"] for row in rows]


def drop_selection(workspace: Workspace, run: str, name: str) -> None:
    """Forget a kept selection; the samples and their tags stay."""
    with workspace.catalogue.write() as db:
        db.execute("DELETE FROM selections WHERE run = ? AND name = ?", (run, name))


def note_export(workspace: Workspace, run: str, path: Path, n_samples: int) -> None:
    """Write down what was exported, and its digest; an export from a workspace that cannot be written is none less."""
    entry = (str(path.absolute()), run, digest_of(path), n_samples, time.time())
    with suppress(StorageError), workspace.catalogue.write() as db:
        db.execute("INSERT INTO exports (path, run, sha256, n_samples, written) VALUES (?, ?, ?, ?, ?)", entry)
