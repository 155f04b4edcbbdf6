"""Split a scored run by one of its scores, with percent, count and threshold in step."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.summary import with_measure
from curation.words import terms
from curation.workspace import ScoredRun
from lsmi_core.applications import partition

__all__ = [
    "PARTITION", "Part", "Partition", "category_balance", "partition_scores", "parts_for_export", "share_of",
]  # fmt: skip

PARTITION = "partition"
"""Name under which a run's kept partition stands among its selections."""


@dataclass(frozen=True)
class Partition:
    """A split of scored samples into a selected part and the rest.

    Attributes
    ----------
    selected : bool ndarray of shape (n_samples,)
    by : str
        Column of the scores.
    budget : float
        Share asked for.
    side : {"high", "low"}
    balanced : bool
    threshold : float or None
        The score of the last selected sample in nats; None when balanced (each category has its own) or empty.
    """

    selected: np.ndarray
    by: str
    budget: float
    side: str
    balanced: bool
    threshold: float | None

    @property
    def count(self) -> int:
        """Number of selected samples."""
        return int(self.selected.sum())

    def sentence(self, title: str) -> str:
        """Return what was selected, in plain words; ``title`` is what the score is called."""
        n = len(self.selected)
        told = f"{self.count:,} of {n:,} samples ({self.count / n:.1%}) with the {self.side}est “{title}”"
        if self.balanced:
            return f"{told}, the same share of every category"
        if self.threshold is None:
            return told
        return f"{told}, {'at least' if self.side == 'high' else 'at most'} {self.threshold:.3f} nats"


@dataclass(frozen=True)
class Part:
    """Some samples of a run, ready to be exported.

    Attributes
    ----------
    title : str
    frame : pandas.DataFrame
    stem : str
        File name without its extension.
    commands : str
        Command lines that give the same samples again.
    """

    title: str
    frame: pd.DataFrame
    stem: str
    commands: str

    def file_name(self, extension: str) -> str:
        """Return a file name for the part."""
        return f"{self.stem}.{extension}"


def share_of(part: float, whole: int, of: float = 100) -> int:
    """Return ``part`` of ``of`` as a whole number out of ``whole``, halves up."""
    return int(part / of * whole + 0.5)


def partition_scores(
    frame: pd.DataFrame, by: str, budget: float, side: str = "high", balanced: bool = False
) -> Partition:
    """Select a share of the samples by a score.

    Parameters
    ----------
    frame : pandas.DataFrame
        Scores of a run.
    by : str
        Column to rank by, in nats.
    budget : float in (0, 1]
    side : {"high", "low"}
    balanced : bool
        Take the same share of every category.

    Returns
    -------
    Partition

    Raises
    ------
    DataError
        When the column is missing.
    InvalidInputError
        When budget or side cannot be used.
    """
    if by not in frame:
        raise DataError(f"The scores have no column '{by}'.")
    values = frame[by].to_numpy()
    selected = partition(values, budget, side, frame["label"].to_numpy() if balanced else None)
    threshold = None
    if selected.any() and not balanced:
        threshold = float(values[selected].min() if side == "high" else values[selected].max())
    return Partition(selected, by, budget, side, balanced, threshold)


def category_balance(frame: pd.DataFrame, selected: np.ndarray) -> pd.DataFrame:
    """Return per category how many samples there are and how many of them are selected."""
    counted = frame.assign(selected=selected).groupby("label")["selected"].agg(samples="size", selected="sum")
    counted["share"] = counted["selected"] / counted["samples"]
    return counted.reset_index()


def parts_for_export(run: ScoredRun, recipe: dict | None) -> dict[str, Part]:
    """Return what can be exported: all samples and, once a partition is kept, its two parts.

    Parameters
    ----------
    run : ScoredRun
    recipe : dict or None
        ``by``, ``side``, ``balanced`` and ``count`` of the kept partition.

    Returns
    -------
    dict of name to Part
    """
    stem = "".join(c if c.isalnum() else "-" for c in run.name).strip("-").lower() or "scores"
    again = f"python cli.py rerun {shlex.quote(str(run.folder / 'run.json'))} --out again"
    parts = {
        "all": Part("All scores", run.scores, stem, f"{again}\npython cli.py export again --format csv --out all.csv")
    }
    if recipe is None:
        return parts
    term = next(t for t in terms(run.modality_names) if t.key == recipe["by"])
    budget = recipe["count"] / len(run.scores)
    frame = with_measure(run.scores, run.summary["redundancy"])
    split = partition_scores(frame, recipe["by"], budget, recipe["side"], recipe["balanced"])
    command = (
        f"{again}\npython cli.py partition again --by {shlex.quote(term.name)} "
        f"--budget {budget!r} --side {recipe['side']}"
        f"{' --balanced' if recipe['balanced'] else ''} --out selected.csv --rest rest.csv"
    )
    where = f"{recipe['side']}est “{term.title}”"
    parts["selected"] = Part(f"Selected: {where}", run.scores[split.selected], f"{stem}-selected", command)
    parts["rest"] = Part("The rest", run.scores[~split.selected], f"{stem}-rest", command)
    return parts
