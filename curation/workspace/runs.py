"""A run in a workspace: scores.parquet, summary.json, run.json and what goes with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from curation.dataset import MEDIA_KINDS
from curation.errors import DataError
from curation.settings import APPLICATIONS
from curation.summary import EXPECTED, measures_of
from curation.words import MEASURES
from curation.workspace.files import settle, unfinished_folder, write_arrays, write_frame, write_json
from curation.workspace.folder import RECORD, RUNS, Workspace
from lsmi_core import FIELDS

__all__ = [
    "LATER", "ScoredRun", "add_later", "add_run", "applied_files", "enter_later", "enter_run", "load_run",
]  # fmt: skip

SCORES, SUMMARY, PROBLEMS = "scores.parquet", "summary.json", "problems.parquet"
MAPS = {
    "both": "map.parquet",
    "first": "map-first.parquet",
    "second": "map-second.parquet",
    "terms": "map-terms.parquet",
}
COPIES, REPEATS, CHECKS = "copies.parquet", "repeats.parquet", "checks.json"
PRICE, PRICE_TOLD, PRICE_SAMPLES = "price.parquet", "price.json", "price-samples.parquet"


class AppliedFiles(NamedTuple):
    """What an application leaves beside the scores: its model, what was found, and finished repeats on the way."""

    arrays: str
    told: str
    cells: str


def applied_files(what: str) -> AppliedFiles:
    """Return the names of the files of an application."""
    return AppliedFiles(f"applied-{what}.safetensors", f"applied-{what}.json", f"applied-{what}-cells.json")


_APPLIED = [name for what in APPLICATIONS for name in applied_files(what)[:2]]
LATER = (*MAPS.values(), COPIES, REPEATS, CHECKS, PRICE, PRICE_SAMPLES, PRICE_TOLD, *_APPLIED)
"""Files that come after a run can be opened already; each is whole or not there."""


@dataclass(frozen=True)
class ScoredRun:
    """A finished run.

    Attributes
    ----------
    folder : pathlib.Path
    scores : pandas.DataFrame
        ``sample_id``, ``label``, the fields of :data:`lsmi_core.FIELDS` (nats; earlier runs lack b1 and b2), then
        ``item.<modality>`` (the text, or the path of the file), ``file.<modality>`` (the file's own name),
        ``says.<modality>`` and ``sure.<modality>`` (the label a modality points to, and its probability),
        ``suspect.label_error`` and ``suspect.swapped_pair`` (larger is more suspect; earlier runs lack them),
        ``known.<field>`` where answers are known, and
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
    def dataset(self) -> str:
        """Identifier of the data set in the workspace; for runs made before workspaces, their own name."""
        return self.record.get("dataset") or self.folder.name

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

    def map(self, space: str = "both") -> pd.DataFrame | None:
        """Return ``sample_id, x, y`` of a map, or None while it is not drawn yet.

        Parameters
        ----------
        space : {"both", "first", "second", "terms"}
            What neighbours are alike in: both modalities, the first, the second, or the scores.
        """
        return self._later_frame(MAPS[space])

    def copies(self) -> pd.DataFrame | None:
        """Return ``sample_id, copy_of, similarity``, or None while near-duplicates were not looked for.

        See Also
        --------
        curation.copies.find_copies
        """
        return self._later_frame(COPIES)

    def repeats(self) -> pd.DataFrame | None:
        """Return ``sample_id`` and ``i1.k`` to ``b2.k`` (nats) of the k-th further fit, or None while there is none."""
        return self._later_frame(REPEATS)

    def checks(self) -> dict | None:
        """Return what :func:`curation.fitting.check_fits` found, or None while it was not looked at."""
        return self._later_json(CHECKS)

    def price(self) -> pd.DataFrame | None:
        """Return policy, budget, repeat, metric and value, or None while the price of pruning was not measured.

        See Also
        --------
        curation.pricing.measure_price
        """
        return self._later_frame(PRICE) if (self.folder / PRICE_TOLD).is_file() else None

    def price_told(self) -> dict | None:
        """Return how the price was measured and what it recommends, or None while it was not measured."""
        return self._later_json(PRICE_TOLD)

    def price_samples(self) -> pd.DataFrame | None:
        """Return ``sample_id, nearness, hardness``, which some policies go by; None before the price is measured."""
        return self._later_frame(PRICE_SAMPLES)

    def applied(self, what: str) -> dict | None:
        """Return what an application found, or None where it was not put to work.

        See Also
        --------
        curation.applying.read_applied
        """
        return self._later_json(applied_files(what).told)

    def _later_json(self, name: str) -> dict | None:
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise _spoilt(path) from None

    def _later_frame(self, name: str) -> pd.DataFrame | None:
        path = self.folder / name
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise _spoilt(path) from None


def _spoilt(path: Path) -> DataError:
    return DataError(f"{path} cannot be read; the scores are not affected. Score the data again to have it anew.")


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
    return ScoredRun(folder, _with_whole_paths(scores, summary, folder.absolute().parent.parent), summary, record)


def add_run(
    workspace: Workspace, run_id: str, scores: pd.DataFrame, summary: dict, record: dict, problems: pd.DataFrame
) -> ScoredRun:
    """Put a finished run into a workspace: all of it, or nothing.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    target = workspace.folder / RUNS / run_id
    with unfinished_folder(target.parent) as folder:
        write_frame(problems, folder / PROBLEMS)
        write_frame(scores, folder / SCORES)
        write_json(summary, folder / SUMMARY)
        write_json(record, folder / RECORD)
        settle(folder, target)
    enter_run(workspace, target)
    return load_run(target)


def enter_run(workspace: Workspace, folder: Path) -> None:
    """Enter a run's folder into the catalogue."""
    run = load_run(folder)
    place = folder.relative_to(workspace.folder).as_posix()
    finished = (folder / RECORD).stat().st_mtime
    workspace.list_folder(RUNS, folder, (folder.name, place, run.name, run.record.get("dataset"), finished))


def add_later(workspace: Workspace, run: ScoredRun, name: str, content: pd.DataFrame | dict) -> None:
    """Put one of the files :data:`LATER` beside the scores it belongs to, whole or not at all.

    A table, what JSON can hold, or arrays by name, as the ending of the name says.
    """
    path = workspace.folder / RUNS / run.folder.name / name
    write = {".parquet": write_frame, ".json": write_json, ".safetensors": write_arrays}[path.suffix]
    write(content, path)
    enter_later(workspace, path)


def enter_later(workspace: Workspace, path: Path) -> None:
    """Enter one of the files :data:`LATER` into the catalogue."""
    with workspace.catalogue.write() as db:
        workspace.list_files(db, [path])


def _with_whole_paths(scores: pd.DataFrame, summary: dict, root: Path) -> pd.DataFrame:
    """Media are named by their place in the workspace, which may have moved."""
    media = [f"item.{m['name']}" for m in summary["modalities"] if m["kind"] in MEDIA_KINDS]
    whole = {column: [str(root / place) for place in scores[column]] for column in media if column in scores}
    return scores.assign(**whole)


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
