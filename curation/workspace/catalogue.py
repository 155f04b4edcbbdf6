"""The catalogue of a workspace: an SQLite file in write-ahead mode, with a version and the steps from older ones."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from curation.errors import DataError, StorageError

__all__ = ["MIGRATIONS", "SCHEMA", "Catalogue"]

PATIENCE = 30.0  # seconds to wait for another process that is writing
NO_PLACE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")  # what SQLite says on a full disk, early or late
ROOM = 1 << 18  # bytes below which a disk is called full

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
    """
    CREATE TABLE views (number INTEGER PRIMARY KEY, run TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
                        before TEXT NOT NULL, did TEXT NOT NULL, made REAL NOT NULL, UNIQUE (run, id));
    """,
)
"""One script a version. A catalogue of version n gets all from the n-th on, in one transaction each."""

SCHEMA = len(MIGRATIONS)


class Catalogue:
    """One SQLite file, opened for a moment by whoever needs it; any number of processes may.

    Parameters
    ----------
    path : pathlib.Path
        Made if it is not there. In a folder that cannot be written, or on a full disk, a copy is read.

    Raises
    ------
    DataError
        When the file is damaged, or was made by a later version of Interplay.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        with self.read() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise DataError(f"{path.parent} was written by a later version of Interplay; update Interplay to open it.")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to ask questions with; rows answer to the names of their columns."""
        with _sentences(self.path), ExitStack() as stack:
            yield stack.enter_context(closing(self._live_or_copied(stack)))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes happen all together at the end, or not at all.

        Raises
        ------
        StorageError
            When the folder cannot be written, or its disk is full.
        """
        if not self._writable:
            raise StorageError(f"The workspace {self.path.parent} cannot be written; allow it, or copy it elsewhere.")
        with _sentences(self.path), closing(_connected(self.path)) as db, _at_once(db):
            yield db

    @property
    def _writable(self) -> bool:
        return os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    def _live_or_copied(self, stack: ExitStack) -> sqlite3.Connection:
        """Reading beside a write-ahead log writes too: where that cannot be, a copy is read."""
        if self._writable:
            try:
                return _connected(self.path)
            except sqlite3.OperationalError as error:
                if not _named(error).startswith(NO_PLACE):
                    raise
        elsewhere = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for suffix in ("", "-wal"):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                shutil.copyfile(source, elsewhere / source.name)
        return _connected(elsewhere / self.path.name)


def _connected(path: Path) -> sqlite3.Connection:
    """Open the file in write-ahead mode and with the steps that it lacks."""
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA:
            _migrate(db)
    except BaseException:
        db.close()
        raise
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


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _told(error, path) from error


def _named(error: sqlite3.DatabaseError) -> str:
    return getattr(error, "sqlite_errorname", "") or ""


def _told(error: sqlite3.DatabaseError, path: Path) -> DataError:
    name = _named(error)
    if name.startswith(NO_PLACE) and (name == "SQLITE_FULL" or shutil.disk_usage(path.parent).free < ROOM):
        return StorageError(f"The disk of {path.parent} is full; free some space and go on, nothing is lost.")
    if name.startswith((*NO_PLACE, "SQLITE_READONLY")):
        return StorageError(f"{path} cannot be written or read ({error}); check the folder and its disk.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        said = f"Another process has been writing to {path.parent} for {PATIENCE:.0f} s; try again when it is done."
        return StorageError(said)
    return DataError(
        f"The catalogue {path} is damaged ({error}); `python cli.py check {path.parent} --repair` makes a new one "
        "from what is whole."
    )
