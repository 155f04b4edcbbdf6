"""Partitions as people make them: percent, count and threshold in step, and what stays of every category."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from curation.exploring import Partition, PartitionRecipe, Samples
from curation.exploring.selection import Node
from curation.workspace import ScoredRun, Workspace, save_selection, saved_selection

__all__ = [
    "category_balance", "extremes", "keep_partition", "kept_partition", "part_node", "share_of", "thin_categories",
    "with_count", "with_percent", "with_threshold",
]  # fmt: skip

PARTITION = "partition"  # the name under which a run's kept partition stands among its selections

FEWEST = 2  # samples of a category: with fewer nothing can be learned of it


def share_of(part: float, whole: int, of: float = 100) -> int:
    """Return ``part`` of ``of`` as a whole number out of ``whole``, halves up."""
    return int(part / of * whole + 0.5)


def with_percent(recipe: PartitionRecipe, percent: float, total: int) -> PartitionRecipe:
    """Return the recipe that keeps a percentage of ``total`` samples."""
    return with_count(recipe, share_of(percent, total))


def with_count(recipe: PartitionRecipe, count: int) -> PartitionRecipe:
    """Return the recipe that keeps so many samples."""
    return replace(recipe, count=int(count), threshold=None)


def with_threshold(recipe: PartitionRecipe, threshold: float) -> PartitionRecipe:
    """Return the recipe that keeps what lies beyond a score in nats, the score itself included."""
    return replace(recipe, threshold=float(threshold), balanced=False)


def keep_partition(workspace: Workspace, run: ScoredRun, recipe: PartitionRecipe, under: str = PARTITION) -> None:
    """Keep a recipe with the run, in the place of the one before."""
    save_selection(workspace, run.folder.name, under, recipe.to_json())


def kept_partition(workspace: Workspace, run: ScoredRun, under: str = PARTITION) -> PartitionRecipe | None:
    """Return the recipe that was kept with the run, or None.

    Raises
    ------
    DataError
        When it cannot be used.
    """
    kept = saved_selection(workspace, run.folder.name, under)
    return None if kept is None else PartitionRecipe.from_json(kept)


def part_node(recipe: PartitionRecipe, part: str = "selected") -> Node:
    """Return the selection that one part of a partition is."""
    return {"kind": "partition", "recipe": recipe.to_json(), "part": part}


def category_balance(samples: Samples, partition: Partition) -> pd.DataFrame:
    """Return per category how many samples the partition is about, how many stay, and their share."""
    codes, names = samples.labels
    selected, rest = (np.bincount(codes[rows], minlength=len(names)) for rows in (partition.selected, partition.rest))
    table = pd.DataFrame({"label": np.asarray(names), "samples": selected + rest, "selected": selected})
    table = table[table["samples"] > 0].reset_index(drop=True)
    return table.assign(share=table["selected"] / table["samples"])


def thin_categories(balance: pd.DataFrame) -> list[str]:
    """Return the categories of which too little stays to be learned, though enough was there."""
    thin = (balance["selected"] < FEWEST) & (balance["samples"] >= FEWEST)
    return balance.loc[thin, "label"].astype("str").tolist()


def extremes(recipe: PartitionRecipe, samples: Samples, rows: np.ndarray, part: str, count: int) -> pd.DataFrame:
    """Return scores of some samples of a part: the clearest cases first, and without a score some of each group.

    Parameters
    ----------
    recipe : PartitionRecipe
    samples : Samples
        In the measure of the recipe.
    rows : bool ndarray of shape (n_samples,)
        The part.
    part : {"selected", "rest"}
    count : int
    """
    frame, found = samples.frame[rows], samples.group[rows]
    if recipe.how == "score":
        highest = (recipe.side == "high") == (part == "selected")
        return frame.nlargest(count, recipe.by) if highest else frame.nsmallest(count, recipe.by)
    turn = pd.Series(found).groupby(found).cumcount().to_numpy()  # one of each group, then a second of each
    return frame.iloc[np.lexsort((found, turn))[:count]]
