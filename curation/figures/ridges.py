"""Distributions: how every term spreads over the samples of every category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.ndimage import gaussian_filter1d

from curation.figures.reading import Reading
from curation.figures.style import GREY, beside, category_axis, finished, letters, on_lines
from curation.words import Term
from lsmi_core import TERMS

__all__ = ["densities", "ridges_figure"]

BINS = 72
PEAK = 0.78  # rows that the highest point of a ridge reaches
MARKS = -0.09
ROUNDING = 1e-9  # nats; a difference of equal numbers is not below 0
GAP = 0.055  # between panels, for the shares at the right of each


def ridges_figure(frame: pd.DataFrame, shown: Sequence[Term], order: list[str], reading: Reading) -> go.Figure:
    """Return aligned panels, one a term: a ridge a category with quartiles, median and the share below 0.

    Four terms stand side by side on a wide screen; on a narrow one give one. The axis is the same whichever are shown.

    Parameters
    ----------
    frame : pandas.DataFrame with ``label`` and the four terms, raw, in nats
    shown : sequence of Term
    order : list of str
        Categories from bottom to top; up to twenty are readable.
    reading : Reading

    Returns
    -------
    plotly.graph_objects.Figure
        At most 80 points a ridge, however many samples there are.
    """
    rows = _Rows(frame["label"], order)
    values = {key: reading.values(key, frame[key]) for key in TERMS}
    edges, outside = _edges(list(values.values()))
    traces, layout = [], {"annotations": []}
    width = (1 - GAP * (len(shown) - 1)) / len(shown)
    for position, term in enumerate(shown):
        start = position * (width + GAP)
        name = "" if position == 0 else str(position + 1)
        traces += _panel(rows, values[term.key][rows.samples], term, order, edges, reading.unit, f"x{name}")
        layout[f"xaxis{name}"] = {
            "domain": [start, start + width], "range": [edges[0], edges[-1]], "anchor": "y", "nticks": 5,
            "title": {"text": reading.unit, "standoff": 4}, "zeroline": True, "zerolinecolor": GREY,
            "zerolinewidth": 1.5, "zerolinelayer": "below traces",
        }  # fmt: skip
        layout["annotations"] += _heading(term, start, start + width)
    figure = go.Figure(traces, layout)
    figure.update_layout(yaxis=category_axis(order, np.arange(len(order), dtype=float), 38, above=0.9))
    told = reading.subtitle(rows.count, len(frame)) + "<br>line and dot: middle half and median"
    told += f"; {outside:.1%} lie outside" if outside > 0 else ""
    return finished(figure, told, 150 + 38 * len(order), legend=False).update_layout(margin={"r": 44, "t": 88})


class _Rows:
    """The samples of the rows on show, sorted by row once for all terms."""

    def __init__(self, labels: pd.Series, order: list[str]) -> None:
        codes, found = pd.factorize(labels)
        place = pd.Index(order).get_indexer(found)[codes]
        shown = np.flatnonzero(place >= 0)
        self.rows = len(order)
        self.samples = shown[np.argsort(place[shown], kind="stable")]
        self.place = place[self.samples]
        self.starts = np.searchsorted(self.place, np.arange(self.rows + 1))
        self.sizes = np.diff(self.starts)
        self.count = len(shown)

    def quartiles(self, values: np.ndarray) -> np.ndarray:
        """Return lower quartile, median and upper quartile of each row; NaN where it is empty."""
        found = np.full((self.rows, 3), np.nan)
        for row, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            if end > start:
                found[row] = np.quantile(values[start:end], (0.25, 0.5, 0.75))
        return found

    def below(self, values: np.ndarray) -> np.ndarray:
        """Return the share of each row that lies below 0."""
        hits = np.bincount(self.place[values < -ROUNDING], minlength=self.rows)
        return hits / np.maximum(self.sizes, 1)


def densities(place: np.ndarray, values: np.ndarray, rows: int, edges: np.ndarray) -> np.ndarray:
    """Return a lightly smoothed histogram of each row, its highest point at 1.

    Both sides of 0 are smoothed by themselves: what lies below 0 is what is drawn there.

    Parameters
    ----------
    place : int ndarray of shape (n_samples,)
        Row of each sample.
    values : ndarray of shape (n_samples,)
    rows : int
    edges : ndarray of shape (n_bins + 1,)
        Equally far apart, 0 among them; what lies outside is left out.

    Returns
    -------
    ndarray of shape (rows, n_bins)
    """
    width, n_bins = edges[1] - edges[0], len(edges) - 1
    bins = np.floor((values + ROUNDING) / width) + np.rint(-edges[0] / width)
    inside = (bins >= 0) & (bins < n_bins)
    cells = place[inside] * n_bins + bins[inside].astype(np.intp)
    counts = np.bincount(cells, minlength=rows * n_bins).reshape(rows, n_bins).astype(float)
    for side in (edges[:-1] < -width / 2, edges[:-1] > -width / 2):
        if side.any():
            counts[:, side] = gaussian_filter1d(counts[:, side], 1.0, axis=1)
    return counts / np.maximum(counts.max(axis=1, keepdims=True), 1e-300)


def _edges(values: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return bins that hold all but the outermost 1 % of every term, and the share of values outside."""
    ends = np.array([np.quantile(v, (0.005, 0.995)) for v in values])
    low, high = float(min(ends[:, 0].min(), 0.0)), float(max(ends[:, 1].max(), 0.0))
    width = 1.08 * (high - low) / BINS or 0.1
    edges = width * np.arange(np.floor((low - 2 * width) / width), np.ceil((high + 2 * width) / width) + 1)
    return edges, float(np.mean([((v < edges[0]) | (v > edges[-1])).mean() for v in values]))


