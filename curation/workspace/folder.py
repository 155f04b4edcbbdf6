"""A workspace: one folder that is the whole project, and what the catalogue says is in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.errors import DataError
from curation.workspace.catalogue import Catalogue
from curation.workspace.files import PART, digest_of

__all__ = ["CATALOGUE", "DATASETS", "MEDIA", "RECORD", "RUNS", "SAMPLES", "Entry", "Workspace"]

CATALOGUE = "catalogue.db"
DATASETS, RUNS, FEATURES, MEDIA, UPLOADS, EXPORTS, JOBS = (
    "datasets", "runs", "features", "media", "uploads", "exports", "jobs",
)  # fmt: skip
RECORD, SAMPLES = "run.json", "dataset.json"  # written last: a folder that has it is whole
ABANDONED = 24 * 3600  # seconds after which an unfinished file has nobody any more
COLUMNS = {DATASETS: ("id", "name", "n_samples", "added"), RUNS: ("id", "folder", "name", "dataset", "finished")}


@dataclass(frozen=True)
class Entry:
    """A data set or a run, as the catalogue lists it.

    Attributes
    ----------
    id, name : str
    folder : pathlib.Path
    when : float
        Seconds since 1970, by the clock of the machine that did it.
    dataset : str
        Of a run: the data set it scored; empty for runs made before workspaces.
    """

    id: str
    name: str
    folder: Path
    when: float
    dataset: str = ""


class Workspace:
    """Samples, media, features, runs, selections, tags and exports of one project in one folder.

    All paths in it are relative, so that it may be moved or copied as it is. Opened by
    :func:`~curation.workspace.opening.open_workspace`.

    Parameters
    ----------
    folder : pathlib.Path
    catalogue : Catalogue
    """

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = Path(folder).absolute()
        self.catalogue = catalogue

    def introduce(self, owner: str) -> None:
        """Give a new workspace its identifier and its owner; one that has them keeps them."""
        with self.catalogue.write() as db:
            for key, value in (("id", os.urandom(8).hex()), ("owner", owner)):
                db.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (key, value))

    @property
    def id(self) -> str:
        """Identifier that stays when the folder moves, and that cannot be guessed."""
        return self._about("id")

    @property
    def owner(self) -> str:
        """Who made it, as the sign-in names them; empty where nobody signs in."""
        return self._about("owner")

    def _about(self, key: str) -> str:
        with self.catalogue.read() as db:
            row = db.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return row["value"] if row else ""

    def datasets(self) -> list[Entry]:
        """Return the data sets, the latest first."""
        with self.catalogue.read() as db:
            rows = db.execute("SELECT * FROM datasets ORDER BY number DESC").fetchall()
        return [Entry(r["id"], r["name"], self.folder / DATASETS / r["id"], r["added"]) for r in rows]

    def runs(self) -> list[Entry]:
        """Return the finished runs, the latest first."""
        with self.catalogue.read() as db:
            rows = db.execute("SELECT * FROM runs ORDER BY number DESC").fetchall()
        return [Entry(r["id"], r["name"], self.folder / r["folder"], r["finished"], r["dataset"] or "") for r in rows]

    def run_entry(self, run_id: str | None = None) -> Entry:
        """Return a run, by default the latest.

        Raises
        ------
        DataError
            When there is no such run.
        """
        runs = self.runs()
        if not runs:
            raise DataError(f"Nothing in {self.folder} has been scored yet; score its data first.")
        for run in runs:
            if run_id in (None, run.id):
                return run
        raise DataError(f"{self.folder} has no run '{run_id}'; its runs are: {', '.join(r.id for r in runs[:8])}.")

    def imported_by(self, job: str) -> str | None:
        """Return the data set that a job has imported, if it came so far."""
        with self.catalogue.read() as db:
            row = db.execute("SELECT dataset FROM jobs WHERE id = ?", (job,)).fetchone()
        return row["dataset"] if row else None

    def note_imported(self, job: str, dataset: str) -> None:
        """Write down that a job has imported its data set."""
        with self.catalogue.write() as db:
            db.execute("UPDATE jobs SET dataset = ? WHERE id = ?", (dataset, job))

    def list_folder(self, kind: str, folder: Path, row: tuple) -> None:
        """Enter a whole folder and its files into the catalogue; a second time changes nothing."""
        columns, marks = ", ".join(COLUMNS[kind]), ", ".join("?" * len(row))
        with self.catalogue.write() as db:
            if db.execute(f"INSERT OR IGNORE INTO {kind} ({columns}) VALUES ({marks})", row).rowcount:
                files = (p for p in sorted(folder.iterdir()) if p.is_file())
                self.list_files(db, (p for p in files if not p.name.startswith((PART, CATALOGUE))))

    def listed_files(self) -> set[str]:
        """Return the places of all files whose digests are known, media apart."""
        with self.catalogue.read() as db:
            return {row["path"] for row in db.execute("SELECT path FROM files")}

    def is_only_of(self, job: str | None) -> bool:
        """Return whether nothing is in it or under way but what one job (or none) has begun."""
        with self.catalogue.read() as db:
            rows = db.execute("SELECT id FROM runs UNION ALL SELECT id FROM jobs WHERE id IS NOT ?", (job,)).fetchall()
            own = db.execute(
                "SELECT id FROM datasets WHERE id NOT IN (SELECT dataset FROM jobs WHERE dataset NOT NULL)"
            )
            return not rows and not own.fetchall() and not any(self.folder.rglob(f"{PART}*"))

    def list_files(self, db: sqlite3.Connection, paths: Iterable[Path]) -> None:
        """Write down sizes and digests of files, so that damage is noticed later."""
        for path in paths:
            place = path.relative_to(self.folder).as_posix()
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (place, digest_of(path), path.stat().st_size))

    def clear_leftovers(self) -> None:
        """Remove unfinished files and folders that nobody has touched for a day."""
        for place in (self.folder, *(self.folder / name for name in (DATASETS, RUNS, FEATURES, EXPORTS, UPLOADS))):
            for left in place.glob(f"{PART}*"):
                if time.time() - left.stat().st_mtime > ABANDONED:
                    shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
