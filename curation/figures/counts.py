"""How many samples: in groups, selected and left, before and after. All counted here, so that figures stay small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from curation.figures.reading import Reading
from curation.figures.style import FAINT, GREY, SELECTED, category_axis, finished, letters, on_lines, row_height
from curation.words import Term

__all__ = ["balance_figure", "before_after_figure", "groups_figure", "histogram_figure"]

BINS = 60
LEAST_SHARE = 0.08  # a narrower part has no room for its number on a narrow screen


def groups_figure(counts: pd.DataFrame, groups: Sequence[object], reading: Reading) -> go.Figure:
    """Return the shares of the interaction groups in the whole data set and in every category.

    Parameters
    ----------
    counts : pandas.DataFrame
        Samples by category (the index, drawn from bottom to top) and group (columns): see
        :func:`curation.summary.category_counts`.
    groups : sequence with attributes ``key`` (a column), ``title`` and ``colour``
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = np.vstack([counts.to_numpy(), counts.to_numpy().sum(axis=0)])
    sizes, places = table.sum(axis=1), np.append(np.arange(len(counts), dtype=float), len(counts) + 0.3)
    names = [*counts.index, None]
    traces = []
    for group in groups:
        number = table[:, counts.columns.get_loc(group.key)]
        share = number / np.maximum(sizes, 1)
        traces.append(go.Bar(
            orientation="h", x=share, y=places, width=0.72, name=on_lines(group.title, 2, 32),
            marker_color=group.colour,
            text=[f"{s:.0%}" if s >= LEAST_SHARE else "" for s in share], textposition="inside",
            insidetextanchor="middle", constraintext="none", textangle=0, marker_line_width=0,
            hovertemplate="%{hovertext}<extra></extra>",
            hovertext=[f"{letters(name or 'All samples')}<br>{letters(group.title)}: <b>{s:.1%}</b><br>{k:,} of {n:,}"
                       for name, s, k, n in zip(names, share, number, sizes, strict=True)],
        ))  # fmt: skip
    height = row_height(len(counts), 30)
    figure = go.Figure(traces, {"barmode": "stack", "yaxis": category_axis(names, places, height)})
    figure.update_layout(uniformtext={"mode": "hide", "minsize": 9})
    figure.update_xaxes(
        title="share of the samples", tickformat=".0%", range=[0, 1], nticks=5, showgrid=False, automargin=True
    )
    return finished(figure, reading.subtitle(int(sizes[-1])), 130 + height * len(places))


def histogram_figure(
    values: np.ndarray, term: Term, selected: np.ndarray, threshold: float | None, reading: Reading
) -> go.Figure:
    """Return the distribution of a term, the selected part coloured and the rest grey.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Raw, in nats.
    term : Term
    selected : bool ndarray of shape (n_samples,)
    threshold : float or None
        In nats; marked by a line.
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
        Sixty counted bars a part; what lies beyond the outermost 0.2 % is counted in the outermost bars.
    """
    values = reading.values(term.key, values)
    edges = _edges(values)
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    traces = [
        go.Bar(x=middle, y=_counted(values[rows], edges), width=width * 0.96, name=name, marker_color=colour,
               marker_line_width=0, hovertemplate=f"%{{x:.2f}} {reading.unit}: %{{y:,}} samples<extra>{name}</extra>")
        for rows, name, colour in ((selected, "selected", term.colour), (~selected, "the rest", FAINT))
    ]  # fmt: skip
    figure = go.Figure(traces, {"barmode": "stack"})
    if threshold is not None:
        at = float(reading.values(term.key, threshold))
        figure.update_layout(**_mark(float(np.clip(at, edges[0], edges[-1])), f"{at:.2f} {reading.unit}", GREY, edges))
    figure.update_xaxes(title=f"{letters(term.title)}, {reading.unit}", range=[edges[0], edges[-1]], automargin=True)
    figure.update_yaxes(title="samples", automargin=True)
    return finished(figure, reading.subtitle(int(selected.sum()), len(values)), 340)


