"""Several methods side by side: what each reached, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from curation.figures.style import GREY, SELECTED, category_axis, finished, letters

__all__ = ["compared_figure"]

_ROW = 46  # pixels


def compared_figure(
    values: pd.DataFrame, ours: str, apart: Sequence[str], measured: str, in_shares: bool, told: str
) -> go.Figure:
    """Return a dot with its interval for every method, ours in colour.

    Parameters
    ----------
    values : pandas.DataFrame
        ``method`` (in plain words), ``mean``, ``low``, ``high``; drawn from top to bottom. Interval ends may be
        infinite, and are not drawn then.
    ours : str
        The method in colour.
    apart : sequence of str
        Methods that are no competitors, drawn hollow.
    measured : str
        What is measured: the horizontal axis.
    in_shares : bool
        Whether values are shares, told in per cent; otherwise as they are.
    told : str
        Subtitle.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    form = ".1%" if in_shares else ".3f"
    places = np.arange(len(values))[::-1]
    colours = [SELECTED if method == ours else GREY for method in values["method"]]
    hollow = ["diamond-open" if method in apart else "circle" for method in values["method"]]
    hover = [
        f"{letters(row.method)}: <b>{row.mean:{form}}</b><br>90 % interval {row.low:{form}} … {row.high:{form}}"
        for row in values.itertuples()
    ]
    bars = [
        go.Scatter(x=[row.low, row.high], y=[place, place], mode="lines", line={"color": colour, "width": 3},
                   hoverinfo="skip")
        for row, place, colour in zip(values.itertuples(), places, colours, strict=True)
        if np.isfinite([row.low, row.high]).all()
    ]  # fmt: skip
    dots = go.Scatter(
        x=values["mean"], y=places, mode="markers+text", hovertext=hover, hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": colours, "symbol": hollow, "size": 13, "line": {"width": 2}}, cliponaxis=False,
        text=[f"{mean:{form}}" for mean in values["mean"]], textposition="top center", textfont={"size": 12},
    )  # fmt: skip
    figure = go.Figure([*bars, dots])
    figure.update_xaxes(title=letters(measured), tickformat=".0%" if in_shares else None, automargin=True, nticks=6)
    figure.update_yaxes(category_axis(list(values["method"]), places, _ROW))
    return finished(figure, letters(told), 110 + _ROW * len(values), legend=False)
