"""The fingerprint: what carries the category in the whole data set and in every category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from curation.figures.reading import Reading
from curation.figures.style import GREY, category_axis, finished, letters, on_lines, row_height
from curation.summary import category_order
from curation.words import Term, terms

__all__ = ["fingerprint_figure"]

BAR, LIFT = 0.42, 0.2  # height of a bar and how far above the middle of its row it stands
LANES = (-0.1, -0.19, -0.28, -0.37)
APART = 1.3  # rows between the data set and the first category


def fingerprint_figure(
    categories: pd.DataFrame,
    means: dict[str, dict[str, float]],
    modality_names: tuple[str, str],
    reading: Reading,
    sort_by: str = "r",
    rows: int | Sequence[str] | None = None,
) -> go.Figure:
    """Return one diverging bar a category, and below it the mean of every term from 0 with its 90 % interval.

    Whiskers at the ends of stacked bars would stand at sums and belong to nothing; in lanes of their own, in the
    colour of their term and measured from 0, they can be compared between categories.

    Parameters
    ----------
    categories : pandas.DataFrame
        From :func:`curation.summary.category_means`, raw, in nats.
    means : dict
        From :func:`curation.summary.dataset_means`; drawn as the top row.
    modality_names : tuple of str
    reading : Reading
    sort_by : {"r", "u1", "u2", "s", "label", "n"}
        Categories are sorted by this, the largest on top (names from A on).
    rows : int or sequence of str, optional
        The first so many categories, or these; all by default.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    order = category_order(categories, sort_by, rows)
    places = np.append(np.arange(len(order), dtype=float), len(order) - 1 + APART)
    traces = []
    for lane, term in zip(LANES, terms(modality_names), strict=True):
        table = _table(categories, means, term, order, reading)
        traces += [_bars(term, table, places, reading), _intervals(term, table, places + lane, reading)]
    height = row_height(len(order), 44)
    axis = category_axis([*order, None], places, height)
    figure = go.Figure(traces, {"barmode": "relative", "yaxis": axis})
    figure.update_xaxes(title=f"mean, {reading.unit}", zeroline=True, zerolinewidth=1.5, zerolinecolor=GREY)
    n = int(categories.loc[categories["term"] == "r", "n"].sum())
    shown = "" if len(order) == categories["label"].nunique() else f"<br>{len(order)} categories shown"
    told = f"{reading.subtitle(n)}{shown}<br>dot and line: mean from 0, 90 % interval"
    return finished(figure, told, 130 + height * len(places))


def _table(categories: pd.DataFrame, means: dict, term: Term, order: list[str], reading: Reading) -> pd.DataFrame:
    """Return label, n, mean, low and high of a term as they are drawn; the data set is the last row."""
    rows = categories[categories["term"] == term.key].set_index("label")
    whole = pd.DataFrame([means[term.key] | {"n": rows["n"].sum()}], index=["All samples"])
    table = pd.concat([rows.loc[order, ["n", "mean", "low", "high"]], whole])
    drawn = {name: reading.values(term.key, table[name]) for name in ("mean", "low", "high")}
    # One sample alone has no interval.
    return table.assign(**{name: np.where(np.isfinite(values), values, np.nan) for name, values in drawn.items()})


def _hover(term: Term, table: pd.DataFrame, reading: Reading) -> dict:
    interval = [
        "no interval from one sample" if np.isnan(low) else f"90 %: {low:.3f} … {high:.3f}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    told = zip(table.index, table["mean"], interval, table["n"], strict=True)
    title = letters(term.title)
    return {
        "hovertext": [
            f"{letters(label)}<br>{title}: <b>{mean:.3f} {reading.unit}</b><br>{spread}<br>{n:,} samples"
            for label, mean, spread, n in told
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "legendgroup": term.key,
    }


def _bars(term: Term, table: pd.DataFrame, places: np.ndarray, reading: Reading) -> go.Bar:
    return go.Bar(
        orientation="h", x=table["mean"].to_numpy(), y=places + LIFT, width=BAR, name=on_lines(term.title, 2, 32),
        marker={"color": term.colour, "line": {"width": 0}}, **_hover(term, table, reading),
    )  # fmt: skip


def _intervals(term: Term, table: pd.DataFrame, places: np.ndarray, reading: Reading) -> go.Scatter:
    half = (table["high"] - table["mean"]).to_numpy()
    return go.Scatter(
        x=table["mean"].to_numpy(), y=places, mode="markers", showlegend=False,
        marker={"color": term.colour, "size": 5},
        error_x={"array": half, "color": term.colour, "thickness": 2, "width": 0}, **_hover(term, table, reading),
    )  # fmt: skip