def _outlines(heights: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all ridges as one closed line with gaps between them."""
    centres = (edges[:-1] + edges[1:]) / 2
    xs, ys = [], []
    for row, line in enumerate(heights):
        seen = np.flatnonzero(line > 0.004)
        if len(seen):
            part = slice(seen[0], seen[-1] + 1)
            xs += [centres[part][:1], centres[part], centres[part][-1:], [np.nan]]
            ys += [[row], row + PEAK * line[part], [row], [np.nan]]
    return (np.concatenate(xs), np.concatenate(ys)) if xs else (np.empty(0), np.empty(0))


def _panel(
    rows: _Rows, values: np.ndarray, term: Term, order: list[str], edges: np.ndarray, unit: str, axis: str
) -> list[go.Scatter]:
    """Return the ridges of a term, their middle halves, their medians and the shares below 0."""
    x, y = _outlines(densities(rows.place, values, rows.rows, edges), edges)
    quartiles, below, base = rows.quartiles(values), rows.below(values), np.arange(rows.rows, dtype=float)
    low, middle, high = quartiles.T
    gaps = np.full(rows.rows, np.nan)
    told = [
        f"{letters(label)}<br>{letters(term.title)}, median <b>{m:.3f} {unit}</b><br>middle half: {a:.3f} … {b:.3f}"
        f"<br>{share:.0%} below 0<br>{n:,} samples"
        for label, m, a, b, share, n in zip(order, middle, low, high, below, rows.sizes, strict=True)
    ]
    common = {"xaxis": axis, "showlegend": False, "name": letters(term.title)}
    return [
        go.Scatter(x=x, y=y, mode="lines", fill="toself", line={"color": term.colour, "width": 1.3}, hoverinfo="skip",
                   **common),
        go.Scatter(x=np.stack([low, high, gaps], 1).ravel(), y=np.repeat(base + MARKS, 3), mode="lines",
                   line={"color": GREY, "width": 4}, hoverinfo="skip", **common),
        go.Scatter(x=middle, y=base + MARKS, mode="markers", hovertext=told,
                   hovertemplate="%{hovertext}<extra></extra>",
                   marker={"size": 8, "color": term.colour, "line": {"color": "#FFFFFF", "width": 1.5}}, **common),
        go.Scatter(x=np.full(rows.rows, edges[-1]), y=base + 0.2, mode="text", text=[f" {s:.0%}" for s in below],
                   textposition="middle right", textfont={"size": 11}, cliponaxis=False, hoverinfo="skip", **common),
    ]  # fmt: skip


def _heading(term: Term, left: float, right: float) -> list[dict]:
    place = {"xref": "paper", "yref": "paper", "y": 1.0, "yanchor": "bottom"}
    title = {"font": {"size": 12, "color": None}, "align": "left", "xanchor": "left", "yshift": 14}
    return [
        beside(f"<b>{on_lines(term.title, 2, 24)}</b>", x=left, **place, **title),
        beside(" below 0", x=right, xanchor="right", xshift=34, **place),
    ]
