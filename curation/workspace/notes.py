"""What people note about samples: tags, saved selections, and what was exported."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from curation.errors import DataError, StorageError
from curation.workspace.files import digest_of
from curation.workspace.folder import Workspace

__all__ = ["note_export", "save_selection", "saved_selection", "tag_samples", "tags_of", "untag_samples", "with_tags"]

LONGEST = 60  # characters of a tag


def tag_samples(workspace: Workspace, dataset: str, sample_ids: Iterable[str], tag: str) -> int:
    """Give samples of a data set a tag, all of them or none; return how many had it not.

    Raises
    ------
    DataError
        When the tag is empty or too long, or the workspace cannot be written.
    """
    tag = checked_tag(tag)
    with workspace.catalogue.write() as db:
        before = db.total_changes
        db.executemany(
            "INSERT OR IGNORE INTO tags VALUES (?, ?, ?, ?)", [(dataset, str(s), tag, time.time()) for s in sample_ids]
        )
        return db.total_changes - before


def untag_samples(workspace: Workspace, dataset: str, sample_ids: Iterable[str], tag: str) -> int:
    """Take a tag away from samples; return how many had it."""
    with workspace.catalogue.write() as db:
        before = db.total_changes
        db.executemany(
            "DELETE FROM tags WHERE dataset = ? AND sample_id = ? AND tag = ?",
            [(dataset, str(s), checked_tag(tag)) for s in sample_ids],
        )
        return db.total_changes - before


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


def note_export(workspace: Workspace, run: str, path: Path, n_samples: int) -> None:
    """Write down what was exported, and its digest; an export from a workspace that cannot be written is none less."""
    entry = (str(path.absolute()), run, digest_of(path), n_samples, time.time())
    with suppress(StorageError), workspace.catalogue.write() as db:
        db.execute("INSERT INTO exports (path, run, sha256, n_samples, written) VALUES (?, ?, ?, ?, ?)", entry)
