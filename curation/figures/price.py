"""The price of pruning: what every policy is worth at every share that stays."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from curation.figures.style import GREY, NAME_COLOURS, beside, finished, letters, on_lines

__all__ = ["price_figure"]

_ORDER = (0, 8, 4, 3, 1, 5, 6, 2, 7, 9)  # of the colours of names: neighbours in the legend lie far apart
FAINTLY, CLEARLY = 0.10, 0.25  # how strongly the bands are filled


def price_figure(
    lines: pd.DataFrame, titles: Mapping[str, str], best: str, share: float, measured: str, told: str
) -> go.Figure:
    """Return a line with its interval band for every policy, the recommended one bold, and a mark at a share.

    Parameters
    ----------
    lines : pandas.DataFrame
        ``policy, budget, mean, low, high``: see :meth:`curation.recommending.Price.lines`.
    titles : mapping of policy to str
        The policies to draw, in the order of the legend.
    best : str
        The policy to draw bold.
    share : float in [0, 1]
        Where the mark stands.
    measured : str
        What is measured: the vertical axis.
    told : str
        Subtitle.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    traces = []
    for policy, colour in zip(titles, _colours(len(titles)), strict=True):
        own = lines[lines["policy"] == policy].sort_values("budget")
        traces += [_band(own, policy, colour, best), _line(own, policy, on_lines(titles[policy], 2, 44), colour, best)]
    figure = go.Figure(traces, {"shapes": [_mark(share)], "annotations": [_words(share)]})
    figure.update_xaxes(title="share of the samples that stays", tickformat=".0%", range=[0, 1.02], automargin=True,
                        showgrid=False)  # fmt: skip
    figure.update_yaxes(title=letters(measured), tickformat=".0%", automargin=True)
    return finished(figure, letters(told), 470)


def _colours(count: int) -> list[str]:
    return [NAME_COLOURS[_ORDER[i % len(_ORDER)]] for i in range(count)]


def _band(own: pd.DataFrame, policy: str, colour: str, best: str) -> go.Scatter:
    there_and_back = pd.concat([own["low"], own["high"][::-1]])
    return go.Scatter(
        x=pd.concat([own["budget"], own["budget"][::-1]]), y=there_and_back, mode="lines", line={"width": 0},
        fill="toself", fillcolor=_faint(colour, CLEARLY if policy == best else FAINTLY), hoverinfo="skip",
        showlegend=False, legendgroup=policy, name=f"{policy} band", zorder=int(policy == best),
    )  # fmt: skip


def _line(own: pd.DataFrame, policy: str, title: str, colour: str, best: str) -> go.Scatter:
    told = [
        f"{title}<br>{row.budget:.0%} stays: <b>{row.mean:.1%}</b><br>90 % interval {row.low:.1%} … {row.high:.1%}"
        for row in own.itertuples()
    ]
    return go.Scatter(
        x=own["budget"], y=own["mean"], mode="lines+markers", name=f"<b>{title}</b>" if policy == best else title,
        line={"color": colour, "width": 4.5 if policy == best else 1.5},
        marker={"size": 9 if policy == best else 5}, legendgroup=policy, zorder=int(policy == best),
        hovertext=told, hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _mark(share: float) -> dict:
    line = {"color": GREY, "dash": "dot", "width": 2}
    return {"type": "line", "x0": share, "x1": share, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _words(share: float) -> dict:
    left = share > 0.5
    place = {"yref": "paper", "y": 0.02, "yanchor": "bottom", "x": share}
    return beside(f"{share:.0%} stays", **place, xanchor="right" if left else "left", xshift=-5 if left else 5)
