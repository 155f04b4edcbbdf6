"""Questions pages ask of a scored run: tables, orders, neighbours of a choice. Frames in, frames out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.exploring import Samples
from curation.plainly import short
from curation.words import PER_NAT, terms
from curation.workspace import ScoredRun
from lsmi_core import TERMS

__all__ = [
    "describe_samples",
    "examples",
    "explanation",
    "gallery_rows",
    "most_misleading",
    "row_of",
    "sample_table",
    "suspect_table",
]

_LONGEST_CELL = 300  # characters of a text in a table


def describe_samples(run: ScoredRun, frame: pd.DataFrame) -> list[str]:
    """Return a short line a sample, for pointing at it on the map: label and text, markup-free."""
    told = frame["label"].astype("str")
    for name, kind in run.kinds.items():
        if kind == "text":
            told = told + ": " + frame[f"item.{name}"].map(lambda text: short(text, 60))
    return [t.replace("&", "&amp;").replace("<", "&lt;") for t in told]


def sample_table(run: ScoredRun, frame: pd.DataFrame, unit: str = "nats") -> pd.DataFrame:
    """Return samples as a table for people: identifier, label, texts and the four terms under their plain titles.

    Parameters
    ----------
    run : ScoredRun
    frame : pandas.DataFrame
        Scores in nats.
    unit : {"nats", "bits"}
        That of the table.

    Returns
    -------
    pandas.DataFrame
    """
    texts = [f"item.{name}" for name, kind in run.kinds.items() if kind == "text"]
    titles = {term.key: term.title for term in terms(run.modality_names)}
    names = {column: column.removeprefix("item.") for column in texts}
    # A modality may be called like one of the table's own columns.
    titles |= {c: f"{name} (text)" if name in ("sample", "category") else name for c, name in names.items()}
    shown = frame[["sample_id", "label", *texts, *TERMS]].assign(
        **{key: frame[key] * PER_NAT[unit] for key in TERMS},
        **{column: frame[column].str.slice(0, _LONGEST_CELL) for column in texts},
    )
    return shown.rename(columns={"sample_id": "sample", "label": "category", **titles}).reset_index(drop=True)


def gallery_rows(frame: pd.DataFrame, order: str, count: int) -> pd.DataFrame:
    """Return the first samples in an order.

    Parameters
    ----------
    frame : pandas.DataFrame
    order : {"misleading", "r", "u1", "u2", "s"}
        The side that points away from the label the most, or a term, the largest first.
    count : int
    """
    if order == "misleading":
        values = np.minimum(frame["i1"].to_numpy(), frame["i2"].to_numpy())
    else:
        values = -frame[order].to_numpy()
    return frame.iloc[_lowest(values, count)]


def _lowest(values: np.ndarray, count: int) -> np.ndarray:
    """Return positions of the lowest values, of equal ones the first; all are not sorted for a few."""
    if 0 < count < len(values):
        bound = np.partition(values, count - 1)[count - 1]
        near = np.flatnonzero(~(values > bound))  # what is not a number comes last
        return near[np.argsort(values[near], kind="stable")[:count]]
    return np.argsort(values, kind="stable")[:count]


def suspect_table(samples: Samples, selected: np.ndarray, which: str, most: int) -> pd.DataFrame | None:
    """Return the most suspect of the selected samples, each with its score and the reason.

    Parameters
    ----------
    samples : Samples
    selected : ndarray of shape (n_samples,), bool
    which : {"label_error", "swapped_pair", "copies"}
    most : int

    Returns
    -------
    pandas.DataFrame or None
        Columns sample, category, suspicion, reason; None where the run does not tell (yet).
    """
    scores = samples.suspicion(which)
    if scores is None:
        return None
    rows = np.flatnonzero(selected & np.isfinite(scores))
    rows = rows[np.argsort(-scores[rows], kind="stable")[:most]]
    frame = samples.frame.iloc[rows]
    reasons = _copied(samples, rows) if which == "copies" else _contradicted(frame, samples.run.modality_names)
    return pd.DataFrame(
        {"sample": frame["sample_id"], "category": frame["label"], "suspicion": scores[rows], "reason": reasons}
    ).reset_index(drop=True)


def _contradicted(frame: pd.DataFrame, names: tuple[str, str]) -> list[str]:
    told = zip(*(frame[f"{what}.{name}"] for name in names for what in ("says", "sure")), strict=True)
    a, b = names
    return [f"the {a} says “{x}” ({p:.0%}), the {b} says “{y}” ({q:.0%})" for x, p, y, q in told]


def _copied(samples: Samples, rows: np.ndarray) -> list[str]:
    told = samples.copies().iloc[rows]
    return [f"like sample {kept}" for kept in told["copy_of"]]


def row_of(frame: pd.DataFrame, sample_id: str) -> pd.Series:
    """Return the row of one sample."""
    return frame.loc[frame["sample_id"] == sample_id].iloc[0]


def most_misleading(frame: pd.DataFrame) -> str:
    """Return the sample with the side that points away from its label the most: the first worth a look."""
    return frame.loc[frame[["i1", "i2"]].min(axis=1).idxmin(), "sample_id"]


def examples(frame: pd.DataFrame, rows: np.ndarray, by: str, highest: bool, count: int = 6) -> pd.DataFrame:
    """Return the most extreme samples of a part, the clearest first."""
    part = frame[rows]
    return part.nlargest(count, by) if highest else part.nsmallest(count, by)


def explanation(row: pd.Series, modality_names: tuple[str, str]) -> str:
    """Return what one sample's sides say, each with its probability, beside its label."""
    a, b = ((name, row[f"says.{name}"], row[f"sure.{name}"]) for name in modality_names)
    told = ", ".join(f"the {name} says “{said}” with {sure:.0%}" for name, said, sure in (a, b))
    together = f"Together they say “{row['says.both']}” with {row['sure.both']:.0%}."
    return f"{told[:1].upper()}{told[1:]}; the label is “{row['label']}”. {together}"