def before_after_figure(values: np.ndarray, term: Term, kept: np.ndarray, reading: Reading) -> go.Figure:
    """Return how a score is distributed over all samples and over those that are kept, as shares of either.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Raw, in nats.
    term : Term
    kept : bool ndarray of shape (n_samples,)
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
        Two outlines of sixty steps; the legend tells their means.
    """
    values = reading.values(term.key, values)
    edges = _edges(values)
    traces = []
    for part, name, line, fill in (
        (values, "before", {"color": GREY, "width": 2, "dash": "dot"}, None),
        (values[kept], "after", {"color": term.colour, "width": 2.5}, "tozeroy"),
    ):
        share = _counted(part, edges) / max(len(part), 1)
        mean = f"mean {part.mean():.2f} {reading.unit}" if len(part) else "nothing is kept"
        traces.append(go.Scatter(
            x=edges, y=np.append(share, share[-1]), mode="lines", line={"shape": "hv", **line}, fill=fill,
            name=f"{name}: {mean}", hovertemplate=f"from %{{x:.2f}} {reading.unit}: %{{y:.1%}}<extra>{name}</extra>",
        ))  # fmt: skip
    figure = go.Figure(traces)
    figure.update_xaxes(title=f"{letters(term.title)}, {reading.unit}", range=[edges[0], edges[-1]], automargin=True)
    figure.update_yaxes(title="share of the samples", tickformat=".0%", rangemode="tozero", automargin=True)
    return finished(figure, reading.subtitle(int(kept.sum()), len(values)), 320)


def balance_figure(balance: pd.DataFrame) -> go.Figure:
    """Return per category how many samples are selected, of how many.

    Parameters
    ----------
    balance : pandas.DataFrame
        From :func:`curation.partitioning.category_balance`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    balance = balance.sort_values("share", kind="stable")
    places, height = np.arange(len(balance), dtype=float), row_height(len(balance), 30)
    rest = balance["samples"] - balance["selected"]
    told = [
        f"{letters(r.label)}<br><b>{r.share:.0%}</b>: {r.selected:,} of {r.samples:,}" for r in balance.itertuples()
    ]
    common = {"orientation": "h", "y": places, "width": 0.7, "marker_line_width": 0, "hovertext": told,
              "hovertemplate": "%{hovertext}<extra></extra>"}  # fmt: skip
    shares = [f" {share:.0%}" for share in balance["share"]]
    figure = go.Figure([
        go.Bar(x=balance["selected"], name="selected", marker_color=SELECTED, **common),
        go.Bar(x=rest, name="the rest", marker_color=FAINT, text=shares, textposition="outside", cliponaxis=False,
               **common),
    ], {"barmode": "stack", "yaxis": category_axis(balance["label"].tolist(), places, height)})  # fmt: skip
    figure.update_xaxes(title="samples", range=[0, 1.12 * max(int(balance["samples"].max()), 1)])
    n, of = int(balance["selected"].sum()), int(balance["samples"].sum())
    return finished(figure, f"{n:,} of {of:,} samples selected", 110 + height * len(places))


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the ends of sixty bins that hold all but the outermost 0.2 %."""
    low, high = np.quantile(values, (0.002, 0.998))
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def _counted(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]


def _mark(at: float, text: str, colour: str, edges: np.ndarray) -> dict:
    """Return a dotted line through the whole height, and its words on the side where there is room."""
    left = at > (edges[0] + edges[-1]) / 2
    line = {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper",
            "line": {"color": colour, "dash": "dot", "width": 2}}  # fmt: skip
    words = {"x": at, "y": 1, "yref": "paper", "text": text, "showarrow": False, "yanchor": "top",
             "xanchor": "right" if left else "left", "xshift": -4 if left else 4}  # fmt: skip
    return {"shapes": [line], "annotations": [words]}
