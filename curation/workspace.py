"""A run on disk: scores.parquet, summary.json, run.json and what goes with them, read and written in one place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from curation.errors import DataError
from curation.progress import write_atomically
from curation.summary import EXPECTED, measures_of
from curation.words import MEASURES
from lsmi_core import FIELDS

__all__ = ["ScoredRun", "claim_folder", "load_run", "write_frame", "write_json"]

SCORES, SUMMARY, RECORD, MAP, PROBLEMS = (
    "scores.parquet", "summary.json", "run.json", "map.parquet", "problems.parquet",
)  # fmt: skip


@dataclass(frozen=True)
class ScoredRun:
    """A finished run.

    Attributes
    ----------
    folder : pathlib.Path
    scores : pandas.DataFrame
        ``sample_id``, ``label``, the fields of :data:`lsmi_core.FIELDS` (nats; earlier runs lack b1 and b2), then
        ``item.<modality>`` (the text, or the path of the file), ``says.<modality>`` and ``sure.<modality>`` (the label
        a modality points to, and its probability), ``known.<field>`` where answers are known, and
        ``extra.<column>`` for the user's own columns.
    summary, record : dict
        Contents of ``summary.json`` and ``run.json``.
    """

    folder: Path
    scores: pd.DataFrame
    summary: dict
    record: dict

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self.summary["name"]

    @property
    def modality_names(self) -> tuple[str, str]:
        """The user's words for the two modalities."""
        return tuple(m["name"] for m in self.summary["modalities"])

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each modality by its name."""
        return {m["name"]: m["kind"] for m in self.summary["modalities"]}

    @cached_property
    def problems(self) -> pd.DataFrame:
        """Rows that were left out, with reason and remedy."""
        path = self.folder / PROBLEMS
        return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=["row", "column", "problem", "mend"])

    def map(self) -> pd.DataFrame | None:
        """Return ``sample_id, x, y`` of the map, or None while it is not drawn yet."""
        path = self.folder / MAP
        return pd.read_parquet(path) if path.exists() else None


def load_run(folder: Path) -> ScoredRun:
    """Read a run folder.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    ScoredRun

    Raises
    ------
    DataError
        When the folder holds no finished run, or a file of it cannot be read.
    """
    folder = Path(folder)
    for name in (SCORES, SUMMARY, RECORD):
        if not (folder / name).is_file():
            raise DataError(f"{folder} holds no finished run ({name} is missing); give the --out folder of a run.")
    try:
        scores = pd.read_parquet(folder / SCORES)
        summary, record = (json.loads((folder / n).read_text(encoding="utf-8")) for n in (SUMMARY, RECORD))
    except (OSError, ValueError) as error:
        raise DataError(f"The run in {folder} cannot be read ({type(error).__name__}); score the data again.") from None
    if not _complete(summary) or not isinstance(record, dict):
        raise DataError(f"{folder / SUMMARY} is not the summary of a run; score the data again.")
    spared = EXPECTED if summary["redundancy"] in measures_of(scores) else ()
    missing = [c for c in ("sample_id", "label", *FIELDS) if c not in scores and c not in spared]
    if missing:
        raise DataError(f"{folder / SCORES} lacks the columns {', '.join(missing)}; score the data again.")
    return ScoredRun(folder, scores, summary, record)


def _complete(summary: object) -> bool:
    if not isinstance(summary, dict) or not {"name", "redundancy", "modalities"} <= set(summary):
        return False
    sides = summary["modalities"]
    return (
        summary["redundancy"] in tuple(MEASURES)
        and isinstance(sides, list)
        and len(sides) == 2
        and all(isinstance(side, dict) and {"name", "kind"} <= set(side) for side in sides)
    )


def claim_folder(folder: Path, allowed: tuple[str, ...] = ()) -> Path:
    """Return the folder, made if needed, after checking that nothing in it would be overwritten.

    Raises
    ------
    DataError
        When it is a file, cannot be made, or holds anything besides the allowed names.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be made ({error.strerror}); choose another one.") from None
    others = sorted(p.name for p in folder.iterdir() if p.name not in allowed)
    if others:
        raise DataError(f"The folder {folder} is not empty (it holds {others[0]}); choose a new one for the results.")
    return folder


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file, whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        frame.to_parquet(temporary, index=False)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(data: dict, path: Path) -> None:
    """Write a JSON file, whole or not at all."""
    write_atomically(path, json.dumps(data, indent=2, ensure_ascii=False, default=float) + "\n")
