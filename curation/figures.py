"""Scores to plotly figures. Pure: a frame in, a Figure out, nothing read from disk or screen."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from curation.plainly import one_line
from curation.words import Term, terms, within_sentence

__all__ = [
    "balance_figure",
    "distribution_figure",
    "fingerprint_figure",
    "histogram_figure",
    "known_answers_figure",
    "map_figure",
]

ALL = "All samples"
GREY = "#8A8A8A"
CATEGORY_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8A8A8A", "#7F5AA2", "#B59B00", "#5B3A1E",
)  # fmt: skip
MAX_COLOURED_CATEGORIES = len(CATEGORY_COLOURS)
ROUNDING = 1e-9  # nats; a difference of equal numbers is not below 0


def fingerprint_figure(
    categories: pd.DataFrame, means: dict[str, dict[str, float]], modality_names: tuple[str, str], sort_by: str = "r"
) -> go.Figure:
    """Return one diverging bar a category: the mean of every term in nats, with interval whiskers.

    Parameters
    ----------
    categories : pandas.DataFrame
        From :func:`curation.summary.category_means`.
    means : dict
        From :func:`curation.summary.dataset_means`; drawn as the top row.
    modality_names : tuple of str
    sort_by : {"r", "u1", "u2", "s"}
        Categories are sorted by this term, the largest on top.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    order = categories[categories["term"] == sort_by].sort_values("mean")["label"].tolist()
    figure = go.Figure()
    for term in terms(modality_names):
        rows = categories[categories["term"] == term.key].set_index("label").loc[order]
        total = means[term.key]
        mean = np.array([*rows["mean"], total["mean"]])
        figure.add_bar(
            orientation="h",
            y=[*(_wrapped(label) for label in order), f"<b>{ALL}</b>"],
            x=mean,
            name=_letters(term.title),
            marker_color=term.colour,
            marker_line_width=0,
            error_x={
                "array": np.array([*rows["high"], total["high"]]) - mean,
                "color": "rgba(90,90,90,0.75)", "thickness": 1.2, "width": 3,
            },
            customdata=np.stack([[*rows["n"], rows["n"].sum()], [*rows["low"], total["low"]],
                                 [*rows["high"], total["high"]]], axis=1),
            hovertemplate="%{y}<br>" + _letters(term.title) + ": <b>%{x:.3f} nats</b><br>90 %: %{customdata[1]:.3f} … "
            "%{customdata[2]:.3f}<br>%{customdata[0]:,} samples<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="relative", bargap=0.28)
    figure.update_xaxes(title="mean, nats", zeroline=True, zerolinewidth=1.5, zerolinecolor=GREY)
    return _finished(figure, rows=len(order) + 1, row_height=34)


def distribution_figure(frame: pd.DataFrame, term: Term, order: list[str], limits: tuple[float, float]) -> go.Figure:
    """Return one ridge a category: how a term is distributed over its samples, in nats.

    Parameters
    ----------
    frame : pandas.DataFrame with ``label`` and the term's column
    term : Term
    order : list of str
        Categories from bottom to top.
    limits : tuple of float
        Common axis in nats; samples outside are counted, not drawn.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    ridges, shares = [], []
    everything, place = frame[term.key].to_numpy(), pd.Index(order).get_indexer(frame["label"])
    for position, label in enumerate(order):
        values = everything[place == position]
        negative = float((values < -ROUNDING).mean())
        ridges.append(go.Violin(
            x=values, y=[_wrapped(label)] * len(values), orientation="h", side="positive", width=1.5, points=False,
            line_color=term.colour, line_width=1.2, fillcolor=term.colour, opacity=0.75, spanmode="hard",
            meanline_visible=True, showlegend=False, hoverinfo="skip", scalemode="width",
        ))  # fmt: skip
        shares.append(_beside(f" {negative:.0%}", y=_wrapped(label), yshift=8))
    outside = float(((frame[term.key] < limits[0]) | (frame[term.key] > limits[1])).mean())
    shares.append(_beside(" below 0", y=1.0, yref="paper", yanchor="bottom"))
    figure = go.Figure(ridges, {"annotations": shares})  # all at once: one by one takes the square of their number
    title = "nats" + (f" ({outside:.1%} of the samples lie outside)" if outside > 0 else "")
    figure.update_xaxes(title=title, range=list(limits), zeroline=True, zerolinecolor=GREY, zerolinewidth=1.5)
    figure.update_yaxes(categoryorder="array", categoryarray=[_wrapped(label) for label in order])
    finished = _finished(figure, rows=len(order), row_height=30)
    finished.update_yaxes(range=[-0.4, len(order) + 0.6])
    return finished.update_layout(margin={"r": 60, "t": 28})


def _beside(text: str, **place: object) -> dict:
    """Return an annotation at the right of the axes."""
    here = {"x": 1.0, "xref": "paper", "xanchor": "left", "showarrow": False}
    return {"text": text, "font": {"size": 11, "color": GREY}, **here, **place}


def map_figure(places: pd.DataFrame, colour: str, title: str, texts: list[str], chosen: str | None = None) -> go.Figure:
    """Return the map of the samples, coloured by category or by a score.

    Parameters
    ----------
    places : pandas.DataFrame
        ``sample_id, x, y, label`` and the colouring column.
    colour : str
        ``label`` or a numeric column in nats.
    title : str
        What the colours mean.
    texts : list of str
        Short text shown when a point is pointed at.
    chosen : str, optional
        Sample to ring.

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries its ``sample_id`` as customdata.
    """
    figure = go.Figure()
    places = places.assign(text=texts)
    if colour == "label":
        for group, name, tint in _groups(places):
            figure.add_trace(_points(group, name, {"color": tint}))
    else:
        values = places[colour].to_numpy()
        reach = float(np.quantile(np.abs(values), 0.98)) or 1.0
        marker = {
            "color": values, "cmin": -reach, "cmax": reach, "cmid": 0, "colorscale": "RdBu_r",
            "colorbar": {"title": "nats", "thickness": 12, "outlinewidth": 0},
        }  # fmt: skip
        figure.add_trace(_points(places, title, marker))
    if chosen is not None:
        ring = places[places["sample_id"] == chosen]
        figure.add_scatter(
            x=ring["x"], y=ring["y"], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"size": 20, "symbol": "circle-open", "color": "#D55E00", "line": {"width": 3}},
        )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(height=560, dragmode="pan", legend={"itemsizing": "constant"})
    return _finished(figure)


def histogram_figure(frame: pd.DataFrame, term: Term, selected: np.ndarray, threshold: float | None) -> go.Figure:
    """Return the distribution of a term, the selected part coloured and the rest grey, in nats."""
    values = frame[term.key].to_numpy()
    low, high = np.quantile(values, [0.002, 0.998])
    bins = {"start": low, "end": high, "size": max((high - low) / 60, 1e-9)}
    figure = go.Figure()
    for rows, name, colour in ((selected, "selected", term.colour), (~selected, "the rest", "#C4C4C4")):
        figure.add_histogram(x=np.clip(values[rows], low, high), xbins=bins, name=name, marker_color=colour,
                             hovertemplate="%{x:.2f} nats: %{y:,} samples<extra>" + name + "</extra>")  # fmt: skip
    if threshold is not None:
        figure.add_vline(x=float(np.clip(threshold, low, high)), line_dash="dot", line_color="#444",
                         annotation_text=f"{threshold:.2f} nats", annotation_position="top")  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.03, height=320)
    figure.update_xaxes(title=f"{_letters(term.title)}, nats")
    figure.update_yaxes(title="samples")
    return _finished(figure)


def balance_figure(balance: pd.DataFrame) -> go.Figure:
    """Return per category how many samples are selected, of how many."""
    balance = balance.sort_values("share")
    figure = go.Figure()
    labels = [
        f"{_wrapped(label)} <b>{share:.0%}</b>" for label, share in zip(balance["label"], balance["share"], strict=True)
    ]
    parts = (
        ("selected", balance["selected"], "#0072B2"),
        ("the rest", balance["samples"] - balance["selected"], "#C4C4C4"),
    )
    for name, counts, colour in parts:
        figure.add_bar(
            orientation="h", y=labels, x=counts, name=name, marker_color=colour,
            hovertemplate="%{y}: %{x:,} " + name + "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(title="samples")
    return _finished(figure, rows=len(balance), row_height=30)


def known_answers_figure(frame: pd.DataFrame, modality_names: tuple[str, str]) -> go.Figure:
    """Return for each way of building a sample the estimated means as bars and the known ones as diamonds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Scores with ``known.regime`` and ``known.r, known.u1, known.u2, known.s``, in nats.
    modality_names : tuple of str

    Returns
    -------
    plotly.graph_objects.Figure
    """
    named = dict(zip(
        ("redundant", "unique1", "unique2", "synergistic", "neither"),
        (f"built so that:<br>{_letters(within_sentence(t.title))}" for t in terms(modality_names)), strict=False,
    )) | {"neither": "built so that:<br>neither helps"}  # fmt: skip
    groups = frame.groupby("known.regime")
    order = [regime for regime in named if regime in groups.groups]
    figure = go.Figure()
    for position, term in enumerate(terms(modality_names)):
        offset = (position - 1.5) * 0.19
        places = [i + offset for i in range(len(order))]
        figure.add_bar(
            x=places,
            y=[groups.get_group(g)[term.key].mean() for g in order],
            width=0.17,
            name=_letters(term.title),
            marker_color=term.colour,
            hovertemplate=_letters(term.title) + ", estimated: %{y:.3f} nats<extra></extra>",
        )
        figure.add_scatter(x=places, y=[groups.get_group(g)[f"known.{term.key}"].mean() for g in order], mode="markers",
                           marker={"symbol": "diamond", "size": 11, "color": "#FFFFFF",
                                   "line": {"color": "#222222", "width": 1.8}},
                           name="known answer", legendrank=2000, showlegend=position == 0,
                           hovertemplate=_letters(term.title) + ", known: %{y:.3f} nats<extra></extra>")  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(order))), ticktext=[named[g] for g in order])
    figure.update_yaxes(title="mean, nats", zeroline=True, zerolinecolor=GREY)
    figure.update_layout(height=430)
    return _finished(figure)


def _groups(places: pd.DataFrame) -> list[tuple[pd.DataFrame, str, str]]:
    """Return the largest categories with a colour each, the others together in light grey."""
    counts = places["label"].value_counts()
    named = counts.index[:MAX_COLOURED_CATEGORIES]
    groups = [
        (places[places["label"] == label], str(label), colour)
        for label, colour in zip(named, CATEGORY_COLOURS, strict=False)
    ]
    others = places[~places["label"].isin(named)]
    if len(others):
        groups.insert(0, (others, f"{len(counts) - len(named)} other categories", "#D0D0D0"))
    return groups


def _points(group: pd.DataFrame, name: str, marker: dict) -> go.Scattergl:
    return go.Scattergl(
        x=group["x"], y=group["y"], mode="markers", name=_letters(textwrap.shorten(name, 30, placeholder="…")),
        marker={"size": 6, "opacity": 0.8, **marker}, customdata=group["sample_id"], text=group["text"],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _wrapped(label: object) -> str:
    """Return a label on lines of at most 22 characters, safe to put on an axis."""
    return "<br>".join(textwrap.wrap(_letters(label), 26, max_lines=3, placeholder="…")) or "(blank)"


def _letters(text: object) -> str:
    """Return text that plotly shows letter by letter: it reads some HTML, and braces as places to fill."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace("%{", "%&#123;")


def _finished(figure: go.Figure, rows: int | None = None, row_height: int = 34) -> go.Figure:
    """Return the figure with the house's margins, legend and background."""
    if rows is not None:
        figure.update_layout(height=110 + rows * row_height)
        figure.update_yaxes(automargin=True, showgrid=False)
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 40, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"align": "left"},
    )  # fmt: skip
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "title": None})
    figure.update_xaxes(automargin=True)
    return figure
