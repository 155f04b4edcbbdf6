"""Questions pages ask of a scored run: tables, orders, neighbours of a choice. Frames in, frames out."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from curation.words import terms
from curation.workspace import ScoredRun

__all__ = [
    "describe_samples",
    "examples",
    "most_misleading",
    "row_of",
    "sample_table",
    "with_places",
]


def describe_samples(run: ScoredRun, frame: pd.DataFrame) -> list[str]:
    """Return a short line a sample, for pointing at it on the map: label and text, markup-free."""
    told = frame["label"].astype("str")
    for name, kind in run.kinds.items():
        if kind == "text":
            told = told + ": " + frame[f"item.{name}"].map(lambda t: textwrap.shorten(t[:600], 60, placeholder="…"))
    return [t.replace("&", "&amp;").replace("<", "&lt;") for t in told]


def sample_table(run: ScoredRun, frame: pd.DataFrame, labels: list[str], words: str) -> pd.DataFrame:
    """Return the table of samples, narrowed to some categories and to rows that contain the words.

    Parameters
    ----------
    run : ScoredRun
    frame : pandas.DataFrame
        Scores in the measure on show.
    labels : list of str
        Categories to keep; empty keeps all.
    words : str
        Looked for in identifiers and texts, letter case ignored; empty keeps all.

    Returns
    -------
    pandas.DataFrame
        Identifier, label, texts and the four terms under their plain titles (nats).
    """
    texts = [f"item.{name}" for name, kind in run.kinds.items() if kind == "text"]
    keep = frame["label"].isin(labels) if labels else pd.Series(True, index=frame.index)
    if words:
        hit = frame["sample_id"].astype("str").str.contains(words, case=False, regex=False)
        for column in texts:
            hit |= frame[column].str.contains(words, case=False, regex=False)
        keep &= hit
    titles = {term.key: term.title for term in terms(run.modality_names)}
    names = {column: column.removeprefix("item.") for column in texts}
    # A modality may be called like one of the table's own columns.
    titles |= {c: f"{name} (text)" if name in ("sample", "category") else name for c, name in names.items()}
    shown = frame.loc[keep, ["sample_id", "label", *texts, "r", "u1", "u2", "s"]]
    return shown.rename(columns={"sample_id": "sample", "label": "category", **titles}).reset_index(drop=True)


def row_of(frame: pd.DataFrame, sample_id: str) -> pd.Series:
    """Return the row of one sample."""
    return frame.loc[frame["sample_id"] == sample_id].iloc[0]


def most_misleading(frame: pd.DataFrame) -> str:
    """Return the sample with the side that points away from its label the most: the first worth a look."""
    return frame.loc[frame[["i1", "i2"]].min(axis=1).idxmin(), "sample_id"]


def with_places(frame: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with map coordinates x and y."""
    return frame.merge(places, on="sample_id", how="inner", validate="one_to_one")


def examples(frame: pd.DataFrame, rows: np.ndarray, by: str, highest: bool, count: int = 6) -> pd.DataFrame:
    """Return the most extreme samples of a part, the clearest first."""
    part = frame[rows]
    return part.nlargest(count, by) if highest else part.nsmallest(count, by)
