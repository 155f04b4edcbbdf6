"""All that a workspace holds, in a form that can be held against another one's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from curation.progress import silent, stage_counter
from curation.workspace import check_workspace, open_workspace
from curation.workspace.files import digest_of
from curation.workspace.runs import LATER

__all__ = ["contents", "damages", "differences", "leftovers"]

MOMENTARY = ("run.json", "dataset.json")  # they hold the time of day


def contents(folder: Path, export: Path | None = None) -> dict[str, object]:
    """Return everything in a workspace but times and the identifiers of runs."""
    found = {"damages": damages(folder), "media": sorted(p.name for p in _whole(folder / "media"))}
    with open_workspace(folder).catalogue.read() as db:
        found["integrity"] = db.execute("PRAGMA integrity_check").fetchone()[0]
        found["data sets"] = [tuple(row) for row in db.execute("SELECT id, name, n_samples FROM datasets")]
        found["tags"] = [tuple(row) for row in db.execute("SELECT dataset, sample_id, tag FROM tags ORDER BY 1, 2, 3")]
        found["listed files"] = sorted({_listed(*row) for row in db.execute("SELECT path, sha256 FROM files")})
    scored = sorted(folder.glob("runs/*/scores.parquet"))
    found["sample ids"] = {tuple(pd.read_parquet(path)["sample_id"]) for path in scored}
    for name in ("scores.parquet", "problems.parquet", *LATER):
        found[name] = {digest_of(path) for path in folder.glob(f"runs/*/{name}")}
    if export:
        found["export"] = export.read_bytes().replace(str(folder).encode(), b"WORKSPACE")
    return found


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Return the names of what is not equal."""
    return [name for name in sorted(set(one) | set(other)) if one.get(name) != other.get(name)]


def damages(folder: Path) -> list[str]:
    """Return what ``cli.py check`` would report."""
    return [f"{d.place} {d.what}" for d in check_workspace(folder, stage_counter(silent, ""))[0]]


def leftovers(folder: Path) -> int:
    """Return how many unfinished files and folders lie about."""
    return sum(p.name.startswith((".part-", ".writing-")) for p in (*folder.rglob("*"), *folder.parent.glob(".*")))


def _whole(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]


def _listed(path: str, digest: str) -> tuple[str, str]:
    parts = path.split("/")
    place = "/".join(["runs", "*", *parts[2:]]) if parts[0] == "runs" else path
    return place, "" if parts[-1] in MOMENTARY else digest
