"""The catalogue of a workspace: an SQLite file in write-ahead mode, with a version and the steps from older ones."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from curation.errors import DataError

__all__ = ["MIGRATIONS", "SCHEMA", "Catalogue"]

PATIENCE = 30.0  # seconds to wait for another process that is writing

MIGRATIONS = (
    """
    CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
    CREATE TABLE datasets (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                           n_samples INTEGER NOT NULL, added REAL NOT NULL);
    CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL,
                       name TEXT NOT NULL, dataset TEXT, finished REAL NOT NULL);
    CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
                       settings TEXT NOT NULL, submitted REAL NOT NULL, dataset TEXT, pid INTEGER,
                       message TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT '',
                       done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, since REAL,
                       finished TEXT NOT NULL DEFAULT '[]', memory INTEGER NOT NULL DEFAULT 0);
    """,
    """
    CREATE TABLE tags (dataset TEXT NOT NULL, sample_id TEXT NOT NULL, tag TEXT NOT NULL, added REAL NOT NULL,
                       PRIMARY KEY (dataset, sample_id, tag));
    CREATE TABLE selections (run TEXT NOT NULL, name TEXT NOT NULL, recipe TEXT NOT NULL, saved REAL NOT NULL,
                             PRIMARY KEY (run, name));
    CREATE TABLE exports (number INTEGER PRIMARY KEY, path TEXT NOT NULL, run TEXT NOT NULL, sha256 TEXT NOT NULL,
                          n_samples INTEGER NOT NULL, written REAL NOT NULL);
    """,
)
"""One script a version. A catalogue of version n gets all from the n-th on, in one transaction each."""

SCHEMA = len(MIGRATIONS)


class Catalogue:
    """One SQLite file, opened for a moment by whoever needs it; any number of processes may.

    Parameters
    ----------
    path : pathlib.Path
        Made if it is not there. In a folder that cannot be written, a copy is read.

    Raises
    ------
    DataError
        When the file is damaged, or was made by a later version of Interplay.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        with self._open() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version < SCHEMA:
                _migrate(db)
        if version > SCHEMA:
            raise DataError(f"{path.parent} was written by a later version of Interplay; update Interplay to open it.")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to ask questions with; rows answer to the names of their columns."""
        with self._open() as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes happen all together at the end, or not at all.

        Raises
        ------
        DataError
            When the folder cannot be written, or its disk is full.
        """
        if not self._writable:
            raise DataError(f"The workspace {self.path.parent} cannot be written; allow it, or copy it elsewhere.")
        with self._open() as db, _at_once(db):
            yield db

    @property
    def _writable(self) -> bool:
        return os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._writable:
                with closing(_connected(self.path)) as db:
                    db.execute("PRAGMA journal_mode = WAL")
                    yield db
            else:
                with tempfile.TemporaryDirectory() as elsewhere, closing(self._copied(Path(elsewhere))) as db:
                    yield db
        except sqlite3.DatabaseError as error:
            raise DataError(_sentence(error, self.path)) from error

    def _copied(self, elsewhere: Path) -> sqlite3.Connection:
        """Reading beside a write-ahead log writes too, so that a folder that cannot be written is read from a copy."""
        for suffix in ("", "-wal"):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                shutil.copyfile(source, elsewhere / source.name)
        return _connected(elsewhere / self.path.name)


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def _at_once(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _migrate(db: sqlite3.Connection) -> None:
    """Take the steps that are missing; two processes at once take them once."""
    with _at_once(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


def _sentence(error: sqlite3.DatabaseError, path: Path) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return f"The disk of {path.parent} is full; free some space and go on, nothing that was there is lost."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return f"{path} cannot be written or read ({error}); check the folder and its disk."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"Another process has been writing to {path.parent} for {PATIENCE:.0f} s; try again when it is done."
    return (
        f"The catalogue {path} is damaged ({error}); `python cli.py check {path.parent} --repair` makes a new one "
        "from what is whole."
    )
